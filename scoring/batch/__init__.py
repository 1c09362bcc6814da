"""Uploads too large for one call: split, scored and put together in order."""
