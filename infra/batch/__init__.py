"""Uploads too large for one call."""
