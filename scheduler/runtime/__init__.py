"""The daemon and the command line: the only asyncio of the scheduler."""
