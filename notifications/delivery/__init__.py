"""Mails on their way out: written, handed over, settled, and what follows when they do not arrive."""
