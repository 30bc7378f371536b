"""The scheduler's own kinds of work: taking laboratory files, reconciling subjects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from config.logs import log
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import because
from scheduler.engine.housekeeping import inspect, note
from scheduler.engine.reconcile import reconcile_step
from scheduler.intake.folder import Alert, DropFolder, Limits
from scheduler.intake.step import intake_step
from scheduler.intake.study import intake_study
from scheduler.runtime.program import Program
from scheduler.runtime.work import DELIVERY, HOUSEKEEPING, INTAKE, RECONCILE, Work
from scheduler.store import audit
from scheduler.store.flags import open_site_flag

__all__ = ["housekeeping_work", "intake_work", "reconcile_work"]

_BATCH = 50
_HOUSEKEEPING_EVERY = timedelta(hours=6)


def intake_work(program: Program) -> Work:
    """Takes what the laboratory dropped; looks again soon while a file is still settling."""
    db, settings = program.database, program.settings.intake
    site, protocol = next(iter(program.study.sites)), program.study.newest[1]
    folder = DropFolder(settings.folder, Limits(settle_s=settings.settle_s))
    known = intake_study(protocol, program.study.labs.values(), site)
    handle = program.handle

    async def step(now: datetime) -> datetime | None:
        report = await db.beside(
            lambda transact: intake_step(folder, known, program.clock, transact, handle, audit.append)
        )
        if report.alerts:
            await db.run(lambda session: _raise_alerts(session, site, report.alerts, now))
        for file in report.files:
            log.info("lab_file", file=file.file_id, verdict=file.verdict, rule=file.code, error=file.error)
        return now + timedelta(seconds=settings.poll_s) if report.waiting else None

    return Work(INTAKE, step, wakes=(RECONCILE, DELIVERY))


def _raise_alerts(session: Session, site: str, alerts: Sequence[Alert], now: datetime) -> None:
    """What is wrong with the folder itself, as flags of the site."""
    for alert in alerts:
        reason = because("flag_folder_trouble", name=alert.name, why=alert.reason)
        key = flag_key(FlagCode.FOLDER_TROUBLE, f"site:{site}", None, f"{alert.name}:{alert.reason.code}")
        open_site_flag(session, FlagCode.FOLDER_TROUBLE, key, site, reason, now)


def reconcile_work(program: Program) -> Work:
    """Looks at the subjects whose time has come."""
    db = program.database

    async def step(now: datetime) -> datetime | None:
        _, upcoming = await db.call(lambda: reconcile_step(db, program.study, now, program.handle, _BATCH))
        return upcoming

    return Work(RECONCILE, step, wakes=(DELIVERY,))


def housekeeping_work(program: Program) -> Work:
    """Looks at the health of the installation at the start and every six hours."""
    db, site = program.database, next(iter(program.study.sites))
    folders = (
        program.settings.intake.folder,
        *((Path(db.url.database).parent,) if db.is_sqlite and db.url.database else ()),
    )

    done: list[datetime] = []

    async def step(now: datetime) -> datetime | None:
        if done and now < done[0] + _HOUSEKEEPING_EVERY:
            return done[0] + _HOUSEKEEPING_EVERY
        done[:] = [now]
        findings = await asyncio.to_thread(
            lambda: list(inspect(db, folders))
        )  # beside the writer, not before it
        for finding in findings:
            log.error("installation_trouble", matter=finding.matter)
        await db.run(lambda session: note(session, site, findings, now))
        await db.call(db.checkpoint)
        return now + _HOUSEKEEPING_EVERY

    return Work(HOUSEKEEPING, step)
