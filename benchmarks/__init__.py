"""Speed and memory, measured against what a user would pick instead. Never run as tests."""
