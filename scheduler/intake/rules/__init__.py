"""The rules: what a row means, and what speaks against it, alone, beside others, and among the records."""
