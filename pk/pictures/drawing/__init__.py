"""Drawing with matplotlib, which nothing else loads."""
