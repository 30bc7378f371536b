"""What pydantic finds wrong with a file or the settings, as defects with sentences of our own."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

from config.defects import Defect
from config.said import Said
from config.schema.shapes import FORMS
from config.shape_errors import OUR_TYPES

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["TYPES", "UNKNOWN", "shape_defects"]

_TEXT = ("It is not a text.", "Write it between quotation marks.")
_WHOLE = ("It is not a whole number.", "Give a number without decimals.")
_NUMBER = ("It is not a number.", "Give a number, its decimals after a point.")
_SWITCH = ("It is neither true nor false.", "Write true or false.")
_TABLE = ("It is not a table.", "Write lines key = value below a heading in square brackets.")
_DAY = ("It is not a day.", "Write a day such as 2026-12-25.")
_CHOICE = ("This value is not possible here.", "Possible values: {expected}.")

TYPES: dict[str, tuple[str, str]] = {
    **OUR_TYPES,
    "missing": ("It is missing.", "Add it."),
    "extra_forbidden": ("There is no such key here.", "Remove the key or correct its spelling."),
    "literal_error": _CHOICE,
    "enum": _CHOICE,
    "string_pattern_mismatch": (
        "It is not written as it must be.",
        "Write it in the form that the documentation of the file gives.",
    ),
    "string_type": _TEXT,
    "string_too_short": ("It is empty.", "Write some text."),
    "too_short": ("The list is empty.", "Give at least one entry."),
    "tuple_type": ("It is not a list.", "Write a list in square brackets."),
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "finite_number": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": _SWITCH,
    "bool_parsing": _SWITCH,
    "greater_than": ("It is too small.", "Give a number above {gt}."),
    "greater_than_equal": ("It is too small.", "Give {ge} or more."),
    "less_than_equal": ("It is too large.", "Give {le} or less."),
    "date_type": _DAY,
    "date_from_datetime_parsing": _DAY,
    "date_from_datetime_inexact": _DAY,
    "path_type": ("It is not a path.", "Write a path between quotation marks."),
}
"""Problem and remedy by the type of pydantic's error; their fields are those of its context."""

UNKNOWN = ("It cannot be used: {detail}.", "Correct the value.")
"""Problem and remedy of an error of another type."""


def shape_defects(name: str, error: ValidationError) -> list[Defect]:
    """The defects that pydantic found in one file, as file, key, problem, remedy."""
    found = []
    for item in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"]) or "file"
        problem, remedy = TYPES.get(item["type"], UNKNOWN)
        values = {one: _shown(value) for one, value in item.get("ctx", {}).items()}
        values["detail"] = item["msg"].rstrip(".")
        form = FORMS.get(values.get("pattern", ""), remedy)
        found.append(Defect(name, key, _filled(problem, values), _filled(form, values)))
    return found


def _filled(english: str, values: dict[str, str]) -> Said:
    """The sentence with those values that it has fields for."""
    fields = [name for _, name, _, _ in Formatter().parse(english) if name is not None]
    return Said(english, tuple((name, values[name]) for name in fields))


def _shown(value: object) -> str:
    """A value of pydantic's context: numbers without needless decimals, words without pydantic's own "or"."""
    return f"{value:g}" if isinstance(value, float) else str(value).replace(" or ", ", ")
