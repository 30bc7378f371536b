"""The year of one subject as a drawing: one row a visit, time from left to right, at the width of a phone or of a desk.

It has the colour of the text around it, and no style of its own: what tells things apart is their form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import assert_never

from markupsafe import Markup

from scheduler.domain.speech import Speaker
from scheduler.domain.year import SampleState, Year, YearSample, YearVisit
from scheduler.engine.picture.drawing import Drawing, Scale
from scheduler.engine.picture.year_axis import INK, NARROW, WIDE, day_scale, draw_months, text_width

__all__ = ["NARROW", "WIDE", "year_described", "year_svg"]

_AXIS, _TEXT, _LANE, _SAMPLES, _GAP = 38.0, 16.0, 20.0, 17.0, 6.0
_PALE = 0.16
_LEGEND_LINE, _SIGN = 19.0, 22.0

Sign = Callable[[Drawing, float, float], None]


def year_svg(year: Year, speaker: Speaker, *, width: float = NARROW, name: str = "year") -> Markup:
    """The picture as one `<svg>` element, with a title and with all that it shows as a description.

    `name` stands before its ids. Letters are as high at every width.
    """
    signs = list(_legend(year, speaker))
    places = list(_places([words for _, words in signs], width))
    rows = _AXIS + sum(_height(one) for one in year.visits)
    height = rows + 8 + _LEGEND_LINE * (places[-1][1] + 1)
    title = speaker.text("The year of {subject}", subject=year.subject)
    drawn = Drawing(name, title, year_described(year, speaker), height, width, INK)
    days = day_scale(year.span, width)
    draw_months(drawn, days, year.span, speaker, rows)
    _background(drawn, year, days, rows)
    top = _AXIS
    for visit in year.visits:
        _visit(drawn, visit, days, top, speaker)
        top += _height(visit)
    for (sign, words), (x, line) in zip(signs, places, strict=True):
        y = rows + 16 + _LEGEND_LINE * line
        sign(drawn, x + 8, y)
        drawn.words(x + _SIGN, y + 4, words)
    return drawn.svg()


def year_described(year: Year, speaker: Speaker) -> str:
    """The picture in words."""
    lines = [_described(visit, speaker) for visit in year.visits]
    for start, end in year.on_hold:
        words = "on hold since {start}" if end is None else "on hold from {start} to {end}"
        lines.append(speaker.text(words, start=start, end=end or start))
    if year.withdrawn is not None:
        lines.append(speaker.text("withdrawn on {on}", on=year.withdrawn))
    lines.append(speaker.text("today: {on}", on=year.today))
    return ". ".join(lines) + "."


def _described(visit: YearVisit, speaker: Speaker) -> str:
    words = "{visit}: {status}, planned for {target}, window from {first} to {last}"
    said = [
        speaker.text(
            words, visit=visit.id, status=speaker.status(visit.status), target=visit.target,
            first=visit.window[0], last=visit.window[1],
        )
    ]  # fmt: skip
    if visit.booked is not None:
        said.append(speaker.text("appointment on {on}", on=visit.booked))
    if visit.attended is not None:
        said.append(speaker.text("attended on {on}", on=visit.attended))
    for one in visit.samples:
        state = _said(one.state, speaker)
        if one.outside:
            state += f" ({speaker.text('outside its window')})"
        said.append(speaker.text("{point}: {state}", point=one.point, state=state))
    return ", ".join(said)


def _said(state: SampleState, speaker: Speaker) -> str:
    match state:
        case SampleState.TO_DRAW:
            return speaker.text("to draw")
        case SampleState.DRAWN:
            return speaker.text("drawn, result awaited")
        case SampleState.RESULT:
            return speaker.text("result received")
        case SampleState.NOT_DRAWN:
            return speaker.text("not drawn")
        case SampleState.NO_RESULT:
            return speaker.text("drawn, no result will come")
    assert_never(state)


def _height(visit: YearVisit) -> float:
    return _TEXT + _LANE + (_SAMPLES if visit.samples else 0) + _GAP


def _background(drawn: Drawing, year: Year, days: Scale, bottom: float) -> None:
    """What concerns all visits: the times on hold, the withdrawal, today."""
    for start, end in year.on_hold:
        left, right = _inside(start, year), _inside(end or year.today, year)
        x = days(left.toordinal())
        drawn.box(x, _AXIS - 4, days(right.toordinal()) - x, bottom - _AXIS + 4, INK, opacity=0.08)
    for day, dash, wide in (
        (year.withdrawn, "", 2.0),
        (year.today if year.shows_today else None, "3 3", 1.2),
    ):
        if day is not None:
            x = days(_inside(day, year).toordinal())
            drawn.line([(x, _AXIS - 4), (x, bottom)], dash=dash, width=wide)


def _inside(day: date, year: Year) -> date:
    first, last = year.span
    return min(max(day, first), last)


def _visit(drawn: Drawing, visit: YearVisit, days: Scale, top: float, speaker: Speaker) -> None:
    drawn.words(4, top + 12, f"{speaker.name(visit.id)} · {speaker.status(visit.status)}")
    middle = top + _TEXT + _LANE / 2
    first, last = (days(day.toordinal()) for day in visit.window)
    drawn.box(first, middle - 6, max(last - first, 2), 12, INK, edge=True, opacity=_PALE)
    _target(drawn, days(visit.target.toordinal()), middle)
    if visit.booked is not None:
        drawn.mark(days(visit.booked.toordinal()), middle, "diamond", fill="none", size=8)
    if visit.attended is not None:
        drawn.mark(days(visit.attended.toordinal()), middle, "circle", size=4)
    if visit.samples:
        day = visit.attended or visit.booked or visit.target
        _samples(drawn, visit.samples, days(day.toordinal()), top + _TEXT + _LANE + 9)


def _samples(drawn: Drawing, samples: tuple[YearSample, ...], at: float, y: float) -> None:
    """The draws of a visit side by side, from below its day on; moved to the left where they would not fit."""
    widths = [22 + text_width(one.point) for one in samples]
    x = max(4.0, min(at - 4, drawn.width - 4 - sum(widths)))
    for one, wide in zip(samples, widths, strict=True):
        _sample(drawn, one, x + 4, y)
        drawn.words(x + 11, y + 4, one.point)
        x += wide


def _sample(drawn: Drawing, sample: YearSample, x: float, y: float) -> None:
    form = "triangle" if sample.outside else "square"
    match sample.state:
        case SampleState.TO_DRAW:
            drawn.mark(x, y, "circle", size=1)
        case SampleState.DRAWN:
            drawn.mark(x, y, form, fill="none", size=4)
        case SampleState.RESULT:
            drawn.mark(x, y, form, size=4)
        case SampleState.NOT_DRAWN:
            drawn.mark(x, y, "cross", size=4)
        case SampleState.NO_RESULT:
            drawn.mark(x, y, form, fill="none", size=4)
            drawn.mark(x, y, "cross", size=4)
        case _:
            assert_never(sample.state)


def _target(drawn: Drawing, x: float, y: float) -> None:
    drawn.line([(x, y - 9), (x, y + 9)], width=2.4)


def _legend(year: Year, speaker: Speaker) -> Iterator[tuple[Sign, str]]:
    """The signs that this picture has, with their meaning."""
    yield (
        (lambda drawn, x, y: drawn.box(x - 8, y - 6, 16, 12, INK, edge=True, opacity=_PALE)),
        speaker.text("window"),
    )
    yield _target, speaker.text("target date")
    if any(visit.booked for visit in year.visits):
        yield (
            (lambda drawn, x, y: drawn.mark(x, y, "diamond", fill="none", size=8)),
            speaker.text("appointment"),
        )
    if any(visit.attended for visit in year.visits):
        yield (lambda drawn, x, y: drawn.mark(x, y, "circle", size=4)), speaker.text("attended")
    if year.shows_today:
        yield _line("3 3", 1.2), speaker.text("today: {on}", on=year.today)
    if year.on_hold:
        yield (
            (lambda drawn, x, y: drawn.box(x - 8, y - 7, 16, 14, INK, opacity=0.08)),
            speaker.text("on hold"),
        )
    if year.withdrawn is not None:
        yield _line("", 2.0), speaker.text("withdrawn on {on}", on=year.withdrawn)
    samples = [one for visit in year.visits for one in visit.samples]
    for state in SampleState:
        if any(one.state is state for one in samples):
            yield _sign(YearSample("", state, False)), _said(state, speaker)
    if any(one.outside for one in samples):
        outside = YearSample("", SampleState.RESULT, True)
        yield _sign(outside), speaker.text("outside its window")


def _line(dash: str, wide: float) -> Sign:
    return lambda drawn, x, y: drawn.line([(x, y - 8), (x, y + 8)], dash=dash, width=wide)


def _sign(sample: YearSample) -> Sign:
    return lambda drawn, x, y: _sample(drawn, sample, x, y)


def _places(entries: Sequence[str], width: float) -> Iterator[tuple[float, int]]:
    """Where each entry of the legend begins, and on which line: one after the other while they fit."""
    x, line = 4.0, 0
    for words in entries:
        wide = _SIGN + text_width(words)
        if x > 4 and x + wide > width:
            x, line = 4.0, line + 1
        yield x, line
        x += wide + 10
