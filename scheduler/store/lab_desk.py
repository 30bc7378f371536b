"""The SQL behind the laboratory desk: the newest files, the rows of one, whose site each belongs to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlmodel import Session, col

from scheduler.store.tables import LabFileRow, LabResultVersionRow

__all__ = ["FileLine", "file_rows", "newest_files", "sites_of_files"]


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


def newest_files(session: Session, sites: Collection[str], most: int) -> list[FileLine]:
    """The newest files of these sites, the newest first."""
    query = (
        select(*_COLUMNS)
        .where(col(LabFileRow.site_id).in_(sites))
        .order_by(col(LabFileRow.id).desc())
        .limit(most)
    )
    return [FileLine(*row) for row in session.execute(query).all()]


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
