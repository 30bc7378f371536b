"""The SQL behind the laboratory desk: the newest files, the rows of one, whose site each belongs to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session, col

from scheduler.domain.flags import FlagCode
from scheduler.store.lab.files import file_flag_key
from scheduler.store.tables import FlagRow, LabFileRow, LabResultVersionRow

__all__ = ["FileLine", "count_files", "file_rows", "newest_files", "quarantined_files", "sites_of_files"]


class FileLine(NamedTuple):
    """A file as a list shows it."""

    id: int
    sha256: str
    original_name: str
    site_id: str
    lab: str | None
    received_at: datetime
    verdict: str
    code: str | None
    reason: dict[str, Any] | None
    accepted: int
    held: int
    ignored: int


_COLUMNS = [col(getattr(LabFileRow, name)) for name in FileLine._fields]


def count_files(session: Session, sites: Collection[str]) -> int:
    """How many files of these sites there are."""
    query = select(func.count()).select_from(LabFileRow).where(col(LabFileRow.site_id).in_(sites))
    return int(session.execute(query).scalar_one())


def newest_files(session: Session, sites: Collection[str], offset: int, most: int) -> list[FileLine]:
    """Some of the files of these sites, the newest first."""
    query = (
        select(*_COLUMNS)
        .where(col(LabFileRow.site_id).in_(sites))
        .order_by(col(LabFileRow.id).desc())
        .offset(offset)
        .limit(most)
    )
    return [FileLine(*row) for row in session.execute(query).all()]


def quarantined_files(session: Session, sites: Collection[str]) -> list[FileLine]:
    """The files of these sites that were refused and that nobody has settled, the newest first."""
    flags = select(col(FlagRow.key)).where(
        col(FlagRow.site_id).in_(sites),
        col(FlagRow.code) == FlagCode.FILE_QUARANTINED.value,
        col(FlagRow.closed_at).is_(None),
    )
    keys = set(session.execute(flags).scalars())
    beginnings = {key.rpartition("|")[2] for key in keys}
    query = (
        select(*_COLUMNS)
        .where(col(LabFileRow.site_id).in_(sites), func.substr(col(LabFileRow.sha256), 1, 8).in_(beginnings))
        .order_by(col(LabFileRow.id).desc())
    )
    found = [FileLine(*row) for row in session.execute(query).all()] if keys else []
    return [one for one in found if file_flag_key(FlagCode.FILE_QUARANTINED, one.site_id, one.sha256) in keys]


def sites_of_files(session: Session, files: Collection[int]) -> dict[int, str]:
    """The site of each of these files."""
    query = select(col(LabFileRow.id), col(LabFileRow.site_id)).where(col(LabFileRow.id).in_(files))
    return {row.id: row.site_id for row in session.execute(query)}


def file_rows(session: Session, file: int) -> Sequence[LabResultVersionRow]:
    """What was kept of a file, row by row, as it came and as it was accepted later."""
    query = select(LabResultVersionRow).where(col(LabResultVersionRow.file_id) == file)
    return session.execute(
        query.order_by(col(LabResultVersionRow.row_no), col(LabResultVersionRow.id))
    ).scalars().all()  # fmt: skip
