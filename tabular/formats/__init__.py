"""Readers of tables in bounded memory, for scoring and for training alike.

`detection` says which format it is, `compression` and `encoding` turn its bytes into text, and a
module a format turns that into rows. Nothing here knows what the rows are read for.
"""
