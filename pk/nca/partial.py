"""The observed area from the dose to 2 h: what was measured, with nothing assumed of the drug."""

from dataclasses import replace

from pk.nca.trapezoid import Rule, auc
from pk.values.estimate import Estimate
from pk.values.profile import Occasion, Sample
from pk.values.reading import (
    find,
    is_below_lloq,
    known_lloq_mg_l,
    measured_mg_l,
    minutes,
    predose_highest,
    time_problem,
    value_problem,
)
from pk.values.reason import Reason, short

PARTIAL_AUC = "partial_auc_0_2_linup_logdown"
END_H = 2.0
PARTIAL_TIMEPOINTS = (("H0", 0.0), ("H30", 30.0), ("H2", 120.0))


def partial_auc_0_2(occasion: Occasion) -> Estimate:
    """Return the observed AUC from the dose to 2 h, linear-up/log-down over the actual times.

    Parameters
    ----------
    occasion : Occasion
        H0, H30 and H2 are all required; formulation, interval and steady state play no part.

    Returns
    -------
    Estimate
        The pre-dose concentration is taken as that at time 0. A pre-dose result below quantification
        counts as 0, with the values for 0 and for the limit as bounds. An H2 drawn after 2 h
        is interpolated to 2.0 h; one drawn before ends the area there (`interval_h` and a note say so).

    References
    ----------
    The rule: `pk.nca.trapezoid.auc`.
    """
    found = [find(occasion, name, nominal_min) for name, nominal_min in PARTIAL_TIMEPOINTS]
    samples = [sample for sample in found if isinstance(sample, Sample)]
    problems = [reason for reason in found if isinstance(reason, Reason)]
    for sample in samples:
        both = (time_problem(sample), value_problem(sample, predose=sample.timepoint == "H0"))
        problems += [reason for reason in both if reason is not None]
    problems += _order_problems(samples)
    if problems:
        return Estimate(
            method=PARTIAL_AUC, quantity="AUC0-2", interval_h=(0.0, END_H), reasons=tuple(problems)
        )
    predose, early, late = samples
    return _partial(predose, early, late)


def _partial(predose: Sample, early: Sample, late: Sample) -> Estimate:
    below = is_below_lloq(predose)
    limit = known_lloq_mg_l(predose) if below else None
    value = _area(0.0 if below else measured_mg_l(predose), early, late)
    high = value if limit is None else _area(limit, early, late)
    if value.reasons or high.reasons:
        return value if value.reasons else replace(value, value_mg_h_l=None, reasons=high.reasons)
    return replace(
        value,
        low_mg_h_l=None if limit is None else value.value_mg_h_l,
        high_mg_h_l=None if limit is None else high.value_mg_h_l,
        notes=(
            *_predose_notes(predose, below, limit),
            *_end_note(late),
            *predose_highest(predose, (early, late)),
        ),
    )


def _area(predose_mg_l: float, early: Sample, late: Sample) -> Estimate:
    area = auc(
        [0.0, early.time_h, late.time_h],
        [predose_mg_l, measured_mg_l(early), measured_mg_l(late)],
        end_h=min(END_H, late.time_h),
        rule=Rule.LINUP_LOGDOWN,
    )
    return replace(area, method=PARTIAL_AUC, quantity="AUC0-2")


def _order_problems(samples: list[Sample]) -> list[Reason]:
    """Return what is wrong with the order: H0 up to the dose, then H30 before 2 h, then H2."""
    at = {sample.timepoint: minutes(sample.time_h) for sample in samples if time_problem(sample) is None}
    found: list[Reason] = []
    if at.get("H0", 0.0) > 0:
        found.append(Reason.of("predose_after_dose", timepoint="H0", actual_min=short(at["H0"])))
    found += [
        Reason.of("not_after_dose", timepoint=name, actual_min=short(at[name]))
        for name in ("H30", "H2")
        if name in at and at[name] <= 0
    ]
    if "H30" in at and "H2" in at and at["H30"] >= at["H2"]:
        times = {"earlier_min": short(at["H30"]), "later_min": short(at["H2"])}
        found.append(Reason.of("samples_out_of_order", earlier="H30", later="H2", **times))
    if at.get("H30", 0.0) >= END_H * 60:
        times = {"actual_min": short(at["H30"]), "end_min": short(END_H * 60)}
        found.append(Reason.of("sample_after_interval", timepoint="H30", **times))
    return found


def _predose_notes(predose: Sample, below: bool, limit: float | None) -> tuple[Reason, ...]:
    name, found = predose.timepoint, []
    if minutes(predose.time_h) < 0:
        before_min = short(-minutes(predose.time_h))
        found.append(Reason.of("predose_at_time_zero", timepoint=name, before_min=before_min))
    if limit is not None:
        found.append(Reason.of("predose_zero", timepoint=name, lloq_mg_l=short(limit)))
    elif below:
        found.append(Reason.of("predose_zero_no_limit", timepoint=name))
    return tuple(found)


def _end_note(late: Sample) -> tuple[Reason, ...]:
    if late.time_h >= END_H:
        return ()
    times = {"actual_min": short(minutes(late.time_h)), "end_min": short(END_H * 60)}
    return (Reason.of("interval_shortened", timepoint=late.timepoint, **times),)
