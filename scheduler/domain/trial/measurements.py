"""The assessments of a subject as measurements: skin score by sites or as a total, FVC, DLCO. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from scheduler.domain.civil import local_date
from scheduler.domain.facts import Assessed
from scheduler.domain.protocol import Activity
from scheduler.domain.reason import Reason, because
from scheduler.domain.timeline import Timeline
from scheduler.domain.trial.definitions import Measure
from scheduler.domain.trial.settings import EndpointSettings

__all__ = ["Measurement", "measurements_of", "skin_total"]

LITRES = "L"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One value of one measure on one day, or why there is none. `litres` is the FVC as measured."""

    measure: Measure
    visit: str
    on: date
    value: Fraction | None
    unit: str
    litres: Fraction | None = None
    assessor: str | None = None
    equation: str | None = None
    hb_corrected: bool | None = None
    why: tuple[Reason, ...] = ()
    flags: tuple[Reason, ...] = ()


def skin_total(
    assessed: Assessed, sites: tuple[str, ...], prorate_missing: int
) -> tuple[Fraction | None, tuple[Reason, ...], tuple[Reason, ...]]:
    """The total score with why there is none and what is to be known of it.

    A missing site makes the total missing; up to `prorate_missing` of them are made up for by the mean of the others
    when the protocol says so, and then it is flagged.
    """
    if assessed.value is not None:
        return Fraction(str(assessed.value)), (), ()
    missing = [site for site in sites if site not in dict(assessed.sites)]
    reason = because("endpoint_sites_missing", count=len(missing), sites_id=", ".join(missing))
    if not assessed.sites or not 0 < len(missing) <= prorate_missing:
        return None, (reason,), ()
    scored = sum(score for _, score in assessed.sites)
    total = Fraction(scored * len(sites), len(assessed.sites))
    return total, (), (because("endpoint_prorated", count=len(missing), sites_id=", ".join(missing)),)


def measurements_of(timeline: Timeline, settings: EndpointSettings) -> Iterator[Measurement]:
    """Every measurement of the three measures that is on record, in the order of the visits."""
    items = {settings.mrss: Measure.MRSS, settings.fvc: Measure.FVC, settings.dlco: Measure.DLCO}
    for plan in timeline.visits:
        for item, assessed in plan.facts.assessments.items():
            measure, activity = items.get(item), plan.protocol.activity(item)
            if measure is not None and activity is not None:
                on = local_date(assessed.at, timeline.zone_calendar.zone)
                yield _measurement(assessed, measure, activity, on, settings)


def _measurement(
    assessed: Assessed, measure: Measure, activity: Activity, on: date, settings: EndpointSettings
) -> Measurement:
    value, why, flags = skin_total(assessed, activity.sites, settings.prorate_missing_sites)
    needs_hb = measure is Measure.DLCO and settings.dlco_hb_corrected_required
    if needs_hb and not assessed.hb_corrected:
        value, why = None, (because("endpoint_dlco_not_corrected", visit=assessed.visit),)
    litres = None
    if measure is Measure.FVC and assessed.measured is not None and assessed.measured_unit == LITRES:
        litres = Fraction(str(assessed.measured))
    return Measurement(
        measure,
        assessed.visit,
        on,
        value,
        assessed.unit,
        litres,
        assessed.assessor,
        assessed.equation,
        assessed.hb_corrected,
        why,
        flags,
    )
