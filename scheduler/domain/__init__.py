"""Pure rules: from facts to what is true, what is missing and what must be said. No clock, no I/O."""
