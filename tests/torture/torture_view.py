"""What an installation has still to do, as the database and the drop folder tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, or_, select
from torture_stage import Stage

from notifications.outbox.states import OPEN, State
from scheduler.store.tables import HeartbeatRow, LabFileRow, OutboxRow, SubjectRow

__all__ = ["View", "look"]

SERVICES = ("intake", "reconcile", "digest", "delivery")
SOON = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class View:
    """`later` is when the first waiting mail may leave or its lease ends, within two hours; `owners` hold leases."""

    now: datetime
    beat: datetime | None
    subjects: int
    files: int
    due: int
    leased: int
    owners: frozenset[str]
    later: datetime | None
    doubtful: tuple[int, ...]

    def has_beaten(self, since: datetime) -> bool:
        """Whether every service has ended a turn that began after this instant."""
        return self.beat is not None and self.beat >= since

    @property
    def is_idle(self) -> bool:
        """Whether everything that can be done now is done, mails apart."""
        return not (self.subjects or self.files)


def look(stage: Stage) -> View:
    """Raises whatever the database raises when it cannot be asked."""
    in_rooms = sum(
        not one.name.endswith(".part")
        for room in ("in", "work")
        for one in (stage.lab / room).glob("*")
        if one.is_file()
    )
    now = stage.clock.now()
    return stage.db.read(lambda session: _view(session, now, in_rooms))


def _view(session: Session, now: datetime, in_rooms: int) -> View:
    beats = dict(session.exec(select(HeartbeatRow.service, HeartbeatRow.at)).all())
    alive = [beats[name] for name in SERVICES if name in beats]
    due_subjects = select(func.count()).where(
        col(SubjectRow.parked).is_(None), col(SubjectRow.next_wake) <= now
    )
    unfinished = select(func.count()).where(
        or_(col(LabFileRow.archived_as).is_(None), col(LabFileRow.receipt_due))
    )
    mails = session.exec(
        select(
            OutboxRow.id, OutboxRow.state, OutboxRow.not_before, OutboxRow.lease_until, OutboxRow.lease_owner
        ).where(col(OutboxRow.state).in_((*OPEN, State.LEASED, State.UNCERTAIN)))
    ).all()
    leased = [one for one in mails if one[1] == State.LEASED]
    coming = [one[2] for one in mails if one[1] in OPEN and one[2] > now]
    coming += [one[3] for one in leased if one[3] is not None]
    soon = [one for one in coming if one <= now + SOON]
    return View(
        now=now,
        beat=min(alive) if len(alive) == len(SERVICES) else None,
        subjects=session.exec(due_subjects).one(),
        files=in_rooms + session.exec(unfinished).one(),
        due=sum(one[1] in OPEN and one[2] <= now for one in mails),
        leased=len(leased),
        owners=frozenset(one[4] or "" for one in leased),
        later=min(soon, default=None),
        doubtful=tuple(one[0] for one in mails if one[1] == State.UNCERTAIN and one[0] is not None),
    )
