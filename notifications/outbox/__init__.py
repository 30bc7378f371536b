"""Mails from being put in to their end: to whom, when, in whose hands, and what became of them."""
