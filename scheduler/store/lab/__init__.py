"""Laboratory files and results: files, their rows as values, what is on record, held rows, the desk's lists."""
