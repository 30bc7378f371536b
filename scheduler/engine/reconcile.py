"""Makes what is recorded about a subject agree with what its facts say: one subject, one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from scheduler.domain.events import DomainEvent
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.history import History
from scheduler.domain.plan import Changes, Desired, assess, diff
from scheduler.domain.reason import because
from scheduler.domain.timeline import Timeline
from scheduler.engine.exposure import SamplingDay, Sought
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.exposures import newest_exposures
from scheduler.store.flags import close_flag, open_site_flag
from scheduler.store.recorded import apply_all, apply_changes, load_all_recorded, load_recorded
from scheduler.store.subjects import due_subjects, load_histories, load_history, next_wake, subject_row
from scheduler.store.tables import FlagRow, SamplingRow, SubjectRow, VisitRow

__all__ = [
    "Handle",
    "Standing",
    "rebuild",
    "reconcile_step",
    "reconcile_subject",
    "release",
    "standing",
    "standings",
]

Handle = Callable[[Session, Sequence[DomainEvent], datetime], None]

_ATTEMPTS = 3
_RETRY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A subject's timeline and what is true of it now."""

    timeline: Timeline
    desired: Desired


@dataclass(frozen=True, slots=True)
class _Look:
    """A subject whose time has come, with what is known of its exposures."""

    subject: SubjectRow
    timeline: Timeline
    sought: Sought


def standing(
    session: Session, study: Study, subject: SubjectRow, now: datetime, history: History | None = None
) -> Standing:
    """What the facts say of a subject at `now`, whatever was recorded before. `history` when it is at hand."""
    look = _look(session, study, subject, history)
    return Standing(look.timeline, assess(look.timeline, study.exposer.complete(look.sought), now))


def standings(
    session: Session, study: Study, subjects: Sequence[SubjectRow], now: datetime
) -> dict[str, Standing]:
    """`standing` of each of these subjects, whose records are read together."""
    histories = load_histories(session, [one.code for one in subjects])
    return {one.code: standing(session, study, one, now, histories[one.code]) for one in subjects}


def _look(session: Session, study: Study, subject: SubjectRow, history: History | None = None) -> _Look:
    code = subject.code
    timeline = study.timeline(session, subject, history or load_history(session, code))
    if timeline is None:
        raise ValueError(f"no enrolment is recorded for {code}")
    sought = study.exposer.seek(timeline, lambda visit: newest_exposures(session, code, visit))
    return _Look(subject, timeline, sought)


def reconcile_subject(
    session: Session,
    study: Study,
    subject: SubjectRow,
    now: datetime,
    handle: Handle,
    history: History | None = None,
) -> Changes:
    """Write what changed for one subject and hand over what must be said, in the caller's transaction."""
    (changes,) = _record(session, study, [_look(session, study, subject, history)], now, handle)
    return changes


def _record(
    session: Session, study: Study, looks: Sequence[_Look], now: datetime, handle: Handle
) -> list[Changes]:
    """Write what changed for all of these subjects; the audit trail, whose end others wait for, comes last."""
    recorded = load_all_recorded(session, [look.subject.code for look in looks])
    found = []
    for look in looks:
        desired = assess(look.timeline, study.exposer.complete(look.sought), now)
        changes = diff(look.subject.code, desired, recorded[look.subject.code])
        found.append((look.subject, changes, desired.next_change))
    apply_all(session, found, now)
    events = [event for _, changes, _ in found for event in changes.events]
    if events:
        handle(session, events, now)
    said = {subject.code: _actions(changes) for subject, changes, _ in found}
    audit.append_all(session, now, "reconciled", {code: actions for code, actions in said.items() if actions})
    return [changes for _, changes, _ in found]


def _due_looks(session: Session, study: Study, now: datetime, limit: int) -> list[_Look]:
    """The subjects whose time has come, ours until the end of the transaction."""
    subjects = due_subjects(session, now, limit)
    histories = load_histories(session, [subject.code for subject in subjects]) if subjects else {}
    return [_look(session, study, subject, histories[subject.code]) for subject in subjects]


def _actions(changes: Changes) -> dict[str, list[str]]:
    """The workflow actions of one reconciliation: flags, reminders and estimates, one row together."""
    detail = {
        "flags_opened": [flag.key for flag in changes.opened],
        "flags_closed": list(changes.closed),
        "reminders": [f"{one.key}{' (expired)' if one.expired else ''}" for one in changes.reminders],
        "exposures": [f"{one.visit} v{one.version}" for one in changes.exposures],
        "visits": [f"{name} {wanted.status}" for name, wanted in changes.visits],
    }
    return {name: items for name, items in detail.items() if items}


def reconcile_step(
    db: Database, study: Study, now: datetime, handle: Handle, limit: int = 50
) -> tuple[int, datetime | None]:
    """Reconcile up to `limit` subjects whose time has come. Returns how many, and when the next one's comes.

    All of them share one transaction: each subject's changes, mails, audit row and next look are still kept together
    or not at all, and what a stop takes back is due again afterwards. When one of them fails, all is taken back and
    each gets a transaction of its own, so that the others go on.

    Exposures that are neither remembered nor on record are estimated all together and before that transaction, which
    holds up other writers no longer than without them.
    """
    try:
        found = db.transact(lambda session: _reconcile_due(session, study, now, handle, limit))
        if isinstance(found, list):
            study.exposer.estimate(found)
            found = db.transact(lambda session: _reconcile_now(session, study, now, handle, limit))
        return found
    except Exception:  # noqa: BLE001
        return _one_by_one(db, study, now, handle, limit)


def _reconcile_due(
    session: Session, study: Study, now: datetime, handle: Handle, limit: int
) -> tuple[int, datetime | None] | list[SamplingDay]:
    """What `_reconcile_now` gives; or, with nothing written, the sampling days to be estimated first."""
    upcoming = next_wake(session)
    if upcoming is None or upcoming > now:
        return 0, upcoming
    looks = _due_looks(session, study, now, limit)
    unknown = [day for look in looks for day in look.sought.missing.values()]
    return unknown or _record_all(session, study, looks, now, handle)


def _reconcile_now(
    session: Session, study: Study, now: datetime, handle: Handle, limit: int
) -> tuple[int, datetime | None]:
    """How many subjects were due and are reconciled, and when the next one's time comes."""
    looks = _due_looks(session, study, now, limit)
    return _record_all(session, study, looks, now, handle)


def _record_all(
    session: Session, study: Study, looks: Sequence[_Look], now: datetime, handle: Handle
) -> tuple[int, datetime | None]:
    if looks:
        _record(session, study, looks, now, handle)
    return len(looks), next_wake(session)


def _one_by_one(
    db: Database, study: Study, now: datetime, handle: Handle, limit: int
) -> tuple[int, datetime | None]:
    """Each subject in a transaction of its own; one whose data fails is set aside."""
    for done in range(limit):
        current: list[str] = []

        def one(session: Session, current: list[str] = current) -> bool:
            due = due_subjects(session, now, 1)
            if not due:
                return False
            current.append(due[0].code)
            reconcile_subject(session, study, due[0], now, handle)
            return True

        try:
            if not db.transact(one):
                return done, db.transact(next_wake)
        except Exception as error:
            if not current:
                raise
            _set_aside(db, current[0], error, now)
    return limit, db.transact(next_wake)


def _set_aside(db: Database, code: str, error: Exception, now: datetime) -> None:
    """A subject whose data fails is tried again later, and parked after three attempts; the others go on."""

    def step(session: Session) -> None:
        subject = subject_row(session, code, to_change=True)
        assert subject is not None
        subject.failures += 1
        subject.next_wake = now + _RETRY * subject.failures
        if subject.failures >= _ATTEMPTS:
            subject.parked = type(error).__name__
            reason = because("flag_subject_parked", why=type(error).__name__)
            key = flag_key(FlagCode.SUBJECT_PARKED, code, None, "")
            open_site_flag(session, FlagCode.SUBJECT_PARKED, key, subject.site_id, reason, now, subject=code)
        session.add(subject)
        audit.append(session, now, "reconcile_failed", "subject", code, {"error": type(error).__name__})

    db.transact(step)


def release(session: Session, code: str, now: datetime) -> bool:
    """Take a parked subject up again. False when it was not parked."""
    subject = subject_row(session, code, to_change=True)
    if subject is None or subject.parked is None:
        return False
    subject.parked, subject.failures, subject.next_wake = None, 0, now
    session.add(subject)
    close_flag(session, flag_key(FlagCode.SUBJECT_PARKED, code, None, ""), now)
    return True


def rebuild(session: Session, study: Study, subject: SubjectRow, now: datetime) -> list[str]:
    """Delete what is derived about a subject, derive it again, and return every difference found.

    Nothing is announced: what the world has seen is in the ledger and stays as it is.
    """
    before = load_recorded(session, subject.code)
    found = standing(session, study, subject, now)
    changes = diff(subject.code, found.desired, before)
    differences = [f"visit {name}: now {wanted.status}" for name, wanted in changes.visits]
    differences += [f"flag opened: {flag.key}" for flag in changes.opened]
    differences += [f"flag reworded: {flag.key}" for flag in changes.reworded]
    differences += [f"flag closed: {key}" for key in changes.closed]
    opened_at = _forget(session, subject.code)
    again = diff(subject.code, found.desired, load_recorded(session, subject.code))
    only_derived = Changes(again.visits, again.opened, (), (), (), (), ())
    apply_changes(session, subject, only_derived, now, now)
    for key, instant in opened_at.items():
        row = session.exec(
            select(FlagRow).where(FlagRow.key == key, col(FlagRow.closed_at).is_(None))
        ).first()
        if row is not None:
            row.opened_at = instant
            session.add(row)
    return differences


def _forget(session: Session, subject: str) -> dict[str, datetime]:
    """Delete the derived rows of a subject; returns when each open flag was opened."""
    rows = session.exec(
        select(FlagRow).where(FlagRow.subject == subject, col(FlagRow.closed_at).is_(None))
    ).all()
    opened_at = {row.key: row.opened_at for row in rows}
    for table in (SamplingRow, VisitRow):
        session.exec(delete(table).where(col(table.subject) == subject))
    kept = flag_key(FlagCode.SUBJECT_PARKED, subject, None, "")
    session.exec(
        delete(FlagRow).where(
            col(FlagRow.subject) == subject, col(FlagRow.closed_at).is_(None), col(FlagRow.key) != kept
        )
    )
    session.flush()
    return opened_at
