"""Plays a script: moves the simulated clock from instant to instant and does what is due at each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import takewhile
from pathlib import Path

from sqlmodel import Session, col, func, select

from scheduler.clock import ManualClock
from scheduler.domain.facts import Source
from scheduler.engine.reconcile import Handle
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.request import Who
from scheduler.engine.study import Study
from scheduler.runtime.rehearsal.script import Action, Correct, Drop, Enrol, Say, Step
from scheduler.runtime.work import DELIVERY, INTAKE, RECONCILE, Work
from scheduler.store.database import Database
from scheduler.store.operations import beat, heartbeat_of, newest_instant
from scheduler.store.tables import DeliveryRow, FactRow

__all__ = ["Rehearsal"]

_MARK = "rehearsal"
_ROUNDS = 1_000  # of work at one instant, each of a batch; more can only be work that makes itself due again
_WHO = Who("rehearsal", Source.REHEARSAL)


class Rehearsal:
    """A script and how far it got.

    The steps of one instant share one transaction, and the mark that they were performed is kept in it: it can be
    killed and resumed. What people record at one instant has no order among them that anybody could see.
    """

    def __init__(
        self,
        db: Database,
        study: Study,
        clock: ManualClock,
        works: Sequence[Work],
        handle: Handle,
        inbox: Path,
        site: str,
        script: Sequence[Step],
        end: datetime,
    ) -> None:
        self.db, self.study, self.clock, self.works, self.handle = db, study, clock, works, handle
        self.inbox, self.site, self.script, self.end = inbox, site, script, end
        self.done = 0
        self.due: dict[str, datetime] = {}

    async def play(self, progress: Callable[[int, datetime], None] = lambda _done, _now: None) -> None:
        """From where it stopped to the end of the script and of everything that follows from it."""
        now = self._resume()
        self.due = {work.name: now for work in self.works}
        self._perform_due(now)
        while True:
            await self._work(now)
            following = [at for at in self.due.values() if at > now]
            if self.done < len(self.script):
                following.append(max(now, self.script[self.done].at))
            upcoming = min(following, default=None)
            if upcoming is None or upcoming > self.end:
                break
            now = upcoming
            self.clock.move_to(now)
            self._perform_due(now)
            progress(self.done, now)

    def _resume(self) -> datetime:
        """The instant to begin at: the last one on record, for a clock that goes back would undo decisions."""
        found = self.db.transact(_how_far)
        if found is not None:
            self.done, now = found
            for drop in _drops(self._last_performed()):
                _hand_over(self.inbox, drop)
        else:
            now = self.script[0].at - timedelta(hours=1) if self.script else self.end
        self.clock.move_to(now)
        return now

    async def _work(self, now: datetime) -> None:
        """All work that is due, in the order in which data flows, until nothing more is due now."""
        for _ in range(_ROUNDS):
            ready = [work for work in self.works if self.due.get(work.name, self.end) <= now]
            if not ready:
                return
            for work in ready:
                self.due.pop(work.name, None)
                upcoming = await work.step(now)
                if upcoming is not None:
                    self.due[work.name] = upcoming
                for name in work.wakes:
                    self.due[name] = now
        raise RuntimeError(f"work is due again and again at {now}: {[w.name for w in ready]}")

    def _perform_due(self, now: datetime) -> None:
        """All steps of one instant come before the work that follows from them, after a stop too."""
        while self.done < len(self.script) and self.script[self.done].at <= now:
            self._perform(self._next_steps(), now)

    def _next_steps(self) -> list[Step]:
        """The steps of the next instant of the script."""
        at = self.script[self.done].at
        return list(takewhile(lambda step: step.at == at, self._from(self.done, 1)))

    def _last_performed(self) -> list[Step]:
        """The steps that were performed last, in one transaction."""
        at = self.script[self.done - 1].at
        return list(takewhile(lambda step: step.at == at, self._from(self.done - 1, -1)))

    def _from(self, first: int, stride: int) -> Iterator[Step]:
        return (
            self.script[number] for number in range(first, len(self.script) if stride > 0 else -1, stride)
        )

    def _perform(self, steps: Sequence[Step], now: datetime) -> None:
        drops = list(_drops(steps))
        for drop in drops:
            _write(self.inbox, drop)
            self.due[INTAKE] = now

        def perform(session: Session) -> None:
            for step in steps:
                self._record(session, step.action, now)
            beat(session, _MARK, now, 0, str(self.done + len(steps)))

        self.db.transact(perform)
        for drop in drops:
            _hand_over(self.inbox, drop)
        self.done += len(steps)
        self.due[RECONCILE] = self.due[DELIVERY] = now

    def _record(self, session: Session, action: Action, now: datetime) -> None:
        study, handle = self.study, self.handle
        match action:
            case Enrol():
                engine.enrol(session, study, action.code, self.site, action.what, _WHO, now, handle)
            case Say():
                engine.record(session, study, action.code, action.what, _WHO, now, handle)
            case Correct():
                number, reason = _newest(session, action), action.reason
                engine.correct(session, study, action.code, number, action.fields, reason, _WHO, now, handle)
            case Drop():
                pass  # the laboratory's folder is not the database: written before, handed over after


def _drops(steps: Sequence[Step]) -> Iterator[Drop]:
    return (step.action for step in steps if isinstance(step.action, Drop))


def _newest(session: Session, action: Correct) -> int:
    rows = session.exec(
        select(FactRow)
        .where(FactRow.subject == action.code, FactRow.kind == action.kind)
        .order_by(col(FactRow.id).desc())
    )
    found = next(row.id for row in rows if row.payload.get("visit") == action.visit)
    assert found is not None
    return found


def _how_far(session: Session) -> tuple[int, datetime] | None:
    """How many steps were performed, and the newest instant on record; None when nothing was."""
    mark = heartbeat_of(session, _MARK)
    if mark is None:
        return None
    sending = session.exec(select(func.max(DeliveryRow.started_at))).one()
    known = [mark.at, newest_instant(session), sending]
    return int(mark.detail), max(one for one in known if one is not None)


def _write(inbox: Path, action: Drop) -> None:
    """Write the file beside the folder, as a careful sender does, before it is on record as sent."""
    with _draft(inbox, action).open("wb") as written:
        written.write(action.content)
        written.flush()
        os.fsync(written.fileno())


def _hand_over(inbox: Path, action: Drop) -> None:
    """Rename the file into the folder and add the marker that vouches for it; done again after a stop."""
    draft, file = _draft(inbox, action), inbox / action.name
    marker = inbox / f"{action.name}.ok"
    if draft.exists():
        draft.rename(file)
    if file.exists():
        marker.write_text(f"{sha256(action.content).hexdigest()};{len(action.content)}", "ascii")
    else:
        marker.unlink(missing_ok=True)


def _draft(inbox: Path, action: Drop) -> Path:
    return inbox.parent / f"{action.name}.part"
