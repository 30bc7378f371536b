"""The AUCs of one subject over the visits, with their intervals and the borrowed reference bands."""

import math
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pk.pictures.course import ExposureCourse, ExposureSeries, ReferenceBand
from pk.pictures.drawing.style import (
    BLUE,
    INK,
    SMALL_PT,
    TEXT_PT,
    Drawn,
    font,
    plain,
    said,
    top_of,
    width_of,
    wrapped,
)

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_HATCHES = ("////", "\\\\\\\\", "....", "xxxx")
_STYLES = ((0, (7, 2, 1.5, 2)), (0, (7, 3)), (0, (1, 1.5)))
_DODGE = 0.15
# Where a number stands: above its point, or beside it where the interval goes up.
_ABOVE: dict[str, Any] = {"xytext": (0, 7), "ha": "center", "va": "bottom"}
_BESIDE: dict[str, Any] = {"xytext": (7, 0), "ha": "left", "va": "center"}
_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


def draw_course(axes: Axes, course: ExposureCourse, room_px: float) -> Drawn:
    """Draw the course into empty axes of about `room_px` pixels; gives the legend: methods, then bands."""
    top = _frame(axes, course)
    _name_visits(axes, course, room_px / len(course.visits))
    bands = list(draw_bands(axes, course.bands))
    beyond = _highest(course)
    shift = (len(course.series) - 1) / 2
    methods = [_series(axes, one, i, (i - shift) * _DODGE, top) for i, one in enumerate(course.series)]
    if len(course.series) == 1:
        _values(axes, course)
    notes = (course.words.beyond.format(value=said(beyond, course.words.decimal)),) if beyond > top else ()
    return Drawn((*methods, *bands), notes)


def _frame(axes: Axes, course: ExposureCourse) -> float:
    aucs = [auc.auc_mg_h_l for one in course.series for auc in one.aucs if auc is not None]
    limits = [limit for band in course.bands for limit in (band.low_mg_h_l, band.high_mg_h_l) if limit]
    top = top_of(max([*aucs, *limits], default=0.0), _highest(course))
    axes.set_ylim(0, top)
    axes.set_xlim(-0.5, len(course.visits) - 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.set_ylabel(plain(course.words.auc), fontproperties=font(TEXT_PT), color=INK)
    return top


def _highest(course: ExposureCourse) -> float:
    highs = [auc.high_mg_h_l for one in course.series for auc in one.aucs if auc is not None]
    return max([high for high in highs if high is not None], default=0.0)


def _name_visits(axes: Axes, course: ExposureCourse, column_px: float) -> None:
    """The visits below their columns, in lines; slanting when a word is wider than its column."""
    labels = [wrapped(label, SMALL_PT, column_px) for label in course.visits]
    slanting = any(width_of(line, SMALL_PT) > column_px for lines in labels for line in lines)
    texts = course.visits if slanting else tuple("\n".join(lines) for lines in labels)
    axes.set_xticks(range(len(texts)), [plain(one) for one in texts], fontproperties=font(SMALL_PT))
    if slanting:
        for label in axes.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")


def draw_bands(axes: Axes, bands: Sequence[ReferenceBand]) -> Iterator[tuple[Artist, str]]:
    """A range is hatched, a single limit is a broken line."""
    hatches, styles = cycle(_HATCHES), cycle(_STYLES)
    for band in bands:
        limits = [one for one in (band.low_mg_h_l, band.high_mg_h_l) if one is not None]
        if len(limits) == 2:
            look: dict[str, Any] = {
                "facecolor": "none",
                "edgecolor": "#bdbdbd",
                "linewidth": 0.8,
                "hatch": next(hatches),
            }
            axes.axhspan(*limits, **look, zorder=0.5)
            yield Patch(**look), band.label
        else:
            yield (
                axes.axhline(limits[0], color=INK, linewidth=1.2, linestyle=next(styles), zorder=1),
                band.label,
            )


def _series(axes: Axes, series: ExposureSeries, number: int, shift: float, top: float) -> tuple[Artist, str]:
    """One method: filled circles joined by a line for the first, an open form of its own for each other."""
    first = number == 0
    places = [(i + shift, auc) for i, auc in enumerate(series.aucs) if auc is not None]
    ink = BLUE if first else INK
    for x, auc in places:
        if auc.low_mg_h_l is None or auc.high_mg_h_l is None:
            continue
        axes.vlines(x, auc.low_mg_h_l, min(auc.high_mg_h_l, top), color=ink, linewidth=1.2, zorder=3)
        cap: dict[str, Any] = {
            "color": ink,
            "linestyle": "none",
            "markersize": 7,
            "zorder": 3,
            "clip_on": False,
        }
        axes.plot([x], [auc.low_mg_h_l], marker="_", **cap)
        if auc.high_mg_h_l > top:
            axes.plot([x], [top], marker="^", **{**cap, "markersize": 5})
        else:
            axes.plot([x], [auc.high_mg_h_l], marker="_", **cap)
    heights = [auc.auc_mg_h_l if auc is not None else math.nan for auc in series.aucs]  # no line over a gap
    drawn = axes.plot(
        [x + shift for x in range(len(heights))], heights, label=series.label, color=ink, linewidth=1.2,
        linestyle="-" if first else "none", marker=_MARKERS[number % len(_MARKERS)], markersize=7 if first else 6,
        markeredgecolor=ink, markerfacecolor=ink if first else "white", markeredgewidth=1.2,
        zorder=4 if first else 3.5, clip_on=False,
    )  # fmt: skip
    return drawn[0], series.label


def _values(axes: Axes, course: ExposureCourse) -> None:
    """The numbers beside the points, while there is one series and room for them."""
    for x, auc in enumerate(course.series[0].aucs):
        if auc is not None:
            words = f"{auc.auc_mg_h_l:.1f}".replace(".", course.words.decimal)
            look = _BESIDE if auc.high_mg_h_l is not None else _ABOVE
            axes.annotate(
                words, (x, auc.auc_mg_h_l), **look, textcoords="offset points", fontproperties=font(SMALL_PT),
                color=INK, zorder=6, annotation_clip=False, bbox=_PAPER,
            )  # fmt: skip
