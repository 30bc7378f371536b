"""The commands of the scheduler; the table of contents in `main.py` says which there are."""
