"""Accounts of the console: passwords, sign-in, second factor, what was typed when a sign-in ended."""
