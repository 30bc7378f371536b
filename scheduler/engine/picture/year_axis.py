"""The time that the pictures of a subject's year share: days from left to right, and the months above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from textwrap import wrap

from scheduler.domain.speech import Speaker
from scheduler.engine.picture.drawing import Drawing, Scale

__all__ = ["INK", "NARROW", "WIDE", "day_scale", "draw_months", "text_width", "wrapped"]

INK = "currentColor"
NARROW, WIDE = 350.0, 720.0
"""The widths in CSS pixels at which the pictures are drawn: a phone's, and a desk's."""

_LEFT, _RIGHT = 28.0, 14.0
_LETTER_PX = 7.0
_STEPS = (1, 2, 3, 6, 12)


def text_width(text: str) -> float:
    """About how many pixels a text takes at the height of the pictures' letters."""
    return _LETTER_PX * len(text)


def wrapped(text: str, width: float) -> list[str]:
    """The text in lines of about this width; a part with unbreakable spaces stays together."""
    return wrap(text, max(8, int(width / _LETTER_PX)), break_long_words=False, break_on_hyphens=False)


def day_scale(span: tuple[date, date], width: float) -> Scale:
    """From a day's ordinal to its place."""
    first, last = span
    return Scale(first.toordinal(), last.toordinal(), _LEFT, width - _RIGHT)


def draw_months(
    drawn: Drawing, days: Scale, span: tuple[date, date], speaker: Speaker, bottom: float
) -> None:
    """The months above, a quiet line down from the first day of each, the year below the first and below January."""
    firsts = list(_firsts(span))
    apart = days(span[0].toordinal() + 30.4) - days(span[0].toordinal())
    short = apart < 34
    step = next(one for one in _STEPS if apart * one >= (16 if short else 34) or one == _STEPS[-1])
    shown = [one for one in firsts if (one.month - 1) % step == 0] or firsts[:1]
    for one in shown:
        x = days(one.toordinal())
        drawn.box(x - 0.4, 34, 0.8, bottom - 34, INK, opacity=0.25)
        drawn.words(x, 13, speaker.month(one, short=short), anchor="middle")
    for one, x in _years(shown, days):
        drawn.words(max(x, 16), 28, str(one.year), anchor="middle")


def _years(shown: Sequence[date], days: Scale) -> Iterator[tuple[date, float]]:
    """The months below which their year stands: the first of each, unless the next year's follows too soon."""
    firsts = [
        (one, days(one.toordinal())) for i, one in enumerate(shown) if not i or shown[i - 1].year != one.year
    ]
    for i, (one, x) in enumerate(firsts):
        if i + 1 == len(firsts) or firsts[i + 1][1] - x > 36:
            yield one, x


def _firsts(span: tuple[date, date]) -> Iterator[date]:
    """The first day of every month of a span."""
    first, last = span
    year, month = first.year, first.month
    if first.day > 1:
        year, month = year + month // 12, month % 12 + 1
    while (one := date(year, month, 1)) <= last:
        yield one
        year, month = year + month // 12, month % 12 + 1
