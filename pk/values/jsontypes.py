"""What JSON can hold."""

from typing import TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]

_KINDS = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


def kind(value: Json) -> str:
    """Return what a value is in JSON's own words.

    >>> kind(True), kind(None), kind(1)
    ('boolean', 'null', 'number')
    """
    return _KINDS.get(type(value), "null")
