"""What is given, measured and estimated, as plain values with units; reasons instead of missing numbers."""
