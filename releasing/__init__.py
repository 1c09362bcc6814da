"""Releases: the judge of a candidate, replay, experiments. Pure logic on the standard library alone."""
