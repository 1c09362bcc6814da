"""Pins what lies under `training/` as a dataset version and starts a training run of it."""
