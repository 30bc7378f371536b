"""The pictures of subjects in the report of the study's question (P1, P2, P7); of the cut: `cut_plots`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pk.target.findings import TargetAnalysis
from pk.target.statistics.loess import LEAST, loess
from scheduler.domain.speech import Speaker
from scheduler.engine.picture.drawing import FILLED, GREY, HOLLOW, INK, PALE, Drawing, Scale
from scheduler.engine.target.member import LEAST_DESCRIBED, MEASURES, PRIMARY, Member, daily_mg

__all__ = ["course", "scatter", "waterfall"]

_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 625.0, 46.0, 290.0
_BAND = (30.0, 60.0)
_FORMS = {("skin_arm",): "circle", ("lung_arm",): "square", ("lung_arm", "skin_arm"): "triangle", (): "cross"}
_DASHES = {True: "", False: "6 3", None: "1.5 3"}
_MINIMAL = {"mrss": -5.0, "fvc": 3.0}
"""Published minimal differences of `endpoint_rules`: mcid_dcssc, mcid_fvc. None is known of DLCO."""
_TERTILES = 3
_FEW = 30
"""Subjects up to whom lines and points are drawn in full strength."""


def course(members: Sequence[Member], speaker: Speaker) -> Drawing | None:
    """P1: the AUC of every subject by actual week; None where no subject has one."""
    shown = [one for one in members if one.exposures["days"]]
    if not shown:
        return None
    top = 1.08 * max(*(max(one.exposures["aucs"]) for one in shown), _BAND[1])
    last = max(54.0, max(max(one.exposures["days"]) for one in shown) / 7)
    first = min(0.0, min(min(one.exposures["days"]) for one in shown) / 7)
    x, y = Scale(first, last, _LEFT, _RIGHT), Scale(0, top, _BOTTOM, _TOP)
    title = speaker.text("MPA AUC0-12 by week since inclusion, n = {n}", n=len(shown))
    described = speaker.text(
        "One line a subject. Solid: responder; dashed: not a responder; dotted: response cannot be evaluated. "
        "A tick below a point: the daily dose differs from the visit before. Hollow: the primary exposure rests on a "
        "single or bridged occasion. Grey: 30 to 60, consensus in transplantation, no target of this disease."
    )
    drawn = Drawing("p1", title, described, 345)
    drawn.box(_LEFT, y(_BAND[1]), _RIGHT - _LEFT, y(_BAND[0]) - y(_BAND[1]), PALE)
    fine = 1.0 if len(shown) <= _FEW else 0.5
    for one in shown:
        _line_of(drawn, one, x, y, fine)
    drawn.bottom(x, _BOTTOM, speaker.text("Weeks since inclusion"), lambda v: speaker.number(v, 0))
    drawn.left(y, _LEFT, speaker.text("MPA AUC0-12 (mg·h/L)"), lambda v: speaker.number(v, 0))
    words = (
        speaker.text("responder"),
        speaker.text("not a responder"),
        speaker.text("response cannot be evaluated"),
    )
    for i, (held, said) in enumerate(zip(_DASHES, words, strict=True)):
        drawn.line([(_LEFT + 160 * i, 20), (_LEFT + 34 + 160 * i, 20)], dash=_DASHES[held], width=1.8)
        drawn.words(_LEFT + 40 + 160 * i, 24, said)
    return drawn


def _line_of(drawn: Drawing, one: Member, x: Scale, y: Scale, fine: float) -> None:
    """The line of a subject; `fine` thins it where there are many."""
    points = [
        (x(day / 7), y(auc)) for day, auc in zip(one.exposures["days"], one.exposures["aucs"], strict=True)
    ]
    drawn.line(points, dash=_DASHES[one.response], width=1.4 * fine)
    before = None
    for (at, height), visit in zip(points, one.exposures["visits"], strict=True):
        drawn.mark(at, height, "circle", fill=HOLLOW if one.flagged else FILLED, size=3 * fine)
        daily = daily_mg(visit)
        if before is not None and daily is not None and daily != before:
            drawn.line([(at, height + 5), (at, height + 14)], width=2)
        before = daily if daily is not None else before


def scatter(
    members: Sequence[Member], measure: str, found: TargetAnalysis, speaker: Speaker
) -> Drawing | None:
    """P2: exposure and change of one measure, `found` being their analysis. None of fewer than three."""
    pairs = [
        (exposure, change, one.arms)
        for one in members
        if (exposure := one.exposure(PRIMARY)) is not None
        and (change := one.change(measure, in_arm=True)) is not None
    ]
    if len(pairs) < LEAST_DESCRIBED:
        return None
    name = speaker.name(measure)
    changes = [change for _, change, _ in pairs] + [0.0, _MINIMAL.get(measure, 0.0)]
    room = 0.1 * ((max(changes) - min(changes)) or 1.0)
    exposures = [exposure for exposure, _, _ in pairs]
    beside = 0.08 * ((max(exposures) - min(exposures)) or max(exposures) or 1.0)
    x = Scale(max(0.0, min(exposures) - beside), max(exposures) + beside, _LEFT, _RIGHT)
    y = Scale(min(changes) - room, max(changes) + room, _BOTTOM, _TOP)
    title = speaker.text("{measure}: change at one year by exposure, n = {n}", measure=name, n=len(pairs))
    described = speaker.text(
        "Circle: skin arm; square: lung arm; triangle: both. Dashed: the published minimal difference, where there "
        "is one. Line: median of the slopes of all pairs (Theil and Sen), from 10 subjects on. Dotted: smoothed line "
        "(loess), from 20 on: to see whether there is a step or a plateau."
    )
    drawn = Drawing(f"p2-{measure}", title, described, 345)
    drawn.line([(_LEFT, y(0)), (_RIGHT, y(0))], width=0.7)
    if measure in _MINIMAL:
        at = y(_MINIMAL[measure])
        drawn.line([(_LEFT, at), (_RIGHT, at)], dash="5 4", width=0.9)
    _median_slope(drawn, found, x, y)
    _smooth(drawn, [(exposure, change) for exposure, change, _ in pairs], x, y)
    for exposure, change, arms in pairs:
        drawn.mark(x(exposure), y(change), _FORMS[tuple(sorted(arms))])
    label = speaker.text("Exposure of weeks 6 to 26 (mg·h/L)")
    drawn.bottom(x, _BOTTOM, label, lambda v: speaker.number(v, 0))
    points = measure == "mrss"
    unit = speaker.text("Change (points)") if points else speaker.text("Change (% predicted)")
    drawn.left(y, _LEFT, unit, lambda v: speaker.number(v, 0))
    return drawn


def _median_slope(drawn: Drawing, found: TargetAnalysis, x: Scale, y: Scale) -> None:
    """The median slope through the medians, where the tier has one."""
    if found.association is None or found.association.theil_sen is None:
        return
    slope = found.association.theil_sen.per_10 / 10
    start = float(np.median(found.outcome) - slope * np.median(found.exposure))
    ends = [float(found.exposure.min()), float(found.exposure.max())]
    drawn.line([(x(end), y(start + slope * end)) for end in ends], width=1.8)


def _smooth(drawn: Drawing, pairs: Sequence[tuple[float, float]], x: Scale, y: Scale) -> None:
    """The smoothed line, from enough subjects with different exposures on."""
    exposure, change = (np.array(one) for one in zip(*pairs, strict=True))
    if exposure.size < LEAST or np.ptp(exposure) == 0:
        return
    at = np.linspace(exposure.min(), exposure.max(), 40)
    heights = np.clip(loess(exposure, change, at), y.low, y.high)
    drawn.line(
        [(x(a), y(b)) for a, b in zip(at.tolist(), heights.tolist(), strict=True)], dash="1.5 3", width=2
    )


def waterfall(members: Sequence[Member], speaker: Speaker) -> Drawing | None:
    """P7: the change of the skin score of every subject, best first, by third of exposure; None of fewer than three."""
    measure = next(iter(MEASURES))
    found = [(one.change(measure), one) for one in members]
    bars = sorted(
        ((change, one) for change, one in found if change is not None),
        key=lambda pair: (pair[0], pair[1].code),
    )
    if len(bars) < LEAST_DESCRIBED:
        return None
    thirds = _thirds([one for _, one in bars])
    low, high = min(bars[0][0], 0.0), max(bars[-1][0], 0.0)
    y = Scale(low - 1, high + 1, _BOTTOM, _TOP)
    step = (_RIGHT - _LEFT) / len(bars)
    title = speaker.text(
        "{measure}: change at one year of every subject, n = {n}", measure=speaker.name(measure), n=len(bars)
    )
    described = speaker.text(
        "Best first. Filling: third of exposure of weeks 6 to 26; crossed out: not known."
    )
    drawn = Drawing("p7", title, described, 320)
    for i, (change, one) in enumerate(bars):
        third = thirds.get(one.code)
        x = _LEFT + i * step
        fill = HOLLOW if third is None else (PALE, GREY, INK)[third]
        drawn.box(x + 0.1 * step, y(0), 0.8 * step, y(change) - y(0), fill, edge=True)
        if third is None:
            drawn.mark(x + step / 2, (y(0) + y(change)) / 2, "cross", size=3)
    drawn.line([(_LEFT, y(0)), (_RIGHT, y(0))])
    drawn.left(y, _LEFT, speaker.text("points"), lambda v: speaker.number(v, 0))
    words = (speaker.text("lowest third"), speaker.text("middle third"), speaker.text("highest third"))
    for i, (fill, said) in enumerate(zip((PALE, GREY, INK), words, strict=True)):
        drawn.box(_LEFT + 180 * i, 14, 14, 12, fill, edge=True)
        drawn.words(_LEFT + 20 + 180 * i, 24, said)
    return drawn


def _thirds(members: Sequence[Member]) -> dict[str, int]:
    """The third of exposure, 0 to 2, of every subject that has one; nobody's where fewer than three do."""
    known = [(value, one.code) for one in members if (value := one.exposure(PRIMARY)) is not None]
    if len(known) < _TERTILES:
        return {}
    limits = np.quantile([value for value, _ in known], [1 / 3, 2 / 3])
    return {code: int(np.searchsorted(limits, value, side="left")) for value, code in known}
