"""Looks into FHIR resources without trusting their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scheduler.intake.readers.json_text import NumberText
from scheduler.intake.readers.table import UNREADABLE

__all__ = ["Element", "Faults"]

_CHILD = 75  # what one of many elements costs to look at, in characters of text
_HALF_A_LETTER = re.compile("[\ud800-\udfff]")  # which JSON can escape and UTF-8 cannot write


class Faults(list[str]):
    """The places that are not as FHIR says, and how much was read to find them, in characters or so."""

    read = 0


class Element:
    """One object of a resource. What is not there is empty; what is there and of another kind than FHIR says is
    empty too, and its path goes to `faults`."""

    __slots__ = ("data", "faults", "path")

    def __init__(self, data: Mapping[str, Any], path: str, faults: list[str]) -> None:
        self.data, self.path, self.faults = data, path, faults

    def __bool__(self) -> bool:
        return bool(self.data)

    def has(self, name: str) -> bool:
        return self.data.get(name) is not None

    def string(self, name: str) -> str:
        """A string without characters that nobody can read."""
        value = self.data.get(name)
        if value is None:
            return ""
        if not isinstance(value, str) or isinstance(value, NumberText) or not _is_readable(value):
            return self._fault(name)
        self._count(len(value))
        return value.strip()

    def number(self, name: str) -> str:
        """A number as it stands in the file."""
        value = self.data.get(name)
        if value is None:
            return ""
        return str(value) if isinstance(value, NumberText) else self._fault(name)

    def child(self, name: str) -> Element:
        value = self.data.get(name)
        if value is not None and not isinstance(value, Mapping):
            self._fault(name)
            value = None
        return Element(value or {}, f"{self.path}.{name}", self.faults)

    def children(self, name: str) -> list[Element]:
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            self._fault(name)
            return []
        self._count(_CHILD * len(value))
        return [Element(one, f"{self.path}.{name}", self.faults) for one in value]

    def choice(self, stem: str) -> Iterator[str]:
        """The names under which an element of several types is given, as valueQuantity for `value`."""
        self._count(len(self.data))
        for name in self.data:
            if name.startswith(stem) and name[len(stem) : len(stem) + 1].isupper() and self.has(name):
                yield name

    def _count(self, size: int) -> None:
        if isinstance(self.faults, Faults):
            self.faults.read += size

    def _fault(self, name: str) -> str:
        self.faults.append(f"{self.path}.{name}")
        return ""


def _is_readable(text: str) -> bool:
    return UNREADABLE.search(text) is None and _HALF_A_LETTER.search(text) is None
