"""What differs between two versions of a protocol: every value, by area, item and field. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import time
from enum import StrEnum
from typing import Any

from scheduler.domain.civil import Period
from scheduler.domain.protocol import Protocol

__all__ = ["Area", "Difference", "Value", "differences"]

Value = str | int | float | bool | time | Period | tuple[str, ...] | None


class Area(StrEnum):
    """What part of a protocol a value belongs to."""

    STUDY = "study"
    VISIT = "visit"
    SAMPLE = "sample"
    ASSESSMENT = "assessment"
    REMINDER = "reminder"
    NOTICE = "notice"
    FLAG_LIMIT = "flag_limit"
    BAND = "band"
    DIGEST = "digest"
    EXPOSURE = "exposure"
    ENDPOINT = "endpoint"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. With an empty field the whole item is new (`old` None) or gone (`new` None)."""

    area: Area
    item: str
    field: str
    old: Value
    new: Value


_Place = tuple[Area, str, str]
_LISTS = (
    ("encounters", Area.VISIT, ("id",)),
    ("points", Area.SAMPLE, ("id",)),
    ("activities", Area.ASSESSMENT, ("id",)),
    ("reminders", Area.REMINDER, ("id",)),
    ("notices", Area.NOTICE, ("event", "template")),
    ("bands", Area.BAND, ("id",)),
)
_GROUPS = {
    "limits": Area.FLAG_LIMIT,
    "endpoints": Area.ENDPOINT,
    "primary": Area.EXPOSURE,
    "digest_at": Area.DIGEST,
    "digest_roles": Area.DIGEST,
}


def differences(old: Protocol, new: Protocol) -> list[Difference]:
    """Every difference, in the order of the areas and of the newer version. Of what is new, every value is listed."""
    before, after = dict(_values(old)), dict(_values(new))
    found = [
        Difference(*place, before.get(place), after.get(place))
        for place in dict.fromkeys((*after, *before))
        if before.get(place) != after.get(place) and not (place[2] and _gone(place, after, before))
    ]
    order = list(Area)
    return sorted(found, key=lambda one: order.index(one.area))


def _gone(place: _Place, after: Mapping[_Place, Value], before: Mapping[_Place, Value]) -> bool:
    """Whether the item of a value is no longer there, or the value of a new item says nothing."""
    whole = (place[0], place[1], "")
    if whole in before and whole not in after:
        return True
    return whole in after and whole not in before and after[place] in (None, (), "", False)


def _values(protocol: Protocol) -> Iterator[tuple[_Place, Value]]:
    """Every value of a protocol with its place; an item of a list has its own name as the value of the empty field."""
    lists = {name: (area, key) for name, area, key in _LISTS}
    for one in fields(protocol):
        value = getattr(protocol, one.name)
        if one.name == "key":
            continue
        if one.name in lists:
            area, key = lists[one.name]
            yield from _items(area, key, value)
        elif one.name in _GROUPS:
            yield from _flat(_GROUPS[one.name], "", one.name, value)
        else:
            yield from _flat(Area.STUDY, "", one.name, value)
    yield (Area.STUDY, "", "visit_order"), tuple(one.id for one in protocol.encounters)


def _items(area: Area, key: tuple[str, ...], items: Iterable[Any]) -> Iterator[tuple[_Place, Value]]:
    for item in items:
        name = " ".join(str(getattr(item, one)) for one in key)
        yield (area, name, ""), name
        for one in fields(item):
            if one.name not in key:
                yield from _flat(area, name, one.name, getattr(item, one.name))


def _flat(area: Area, item: str, name: str, value: Any) -> Iterator[tuple[_Place, Value]]:
    """A value, or the values in it; the innermost name stands for those of groups, unless they are labels."""
    if is_dataclass(value) and not isinstance(value, Period | type):
        for one in fields(value):
            inner = one.name if name in ("timing", "limits", "endpoints") else f"{name}.{one.name}"
            yield from _flat(area, item, inner, getattr(value, one.name))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _flat(area, item, f"{name}.{key}", one)
    elif isinstance(value, frozenset):
        yield (area, item, name), tuple(sorted(map(str, value)))
    elif isinstance(value, tuple):
        yield (area, item, name), tuple(map(str, value))
    else:
        yield (area, item, name), value
