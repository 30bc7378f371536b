"""How many patients a question needs."""
