"""The calls that commands make to AWS."""
