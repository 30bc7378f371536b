"""The report of the study's question: who is in it, its tables, its pictures, its page."""
