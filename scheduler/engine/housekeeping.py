"""What is looked at now and then so that nobody has to: the database's health, the audit chain, the free space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import Reason, because
from scheduler.store import audit
from scheduler.store.audit_read import anchors_sent
from scheduler.store.database import Database
from scheduler.store.flags import close_flag, open_site_flag

__all__ = ["LEAST_FREE_BYTES", "Finding", "inspect", "note"]

LEAST_FREE_BYTES = 500_000_000
_MATTERS = ("database", "audit", "disk")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with the installation."""

    matter: str
    reason: Reason


def note(session: Session, site: str, findings: list[Finding], now: datetime) -> None:
    """Flag what is wrong, and lower the flags of what is right again."""
    wrong = {finding.matter: finding.reason for finding in findings}
    for matter in _MATTERS:
        key = flag_key(FlagCode.STORAGE_TROUBLE, f"site:{site}", None, matter)
        if matter in wrong:
            open_site_flag(session, FlagCode.STORAGE_TROUBLE, key, site, wrong[matter], now)
        else:
            close_flag(session, key, now)


def inspect(db: Database, folders: tuple[Path, ...]) -> Iterator[Finding]:
    """Everything that is wrong: a damaged database, a broken audit chain, a disk that is nearly full. Only reads."""
    if db.is_sqlite:
        answers = db.read(lambda session: session.execute(text("PRAGMA quick_check")).scalars().all())
        if answers != ["ok"]:
            yield Finding(
                "database", because("flag_database_damaged", why="; ".join(map(str, answers))[:200])
            )
    breaks = db.read(_audit_breaks)
    if breaks:
        yield Finding("audit", because("flag_audit_broken", row=breaks[0].seq, why=breaks[0].why))
    for folder in folders:
        if folder.exists() and shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
            free = round(shutil.disk_usage(folder).free / 1_000_000)
            yield Finding("disk", because("flag_disk_nearly_full", folder=str(folder.name), free=free))
            return


def _audit_breaks(session: Session) -> list[audit.Break]:
    """Where the chain does not hold, or does not reach an anchor that was mailed."""
    return [*audit.verify(session)[2], *audit.anchor_problems(session, anchors_sent(session))]
