"""Alarms and paging."""
