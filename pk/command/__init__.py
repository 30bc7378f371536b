"""What `python -m pk` reads and writes."""
