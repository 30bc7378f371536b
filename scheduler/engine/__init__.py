"""One transaction per unit of work: record what people say, reconcile what follows, report what stands."""
