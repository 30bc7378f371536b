"""Plays a script: moves the simulated clock from instant to instant and does what is due at each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from scheduler.clock import ManualClock
from scheduler.domain.facts import Source
from scheduler.engine import record as engine
from scheduler.engine.reconcile import Handle
from scheduler.engine.study import Study
from scheduler.runtime.rehearsal.script import Correct, Drop, Enrol, Say, Step
from scheduler.runtime.work import DELIVERY, INTAKE, RECONCILE, Work
from scheduler.store.database import Database
from scheduler.store.operations import beat
from scheduler.store.tables import FactRow, HeartbeatRow

__all__ = ["Rehearsal"]

_MARK = "rehearsal"
_WHO = engine.Who("rehearsal", Source.REHEARSAL)


class Rehearsal:
    """A script and how far it got. The mark is kept in the transaction of each step: it can be killed and resumed."""

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
            while self.done < len(self.script) and self.script[self.done].at <= now:
                self._perform(self.script[self.done], now)
            progress(self.done, now)

    def _resume(self) -> datetime:
        """The instant to begin at: that of the last step that was performed."""
        mark = self.db.transact(lambda session: session.get(HeartbeatRow, _MARK))
        if mark is not None:
            self.done = int(mark.detail)
            now = mark.at
        else:
            now = self.script[0].at - timedelta(hours=1) if self.script else self.end
        self.clock.move_to(now)
        return now

    async def _work(self, now: datetime) -> None:
        """All work that is due, in the order in which data flows, until nothing more is due now."""
        for _ in range(20):
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

    def _perform(self, step: Step, now: datetime) -> None:
        action = step.action
        if isinstance(action, Drop):
            _drop(self.inbox, action)
            self.due[INTAKE] = now

        def perform(session: Session) -> None:
            match action:
                case Enrol():
                    engine.enrol(
                        session, self.study, action.code, self.site, action.what, _WHO, now, self.handle
                    )
                case Say():
                    engine.record(session, self.study, action.code, action.what, _WHO, now, self.handle)
                case Correct():
                    number = _newest(session, action)
                    engine.correct(
                        session,
                        self.study,
                        action.code,
                        number,
                        action.fields,
                        action.reason,
                        _WHO,
                        now,
                        self.handle,
                    )
                case Drop():
                    pass
            beat(session, _MARK, now, 0, str(self.done + 1))

        self.db.transact(perform)
        self.done += 1
        self.due[RECONCILE] = self.due[DELIVERY] = now


def _newest(session: Session, action: Correct) -> int:
    rows = session.exec(
        select(FactRow)
        .where(FactRow.subject == action.code, FactRow.kind == action.kind)
        .order_by(col(FactRow.id).desc())
    )
    found = next(row.id for row in rows if row.payload.get("visit") == action.visit)
    assert found is not None
    return found


def _drop(inbox: Path, action: Drop) -> None:
    """Put the file there as a careful sender does: written under a temporary name, then renamed."""
    temporary = inbox / f"{action.name}.part"
    temporary.write_bytes(action.content)
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    temporary.rename(inbox / action.name)
