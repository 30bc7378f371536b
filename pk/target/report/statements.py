"""The answer in sentences, in the order in which they are read; every one is a code and its parameters."""

import math
from collections.abc import Iterator

from pk.target.association.correlation import Slope
from pk.target.cut.prespecified import AtCut
from pk.target.findings import Conclusion, Missing, Roc, Standing, TargetAnalysis
from pk.target.missing.changes import ImputedSlope, RankBounds
from pk.target.missing.imputation import SHIFTS, Imputed
from pk.target.planning.thresholds import LEAST, Plan
from pk.target.question import Answer
from pk.target.statistics.firth import Coefficient
from pk.target.statistics.proportions import Interval
from pk.target.upper_bound import upper_said
from pk.values.reason import Param, Reason, short

_CONCLUDED = {
    Conclusion.NOT_ESTIMABLE: "target_conclusion_not_estimable",
    Conclusion.NO_EVIDENCE: "target_conclusion_no_evidence",
    Conclusion.NO_USABLE_CUT: "target_conclusion_no_usable_cut",
    Conclusion.EXPLORATORY: "target_conclusion_exploratory",
    Conclusion.CANDIDATE: "target_conclusion_candidate",
}
_STANDING = {
    Standing.ARBITRARY: "target_cut_arbitrary",
    Standing.EXPLORATORY: "target_cut_exploratory",
    Standing.CANDIDATE: "target_cut_candidate",
}
_SMALLEST_SAID = 0.001
LARGEST_EXPONENT = 20.0
"""Odds ratios above 5e8, or below its inverse, are not worth a number."""

PLANNED = (
    "target_plan_too_few",
    *(f"target_plan_{one}{suffix}" for one in ("needed", "not_reached") for suffix in ("", "_binormal")),
)
"""The codes of everything that `planned` may say."""


def conclusion_of(found: TargetAnalysis) -> Reason:
    """Return the one-sentence conclusion."""
    return Reason.of(_CONCLUDED[found.conclusion])


def headlines(found: TargetAnalysis) -> tuple[Reason, ...]:
    """Return what must stand before any number: watermark, tier, and what so few patients cannot show."""
    said = [Reason.of("target_watermark", tier=found.tier.number)] if found.unlocked else []
    said.append(Reason.of(f"target_tier_{found.tier.number}"))
    few = {0: "target_no_patients", 1: "target_one_patient", 2: "target_two_patients"}.get(found.n)
    if few is not None:
        said.append(Reason.of(few))
    if found.n_responders is None and found.n > 0:
        said.append(Reason.of("target_no_response_defined"))
    return tuple(said)


def statements(said: Answer) -> tuple[Reason, ...]:
    """Return the whole answer: conclusion, tier, findings, plan, warnings."""
    return tuple(line for part in paragraphs(said) for line in part)


def paragraphs(said: Answer) -> tuple[tuple[Reason, ...], ...]:
    """Return the whole answer by what belongs together; none of them is empty."""
    found = said.found
    parts = (
        (conclusion_of(found), *headlines(found), patients_said(found)),
        _listing(found) if found.tier.number == 0 else (),
        _described(found),
        _associated(found),
        _discriminated(found),
        (line for one in found.prespecified for line in _at_cut(one)),
        _cut(found),
        missing_said(found.missing),
        () if said.question.tell_apart is None else planned(said.plan, *sorted(said.question.tell_apart)),
        () if said.upper is None else upper_said(said.upper, said.question.events or "", found),
        found.warnings,
    )
    return tuple(lines for part in parts if (lines := tuple(part)))


def patients_said(found: TargetAnalysis) -> Reason:
    """Return how many patients are analysed."""
    if found.n_responders is None:
        return Reason.of("target_patients_no_response", n=found.n)
    return Reason.of("target_patients", n=found.n, responders=found.n_responders)


def _listing(found: TargetAnalysis) -> Iterator[Reason]:
    for exposure, outcome in zip(found.exposure.tolist(), found.outcome.tolist(), strict=True):
        reached = "; ".join(str(short(cut)) for cut in found.settings.cuts if exposure >= cut)
        params: dict[str, Param] = {"exposure": short(exposure), "outcome": short(outcome)}
        if reached:
            yield Reason.of("target_listed", **params, cuts=reached)
        else:
            yield Reason.of("target_listed_none", **params)


def _described(found: TargetAnalysis) -> Iterator[Reason]:
    if found.description is None:
        return
    everyone, responders, others = (
        found.description.everyone,
        found.description.responders,
        found.description.others,
    )
    yield Reason.of(
        "target_median",
        median=short(everyone.median),
        quarter=short(everyone.quarter),
        three_quarters=short(everyone.three_quarters),
    )
    if responders is not None and others is not None:
        yield Reason.of("target_medians", responders=short(responders.median), others=short(others.median))


def _associated(found: TargetAnalysis) -> Iterator[Reason]:
    if found.association is None:
        return
    rank = found.association.spearman
    yield _with_limits("target_spearman", "_ci", rank.ci, rho=short(rank.rho))
    yield _with_p("target_test", rank.p)
    if rank.p_method == "exact" and rank.smallest_p >= _SMALLEST_SAID:
        yield Reason.of("target_smallest_p", p=short(round(rank.smallest_p, 3)))
    yield from _slope("target_slope", found.association.slope)
    yield from _slope("target_slope_adjusted", found.association.adjusted_slope)
    if found.firth is not None:
        yield from _odds("target_odds", found.firth.exposure)
        yield from _odds("target_odds_adjusted", found.firth.adjusted)
    yield from shape_said(found)


def shape_said(found: TargetAnalysis) -> Iterator[Reason]:
    """Return the effect per doubling of exposure, and whether the relation is straight."""
    one, shape = found.doubling, found.shape
    if one is not None and one.ci is not None:
        odds = found.n_responders is not None
        limits = _ratios(one.value, *one.ci) if odds else (one.value, *one.ci)
        if limits is not None:
            value, low, high = map(short, limits)
            yield Reason.of(f"target_doubling{'_odds' if odds else ''}", value=value, low=low, high=high)
    if shape is not None:
        first, middle, last = (short(knot) for knot in shape.knots)
        yield _with_p("target_shape", shape.p, first=first, middle=middle, last=last)
        places = {f"x{i}": short(x) for i, (x, _) in enumerate(shape.fitted, start=1)}
        heights = {f"y{i}": short(y) for i, (_, y) in enumerate(shape.fitted, start=1)}
        response = "" if found.n_responders is None else "_response"
        yield Reason.of(f"target_shape_fitted{response}", **places, **heights)


def _slope(code: str, slope: Slope | None) -> Iterator[Reason]:
    if slope is not None and slope.ci_per_10 is not None:
        low, high = slope.ci_per_10
        yield Reason.of(code, slope=short(slope.per_10), low=short(low), high=short(high))


def _odds(code: str, one: Coefficient | None) -> Iterator[Reason]:
    if one is None or one.ci is None:
        return
    ratios = _ratios(*(10 * x for x in (one.value, *one.ci)))
    if ratios is not None:
        odds, low, high = map(short, ratios)
        yield Reason.of(code, odds=odds, low=low, high=high)


def _ratios(*exponents: float) -> tuple[float, ...] | None:
    """Odds ratios; None where one is beyond all sense, which separated groups give: that is said by itself."""
    if max(map(abs, exponents)) > LARGEST_EXPONENT:
        return None
    return tuple(math.exp(x) for x in exponents)


def _discriminated(found: TargetAnalysis) -> Iterator[Reason]:
    if found.roc is not None:
        yield _area(found.roc)
        yield _with_p("target_area_test", found.roc.test.p)
    if found.max_selected is not None:
        yield _with_p("target_max_selected", found.max_selected.p_permutation)


def _area(roc: Roc) -> Reason:
    if roc.ci_bootstrap is not None:
        return _with_limits("target_area", "_unstable", roc.ci_bootstrap, area=short(roc.area))
    return _with_limits("target_area", "_ci", roc.ci_logit_delong, area=short(roc.area))


def _at_cut(one: AtCut) -> Iterator[Reason]:
    table = one.table
    yield _with_p(
        "target_at_cut",
        one.fisher_p,
        cut=short(one.cut),
        tp=table.tp,
        responders=table.tp + table.fn,
        fp=table.fp,
        others=table.fp + table.tn,
    )


def _cut(found: TargetAnalysis) -> Iterator[Reason]:
    cut = found.cutpoint
    if cut is None:
        return
    low, high = cut.ci
    yield Reason.of(_STANDING[cut.standing], cut=short(cut.value), low=short(low), high=short(high))
    for gate in found.gates:
        if not gate.passed and not gate.name.startswith("tier_"):
            yield Reason.of(f"target_gate_{gate.name}")
    yield Reason.of(
        "target_cut_performance",
        sensitivity=short(cut.sensitivity.value or 0.0),
        specificity=short(cut.specificity.value or 0.0),
        sensitivity_corrected=short(cut.sensitivity_corrected),
        specificity_corrected=short(cut.specificity_corrected),
    )
    if cut.binormal is not None:
        yield Reason.of("target_cut_binormal", cut=short(cut.binormal))
    yield Reason.of("target_cut_topleft", cut=short(cut.closest_topleft))


def missing_said(found: Missing | None) -> tuple[Reason, ...]:
    """Return what missing outcomes could change."""
    if found is None:
        return ()
    if isinstance(found, RankBounds):
        lowest, highest = short(found.lowest.rho), short(found.highest.rho)
        said = Reason.of("target_missing_ranks", count=found.missing, lowest=lowest, highest=highest)
        return said, Reason.of(f"target_missing_ranks_{found.verdict}")
    if isinstance(found, ImputedSlope):
        return _slope_imputed(found)
    if isinstance(found, Imputed):
        counts: dict[str, Param] = {"count": found.missing, "imputations": found.imputations}
        ratios = _ratios(*(10 * x for x in (found.odds.value, *found.odds.ci)))
        if ratios is None:
            return (Reason.of("target_missing_imputed_beyond", **counts),)
        odds, low, high = map(short, ratios)
        share = round(100 * found.odds.from_missing)
        said = Reason.of("target_missing_imputed", **counts, odds=odds, low=low, high=high, percent=share)
        turning = SHIFTS[-1] if found.tipping is None else abs(found.tipping)
        side = "none" if found.tipping is None else "likelier" if found.tipping > 0 else "rarer"
        return said, Reason.of(f"target_missing_odds_{side}", times=short(math.exp(turning)))
    best, worst = short(found.best.rho), short(found.worst.rho)
    said = Reason.of("target_missing_bounds", count=found.missing, best=best, worst=worst)
    return said, Reason.of(
        f"target_missing_{found.verdict}",
        **({} if found.tipping is None else {"tipping": found.tipping, "count": found.missing}),
    )


def planned(found: Plan | None, low: float, high: float) -> tuple[Reason, ...]:
    """Return how many patients would tell `low` from `high`; without a plan, that it cannot be said."""
    if found is None:
        return (Reason.of("target_plan_too_few", low=short(low), high=short(high), least=LEAST),)
    needed = (("", found.needed_empirical), ("_binormal", found.needed_binormal))
    return tuple(_needed(found, suffix, n) for suffix, n in needed)


def _needed(plan: Plan, suffix: str, needed: int | None) -> Reason:
    point = next((one for one in plan.points if one.n == needed), plan.points[-1])
    share = point.binormal if suffix else point.empirical
    code = f"target_plan_not_reached{suffix}" if needed is None else f"target_plan_needed{suffix}"
    percent = round(100 * share)
    return Reason.of(code, low=short(plan.low), high=short(plan.high), n=point.n, percent=percent)


def _with_limits(code: str, suffix: str, limits: Interval | None, **params: Param) -> Reason:
    if limits is None:
        return Reason.of(code, **params)
    return Reason.of(code + suffix, **params, low=short(limits[0]), high=short(limits[1]))


def _with_p(code: str, p: float, **params: Param) -> Reason:
    if p < _SMALLEST_SAID:
        return Reason.of(f"{code}_below", **params, p=_SMALLEST_SAID)
    return Reason.of(code, **params, p=short(round(p, 3)))


def _slope_imputed(found: ImputedSlope) -> tuple[Reason, ...]:
    slope, low, high, known = (short(10 * one) for one in (found.slope.value, *found.slope.ci, found.known))
    counts: dict[str, Param] = {"count": found.missing, "imputations": found.imputations}
    share = round(100 * found.slope.from_missing)
    limits: dict[str, Param] = {"slope": slope, "low": low, "high": high, "known": known}
    said = Reason.of("target_missing_slope", **counts, **limits, percent=share)
    if found.tipping is None:
        return said, Reason.of("target_missing_no_tipping", shift=short(found.searched))
    side = "higher" if found.tipping > 0 else "lower"
    return said, Reason.of(f"target_missing_tipping_{side}", shift=short(abs(found.tipping)))
