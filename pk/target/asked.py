"""What somebody who asks may choose; light, so that a command line can be read without the numerics."""

from enum import StrEnum


class Direction(StrEnum):
    """On which side response is expected, stated before the data are seen."""

    HIGHER = "higher"
    LOWER = "lower"


class OutcomeKind(StrEnum):
    """What the outcome column holds; `auto` takes nothing but 0 and 1 for binary."""

    AUTO = "auto"
    BINARY = "binary"
    CONTINUOUS = "continuous"
