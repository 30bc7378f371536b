"""What every picture asks of its numbers."""

import math
from collections.abc import Sequence


def amounts(values: Sequence[float]) -> bool:
    """Return whether all are finite numbers of 0 or more."""
    return all(math.isfinite(value) and value >= 0 for value in values)
