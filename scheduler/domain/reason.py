"""A reason as a value: a code and its parameters. The sentence is made where a person reads it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

__all__ = ["Param", "Reason", "RefusedError", "because", "from_json", "to_json"]


class Reason(NamedTuple):
    """Why something is so. Parameters may be dates, instants and further reasons: they are worded on reading."""

    code: str
    params: tuple[tuple[str, Param], ...] = ()

    def get(self, name: str) -> Param | None:
        return dict(self.params).get(name)


class RefusedError(ValueError):
    """What was asked is not done, for these reasons; nothing was recorded."""

    def __init__(self, reasons: list[Reason]) -> None:
        self.reasons = reasons
        super().__init__(", ".join(reason.code for reason in reasons))


Param = str | int | float | date | datetime | Reason | tuple[Reason, ...]


def because(code: str, **params: Param) -> Reason:
    """The reason with this code and these parameters."""
    return Reason(code, tuple(params.items()))


def to_json(reason: Reason) -> dict[str, Any]:
    """A reason as plain JSON values."""
    return {"code": reason.code, "params": {name: _encode(value) for name, value in reason.params}}


def from_json(data: dict[str, Any]) -> Reason:
    """The reason that `to_json` wrote."""
    return Reason(data["code"], tuple((name, _decode(value)) for name, value in data["params"].items()))


def _encode(value: Param) -> Any:
    if isinstance(value, datetime):
        return {"instant": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, Reason):
        return {"reason": to_json(value)}
    if isinstance(value, tuple):
        return {"reasons": [to_json(one) for one in value]}
    return value


def _decode(value: Any) -> Param:
    match value:
        case {"instant": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case {"reason": dict(inner)}:
            return from_json(inner)
        case {"reasons": list(inner)}:
            return tuple(from_json(one) for one in inner)
    plain: str | int | float = value
    return plain
