"""Published population models: as values, from their files, applied to a subject's covariates and treatment."""
