"""The most probable random effects (MAP) of a whole batch of subjects."""
