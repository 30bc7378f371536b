"""Cuts of the exposure: how well one separates, which one does best, how certain it is."""
