"""Held rows: which wait and for what, the look again at the records, and what a person decides."""
