"""The scheduler's own kinds of work: taking laboratory files, reconciling subjects."""

from __future__ import annotations

from datetime import datetime, timedelta

from scheduler.engine.reconcile import reconcile_step
from scheduler.intake.folder import DropFolder, Limits
from scheduler.intake.step import intake_step
from scheduler.intake.study import intake_study
from scheduler.runtime.program import Program
from scheduler.runtime.work import DELIVERY, INTAKE, RECONCILE, Work
from scheduler.store import audit
from scheduler.store.subjects import next_wake

__all__ = ["intake_work", "reconcile_work"]

_BATCH = 50


def intake_work(program: Program) -> Work:
    """Takes what the laboratory dropped; looks again soon while a file is still settling."""
    db, settings = program.database, program.settings.intake
    site, protocol = next(iter(program.study.sites)), program.study.newest[1]
    folder = DropFolder(settings.folder, Limits(settle_s=settings.settle_s))
    known = intake_study(protocol, program.study.labs.values(), site)
    handle = program.handle

    async def step(now: datetime) -> datetime | None:
        report = await db.call(
            lambda: intake_step(folder, known, program.clock, db.transact, handle, audit.append)
        )
        return now + timedelta(seconds=settings.poll_s) if report.waiting else None

    return Work(INTAKE, step, wakes=(RECONCILE, DELIVERY))


def reconcile_work(program: Program) -> Work:
    """Looks at the subjects whose time has come."""
    db = program.database

    async def step(now: datetime) -> datetime | None:
        done = await db.call(lambda: reconcile_step(db, program.study, now, program.handle, _BATCH))
        if done == _BATCH:
            return now
        return await db.run(next_wake)

    return Work(RECONCILE, step, wakes=(DELIVERY,))
