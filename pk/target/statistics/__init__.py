"""Statistics that know nothing of the question."""
