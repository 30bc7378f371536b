"""The pictures of discrimination and of the cut (P3, P4, P5); each is None where the tier has no such numbers."""

from __future__ import annotations

import numpy as np

from pk.target.findings import TargetAnalysis
from pk.target.statistics.proportions import proportion
from scheduler.domain.speech import Speaker
from scheduler.engine.picture.drawing import HOLLOW, PALE, Drawing, Scale

__all__ = ["cuts_drawn", "index_drawn", "roc_curve"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 625.0, 24.0, 270.0


def roc_curve(found: TargetAnalysis, speaker: Speaker) -> Drawing | None:
    """P3: the ROC curve with limits of sensitivity at each point, and Youden's point where there is one."""
    if found.roc is None or found.responder is None:
        return None
    values = np.unique(found.exposure)[::-1]
    responders, others = found.exposure[found.responder], found.exposure[~found.responder]
    reached = [
        (float(np.mean(others >= one)), proportion(int(np.sum(responders >= one)), responders.size))
        for one in values
    ]
    x, y = Scale(0, 1, _LEFT, _LEFT + 300), Scale(0, 1, 324, _TOP)
    title = speaker.text("ROC curve of exposure and response, n = {n}", n=found.n)
    described = speaker.text(
        "Response is expected at a higher exposure. Grey: 95% limits of the sensitivity at each point by itself "
        "(Clopper-Pearson), not of the whole curve. Dashed: no discrimination."
    )
    drawn = Drawing("p3", title, described, 378)
    limits = [(at, one.ci) for at, one in reached if one.ci is not None]
    drawn.area(
        [(x(at), y(ci[1])) for at, ci in limits] + [(x(at), y(ci[0])) for at, ci in reversed(limits)], PALE
    )
    drawn.line([(x(0), y(0)), (x(1), y(1))], dash="5 4", width=0.8)
    points = [(at, one.value or 0.0) for at, one in reached]
    drawn.line([(x(one), y(other)) for one, other in [(0.0, 0.0), *points]], width=1.8)
    cut = found.cutpoint
    if cut is not None and cut.sensitivity.value is not None and cut.specificity.value is not None:
        drawn.mark(x(1 - cut.specificity.value), y(cut.sensitivity.value), "circle", fill=HOLLOW)
    drawn.bottom(x, 324, speaker.text("1 − specificity"), lambda v: speaker.number(v, 1))
    drawn.left(y, _LEFT, speaker.text("Sensitivity"), lambda v: speaker.number(v, 1))
    return drawn


def index_drawn(found: TargetAnalysis, speaker: Speaker) -> Drawing | None:
    """P4: the standardised statistic of every candidate cut, with the line that chance seldom reaches."""
    selected = found.max_selected
    if found.cutpoint is None or selected is None:
        return None
    top = 1.1 * max(selected.statistic, selected.critical_95)
    low, high = float(selected.candidates[0]), float(selected.candidates[-1])
    x, y = Scale(low, high, _LEFT, _RIGHT), Scale(0, top, _BOTTOM, _TOP)
    title = speaker.text("How well each possible cut separates, n = {n}", n=found.n)
    described = speaker.text(
        "Height: the standardised rank statistic of the cut. Dashed: what the highest of all cuts stays below in 95% "
        "of random assignments of the outcome. A flat top: many cuts are about as good. Only cuts with 10% of "
        "subjects on each side."
    )
    drawn = Drawing("p4", title, described, 326)
    pairs = zip(selected.candidates.tolist(), selected.statistics.tolist(), strict=True)
    points = [(x(cut), y(height)) for cut, height in pairs]
    drawn.line(points, width=1.6)
    for at, height in points:
        drawn.mark(at, height, "circle", size=2)
    drawn.line([(_LEFT, y(selected.critical_95)), (_RIGHT, y(selected.critical_95))], dash="5 4", width=1.2)
    drawn.bottom(x, _BOTTOM, speaker.text("Possible cut (mg·h/L)"), lambda v: speaker.number(v, 0))
    drawn.left(y, _LEFT, speaker.text("Statistic"), lambda v: speaker.number(v, 1))
    return drawn


def cuts_drawn(found: TargetAnalysis, speaker: Speaker) -> Drawing | None:
    """P5: where the cut lies in samples drawn with replacement."""
    if found.cutpoint is None:
        return None
    cuts = found.cutpoint.bootstrap_cuts[np.isfinite(found.cutpoint.bootstrap_cuts)]
    counts, edges = np.histogram(cuts, bins=24)
    x = Scale(float(edges[0]), float(edges[-1]), _LEFT, _RIGHT)
    y = Scale(0, 1.05 * float(counts.max()), _BOTTOM, _TOP)
    title = speaker.text("Youden's cut in samples drawn with replacement, n = {n}", n=found.n)
    described = speaker.text("Dashed: the cut of the data and the limits of its 95 % interval.")
    drawn = Drawing("p5", title, described, 326)
    for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        drawn.box(x(low), y(count), x(high) - x(low), y(0) - y(count), PALE, edge=True)
    for one in (found.cutpoint.value, *found.cutpoint.ci):
        drawn.line([(x(one), _TOP), (x(one), _BOTTOM)], dash="5 4", width=1.6)
    drawn.bottom(x, _BOTTOM, speaker.text("Cut (mg·h/L)"), lambda v: speaker.number(v, 0))
    drawn.left(y, _LEFT, speaker.text("Number of samples drawn"), lambda v: speaker.number(v, 0))
    return drawn
