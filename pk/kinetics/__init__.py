"""Closed-form concentrations and areas of compartment models, for a whole batch at once."""
