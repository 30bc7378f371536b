"""Why an assessment cannot be recorded: its value, its sites, and what it was measured and predicted with. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scheduler.domain.facts import Assessed
from scheduler.domain.protocol import Activity, Protocol
from scheduler.domain.reason import Reason, because
from scheduler.domain.timeline import VisitPlan

__all__ = ["refusals_of_assessment"]


def refusals_of_assessment(protocol: Protocol, plan: VisitPlan, what: Assessed) -> Iterator[Reason]:
    """Why this assessment cannot be recorded at this visit; nothing when it can."""
    encounter = plan.planned.encounter
    activity = protocol.activity(what.item)
    if activity is None or what.item not in (*encounter.required, *encounter.optional):
        foreseen = ", ".join((*encounter.required, *encounter.optional)) or "-"
        yield because("refused_not_foreseen", item=what.item, visit=plan.id, foreseen=foreseen)
        return
    if what.item in plan.facts.assessments:
        yield because("refused_assessed_twice", item=what.item, visit=plan.id)
    yield from _value(activity, what)
    yield from _sites(activity, what)
    yield from _attributes(activity, what)
    if plan.attended_at is None:
        yield because("refused_not_attended", visit=plan.id)


def _value(activity: Activity, what: Assessed) -> Iterator[Reason]:
    value, low, high = what.value, activity.minimum, activity.maximum
    if value is None:
        if not what.sites:
            yield because("refused_value_missing", item=what.item)
    elif not low <= value <= high:
        yield because(
            "refused_out_of_range", item=what.item, value=value, low=low, high=high, unit=activity.unit
        )
    elif activity.integer and value != int(value):
        yield because("refused_not_whole", item=what.item, value=value)


def _sites(activity: Activity, what: Assessed) -> Iterator[Reason]:
    """Sites that are not of this score, impossible scores, and a total that is not their sum."""
    scored = dict(what.sites)
    if len(scored) < len(what.sites):
        yield because("refused_site_twice", item=what.item)
    for site, score in what.sites:
        if site not in activity.sites:
            known = ", ".join(activity.sites) or "-"
            yield because("refused_score_site_unknown", item=what.item, site_id=site, known_id=known)
        elif not 0 <= score <= activity.site_maximum:
            yield because("refused_site_score", site_id=site, value=score, high=activity.site_maximum)
    if not scored or what.value is None:
        return
    missing = [site for site in activity.sites if site not in scored]
    if missing:
        yield because("refused_total_of_some", item=what.item, sites_id=", ".join(missing))
    elif what.value != sum(scored.values()):
        yield because("refused_total", item=what.item, value=what.value, total=sum(scored.values()))


def _attributes(activity: Activity, what: Assessed) -> Iterator[Reason]:
    if what.measured is not None:
        if what.measured_unit not in activity.measured_in:
            known = ", ".join(activity.measured_in) or "-"
            yield because(
                "refused_measured_unit", item=what.item, unit_id=what.measured_unit or "-", known_id=known
            )
        if not what.measured > 0:
            yield because("refused_measured", item=what.item, value=what.measured)
    if what.equation is not None and not activity.predicted:
        yield because("refused_no_equation", item=what.item)
    if what.hb_corrected is not None and not activity.hb_correction:
        yield because("refused_no_hb", item=what.item)
