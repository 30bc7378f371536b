"""The concentration over one dosing interval: the subject's curve with its band, and what was measured."""

from collections.abc import Iterator
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.markers import CARETUP
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, MultipleLocator

from pk.pictures.curve import ConcentrationCurve, DrawnSample
from pk.pictures.drawing.style import BLUE, INK, MID, TEXT_PT, Drawn, font, plain, said, top_of

_STEPS_H = (0.5, 1, 2, 3, 4, 6, 12, 24)
_MOST_TICKS = 8
_BAND = "#d2d2d2"
_EDGE: dict[str, Any] = {"facecolor": "none", "edgecolor": MID, "linewidth": 0.7, "linestyle": ":"}


def draw_curve(axes: Axes, curve: ConcentrationCurve) -> Drawn:
    """Draw the curve into empty axes; gives the legend from what is the subject's own to what is not."""
    top = _frame(axes, curve)
    windows = _windows(axes, curve)
    band, notes = _band(axes, curve, top)
    lines = list(_lines(axes, curve))
    samples = list(_samples(axes, curve))
    dose = _doses(axes, curve)
    legend = [*samples, lines[0], *band, *lines[1:], *windows, dose]
    return Drawn(tuple((artist, label) for artist, label in legend if label), notes)


def _frame(axes: Axes, curve: ConcentrationCurve) -> float:
    """Axes that hold every sample and window, the whole interval, and the time before the dose as it was."""
    first = [curve.times_h[0], -curve.interval_h / 12]
    last = [curve.interval_h, curve.times_h[-1]]
    for sample in curve.samples:
        first.append(sample.time_h)
        last.append(sample.time_h)
    for window in curve.windows:
        first.append(window.start_h)
        last.append(window.end_h)
    start, end = min(first), max(last)
    room = (end - start) * 0.02
    axes.set_xlim(start - room, end + room)
    others = [*(curve.band_mg_l[1] if curve.band_mg_l is not None else ()), *(curve.population_mg_l or ())]
    top = top_of(curve.highest_mg_l, max(others, default=0.0))
    axes.set_ylim(0, top)
    step = next((one for one in _STEPS_H if (end - start) / one <= _MOST_TICKS), _STEPS_H[-1])
    if (end - start) / step <= 10 * _MOST_TICKS:
        axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel(plain(curve.words.time), fontproperties=font(TEXT_PT), color=INK)
    axes.set_ylabel(plain(curve.words.concentration), fontproperties=font(TEXT_PT), color=INK)
    return top


def _windows(axes: Axes, curve: ConcentrationCurve) -> list[tuple[Artist, str]]:
    """Shaded over the band, not under it: a wide band hides no window."""
    for window in curve.windows:
        axes.axvspan(window.start_h, window.end_h, facecolor=INK, alpha=0.07, linewidth=0, zorder=1.6)
        axes.axvspan(window.start_h, window.end_h, **_EDGE, zorder=1.7)
    if not curve.windows:
        return []
    return [(Patch(**{**_EDGE, "facecolor": "#ededed"}), curve.words.window)]


def _band(
    axes: Axes, curve: ConcentrationCurve, top: float
) -> tuple[list[tuple[Artist, str]], tuple[str, ...]]:
    """The band, and a note when it leaves the picture."""
    if curve.band_mg_l is None:
        return [], ()
    low, high = curve.band_mg_l
    axes.fill_between(curve.times_h, low, high, facecolor=_BAND, edgecolor="none", zorder=1)
    for line in (low, high):
        axes.plot(curve.times_h, line, color=MID, linewidth=0.7, zorder=1.5)
    highest = max(high)
    notes = () if highest <= top else (curve.words.beyond.format(value=said(highest, curve.words.decimal)),)
    return [(Patch(facecolor=_BAND, edgecolor=MID, linewidth=0.7), curve.words.band)], notes


def _lines(axes: Axes, curve: ConcentrationCurve) -> Iterator[tuple[Artist, str]]:
    own = axes.plot(curve.times_h, curve.individual_mg_l, color=BLUE, linewidth=2.0, zorder=3)
    yield own[0], curve.words.individual
    if curve.population_mg_l is not None:
        dashes = axes.plot(
            curve.times_h, curve.population_mg_l, color=MID, linewidth=1.1, linestyle=(0, (5, 3)), zorder=2
        )
        yield dashes[0], curve.words.population


def _samples(axes: Axes, curve: ConcentrationCurve) -> Iterator[tuple[Artist, str]]:
    """The samples with their names: filled circles, or open triangles that point down from the limit."""
    measured = [one for one in curve.samples if one.conc_mg_l is not None]
    below = [one for one in curve.samples if one.conc_mg_l is None]
    for some, marker, face, label in (
        (measured, "o", INK, curve.words.sample),
        (below, "v", "white", curve.words.limit),
    ):
        if some:
            drawn = axes.plot(
                [one.time_h for one in some], [one.height_mg_l for one in some], linestyle="none", marker=marker,
                markersize=7, markerfacecolor=face, markeredgecolor=INK if some is below else "white",
                markeredgewidth=1.2, color=INK, zorder=5, clip_on=False,
            )  # fmt: skip
            yield drawn[0], label
    for one in curve.samples:
        _name(axes, one)


def _name(axes: Axes, sample: DrawnSample) -> None:
    before = sample.time_h <= 0
    axes.annotate(
        plain(sample.label), (sample.time_h, sample.height_mg_l), xytext=(0, 6) if before else (5, 5),
        textcoords="offset points", ha="center" if before else "left", va="bottom", fontproperties=font(TEXT_PT),
        color=INK, zorder=6, annotation_clip=False, path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )  # fmt: skip


def _doses(axes: Axes, curve: ConcentrationCurve) -> tuple[Artist, str]:
    """A line up from the dose, and arrowheads on the time axis at the dose and at the next one."""
    axes.axvline(0, color=INK, linewidth=0.7, linestyle=(0, (1, 2)), zorder=2)
    marks: dict[str, Any] = {"linestyle": "none", "markersize": 7, "color": INK}
    axes.plot([0, curve.interval_h], [0, 0], marker=CARETUP, **marks, clip_on=False, zorder=4)
    return Line2D([], [], marker="^", **marks), curve.words.dose
