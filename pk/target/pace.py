"""How far a computation has come, for whoever waits for it."""

from collections.abc import Callable

Step = Callable[[], None]
"""Called once for every part that is done."""

STEPS = 6
"""Parts of one analysis, whatever its tier leaves out."""


def unwatched() -> None:
    """Nobody waits."""
