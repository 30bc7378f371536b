"""Checks a JSON value against a schema: the keywords that our own schemas use, nothing else."""

from typing import Any

_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
_SAID_ONLY = {"$schema", "title", "description", "default", "examples", "$defs"}


def problems(
    value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$"
) -> list[str]:
    """Every way in which the value breaks the schema."""
    root = schema if root is None else root
    found: list[str] = []
    for keyword, asked in schema.items():
        if keyword not in _SAID_ONLY:
            found += _CHECKS[keyword](value, asked, root, at, schema)
    return found


def _is(value: Any, name: str) -> bool:
    if name in ("number", "integer"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return not isinstance(value, bool) and (
            whole if name == "integer" else isinstance(value, int | float)
        )
    return isinstance(value, _TYPES[name])


def _type(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
    names = [asked] if isinstance(asked, str) else asked
    return [] if any(_is(value, name) for name in names) else [f"{at} is no {names}"]


def _properties(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [
        one
        for name in value
        if name in asked
        for one in problems(value[name], asked[name], root, f"{at}.{name}")
    ]


def _extra(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
    """Properties that are not named: none at all, or each by the schema for them."""
    known = schema.get("properties", {})
    others = [name for name in value if name not in known] if isinstance(value, dict) else []
    if asked is False:
        return [f"{at}.{name} is unknown" for name in others]
    return [one for name in others for one in problems(value[name], asked, root, f"{at}.{name}")]


def _required(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
    return [f"{at}.{name} is missing" for name in asked if isinstance(value, dict) and name not in value]


def _items(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
    if not isinstance(value, list):
        return []
    return [one for i, item in enumerate(value) for one in problems(item, asked, root, f"{at}[{i}]")]


def _any_of(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
    branches = [problems(value, one, root, at) for one in asked]
    return [] if not all(branches) else [one for branch in branches for one in branch]


def _ref(value: Any, asked: str, root: Any, at: str, schema: Any) -> list[str]:
    return problems(value, root["$defs"][asked.removeprefix("#/$defs/")], root, at)


def _limit(holds: Any, kind: str) -> Any:
    def check(value: Any, asked: Any, root: Any, at: str, schema: Any) -> list[str]:
        measured = value if kind == "number" else len(value) if isinstance(value, list) else None
        if measured is None or (kind == "number" and not _is(value, "number")):
            return []
        return [] if holds(measured, asked) else [f"{at} is beyond {asked}"]

    return check


_CHECKS: dict[str, Any] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _extra,
    "required": _required,
    "items": _items,
    "anyOf": _any_of,
    "$ref": _ref,
    "enum": lambda value, asked, root, at, schema: [] if value in asked else [f"{at} is none of {asked}"],
    "const": lambda value, asked, root, at, schema: [] if value == asked else [f"{at} is not {asked}"],
    "minimum": _limit(lambda x, y: x >= y, "number"),
    "exclusiveMinimum": _limit(lambda x, y: x > y, "number"),
    "maximum": _limit(lambda x, y: x <= y, "number"),
    "minItems": _limit(lambda x, y: x >= y, "array"),
    "maxItems": _limit(lambda x, y: x <= y, "array"),
}
