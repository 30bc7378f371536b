"""The scheduler's own kinds of work: taking laboratory files, reconciling subjects."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from config.logs import log
from scheduler.clock import Clock
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import because
from scheduler.engine.housekeeping import Finding, inspect, note
from scheduler.engine.reconcile import reconcile_step
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.retention import delete_originals
from scheduler.intake.folder.rooms import Alert, Limits
from scheduler.intake.step import IntakeReport, intake_steps
from scheduler.intake.study import IntakeStudy, folder_studies
from scheduler.runtime.program import Program
from scheduler.runtime.timesource import time_source
from scheduler.runtime.work import DELIVERY, HOUSEKEEPING, INTAKE, RECONCILE, Work
from scheduler.store import audit
from scheduler.store.database import Database, StoreError, Transact
from scheduler.store.flags import open_site_flag
from scheduler.store.lease import give_back, keep, take
from scheduler.store.operations import TIME_SOURCE, beat
from scheduler.store.postgresql import only_one

__all__ = ["housekeeping_work", "intake_boxes", "intake_work", "reconcile_work"]

_BATCH = 500
"""Subjects in one transaction. When one of them fails, each is done in a transaction of its own."""

_FOLDER_LEASE = timedelta(seconds=30)  # prolonged by each transaction; the slowest file takes 10 s to read
_HOUSEKEEPING_EVERY = timedelta(hours=6)


def intake_work(program: Program, lease: timedelta = _FOLDER_LEASE) -> Work:
    """Takes what the laboratories dropped; looks again soon while a file is still settling, and at once while there
    are more than one step takes. Of several daemons one looks at a folder at a time; when it is lost, another does so
    after `lease`."""
    db, settings = program.database, program.settings.intake
    boxes = intake_boxes(program)
    handle = program.handle

    owner = f"{os.uname().nodename}:{os.getpid()}"

    def look(transact: Transact) -> list[IntakeReport | None]:
        turn = partial(_turn, db, owner, lease, transact, program.clock)
        return intake_steps(boxes, program.clock, turn, handle)

    async def step(now: datetime) -> datetime | None:
        found = await db.beside(look)
        reports = [report for report in found if report is not None]
        for (_, study), report in zip(boxes, found, strict=True):
            if report is None:  # another daemon is at it; it may stop
                continue
            if report.alerts:
                await db.run(partial(_raise_alerts, site=study.site, alerts=report.alerts, now=now))
            for file in report.files:
                log.info(
                    "lab_file", file=file.file_id, verdict=file.verdict, rule=file.code, error=file.error
                )
        if any(report.more for report in reports):
            return now
        soon = len(reports) < len(found) or any(one.waiting for one in reports)
        return now + timedelta(seconds=settings.poll_s) if soon else None

    return Work(INTAKE, step, wakes=(RECONCILE, DELIVERY))


@contextmanager
def _turn(
    db: Database, owner: str, lasts: timedelta, transact: Transact, clock: Clock, folder: DropFolder
) -> Iterator[Transact | None]:
    """The lease on a folder for one step. A SQLite file has one daemon only, which needs none."""
    if db.is_sqlite:
        yield transact
        return
    held = transact(lambda session: take(session, f"intake:{folder.box}", owner, lasts, clock.now()))
    if held is None:
        yield None
        return

    def fenced(step: Callable[[Session], Any]) -> Any:
        def ours(session: Session) -> Any:
            keep(session, held, clock.now())
            return step(session)

        return transact(ours)

    try:
        yield fenced
    finally:
        with suppress(DBAPIError, StoreError):  # it ends by itself
            transact(lambda session: give_back(session, held))


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
    limits = Limits(settle_s=settings.settle_s, min_free_share=settings.min_free_percent / 100)
    own = [one.folder for one in studies if one.folder]
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
        await db.run(partial(_note, site=site, findings=findings, now=now))
        if not program.rehearses:  # whose clock is none of this machine
            await db.run(partial(_note_look, findings=findings, now=now))
        await db.call(db.checkpoint)
        await _delete_originals(program, now)
        return now + _HOUSEKEEPING_EVERY

    return Work(HOUSEKEEPING, step)


def _note(session: Session, site: str, findings: list[Finding], now: datetime) -> None:
    if only_one(session, HOUSEKEEPING):
        note(session, site, findings, now)


def _note_look(session: Session, findings: Sequence[Finding], now: datetime) -> None:
    """That the installation was looked at, with what result, and what keeps its clock right."""
    source = time_source().as_json()
    beat(session, TIME_SOURCE, now, 0, json.dumps(source))
    detail = {"wrong": [one.matter for one in findings], "clock_source": source}
    audit.append(session, now, "inspected", "database", "-", detail)


async def _delete_originals(program: Program, now: datetime) -> None:
    """Deletes the laboratory's originals that are older than the settings keep them."""
    settings = program.settings.intake
    if settings.keep_originals_days is None:
        return
    before = now - timedelta(days=settings.keep_originals_days)
    try:
        gone = await program.database.beside(
            lambda transact: delete_originals(settings.folder, transact, before, now)
        )
    except OSError as error:  # the folder's own troubles are told by the intake
        log.error("originals_not_deleted", error=type(error).__name__)
        return
    if gone:
        log.info("originals_deleted", count=len(gone))
