"""`./millrace new-model`: from any table to a complete, commented `model.toml`."""
