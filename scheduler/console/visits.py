"""What happened at a visit: the attendance, and the assessments with how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from scheduler.console.entry import Entry, Matter, form_page
from scheduler.console.page import CLINICAL, Asked
from scheduler.console.sheet import Field, Group, Kind, Sheet
from scheduler.domain.facts import Attended, What
from scheduler.domain.protocol import Activity
from scheduler.domain.reason import Reason, RefusedError
from scheduler.engine.recording.typed_assessments import read_assessments

__all__ = ["PAGES", "now_of"]


def now_of(asked: Asked, matter: Matter) -> str:
    """The present moment as a field of moments holds it."""
    return asked.now.astimezone(matter.speaker.zone).strftime("%Y-%m-%dT%H:%M")


def _attended(asked: Asked, matter: Matter) -> Entry:
    say, visit = matter.speaker, matter.visit

    def whats(sheet: Sheet) -> Sequence[What]:
        at = sheet.instant("at")
        return [Attended(visit.id, at)] if at is not None else []

    words = "This visit took place on {at}."
    at = visit.facts.attended_at
    return Entry(
        title=say.text("Record the attendance"),
        button=say.text("Record"),
        groups=[Group((Field("at", say.text("Arrived at"), Kind.MOMENT, now_of(asked, matter)),))],
        whats=whats,
        closed=say.text(words, at=at) if at is not None else None,
    )


def _assessed(asked: Asked, matter: Matter) -> Entry:
    say, visit, protocol = matter.speaker, matter.visit, matter.visit.protocol
    items = [*matter.encounter.required, *matter.encounter.optional]
    open_ = [one for one in items if one not in visit.facts.assessments]
    activities = [one for one in map(protocol.activity, open_) if one is not None]

    def whats(sheet: Sheet) -> Sequence[What]:
        at = sheet.instant("at")
        found: list[What] = []
        for activity in activities:
            typed = [f"{name}={value}" for name, value in _typed(activity, sheet)]
            if not typed or at is None:
                continue
            try:
                found += read_assessments(typed, visit.id, at, protocol)
            except RefusedError as error:
                sheet.refuse(error, lambda _, item=activity.id: item)  # type: ignore[misc]
        if not found and not sheet.problems:
            sheet.note("", say.text("Nothing was filled in."))
        return found

    at = visit.attended_at or asked.now
    return Entry(
        title=say.text("Record assessments"),
        button=say.text("Record"),
        groups=[Group((_moment(matter, at),)), *(_group(matter, one) for one in activities)],
        whats=whats,
        intro=say.text("Leave empty what was not measured; it can be recorded later."),
        closed=_nothing_left(matter, bool(activities)),
        beside=lambda reason: _beside(reason, activities),
    )


def _nothing_left(matter: Matter, something: bool) -> str | None:
    say = matter.speaker
    if matter.visit.attended_at is None:
        return say.text("Record the attendance first.")
    return None if something else say.text("Every assessment of this visit is on record.")


def _moment(matter: Matter, at: datetime) -> Field:
    value = at.astimezone(matter.speaker.zone).strftime("%Y-%m-%dT%H:%M")
    return Field("at", matter.speaker.text("Measured at"), Kind.MOMENT, value)


def _group(matter: Matter, activity: Activity) -> Group:
    say, item = matter.speaker, activity.id
    optional = item in matter.encounter.optional
    fields = [*_sites(matter, activity)]
    total = say.text("Total, if it was not scored site by site") if activity.sites else say.name(item)
    fields.append(Field(item, total, Kind.NUMBER, unit=_unit(matter, activity.unit), required=False))
    if activity.sites:
        fields.append(Field(f"{item}.assessor", say.text("Assessor"), required=False))
    if activity.measured_in:
        fields.append(Field(f"{item}.measured", say.text("Measured"), Kind.NUMBER, required=False))
        units = tuple((unit, unit) for unit in activity.measured_in)
        fields.append(Field(f"{item}.unit", say.text("Unit"), Kind.SELECT, options=units, required=False))
    if activity.predicted:
        fields.append(Field(f"{item}.equation", say.text("Prediction equation"), required=False))
    if activity.hb_correction:
        options = (("", "–"), ("yes", say.text("yes")), ("no", say.text("no")))
        label = say.text("Corrected for haemoglobin")
        fields.append(Field(f"{item}.hb_corrected", label, Kind.SELECT, options=options, required=False))
    note = say.text("optional at this visit") if optional else None
    return Group(tuple(fields), say.name(item), note, sums=bool(activity.sites))


def _unit(matter: Matter, unit: str) -> str:
    return matter.speaker.status(unit)


def _sites(matter: Matter, activity: Activity) -> Iterator[Field]:
    scores = tuple((str(score), str(score)) for score in range(activity.site_maximum + 1))
    for site in activity.sites:
        label = matter.speaker.status(site)
        yield Field(f"{activity.id}.{site}", label, Kind.RADIO, options=scores, required=False)


def _typed(activity: Activity, sheet: Sheet) -> Iterator[tuple[str, str]]:
    """What was typed of an assessment, as the command line writes it."""
    item = activity.id
    names = [item, *(f"{item}.{one}" for one in (*activity.sites, "assessor", "equation", "hb_corrected"))]
    yield from ((name, sheet.raw(name)) for name in names if sheet.raw(name))
    if sheet.raw(f"{item}.measured"):
        yield f"{item}.measured", f"{sheet.raw(f'{item}.measured')} {sheet.raw(f'{item}.unit')}"


def _beside(reason: Reason, activities: Sequence[Activity]) -> str:
    """The field of a refusal, where the engine says which it is."""
    item, site = reason.get("item"), reason.get("site_id")
    if reason.code in ("refused_measured", "refused_measured_unit"):
        return f"{item}.measured"
    scored = next((one.id for one in activities if site in one.sites), None)
    if scored is not None:
        return f"{scored}.{site}"
    return str(item) if item is not None else ""


PAGES = (
    form_page("/subjects/{subject}/visits/{visit}/attend", CLINICAL, _attended),
    form_page("/subjects/{subject}/visits/{visit}/assess", CLINICAL, _assessed),
)
