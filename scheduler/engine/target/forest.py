"""P6: thresholds of the literature, and above them the cut of these data or the row that says there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pk.target.findings import Standing, TargetAnalysis
from scheduler.domain.speech import Speaker
from scheduler.engine.picture.drawing import FILLED, HOLLOW, PALE, Drawing, Scale
from scheduler.engine.target.thresholds import Threshold

__all__ = ["forest"]

_ROW, _START, _LEFT, _RIGHT = 24.0, 30.0, 375.0, 625.0


def forest(
    found: TargetAnalysis, thresholds: Sequence[Threshold], quantity: str, speaker: Speaker
) -> Drawing:
    """The panel of one quantity, "auc" or "c0"; only that of the AUC has a row of these data."""
    rows = [one for one in thresholds if one.quantity == quantity]
    own = quantity == "auc"
    mine = [found.cutpoint.ci[1]] if found.cutpoint is not None else found.exposure.tolist()
    top = 1.1 * max([one.high for one in rows] + (mine if own else []))
    x = Scale(0, top, _LEFT, _RIGHT)
    bottom = _START + _ROW * (len(rows) + own)
    title = (
        speaker.text("Thresholds of AUC0-12 in the literature, and these data (n = {n})", n=found.n)
        if own
        else speaker.text("Thresholds of the concentration before the dose in the literature")
    )
    described = speaker.text(
        "Filled: a threshold from patients, its area by their number. Hollow: chosen beforehand. Grey band: consensus. "
        "No source gives an interval. None of the thresholds is a target in systemic sclerosis. Where these data allow "
        "no cut, each stroke is one subject's exposure."
    )
    drawn = Drawing(f"p6-{quantity}", title, described, bottom + 46)
    if own:
        _own(drawn, found, x, speaker)
    for i, one in enumerate(rows):
        _row(drawn, one, x, _START + _ROW * (i + own), speaker)
    unit = speaker.text("AUC0-12 (mg·h/L)") if own else speaker.text("Before the dose (mg/L)")
    drawn.bottom(x, bottom, unit, lambda v: speaker.number(v, 0 if own else 1))
    return drawn


def _own(drawn: Drawing, found: TargetAnalysis, x: Scale, speaker: Speaker) -> None:
    y, cut = _START, found.cutpoint
    if cut is None:
        drawn.words(4, y + 4, speaker.text("These data, n = {n}: no cut estimable", n=found.n))
        for one in found.exposure.tolist():
            drawn.line([(x(one), y - 6), (x(one), y + 6)], width=1.4)
        return
    drawn.words(4, y + 4, speaker.text("These data, n = {n}", n=found.n))
    drawn.line([(x(cut.ci[0]), y), (x(cut.ci[1]), y)], width=2)
    arbitrary = cut.standing is Standing.ARBITRARY
    drawn.mark(x(cut.value), y, "square", fill=HOLLOW if arbitrary else FILLED)
    if arbitrary:
        drawn.words(_LEFT - 8, y + 4, speaker.text("arbitrary"), anchor="end")


def _row(drawn: Drawing, one: Threshold, x: Scale, y: float, speaker: Speaker) -> None:
    n = "" if one.n is None else f", n = {one.n}"
    drawn.words(4, y + 4, f"{one.study}, {one.disease}{n}")
    if one.kind == "consensus":
        drawn.box(x(one.low), y - 7, x(one.high) - x(one.low), 14, PALE)
        drawn.line([(x(one.low), y - 7), (x(one.low), y + 7)], width=0.8)
        drawn.line([(x(one.high), y - 7), (x(one.high), y + 7)], width=0.8)
        return
    if one.high > one.low:
        drawn.box(x(one.low), y - 5, x(one.high) - x(one.low), 10, HOLLOW, edge=True)
        return
    size = 0.75 * math.sqrt(one.n or 1)
    drawn.mark(x(one.low), y, "circle", fill=FILLED if one.kind == "data" else HOLLOW, size=max(size, 2.5))
