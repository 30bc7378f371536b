"""Outcomes that are missing: what they could change."""
