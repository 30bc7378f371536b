"""Reads a parsed TOML table key by key, noting every defect with its key and its remedy."""

import math
import re
from collections.abc import Mapping
from typing import Any

from pk.values.file_defect import FileDefect, Phrase, phrase

Table = Mapping[str, Any]

_SOME_TEXT = phrase("some text")


def finite(value: object) -> float | None:
    """Return a number of a parsed file as a finite float, None for anything else.

    >>> finite(3), finite(True), finite("3"), finite(float("nan"))
    (3.0, None, None, None)
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


class TableReader:
    """Reads one table; a defect is noted and reading goes on with a stand-in.

    The key of every defect is preceded by `where`; `wanted` is what its remedy asks for.
    """

    def __init__(self, table: object, where: str, defects: list[FileDefect], whole: str) -> None:
        self.where = where
        self.defects = defects
        self.whole = whole
        self.seen: set[str] = set()
        if not isinstance(table, Mapping):
            problem = phrase("{value} is not a table.", value=repr(table))
            self.note("", problem, phrase("Write key = value lines."))
            table = {}
        self.table: Table = table

    def note(self, key: str, problem: Phrase, remedy: Phrase) -> None:
        """Add a defect of a key; of the whole table for an empty one."""
        self.defects.append(FileDefect((self.where + key).rstrip(".") or self.whole, problem, remedy))

    def refuse(self, key: str, wanted: Phrase) -> None:
        """Note that the value of a key, unless it is missing, cannot be used."""
        if key in self.table:
            problem = phrase("{value} cannot be used.", value=repr(self.table[key]))
            self.note(key, problem, phrase("Give {wanted}.", wanted=wanted))

    def take(self, key: str, wanted: Phrase, *, optional: bool = False) -> Any:
        """Return the raw value of a key; None where it is missing, which is a defect unless optional."""
        self.seen.add(key)
        if key not in self.table and not optional:
            self.note(key, phrase("missing."), phrase("Give {wanted}.", wanted=wanted))
        return self.table.get(key)

    def words(self, key: str, pattern: str = r"(?s).*\S.*", wanted: Phrase = _SOME_TEXT) -> str:
        """Return a text that matches the whole pattern."""
        value = self.take(key, wanted)
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        self.refuse(key, wanted)
        return ""

    def number(
        self,
        key: str,
        wanted: Phrase,
        least: float = -math.inf,
        *,
        above: bool = False,
        optional: float | None = None,
    ) -> float:
        """Return a finite number from `least` on, or above it; `optional` is what a missing key means."""
        value = finite(self.take(key, wanted, optional=optional is not None))
        if value is not None and (value > least if above else value >= least):
            return value
        self.refuse(key, wanted)
        return optional if optional is not None else 0.0

    def numbers(self, key: str, wanted: Phrase, count: int, *, optional: bool = False) -> tuple[float, ...]:
        """Return a list of that many finite numbers; empty where it is optional and missing."""
        value = self.take(key, wanted, optional=optional)
        if isinstance(value, list):
            read = tuple(number for item in value if (number := finite(item)) is not None)
            if len(read) == len(value) == count:
                return read
        self.refuse(key, wanted)
        return ()

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        wanted = phrase("true or false")
        value = self.take(key, wanted, optional=True)
        if isinstance(value, bool):
            return value
        self.refuse(key, wanted)
        return default

    def texts(self, key: str, wanted: Phrase, *, optional: bool = False) -> tuple[str, ...]:
        """Return a list of texts, none of them blank; it may be missing only where it is optional."""
        value = self.take(key, wanted, optional=optional)
        if (
            isinstance(value, list)
            and (value or optional)
            and all(isinstance(item, str) and item.strip() for item in value)
        ):
            return tuple(value)
        self.refuse(key, wanted)
        return ()

    def inner(self, key: str, wanted: Phrase, *, optional: bool = False) -> "TableReader":
        """Return the reader of a table inside this one."""
        value = self.take(key, wanted, optional=optional)
        return TableReader({} if value is None else value, f"{self.where}{key}.", self.defects, self.whole)

    def inners(self, key: str, wanted: Phrase) -> tuple["TableReader", ...]:
        """Return the readers of a list of tables, which may be missing."""
        value = self.take(key, wanted, optional=True)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.refuse(key, wanted)
            return ()
        return tuple(
            TableReader(item, f"{self.where}{key}[{i}].", self.defects, self.whole)
            for i, item in enumerate(value, 1)
        )

    def finish(self) -> None:
        """Note every key that nobody asked for."""
        for key in self.table:
            if key not in self.seen:
                remedy = phrase("Known here: {known}.", known=", ".join(sorted(self.seen)))
                self.note(key, phrase("unknown key."), remedy)
