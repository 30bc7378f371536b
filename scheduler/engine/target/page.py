"""What the page of the study's question shows beside the report's values: rows of tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pk.target.findings import Gate, TargetAnalysis
from pk.target.planning.power import area_power, area_sample_size, correlation_sample_size, obuchowski_power
from pk.target.report.statements import (
    LARGEST_EXPONENT,
    conclusion_of,
    headlines,
    missing_said,
    patients_said,
    planned,
)
from pk.target.statistics.firth import Coefficient
from pk.values.reason import Reason as Finding
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.definitions import Sense
from scheduler.engine.target.cohort import (
    baseline_rows,
    flow_rows,
    followed_rows,
    methods_used,
    occasions_per_subject,
    reason_rows,
)
from scheduler.engine.target.member import MEASURES
from scheduler.engine.target.report import TargetReport
from scheduler.engine.target.set import TELL_APART
from scheduler.engine.target.tables import Share, change_rows, occasion_rows, shown_metric, shown_outcome

__all__ = ["gate_digits", "page_values"]

_AREAS, _SHARES, _CORRELATIONS = (0.65, 0.70, 0.75, 0.80, 0.85), (0.4, 0.25), (0.3, 0.4, 0.5)
"""What planning is shown for: ROC areas, shares of responders, correlations."""


def page_values(report: TargetReport, speaker: Speaker) -> dict[str, Any]:
    """What the template needs beside the report: rows of tables and sentences, in the reader's language."""

    def say(one: Finding) -> str:
        return speaker.say(because(one.code, **dict(one.params)))

    found = report.found
    return {
        "conclusion": say(conclusion_of(found)),
        "headlines": [say(one) for one in (patients_said(found), *headlines(found))],
        "warnings": [(one.code, say(one)) for one in found.warnings],
        "missing": [say(one) for one in missing_said(found.missing)],
        "shapes": [(report.composite, found), *report.continuous.items()],
        "ratios": _per_doubling,
        "missing_changes": {
            measure: [say(line) for line in missing_said(one.missing)]
            for measure, one in report.continuous.items()
        },
        "planned": [say(one) for one in planned(report.answer.plan, *TELL_APART)],
        "areas": [(area, _sizes(area)) for area in _AREAS],
        "correlations": [(r, correlation_sample_size(r)) for r in _CORRELATIONS],
        "gates": [(one, gate_digits(one)) for one in found.gates if not one.name.startswith("tier_")],
        "flow": flow_rows(report.members, found),
        "reasons": reason_rows(report.members, speaker),
        "followed": followed_rows(report.members),
        "occasions_each": occasions_per_subject(report.members),
        "methods": methods_used(report.members),
        "senses": _by_sense(report.responses),
        "baseline": baseline_rows(report.members, speaker),
        "occasions": occasion_rows(report.members),
        "changes": change_rows(report.members, found.settings.seed),
        "definition": lambda name: (
            speaker.name(name) if name in MEASURES else speaker.say(because(f"definition_{name}"))
        ),
        "odds": _odds_per_10(None if found.firth is None else found.firth.exposure),
        "odds_adjusted": _odds_per_10(None if found.firth is None else found.firth.adjusted),
        "metric": lambda name: shown_metric(name, speaker),
        "outcome": lambda name: shown_outcome(name, speaker),
    }


def gate_digits(gate: Gate) -> int:
    """How many decimals show on which side of its limit the value of a condition lies; two at least."""
    value, limit = gate.value, gate.threshold
    if value is None:
        return 2
    shown = ((digits, round(value, digits)) for digits in range(2, 7))
    return next(
        (digits for digits, one in shown if (one > limit, one < limit) == (value > limit, value < limit)), 6
    )


def _sizes(area: float) -> list[int | None]:
    """Patients by share of responders, each by Hanley and McNeil and by Obuchowski."""
    methods = (area_power, obuchowski_power)
    return [area_sample_size(area, share, power_of=one) for share in _SHARES for one in methods]


def _by_sense(responses: Sequence[Share]) -> list[tuple[str, list[Share]]]:
    """The definitions of improvement, of stability and of worsening."""
    order = (Sense.IMPROVED, Sense.STABLE, Sense.WORSENED)
    return [(sense.value, [one for one in responses if one.sense == sense]) for sense in order]


def _per_doubling(found: TargetAnalysis) -> tuple[float, ...] | None:
    """Odds ratio, or change, per doubling of exposure with its limits; None where there is none that can be told."""
    one = found.doubling
    if one is None or one.ci is None:
        return None
    values = (one.value, *one.ci)
    if found.n_responders is None:
        return values
    return tuple(map(math.exp, values)) if max(map(abs, values)) <= LARGEST_EXPONENT else None


def _odds_per_10(one: Coefficient | None) -> tuple[float, float, float] | None:
    """An odds ratio per 10 mg·h/L with its limits; None where there is none, or one beyond all sense."""
    if one is None or one.ci is None:
        return None
    exponents = [10 * limit for limit in (one.value, *one.ci)]
    if max(map(abs, exponents)) > LARGEST_EXPONENT:
        return None
    odds, low, high = (math.exp(one) for one in exponents)
    return odds, low, high
