"""Rows of the report's tables that are counted and described, whatever the number of patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from config.language import Language
from pk.target.statistics.proportions import proportion
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.definitions import Sense, definitions
from scheduler.domain.trial.settings import ChangeUnit, EndpointSettings, Operator
from scheduler.engine.target.member import (
    COMPOSITE,
    DEFINITIONS,
    LEAST_DESCRIBED,
    MEASURES,
    OTHER_COMPARISON,
    WHILE_ON_TREATMENT,
    WITHOUT_RESCUE,
    Member,
    daily_mg,
)

__all__ = [
    "Change",
    "Occasion",
    "Share",
    "Spread",
    "change_rows",
    "occasion_rows",
    "response_rows",
    "rules_said",
    "shown_metric",
    "shown_outcome",
    "spread_of",
]

_LEAST_FOR_LIMITS = 10
_DRAWS = 2000
_SENSES = {one.id: one.sense for one in definitions(EndpointSettings())}


@dataclass(frozen=True, slots=True)
class Spread:
    """How many, and quartiles and ends; None of nobody."""

    n: int
    median: float | None
    quarter: float | None
    three_quarters: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Occasion:
    """AUCs of one visit (mg·h/L), how many lie in each range, and the median daily dose (mg)."""

    visit: str
    auc: Spread
    cv_percent: float | None
    below_30: int
    from_30: int
    from_45: int
    above_60: int
    daily_mg: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """Change at one year of a measure in its arm; limits of the mean by bootstrap, from 10 subjects on."""

    measure: str
    spread: Spread
    mean: float | None
    ci: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Share:
    """Subjects for whom a definition holds, with limits of Clopper and Pearson; `missing` cannot be evaluated.

    sense: whether they are "improved", "worsened" or "stable" then.
    """

    definition: str
    sense: str
    responders: int
    n: int
    missing: int
    value: float | None
    low: float | None
    high: float | None


def occasion_rows(members: Sequence[Member]) -> list[Occasion]:
    """T3: the AUCs of every visit, in the order of the protocol."""
    found: dict[str, list[tuple[float, float | None]]] = {}
    weeks: dict[str, float] = {}
    for member in members:
        for visit, week in zip(member.exposures["visits"], member.exposures["weeks"], strict=True):
            found.setdefault(visit["visit"], []).append((visit["auc"], daily_mg(visit)))
            weeks[visit["visit"]] = week
    return [_occasion(visit, found[visit]) for visit in sorted(found, key=lambda one: weeks[one])]


def _occasion(visit: str, pairs: Sequence[tuple[float, float | None]]) -> Occasion:
    aucs = np.array([auc for auc, _ in pairs])
    cv = (
        100 * float(np.std(aucs, ddof=1) / np.mean(aucs))
        if aucs.size >= LEAST_DESCRIBED and aucs.mean() > 0
        else None
    )
    return Occasion(
        visit,
        spread_of(aucs.tolist()),
        cv,
        int(np.count_nonzero(aucs < 30)),
        int(np.count_nonzero((aucs >= 30) & (aucs < 45))),
        int(np.count_nonzero((aucs >= 45) & (aucs <= 60))),
        int(np.count_nonzero(aucs > 60)),
        spread_of([dose for _, dose in pairs]).median,
    )


def change_rows(members: Sequence[Member], seed: int) -> list[Change]:
    """T4: the changes of each measure in its arm."""
    rows = []
    for measure in MEASURES:
        changes = [one.change(measure, in_arm=True) for one in members]
        known = np.array([one for one in changes if one is not None])
        limits = None
        if known.size >= _LEAST_FOR_LIMITS:
            drawn = np.random.default_rng(seed).choice(known, (_DRAWS, known.size)).mean(axis=1)
            low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
            limits = (float(low), float(high))
        mean = float(known.mean()) if known.size >= LEAST_DESCRIBED else None
        rows.append(Change(measure, spread_of(changes), mean, limits))
    return rows


def response_rows(members: Sequence[Member], *, limits: bool) -> tuple[Share, ...]:
    """T4: every definition side by side; with `limits` only where the tier allows estimates."""
    rows = []
    for definition in DEFINITIONS:
        held = [one.holds(definition) for one in members]
        known = [one for one in held if one is not None]
        share = proportion(sum(known), len(known))
        low, high = share.ci if share.ci is not None and limits else (None, None)
        value = share.value if limits else None
        sense = _SENSES.get(definition, Sense.IMPROVED).value
        counts = (sum(known), len(known), len(held) - len(known))
        rows.append(Share(definition, sense, *counts, value, low, high))
    return tuple(rows)


def rules_said(settings: EndpointSettings, speaker: Speaker) -> tuple[str, str]:
    """What a response of skin and of lung is, by the protocol."""

    def limit(operator: Operator, value: float, unit: str) -> str:
        sign = ">" if operator is Operator.GREATER else "≥"
        return f"{sign} {speaker.number(value, 0 if value == int(value) else 1)}{unit}"

    skin, lung = settings.skin, settings.lung
    percent = "\u202f%" if speaker.language is Language.FR else "%"
    unit = {ChangeUnit.REL: percent, ChangeUnit.ABS: "", ChangeUnit.LITRES: " L"}[lung.unit]
    fall = [limit(skin.abs_operator, skin.abs_threshold, "")] if skin.abs_threshold is not None else []
    fall += [limit(skin.rel_operator, skin.rel_threshold, percent)] if skin.rel_threshold is not None else []
    rise = limit(lung.operator, lung.threshold, unit)
    first = speaker.text(
        "skin_response: fall of the skin score {limits}, from a score of {least} at inclusion on.",
        limits=f" {speaker.text('and')} ".join(fall),
        least=speaker.number(skin.min_baseline, 0),
    )
    if lung.with_dlco_threshold is None or lung.dlco_threshold is None:
        return first, speaker.text("lung_response: rise of FVC {limit}.", limit=rise)
    return first, speaker.text(
        "lung_response: rise of FVC {limit}, or {less} together with a rise of DLCO {dlco}.",
        limit=rise,
        less=limit(lung.operator, lung.with_dlco_threshold, unit),
        dlco=limit(lung.operator, lung.dlco_threshold, percent),
    )


def shown_metric(name: str, speaker: Speaker) -> str:
    """The words for an exposure of the grid."""
    words = {
        "twa_6_26": speaker.text("Weeks 6–26"),
        "twa_6_26_measured": speaker.text("Weeks 6–26, two occasions or more"),
        "twa_6_26_same_dose": speaker.text("Weeks 6–26, daily dose unchanged"),
        "blup_6_26": speaker.text("Weeks 6–26, predicted from all subjects"),
        "locf_6_26": speaker.text("Weeks 6–26, last value carried forward"),
        "auc_w12": speaker.text("Week 12"),
        "mean_6_12": speaker.text("Mean of weeks 6 and 12"),
        "twa_6_52": speaker.text("Weeks 6–52"),
        "twa_0_52": speaker.text("Weeks 0–52"),
    }
    return words[name]


def shown_outcome(name: str, speaker: Speaker) -> str:
    """The words for an outcome of the grid; a definition has its id."""
    words = {
        COMPOSITE: speaker.text("composite"),
        WITHOUT_RESCUE: speaker.text("composite, without rescue treatment"),
        WHILE_ON_TREATMENT: speaker.text("composite, while on MMF"),
        OTHER_COMPARISON: speaker.text("composite, > and ≥ exchanged"),
    }
    return words.get(name) or speaker.name(name)


def spread_of(values: Sequence[float | None]) -> Spread:
    known = np.array([one for one in values if one is not None], dtype=float)
    if known.size == 0:
        return Spread(0, None, None, None, None, None)
    low, quarter, median, three, high = np.quantile(known, [0, 0.25, 0.5, 0.75, 1]).tolist()
    few = known.size < LEAST_DESCRIBED
    return Spread(known.size, None if few else median, quarter, three, low, high)
