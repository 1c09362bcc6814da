"""From an approved model package to what the endpoint serves."""
