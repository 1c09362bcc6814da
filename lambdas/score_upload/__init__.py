"""Turns each upload under `score/` into exactly one outcome: a scored table, or why there is none."""
