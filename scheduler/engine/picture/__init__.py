"""Drawings as SVG, and what the pictures of AUCs are drawn from."""
