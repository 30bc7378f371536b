"""Assessments as people type them: mrss=18, mrss.face=2, fvc=78.5, fvc.measured='2.51 L', dlco.hb_corrected=yes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from scheduler.domain.facts import Assessed
from scheduler.domain.protocol import Activity, Protocol
from scheduler.domain.reason import RefusedError, because

__all__ = ["read_assessments", "read_number", "read_pair", "read_whole"]

_TEXTS = ("assessor", "equation")
_YES_NO = {"yes": True, "oui": True, "true": True, "no": False, "non": False, "false": False}


@dataclass
class _Typed:
    """What was typed of one assessment."""

    value: float | None = None
    sites: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    measured: tuple[float, str] | None = None
    hb_corrected: bool | None = None

    def made(self, visit: str, item: str, at: datetime, activity: Activity | None) -> Assessed:
        """The fact; the total of a score whose sites are all there is their sum."""
        value = self.value
        if value is None and activity is not None and self.sites.keys() >= set(activity.sites) != set():
            value = float(sum(self.sites.values()))
        measured, unit = self.measured or (None, None)
        return Assessed(
            visit,
            item,
            at,
            value,
            activity.unit if activity is not None else "",
            tuple(self.sites.items()),
            self.texts.get("assessor"),
            measured,
            unit,
            self.texts.get("equation"),
            self.hb_corrected,
        )


def read_assessments(texts: Iterable[str], visit: str, at: datetime, protocol: Protocol) -> list[Assessed]:
    """The assessments that were typed, in their order. Raises RefusedError."""
    typed: dict[str, _Typed] = {}
    for text in texts:
        name, value = read_pair(text)
        item, _, attribute = name.lower().partition(".")
        _take(typed.setdefault(item, _Typed()), attribute, value)
    return [one.made(visit, item, at, protocol.activity(item)) for item, one in typed.items()]


def _take(typed: _Typed, attribute: str, value: str) -> None:
    if not attribute:
        typed.value = read_number(value)
    elif attribute in _TEXTS:
        typed.texts[attribute] = value
    elif attribute == "measured":
        number, _, unit = value.partition(" ")
        typed.measured = (read_number(number), unit.strip())
    elif attribute == "hb_corrected":
        if value.lower() not in _YES_NO:
            raise RefusedError([because("refused_choice", text=value, known="yes, no")])
        typed.hb_corrected = _YES_NO[value.lower()]
    else:
        typed.sites[attribute] = read_whole(value)


def read_whole(text: str) -> int:
    """A whole number. Raises RefusedError."""
    try:
        return int(text)
    except ValueError:
        raise RefusedError([because("refused_whole_number", text=text)]) from None


def read_pair(text: str) -> tuple[str, str]:
    """Name and value of name=value. Raises RefusedError."""
    name, sign, value = text.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise RefusedError([because("refused_pair", text=text)])
    return name.strip(), value.strip()


def read_number(text: str | None) -> float:
    """A number with a decimal point or comma. Raises RefusedError."""
    try:
        return float((text or "").replace(",", "."))
    except ValueError:
        raise RefusedError([because("refused_number", text=text or "")]) from None
