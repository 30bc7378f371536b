"""The answer as sentences and as JSON."""
