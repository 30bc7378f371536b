"""An English sentence with named fields, and what stands in them; it is put into words when it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Said", "said"]


@dataclass(frozen=True, slots=True)
class Said:
    """What is said: a sentence or phrase of the catalogues, and its values. A value may be a phrase itself; any other
    is shown as it is: a key, a name, a number, a word of the file's format."""

    english: str
    values: tuple[tuple[str, Said | str], ...] = ()

    def __str__(self) -> str:
        return self.by(str)

    def by(self, translate: Callable[[str], str]) -> str:
        """The words as `translate` has them."""
        words = {name: one.by(translate) if isinstance(one, Said) else one for name, one in self.values}
        return translate(self.english).format(**words)

    def to_json(self) -> dict[str, Any]:
        """The sentence as plain JSON values."""
        return {
            "english": self.english,
            "values": {name: one.to_json() if isinstance(one, Said) else one for name, one in self.values},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Said:
        """The sentence that `to_json` wrote."""
        values = data["values"].items()
        return cls(
            data["english"],
            tuple((name, cls.from_json(one) if isinstance(one, dict) else one) for name, one in values),
        )


def said(english: str, /, **values: Said | str | float) -> Said:
    """The sentence with these values.

    >>> str(said("'{name}' is used twice.", name="marie"))
    "'marie' is used twice."
    """
    kept = {name: one if isinstance(one, Said) else str(one) for name, one in values.items()}
    return Said(english, tuple(kept.items()))
