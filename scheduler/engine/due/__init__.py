"""Mails that no visit calls for: lists to the laboratories, the month's exposures, the daily audit anchor."""
