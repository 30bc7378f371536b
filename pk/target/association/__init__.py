"""Exposure and outcome over the whole range, without a cut."""
