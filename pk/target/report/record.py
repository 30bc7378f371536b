"""The answer as a JSON object; its schema is `pk/schemas/target-output.json`. There is never a NaN: null instead."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict

from pk.target.association.correlation import Slope
from pk.target.association.shape import Doubling, Shape
from pk.target.cut.max_selected import MaxSelected
from pk.target.cut.prespecified import AtCut
from pk.target.findings import Association, Cutpoint, Odds, Roc, Spread, TargetAnalysis
from pk.target.planning.thresholds import ASSURANCE, Plan
from pk.target.question import Answer
from pk.target.report.missing_record import missing_record
from pk.target.report.statements import conclusion_of, headlines
from pk.target.statistics.firth import Coefficient
from pk.target.statistics.proportions import Interval, Proportion
from pk.values.jsontypes import Json, JsonObject
from pk.values.reason import Reason

SCHEMA_VERSION = "1"
TARGET_VERSION = "3"
"""Raised whenever the same input and seed may give other numbers."""

Say = Callable[[Reason], str]


def answered(said: Answer, say: Say = Reason.text) -> JsonObject:
    """Return the answer as JSON; `say` words a reason, in English unless told otherwise."""
    found, question = said.found, said.question
    settings = found.settings
    return {
        "schema_version": SCHEMA_VERSION,
        "status": "ok",
        "software_version": TARGET_VERSION,
        "config": {
            "exposure": question.exposure,
            "outcome": question.outcome,
            "baseline": question.baseline,
            "adverse_events": question.events,
            "outcome_kind": question.kind.value,
            "responder_rule": question.rule,
            "direction": settings.direction.value,
            "cuts": list(settings.cuts),
            "bootstrap": settings.bootstrap,
            "permutations": settings.permutations,
            "seed": settings.seed,
            "unlock_tier": settings.unlock_tier,
        },
        "data_hash": found.data_hash,
        "watermark": say(Reason.of("target_watermark", tier=found.tier.number)) if found.unlocked else None,
        "exposure_metric": question.exposure,
        "endpoint_def": question.outcome if question.rule is None else f"{question.outcome} {question.rule}",
        "n": found.n,
        "n_responders": found.n_responders,
        "n_resp": found.n_responders,
        "left_out": {**asdict(found.left_out)},
        "tier": found.tier.number,
        "tier_name": found.tier.name,
        "conclusion": found.conclusion.value,
        "statements": _said((conclusion_of(found), *headlines(found)), say),
        "gates": _gates(found),
        "listing": _listing(found),
        **_numbers(found),
        "missing_outcomes": missing_record(found.missing),
        "adverse_events": None if said.upper is None else _upper(said.upper, question.events),
        "planning": None if said.plan is None else _plan(said.plan),
        "warnings": _said(found.warnings, say),
    }


def refused(reasons: Iterable[Reason], say: Say = Reason.text) -> JsonObject:
    """Return what is wrong with a file or a question as JSON."""
    return {"schema_version": SCHEMA_VERSION, "status": "error", "reasons": _said(reasons, say)}


def _upper(found: TargetAnalysis, column: str | None) -> JsonObject:
    """The events where the outcome stands elsewhere: tp are those with an event at or above the cut."""
    numbers = _numbers(found)
    kept = ("association", "roc", "firth", "prespecified_cuts", "max_selected", "cutpoint")
    return {
        "column": column,
        "n": found.n,
        "n_events": found.n_responders,
        "left_out": {**asdict(found.left_out)},
        "tier": found.tier.number,
        "conclusion": found.conclusion.value,
        "gates": _gates(found),
        **{name: numbers[name] for name in kept},
        "missing_events": missing_record(found.missing),
    }


def _gates(found: TargetAnalysis) -> list[Json]:
    return [
        {"name": one.name, "value": _finite(one.value), "threshold": one.threshold, "pass": one.passed}
        for one in found.gates
    ]


def _said(reasons: Iterable[Reason], say: Say) -> list[Json]:
    return [{"code": one.code, "params": dict(one.params), "text": say(one)} for one in reasons]


def _numbers(found: TargetAnalysis) -> JsonObject:
    described = found.description
    return {
        "description": None
        if described is None
        else {
            "all": _spread(described.everyone),
            "responders": _spread(described.responders),
            "others": _spread(described.others),
        },
        "association": None if found.association is None else association_record(found.association),
        "per_doubling": doubling_record(found.doubling),
        "shape": shape_record(found.shape),
        "roc": None if found.roc is None else _roc(found.roc),
        "firth": None if found.firth is None else _odds(found.firth),
        "prespecified_cuts": [_at_cut(one) for one in found.prespecified],
        "max_selected": None if found.max_selected is None else _max_selected(found.max_selected),
        "cutpoint": None if found.cutpoint is None else _cutpoint(found.cutpoint),
        "sensitivity": [] if found.cutpoint is None else _sensitivity(found.cutpoint),
    }


def _listing(found: TargetAnalysis) -> Json:
    """The patients themselves, where nothing else can be said of them."""
    if found.tier.number > 0:
        return None
    pairs = zip(found.exposure.tolist(), found.outcome.tolist(), strict=True)
    return [{"exposure": exposure, "outcome": outcome} for exposure, outcome in pairs]


def _spread(one: Spread | None) -> Json:
    return None if one is None else {**asdict(one)}


def association_record(found: Association) -> Json:
    """Return an association as JSON."""
    rank, linear = found.spearman, found.pearson
    return {
        "spearman": {
            "rho": rank.rho,
            "ci": _interval(rank.ci),
            "p": rank.p,
            "p_method": rank.p_method,
            "smallest_p": rank.smallest_p,
        },
        "pearson": None if linear is None else {"r": linear.r, "ci": _interval(linear.ci)},
        "theil_sen": _slope(found.theil_sen),
        "slope": _slope(found.slope, found.slope_p),
        "adjusted_slope": _slope(found.adjusted_slope, found.adjusted_slope_p),
    }


def _slope(one: Slope | None, p: float | None = None) -> Json:
    return None if one is None else {"per_10": one.per_10, "ci": _interval(one.ci_per_10), "p": p}


def doubling_record(one: Doubling | None) -> Json:
    """Return the effect per doubling of exposure as JSON."""
    return None if one is None else {"value": one.value, "ci": _interval(one.ci), "p": one.p}


def shape_record(one: Shape | None) -> Json:
    """Return the shape of the relation as JSON."""
    if one is None:
        return None
    fitted: list[Json] = [{"exposure": exposure, "outcome": outcome} for exposure, outcome in one.fitted]
    return {"knots": list(one.knots), "p_curvature": one.p, "fitted": fitted}


def _roc(found: Roc) -> Json:
    return {
        "area": found.area,
        "ci_delong": _interval(found.ci_delong),
        "ci_logit_delong": _interval(found.ci_logit_delong),
        "ci_bootstrap_unstable": _interval(found.ci_bootstrap),
        "separated": found.separated,
        "p": found.test.p,
        "p_method": found.test.method,
        "smallest_p": found.test.smallest_p,
    }


def _odds(found: Odds) -> Json:
    adjusted = found.adjusted
    return {
        **_coefficient(found.exposure),
        "adjusted_for_baseline": None if adjusted is None else _coefficient(adjusted),
    }


def _coefficient(one: Coefficient) -> JsonObject:
    limits = None if one.ci is None else [_odds_ratio(limit) for limit in one.ci]
    return {
        "coef": one.value,
        "ci": _interval(one.ci),
        "p": one.p,
        "odds_ratio_per_10": _odds_ratio(one.value),
        "odds_ratio_per_10_ci": None if limits is None or None in limits else list(limits),
    }


def _odds_ratio(coefficient: float) -> float | None:
    """The odds ratio per 10 units; None where it is beyond the range of floats."""
    return math.exp(10 * coefficient) if 10 * coefficient < 700 else None


def _at_cut(one: AtCut) -> Json:
    return {
        "cut": one.cut,
        **asdict(one.table),
        "sensitivity": one.sensitivity.value,
        "sensitivity_ci": _interval(one.sensitivity.ci),
        "specificity": one.specificity.value,
        "specificity_ci": _interval(one.specificity.ci),
        "risk_difference": one.risk_difference,
        "risk_difference_ci": _interval(one.risk_difference_ci),
        "fisher_p": one.fisher_p,
        "boschloo_p": one.boschloo_p,
    }


def _max_selected(found: MaxSelected) -> Json:
    return {
        "statistic": found.statistic,
        "cut": found.cut,
        "p_approx": found.p_approx,
        "p_permutation": found.p_permutation,
        "critical_95": found.critical_95,
    }


def _cutpoint(found: Cutpoint) -> Json:
    return {
        "value": found.value,
        "standing": found.standing.value,
        "ci": _interval(found.ci),
        "sensitivity": found.sensitivity.value,
        "sensitivity_ci": _interval(found.sensitivity.ci),
        "sensitivity_corrected": found.sensitivity_corrected,
        "specificity": found.specificity.value,
        "specificity_ci": _interval(found.specificity.ci),
        "specificity_corrected": found.specificity_corrected,
        "positive_predictive": _proportion(found.positive_predictive),
        "positive_predictive_corrected": found.positive_corrected,
        "negative_predictive": _proportion(found.negative_predictive),
        "negative_predictive_corrected": found.negative_corrected,
        "table": {**asdict(found.table)},
        "ties": list(found.ties),
        "within_5": found.within_5,
        "closest_topleft": found.closest_topleft,
        "binormal": found.binormal,
        "binormal_log": found.binormal_log,
        "binormal_ci": _interval(found.ci_binormal),
        "kernel": found.kernel,
    }


def _sensitivity(found: Cutpoint) -> list[Json]:
    """How the cut moves."""
    moved: list[Json] = [
        {"analysis": "leave_one_out", "cut_range": _interval(found.leave_one_out), "cv": None, "median": None}
    ]
    for one in found.measurement_error:
        error: JsonObject = {"analysis": "measurement_error", "cut_range": _interval(one.ci)}
        moved.append({**error, "cv": one.cv, "median": one.median})
    return moved


def _plan(found: Plan) -> Json:
    return {
        "tell_apart": [found.low, found.high],
        "assurance": ASSURANCE,
        "needed_empirical": found.needed_empirical,
        "needed_binormal": found.needed_binormal,
        "points": [{**asdict(one)} for one in found.points],
    }


def _proportion(one: Proportion) -> Json:
    return {"value": one.value, "ci": _interval(one.ci)}


def _interval(limits: Interval | None) -> Json:
    return None if limits is None else [limits[0], limits[1]]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
