"""Limited-sampling equations: applied where they hold, refused with every reason where not."""

import math
from collections.abc import Iterable

from pk.regression.equation import Equation, Term
from pk.values.estimate import Estimate
from pk.values.origin import assay_note, population_note
from pk.values.profile import Dosing, Occasion, Sample
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


def apply(equation: Equation, occasion: Occasion) -> Estimate:
    """Return the equation's AUC for an occasion, or every reason why it does not apply.

    Parameters
    ----------
    equation : Equation
        AUC = intercept + sum over samples of coefficient (h) times concentration (mg/L).
    occasion : Occasion
        Samples at their actual times, treatment and assay.

    Returns
    -------
    Estimate
        In mg·h/L. A pre-dose sample below a known quantification limit counts as half the limit, and
        the bounds are the values with 0 and with the limit. Nothing missing is imputed and no
        result is converted between assays.

    Notes
    -----
    Valid for the equation's formulation and dosing interval, at steady state, with every sample in
    its window. Data problems are reasons; nothing is raised for them.

    References
    ----------
    `equation.source`; for the shipped ones see `config/regressions.toml`.

    Examples
    --------
    >>> from pk.values.origin import Population
    >>> from pk.values.profile import Formulation
    >>> hours = Term("H2", 4.0, 120, 10, 10)
    >>> made_up = Equation("made_up", "Made-up", "AUC0-12", 8.5, (hours,), Formulation.MMF, 12.0, 7.0,
    ...     Population("a disease", "nothing else", 18), ("EMIT",), "none", "none")
    >>> dosing = Dosing(Formulation.MMF, 1000.0, 12.0, 30.0)
    >>> apply(made_up, Occasion((Sample("H2", 2.0, 6.0),), dosing, "EMIT")).value_mg_h_l
    32.5
    >>> apply(made_up, Occasion((), dosing)).reasons[0].text()
    'There is no H2 sample; one drawn 120 min after the dose is needed.'
    """
    found = [find(occasion, term.timepoint, term.nominal_min) for term in equation.terms]
    reasons = dosing_problems(equation, occasion.dosing)
    for term, sample in zip(equation.terms, found, strict=True):
        reasons += (sample,) if isinstance(sample, Reason) else _sample_problems(equation, term, sample)
    if reasons:
        return _refusal(equation, reasons)
    used = [
        (term, sample)
        for term, sample in zip(equation.terms, found, strict=True)
        if isinstance(sample, Sample)
    ]
    return _estimate(equation, used, occasion.assay)


def dosing_problems(equation: Equation, dosing: Dosing) -> tuple[Reason, ...]:
    """Return every reason why the treatment does not fit the equation."""
    found: list[Reason] = []
    name, needed = equation.name, short(equation.min_days_unchanged)
    if dosing.formulation is not equation.formulation:
        labels = {"formulation": dosing.formulation.label, "expected": equation.formulation.label}
        found.append(Reason.of("formulation_not_covered", equation=name, **labels))
    expected_h, interval_h = short(equation.interval_h), dosing.interval_h
    if interval_h is None:
        found.append(Reason.of("interval_unknown", equation=name, expected_h=expected_h))
    elif interval_h != equation.interval_h:
        hours = {"interval_h": short(interval_h), "expected_h": expected_h}
        found.append(Reason.of("interval_differs", equation=name, **hours))
    days = dosing.days_unchanged
    if days is None:
        found.append(Reason.of("steady_state_unknown", equation=name, min_days=needed))
    elif not days >= equation.min_days_unchanged:
        found.append(Reason.of("steady_state_too_short", equation=name, days=short(days), min_days=needed))
    return tuple(found)


def _sample_problems(equation: Equation, term: Term, sample: Sample) -> tuple[Reason, ...]:
    found = [time_problem(sample) or _window_problem(equation, term, sample)]
    found.append(value_problem(sample, predose=term.is_predose))
    if is_below_lloq(sample) and found[-1] is None and known_lloq_mg_l(sample) is None:
        found.append(Reason.of("lloq_unknown", timepoint=sample.timepoint))
    return tuple(reason for reason in found if reason is not None)


def _window_problem(equation: Equation, term: Term, sample: Sample) -> Reason | None:
    actual = minutes(sample.time_h)
    earliest, latest = term.window_min
    if earliest <= actual <= latest:
        return None
    return Reason.of(
        "time_outside_window",
        equation=equation.name,
        timepoint=term.timepoint,
        actual_min=short(actual),
        earliest_min=short(earliest),
        latest_min=short(latest),
    )


def _estimate(equation: Equation, used: list[tuple[Term, Sample]], assay: str | None) -> Estimate:
    ranges = [_conc_range(sample) for _, sample in used]
    low, value, high = (_sum(equation, [conc[i] for conc in ranges]) for i in range(3))
    if not all(math.isfinite(auc) for auc in (low, value, high)):
        return _refusal(equation, (Reason.of("auc_not_finite"),))
    censored = [sample for _, sample in used if is_below_lloq(sample)]
    return Estimate(
        method=equation.id,
        quantity=equation.quantity,
        interval_h=_interval_h(equation),
        value_mg_h_l=value,
        low_mg_h_l=min(low, high) if censored else None,
        high_mg_h_l=max(low, high) if censored else None,
        notes=(*_notes(equation, used, assay), *map(_half_lloq, censored)),
    )


def _conc_range(sample: Sample) -> tuple[float, float, float]:
    """Lowest, used and highest concentration; the three are equal where it was measured."""
    limit = known_lloq_mg_l(sample)
    if is_below_lloq(sample) and limit is not None:
        return 0.0, limit / 2, limit
    conc = measured_mg_l(sample)
    return conc, conc, conc


def _sum(equation: Equation, concs: Iterable[float]) -> float:
    products = (term.coefficient_h * conc for term, conc in zip(equation.terms, concs, strict=True))
    return equation.intercept_mg_h_l + sum(products)


def _notes(equation: Equation, used: list[tuple[Term, Sample]], assay: str | None) -> tuple[Reason, ...]:
    population = population_note(equation.name, equation.population)
    predose = [sample for term, sample in used if term.is_predose]
    later = tuple(sample for term, sample in used if not term.is_predose)
    highest = predose_highest(predose[0], later) if predose else ()
    return (population, *assay_note(equation.name, equation.assays, assay), *highest)


def _half_lloq(sample: Sample) -> Reason:
    return Reason.of(
        "predose_half_lloq", timepoint=sample.timepoint, lloq_mg_l=short(known_lloq_mg_l(sample) or 0.0)
    )


def _interval_h(equation: Equation) -> tuple[float, float]:
    start, end = equation.quantity.removeprefix("AUC").split("-")
    return float(start), float(end)


def _refusal(equation: Equation, reasons: tuple[Reason, ...]) -> Estimate:
    return Estimate(
        method=equation.id, quantity=equation.quantity, interval_h=_interval_h(equation), reasons=reasons
    )
