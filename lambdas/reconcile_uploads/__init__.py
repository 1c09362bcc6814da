"""Finds uploads that have no outcome although they should, and puts them back on the score queue."""
