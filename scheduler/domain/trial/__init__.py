"""The trial's question: who may take part, what is measured, and what counts as a response. Pure."""
