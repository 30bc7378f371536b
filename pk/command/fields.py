"""The fields of one JSON object, read one by one; everything wrong with them is collected, nothing raised."""

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from pk.values.jsontypes import Json, JsonObject, kind
from pk.values.reason import Reason, short

Choice = TypeVar("Choice", bound=StrEnum)


class Fields:
    """Reads an object; `problems` holds what was wrong, in order of reading.

    Parameters
    ----------
    content : dict
        The object.
    path : str
        Where it stands in the record, as "blq." or "samples[2]."; empty for the record itself.
    problems : list of Reason, optional
        Shared with the object around it.
    """

    def __init__(self, content: JsonObject, path: str = "", problems: list[Reason] | None = None) -> None:
        self.content = content
        self.path = path
        self.problems: list[Reason] = [] if problems is None else problems

    def allow(self, known: Iterable[str]) -> None:
        """Note every field that is not among the known ones."""
        names = tuple(known)
        for name in self.content:
            if name not in names:
                self.note("field_unknown", name, known=", ".join(names))

    def note(self, code: str, name: str, **params: str | float | int) -> None:
        """Note a problem of one field."""
        self.problems.append(Reason.of(code, field=self.path + name, **params))

    def has(self, name: str) -> bool:
        """Return whether the field is given and not null."""
        return self.content.get(name) is not None

    def number(
        self,
        name: str,
        *,
        above: float | None = None,
        least: float | None = None,
        most: float | None = None,
    ) -> float | None:
        """Return a finite number within its limits, None where it is not given or wrong."""
        value = self.content.get(name)
        found = None if value is None else self.as_number(value, name)
        if found is None:
            return None
        if above is not None and not found > above:
            self.note("field_not_above", name, value=short(found), limit=short(above))
        elif least is not None and found < least:
            self.note("field_too_small", name, value=short(found), least=short(least))
        elif most is not None and found > most:
            self.note("field_too_large", name, value=short(found), most=short(most))
        else:
            return found
        return None

    def number_or(
        self, name: str, default: float, *, least: float | None = None, most: float | None = None
    ) -> float:
        """Return a finite number within its limits, the default where it is not given or wrong."""
        found = self.number(name, least=least, most=most)
        return default if found is None else found

    def as_number(self, value: Json, name: str) -> float | None:
        """Return a JSON value as a finite number; a string or a boolean is not one."""
        if type(value) is not float and type(value) is not int:
            self.wrong_kind(value, name, "number")
            return None
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
        if math.isfinite(found):
            return found
        self.note("field_not_finite", name)
        return None

    def whole(self, name: str, default: int, *, least: int) -> int:
        """Return a whole number, the default where it is not given or wrong."""
        found = self.number(name, least=least)
        if found is None:
            return default
        if not found.is_integer():
            self.note("field_not_whole", name, value=short(found))
            return default
        return int(found)

    def flag(self, name: str, default: bool) -> bool:
        """Return a boolean, the default where it is not given or wrong."""
        value = self.content.get(name, default)
        if isinstance(value, bool):
            return value
        self.wrong_kind(value, name, "boolean")
        return default

    def choice(self, name: str, default: Choice) -> Choice:
        """Return one of an enumeration's values, the default where it is not given or wrong."""
        value = self.content.get(name)
        if value is None:
            return default
        known = type(default)
        if not isinstance(value, str):
            self.wrong_kind(value, name, "string")
        elif value in {one.value for one in known}:
            return known(value)
        else:
            self.note("field_not_choice", name, known=", ".join(known))
        return default

    def items(self, name: str, *, required: bool = False) -> list[Json]:
        """Return a list, empty where it is not given or wrong."""
        value = self.content.get(name)
        if isinstance(value, list):
            return value
        if value is not None:
            self.wrong_kind(value, name, "array")
        elif required:
            self.note("field_missing", name)
        return []

    def child(self, name: str) -> "Fields | None":
        """Return the reader of an object inside this one, None where it is not given or wrong."""
        value = self.content.get(name)
        if isinstance(value, dict):
            return Fields(value, f"{self.path}{name}.", self.problems)
        if value is not None:
            self.wrong_kind(value, name, "object")
        return None

    def identifier(self, name: str = "id") -> Json:
        """Return a string, a number or null; anything else is a problem and null."""
        value = self.content.get(name)
        if isinstance(value, list | dict | bool):
            self.wrong_kind(value, name, "string")
            return None
        if isinstance(value, float) and self.as_number(value, name) is None:
            return None
        return value

    def wrong_kind(self, value: Json, name: str, expected: str) -> None:
        """Note that a field holds another kind of JSON value than it must."""
        self.note("field_wrong_kind", name, found=kind(value), expected=expected)
