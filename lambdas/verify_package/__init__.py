"""Checks that an approved model package is what its evaluation measured, before it is released."""
