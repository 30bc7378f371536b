"""What a template is filled with, looked up when the mail is written. Values only: words are made in the template."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy import select as core_select
from sqlmodel import Session, col

from notifications.messages.days import days_told
from notifications.messages.message import DIGEST
from notifications.messages.versions import ContextError, ProtocolLookup, protocol_for
from notifications.outbox.calm import MailSite
from notifications.outbox.queue import reason_of
from notifications.words.digest import digest_context
from notifications.words.discretion import discreet
from notifications.words.inline import ABOUT_AN_AUC, InlinePicture, Sketch
from notifications.words.laboratory import laboratory_values, troubled_file
from notifications.words.letter import Attachment
from notifications.words.render import Rendered
from scheduler.domain.civil import add_period, local_date
from scheduler.domain.exposure import FEWER_SAMPLES, disagreement, method_said
from scheduler.domain.facts import Enrolled
from scheduler.domain.protocol import Encounter, Event, Protocol, SamplePoint, VisitStatus
from scheduler.domain.reason import from_json
from scheduler.domain.roles import CLINICAL
from scheduler.domain.speech import Speaker
from scheduler.store.audit_read import ANCHOR
from scheduler.store.exposures import stored_exposures
from scheduler.store.tables import FactRow, OutboxRow, SamplingRow, VisitRow

__all__ = ["Context", "ContextError", "Draft", "Memo", "gather"]

_LOST = ("missing_draw_lost", "missing_result_lost")
_OVER = (VisitStatus.CANCELLED, VisitStatus.NOT_APPLICABLE, VisitStatus.MISSED)


_VISIT = core_select(VisitRow.__table__).where(
    col(VisitRow.subject) == bindparam("subject"), col(VisitRow.visit) == bindparam("visit")
)
_DRAWS = core_select(SamplingRow.__table__).where(
    col(SamplingRow.subject) == bindparam("subject"), col(SamplingRow.visit) == bindparam("visit")
)
_FACT: Any = FactRow.__table__.c
_ENROLMENT = core_select(func.min(_FACT.id)).where(
    _FACT.subject == bindparam("subject"), _FACT.kind == Enrolled.kind
)


@dataclass(slots=True)
class Memo:
    """What several mails have in common, looked up once: of the digests for a step, of the rest for one batch."""

    digests: dict[str, dict[str, Any]] = field(default_factory=dict)
    protocols: dict[tuple[str | None, str | None], Protocol] = field(default_factory=dict)
    visits: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    records: dict[str, int] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    sketches: dict[tuple[Any, ...], Sketch | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """What two readers of one language are told with the same facts: all of a mail but to whom it goes."""

    protocol: Protocol
    values: dict[str, Any]
    speaker: Speaker
    rendered: Rendered
    picture: InlinePicture | None = None
    attachment: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """The values for a template and the protocol whose words are used."""

    protocol: Protocol
    values: dict[str, Any]


def gather(
    session: Session,
    row: OutboxRow,
    protocol_of: ProtocolLookup,
    site: MailSite,
    now: datetime,
    memo: Memo | None = None,
    console: str = "",
) -> Context:
    """Everything that the mail's template may name. `console` is the address of the pages, empty when none is known."""
    known = memo if memo is not None else Memo()
    of = (row.subject, row.visit)
    if of not in known.protocols:
        known.protocols[of] = protocol_for(session, protocol_of, *of)
    protocol = known.protocols[of]
    today = local_date(now, site.calendar.zone)
    values: dict[str, Any] = {
        "study": {
            "acronym": protocol.acronym,
            "registry_id": protocol.registry_id,
            "title": protocol.title.get(row.language, ""),
        },
        "site": {"name": site.name},
        "today": today,
        "for_laboratory": row.facts.get("roles") == ["laboratory"],
        "clinical": not CLINICAL.isdisjoint(row.facts.get("roles", ())),
        "console": console,
        "subject": row.subject,
        "visit": row.visit,
        "picture": None,
    }
    if console and row.subject is not None:
        if row.subject not in known.records:
            known.records[row.subject] = _enrolment(session, row.subject)
        values["record"] = known.records[row.subject]
    if row.subject is not None and row.visit is not None:
        about = (row.subject, row.visit)
        if about not in known.visits:
            known.visits[about] = _visit(session, protocol, today, *about)
        values |= known.visits[about] | _told(row, known.visits[about]["draws"])
    if row.facts.get("event") in ABOUT_AN_AUC and row.subject is not None and row.visit is not None:
        values["auc"] = _auc(session, row.subject, row.visit, row.facts["version"])
    if row.facts.get("event") == Event.AUC_WITHDRAWN and row.subject is not None and row.visit is not None:
        values["in_question"] = _in_question(session, row.subject, row.visit, row.facts["version"])
    if "file_id" in row.facts:
        values["file"] = troubled_file(session, row.facts["file_id"], protocol)
    if "outbox_id" in row.facts:
        values["failed"] = _failed(session, row.facts["outbox_id"])
    if row.template == DIGEST:
        if row.site_id not in known.digests:
            known.digests[row.site_id] = digest_context(session, row.site_id, today, now)
        values["digest"] = known.digests[row.site_id]
    if row.facts.get("event") == Event.EXPOSURE_MONTH:
        values |= {name: row.facts[name] for name in ("subjects", "aucs", "new")}
    if row.template == ANCHOR:
        values["anchor"] = {"seq": row.facts["seq"], "hash": row.facts["hash"], "at": row.created_at}
    values |= laboratory_values(session, row, protocol, now)
    return Context(protocol, values)


def _enrolment(session: Session, subject: str) -> int:
    """The number of the record by which a subject joined: what the addresses of its pages hold instead of its code."""
    number = session.connection().execute(_ENROLMENT, {"subject": subject}).scalar()
    if number is None:
        raise ContextError(f"the enrolment of {subject} is not on record")
    return int(number)


def _visit(session: Session, protocol: Protocol, today: date, subject: str, name: str) -> dict[str, Any]:
    """What is the same in all mails about a visit."""
    of_visit = {"subject": subject, "visit": name}
    visit = session.connection().execute(_VISIT, of_visit).first()
    encounter = protocol.encounter(name)
    if visit is None or encounter is None:
        raise ContextError(f"visit {name} of {subject} is not on record")
    booked = datetime.fromisoformat(visit.booked_local) if visit.booked_local else None
    draws = _draws(session, protocol, subject, name)
    missing = [from_json(one) for one in visit.missing]
    return {
        "target": visit.target,
        "first": visit.first,
        "last": visit.last,
        "open": visit.status not in _OVER,
        "days_left": (visit.last - today).days,
        "makeup_last": _makeup_last(encounter, visit.last),
        "booked": booked,
        "in_days": (booked.date() - today).days if booked is not None else None,
        "attended_at": visit.attended_at,
        "missing": [discreet(one) for one in missing],
        "lacks_dose": any(one.code == "missing_dose" for one in missing),
        "lacks_draws": [one.get("item") for one in missing if one.code == "missing_draw"],
        "lacks_items": [one.get("item") for one in missing if one.code == "missing_assessment"],
        "lacks_results": any(one.code == "missing_result" for one in missing),
        "lost": any(one.code in _LOST for one in missing),
        "items": list(encounter.required + encounter.optional),
        "sampling": encounter.sampling,
        "points": [_point(point) for point in protocol.points],
        "draws": draws,
        "awaited": [one for one in draws if one["drawn_at"] and one["result"] not in ("F", "C", "X")],
    }


def _told(row: OutboxRow, draws: list[dict[str, Any]]) -> dict[str, Any]:
    """What only the event of this mail knew."""
    facts = row.facts
    return {
        "point": next((one for one in draws if one["point"] == facts.get("point")), None),
        "old": _local(facts.get("old_local")),
        "new": _local(facts.get("new_local")),
        "version": facts.get("version"),
        **days_told(facts),
    }


def _auc(session: Session, subject: str, visit: str, version: int) -> dict[str, Any]:
    """How an AUC was estimated and by how much the methods differ: what may be said without its value."""
    found = stored_exposures(session, subject, visit, version)
    primary = found.primary if found is not None else None
    if found is None or primary is None:
        return {"method": None, "remarks": [], "percent": None}
    apart = disagreement((one.method, one.quantity, one.value) for one in found.exposures)
    return {
        "method": method_said(primary.method, primary.name),
        "remarks": [note for note in primary.notes if note.code == FEWER_SAMPLES],
        "percent": round(100 * (apart.ratio - 1)) if apart is not None else None,
    }


def _in_question(session: Session, subject: str, visit: str, version: int) -> bool:
    """Whether an AUC was withdrawn because a row of the laboratory is held."""
    found = stored_exposures(session, subject, visit, version)
    reasons = (reason for one in found.exposures for reason in one.reasons) if found is not None else ()
    return any(reason.code == "set_in_question" for reason in reasons)


def _makeup_last(encounter: Encounter, last: date) -> date:
    """The last day on which a visit that is overdue can still be made up."""
    return add_period(add_period(last, encounter.timing.grace), encounter.timing.expires_after)


def _local(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _point(point: SamplePoint) -> dict[str, Any]:
    return {
        "point": point.id,
        "nominal_min": point.nominal_min,
        "earliest_min": point.earliest_min,
        "latest_min": point.latest_min,
    }


def _draws(session: Session, protocol: Protocol, subject: str, visit: str) -> list[dict[str, Any]]:
    """The draws in the order of the day, with their windows once the dose is known."""
    found = []
    rows = session.connection().execute(_DRAWS, {"subject": subject, "visit": visit})
    drawn = {row.point: row for row in rows}
    for point in protocol.points:
        row = drawn.get(point.id)
        opens_at = row.window_from if row is not None else None
        due = (
            opens_at + timedelta(minutes=point.nominal_min - point.earliest_min)
            if opens_at is not None
            else None
        )
        found.append(
            {
                **_point(point),
                "due_at": due,
                "window_from": opens_at,
                "window_to": row.window_to if row is not None else None,
                "drawn_at": row.drawn_at if row is not None else None,
                "tube": row.tube if row is not None else None,
                "result": row.result if row is not None else None,
            }
        )
    return found


def _failed(session: Session, outbox_id: int) -> dict[str, Any]:
    row = session.get(OutboxRow, outbox_id)
    if row is None:
        raise ContextError(f"mail {outbox_id} is not on record")
    reason = reason_of(row)
    return {
        "id": row.id,
        "unwritten": reason is not None and reason.code == "mail_not_written",
        "staff": row.staff_id,
        "address": row.address,
        "template": row.template,
        "subject": row.subject,
        "visit": row.visit,
        "state": row.state,
        "reason": reason,
    }
