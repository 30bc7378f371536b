"""Follows subjects under another protocol version from a day on, or shows what that would change."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from scheduler.domain.amendment import (
    FlagChange,
    ReminderChange,
    VisitChange,
    flag_changes,
    reminder_changes,
    visit_changes,
)
from scheduler.domain.events import DomainEvent, ExposureChanged, ReminderDue, VisitRebooked, VisitReplanned
from scheduler.domain.facts import Fact, ProtocolApplied
from scheduler.domain.plan import diff
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.rules import refusals
from scheduler.domain.subject_code import is_well_formed
from scheduler.domain.timeline import Timeline, VisitPlan
from scheduler.engine.reconcile import Handle, standing
from scheduler.engine.recording.named import find_subject
from scheduler.engine.recording.record import record
from scheduler.engine.recording.request import Who
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.mails import sent_mails
from scheduler.store.recorded import load_recorded
from scheduler.store.subjects import load_history
from scheduler.store.tables import OutboxRow, SubjectRow

__all__ = ["Contradicted", "Preview", "Skipped", "apply_version", "concerned", "preview"]


@dataclass(frozen=True, slots=True)
class Contradicted:
    """A mail that somebody has, and of which something would no longer hold."""

    number: int
    template: str
    to: str
    sent_at: datetime | None
    visit: str
    why: Reason


@dataclass(frozen=True, slots=True)
class Preview:
    """What a version would change for one subject; `announced` is what would be told at once, as event and visit."""

    subject: str
    site: str
    visits: tuple[VisitChange, ...]
    reminders: tuple[ReminderChange, ...]
    flags: tuple[FlagChange, ...]
    contradicted: tuple[Contradicted, ...]
    announced: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A subject that the version does not concern, and why."""

    subject: str
    why: tuple[Reason, ...]


def concerned(
    session: Session,
    study: Study,
    what: ProtocolApplied,
    site: str | None,
    named: Sequence[str],
    now: datetime,
) -> tuple[list[SubjectRow], list[Skipped]]:
    """The subjects to be followed under the version, and those that cannot be or need not.

    Raises RefusedError for a subject that was named and cannot be, and when nobody is left.
    """
    if not study.knows(session, what.sha256):
        raise RefusedError([because("refused_version_elsewhere", version=what.version)])
    if site is not None and site not in study.sites:
        raise RefusedError([because("refused_site_unknown", site=site, known=", ".join(sorted(study.sites)))])
    if named:
        rows = [find_subject(session, code) for code in dict.fromkeys(named)]
    else:
        rows = list(session.exec(select(SubjectRow).order_by(col(SubjectRow.code))))
    found, skipped = [], []
    for row in rows:
        if site is not None and row.site_id != site:
            why = [because("refused_other_site", subject=row.code, site=row.site_id)] if named else None
        else:
            why = list(_keeps_from(session, study, row, what, now))
            if not why:
                found.append(row)
        if why:
            skipped.append(Skipped(row.code, tuple(why)))
    if skipped and (named or not found):
        raise RefusedError([reason for one in skipped for reason in one.why])
    if not found:
        raise RefusedError([because("refused_nobody_enrolled")])
    return found, skipped


def _keeps_from(
    session: Session, study: Study, row: SubjectRow, what: ProtocolApplied, now: datetime
) -> Iterator[Reason]:
    if row.parked is not None:
        yield because("refused_parked", subject=row.code, why=row.parked)
        return
    timeline = study.timeline(session, row, load_history(session, row.code))
    assert timeline is not None
    new = study.protocol(session, what.sha256)
    problem = is_well_formed(new, row.code)
    if problem is not None:
        yield because("refused_code", subject=row.code, why=problem)
    if new.id != timeline.protocol.id:
        yield because("refused_other_study", subject=row.code, study=timeline.protocol.id, other=new.id)
    yield from refusals(timeline, what, now)


def preview(
    session: Session, study: Study, subject: SubjectRow, what: ProtocolApplied, who: Who, now: datetime
) -> Preview:
    """What would change for the subject if this were recorded now. Nothing is written."""
    history = load_history(session, subject.code)
    before = standing(session, study, subject, now, history)
    number = max(fact.id for fact in history.facts) + 1
    fact = Fact(number, what, now, who.name, who.source)
    after = standing(session, study, subject, now, replace(history, facts=(*history.facts, fact)))
    recorded = load_recorded(session, subject.code)
    decided = recorded.reminder_keys
    mails = sent_mails(session, subject.code)
    contradicted = tuple(_contradicted(mails, before.timeline, after.timeline))
    told = {one.visit for one in contradicted}
    return Preview(
        subject.code,
        subject.site_id,
        tuple(visit_changes(before.desired, after.desired)),
        tuple(reminder_changes(before.desired, after.desired, decided, subject.code, now)),
        tuple(flag_changes(before.desired, after.desired)),
        contradicted,
        tuple(_announced(diff(subject.code, after.desired, recorded).events, after.timeline, told)),
    )


def _announced(
    events: Sequence[DomainEvent], timeline: Timeline, told: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What is told at once; of other days only those learn who were told the old ones, unless a notice says more."""
    for event in events:
        match event:
            case ReminderDue():
                yield event.slot.rule.id, event.visit
            case VisitReplanned():
                plan = timeline.visit(event.visit)
                notices = plan.protocol.notices if plan is not None else ()
                if event.visit in told or any(one.event is event.event for one in notices):
                    yield event.event.value, event.visit
            case VisitRebooked() | ExposureChanged():
                yield event.event.value, event.visit
            case _:
                pass


def _contradicted(mails: Sequence[OutboxRow], before: Timeline, after: Timeline) -> Iterator[Contradicted]:
    for mail in mails:
        was, will_be = before.visit(mail.visit or ""), after.visit(mail.visit or "")
        if was is None or will_be is None or will_be.attended_at is not None:
            continue
        why = _what_no_longer_holds(mail, was, will_be)
        if why is not None:
            assert mail.id is not None
            yield Contradicted(mail.id, mail.template, mail.staff_id, mail.sent_at, will_be.id, why)


def _what_no_longer_holds(mail: OutboxRow, was: VisitPlan, will_be: VisitPlan) -> Reason | None:
    """Why a mail about a visit says what would no longer be so; None when it says nothing of the kind."""
    if was.left_out_by is not None:
        return None
    if will_be.left_out_by is not None:
        return because("mail_visit_left_out", version=will_be.left_out_by)
    old, new = was.planned, will_be.planned
    days = {"was_first": old.first, "was_last": old.last, "first": new.first, "last": new.last}
    changed = (old.target, old.first, old.last) != (new.target, new.first, new.last)
    tells = mail.facts.get("target") or mail.facts.get("new_target")
    if changed and tells == old.target.isoformat():
        return because("mail_window_changed", **days)
    booking = will_be.booking
    tells = mail.facts.get("new_local")
    if booking is None or tells != booking.local.isoformat(timespec="minutes"):
        return None
    day = booking.local.date()
    if old.first <= day <= old.last and not new.first <= day <= new.last:
        return because("mail_appointment_outside", on=day, first=new.first, last=new.last)
    return None


def apply_version(
    session: Session,
    study: Study,
    subjects: Sequence[SubjectRow],
    what: ProtocolApplied,
    who: Who,
    now: datetime,
    handle: Handle,
) -> None:
    """Record it for each of these subjects, with all that follows, in the caller's transaction: all or none."""
    study.keep_version(session, what.sha256, now)
    detail = {
        "version": what.version,
        "sha256": what.sha256,
        "on": what.on.isoformat(),
        "subjects": len(subjects),
    }
    audit.append(
        session, now, "amendment_applied", "protocol", what.version, detail,
        actor=who.name, source=who.source, reason=what.reason,
    )  # fmt: skip
    for subject in subjects:
        record(session, study, subject.code, what, who, now, handle)
