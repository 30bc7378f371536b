"""The scheduler's own kinds of work: taking laboratory files, reconciling subjects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlmodel import Session

from config.logs import log
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import because
from scheduler.engine.housekeeping import inspect, note
from scheduler.engine.reconcile import reconcile_step
from scheduler.intake.folder import DropFolder
from scheduler.intake.retention import delete_originals
from scheduler.intake.rooms import Alert, Limits
from scheduler.intake.step import IntakeReport, intake_steps
from scheduler.intake.study import IntakeStudy, folder_studies
from scheduler.runtime.program import Program
from scheduler.runtime.work import DELIVERY, HOUSEKEEPING, INTAKE, RECONCILE, Work
from scheduler.store import audit
from scheduler.store.database import Transact
from scheduler.store.flags import open_site_flag

__all__ = ["housekeeping_work", "intake_boxes", "intake_work", "reconcile_work"]

_BATCH = 50
_HOUSEKEEPING_EVERY = timedelta(hours=6)


def intake_work(program: Program) -> Work:
    """Takes what the laboratories dropped; looks again soon while a file is still settling, and at once while there
    are more than one step takes."""
    db, settings = program.database, program.settings.intake
    boxes = intake_boxes(program)
    handle = program.handle

    def take(transact: Transact) -> list[IntakeReport] | None:
        with db.alone("intake") as is_mine:
            if not is_mine:
                return None
            return intake_steps(boxes, program.clock, transact, handle, audit.append)

    async def step(now: datetime) -> datetime | None:
        reports = await db.beside(take)
        if reports is None:  # another daemon is at it; it may stop
            return now + timedelta(seconds=settings.poll_s)
        for (_, study), report in zip(boxes, reports, strict=True):
            if report.alerts:
                await db.run(partial(_raise_alerts, site=study.site, alerts=report.alerts, now=now))
            for file in report.files:
                log.info(
                    "lab_file", file=file.file_id, verdict=file.verdict, rule=file.code, error=file.error
                )
        if any(report.more for report in reports):
            return now
        return now + timedelta(seconds=settings.poll_s) if any(one.waiting for one in reports) else None

    return Work(INTAKE, step, wakes=(RECONCILE, DELIVERY))


def _raise_alerts(session: Session, site: str, alerts: Sequence[Alert], now: datetime) -> None:
    """What is wrong with the folder itself, as flags of the site."""
    for alert in alerts:
        reason = because("flag_folder_trouble", name=alert.name, why=alert.reason)
        key = flag_key(FlagCode.FOLDER_TROUBLE, f"site:{site}", None, f"{alert.name}:{alert.reason.code}")
        open_site_flag(session, FlagCode.FOLDER_TROUBLE, key, site, reason, now)


def intake_boxes(program: Program) -> list[tuple[DropFolder, IntakeStudy]]:
    """The common folder and each laboratory's own, with the study as they see it."""
    settings, site = program.settings.intake, next(iter(program.study.sites))
    studies = folder_studies(program.study.newest[1], program.study.labs.values(), site)
    limits, own = Limits(settle_s=settings.settle_s), [one.folder for one in studies if one.folder]
    return [(DropFolder(settings.folder, limits, box=one.folder or "", boxes=own), one) for one in studies]


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
        await _delete_originals(program, now)
        return now + _HOUSEKEEPING_EVERY

    return Work(HOUSEKEEPING, step)


async def _delete_originals(program: Program, now: datetime) -> None:
    """Deletes the laboratory's originals that are older than the settings keep them."""
    settings = program.settings.intake
    if settings.keep_originals_days is None:
        return
    before = now - timedelta(days=settings.keep_originals_days)
    try:
        gone = await program.database.beside(
            lambda transact: delete_originals(settings.folder, transact, before, now, audit.append)
        )
    except OSError as error:  # the folder's own troubles are told by the intake
        log.error("originals_not_deleted", error=type(error).__name__)
        return
    if gone:
        log.info("originals_deleted", count=len(gone))
