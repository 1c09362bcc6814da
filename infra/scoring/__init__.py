"""From an upload to its outcome, and the search for uploads without one."""
