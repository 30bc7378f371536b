"""Timelines of enrolled patients: what is due, what is missing, what must be said."""
