"""The AUCs of one subject over its year as a drawing on the same time as the year's, with borrowed reference bands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle
from typing import Any

from markupsafe import Markup

from pk.pictures.course import ReferenceBand
from scheduler.domain.pictures import range_of
from scheduler.domain.speech import Speaker
from scheduler.engine.picture.drawing import Drawing, Scale, ticks
from scheduler.engine.picture.year_axis import INK, NARROW, day_scale, draw_months, wrapped

__all__ = ["DatedAuc", "auc_svg", "dated_aucs"]

_TOP, _BOTTOM, _SIGN, _LINE = 40.0, 220.0, 30.0, 18.0
_DASHES = ("", "7 3", "2 3", "7 3 2 3")


@dataclass(frozen=True, slots=True)
class DatedAuc:
    """The AUC0-12 that counts at a visit, in mg·h/L, on the day on which the samples were drawn."""

    visit: str
    on: date
    value: float
    low: float | None
    high: float | None
    method: str


def dated_aucs(rows: Sequence[Mapping[str, Any]], days: Mapping[str, date]) -> tuple[DatedAuc, ...]:
    """The estimates in force that count, of rows as `auc_rows` gives them; `days` is when each visit took place."""
    found = [
        DatedAuc(row["visit"], days[row["visit"]], row["value"], row["low"], row["high"], row["method_text"])
        for row in rows
        if row["in_force"] and row["primary"] and row["value"] is not None and row["visit"] in days
    ]
    return tuple(sorted(found, key=lambda one: one.on))


def auc_svg(
    subject: str,
    aucs: Sequence[DatedAuc],
    bands: Sequence[ReferenceBand],
    span: tuple[date, date],
    speaker: Speaker,
    *,
    width: float = NARROW,
    name: str = "auc",
) -> Markup:
    """The picture as one `<svg>` element, of one or more `aucs`; the labels of `bands` say that they are borrowed."""
    highest = _top(aucs, bands)
    labels = [wrapped(band.label, width - _SIGN - 8) for band in bands]
    height = _BOTTOM + 12 + _LINE * (1 + sum(map(len, labels)))
    title = speaker.text("AUC0-12 of {subject} over the year", subject=subject)
    drawn = Drawing(name, title, _described(aucs, bands, speaker), height, width, INK)
    days, y = day_scale(span, width), Scale(0, highest, _BOTTOM, _TOP)
    draw_months(drawn, days, span, speaker, _BOTTOM)
    at = _BOTTOM + 20
    drawn.mark(_SIGN / 2, at - 4, "circle")
    drawn.words(_SIGN + 6, at, speaker.text("AUC0-12 (mg·h/L)"))
    for band, lines, dash in zip(bands, labels, cycle(_DASHES), strict=False):
        _band(drawn, band, y, width, dash)
        drawn.line([(4, at + _LINE - 4), (_SIGN, at + _LINE - 4)], dash=dash, width=1)
        for words in lines:
            at += _LINE
            drawn.words(_SIGN + 6, at, words)
    for tick in ticks(0, highest):
        drawn.words(2, y(tick) - 2, speaker.number(tick, 0))
        drawn.box(0, y(tick) - 0.4, width, 0.8, INK, opacity=0.25)
    places = [(days(one.on.toordinal()), y(one.value)) for one in aucs]
    drawn.line(places)
    for one, (x, height) in zip(aucs, places, strict=True):
        _interval(drawn, one, x, y, highest)
        drawn.mark(x, height, "circle")
        right = x < width - 40
        drawn.words(
            x + 8 if right else x - 8,
            height - 7,
            speaker.number(one.value),
            anchor="start" if right else "end",
        )
    return drawn.svg()


def _top(aucs: Sequence[DatedAuc], bands: Sequence[ReferenceBand]) -> float:
    """Where the axis ends: above values and bands, and above the intervals unless they would press these flat."""
    own = max([*(one.value for one in aucs), *(limit for band in bands for limit in _limits(band))])
    highs = max((one.high for one in aucs if one.high is not None), default=0.0)
    return max(1.15 * own, min(1.1 * highs, 2 * own)) or 1.0


def _limits(band: ReferenceBand) -> list[float]:
    return [one for one in (band.low_mg_h_l, band.high_mg_h_l) if one is not None]


def _band(drawn: Drawing, band: ReferenceBand, y: Scale, width: float, dash: str) -> None:
    """A range is a pale area between its limits, a single limit a line."""
    limits = _limits(band)
    if len(limits) == 2:
        drawn.box(0, y(limits[1]), width, y(limits[0]) - y(limits[1]), INK, opacity=0.07)
    for limit in limits:
        drawn.line([(0, y(limit)), (width, y(limit))], dash=dash, width=1)


def _interval(drawn: Drawing, auc: DatedAuc, x: float, y: Scale, highest: float) -> None:
    if auc.low is None or auc.high is None:
        return
    low, high = y(auc.low), y(min(auc.high, highest))
    drawn.line([(x, low), (x, high)])
    drawn.line([(x - 5, low), (x + 5, low)])
    if auc.high > highest:
        drawn.mark(x, high + 4, "triangle", size=4)
    else:
        drawn.line([(x - 5, high), (x + 5, high)])


def _described(aucs: Sequence[DatedAuc], bands: Sequence[ReferenceBand], speaker: Speaker) -> str:
    return ". ".join([*_values(aucs, speaker), *(band.label for band in bands)]) + "."


def _values(aucs: Sequence[DatedAuc], speaker: Speaker) -> Iterator[str]:
    for one in aucs:
        words = "{visit}, {on}: {value} mg·h/L ({method})"
        said = speaker.text(
            words, visit=one.visit, on=one.on, value=speaker.number(one.value), method=one.method
        )
        if one.low is not None and one.high is not None:
            said += f" [{range_of(speaker, one.low, one.high)}]"
        yield said
