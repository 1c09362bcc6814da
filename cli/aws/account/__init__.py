"""Checks of an account before something is deployed to it: the image, and quotas."""
