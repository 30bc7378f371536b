"""The AUCs of all subjects over the weeks: one thin line a subject, above the borrowed reference bands."""

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pk.pictures.cohort import ExposureCohort
from pk.pictures.drawing.course import draw_bands
from pk.pictures.drawing.style import BLUE, INK, TEXT_PT, Drawn, font, plain

_YEAR_WEEKS = 54.0
_ROOM = 1.1
_FEW = 12
"""Subjects up to whom lines are drawn dark; more are drawn paler, so that where many lie is seen."""


def draw_cohort(axes: Axes, cohort: ExposureCohort) -> Drawn:
    """Draw the lines into empty axes; gives the legend: one line, then the bands."""
    aucs = [auc for line in cohort.lines for auc in line.aucs_mg_h_l]
    limits = [limit for band in cohort.bands for limit in (band.low_mg_h_l, band.high_mg_h_l) if limit]
    weeks = [week for line in cohort.lines for week in line.weeks]
    axes.set_ylim(0, _ROOM * max([*aucs, *limits]) or 1.0)
    axes.set_xlim(min(0.0, *weeks) - 1, max(_YEAR_WEEKS, *weeks))
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.set_xlabel(plain(cohort.words.week), fontproperties=font(TEXT_PT), color=INK)
    axes.set_ylabel(plain(cohort.words.auc), fontproperties=font(TEXT_PT), color=INK)
    bands = list(draw_bands(axes, cohort.bands))
    drawn: Artist | None = None
    for line in cohort.lines:
        drawn = axes.plot(
            line.weeks, line.aucs_mg_h_l, color=BLUE, linewidth=1.1, marker="o", markersize=3.5,
            alpha=1.0 if len(cohort.lines) <= _FEW else 0.5, zorder=3, clip_on=False,
        )[0]  # fmt: skip
    assert drawn is not None
    return Drawn(((drawn, cohort.words.subject), *bands))
