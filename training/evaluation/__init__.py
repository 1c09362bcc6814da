"""What `evaluate` finds out about a sealed model, one module a question."""
