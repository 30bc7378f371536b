"""The study's layout: its columns, and the words, units, numbers and times that may stand in them."""
