"""The SQL about laboratory files, and the flags that are about them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.store.lab.held import held_rows
from scheduler.store.tables import FlagRow, LabFileRow

__all__ = [
    "file_by_hash",
    "file_flag_key",
    "lab_file",
    "lab_files",
    "mark_archived",
    "quarantine_flag_keys",
    "settled_flag_keys",
    "unfinished_files",
]

_FILE, _FLAG = LabFileRow.__table__.c, FlagRow.__table__.c
_FILE_BY_HASH = core_select(LabFileRow).where(_FILE.sha256 == bindparam("sha256"))
_UNFINISHED = core_select(LabFileRow).where(_FILE.archived_as.is_(None)).order_by(_FILE.id)
_QUARANTINED = core_select(_FILE.site_id, _FILE.sha256).where(
    _FILE.original_name == bindparam("name"),
    _FILE.site_id == bindparam("site"),
    _FILE.verdict == "quarantined",
)
_HELD_FLAGS = core_select(_FLAG.key).where(_FLAG.code == FlagCode.ROWS_HELD.value, _FLAG.closed_at.is_(None))
_ARCHIVED = (
    update(LabFileRow.__table__).where(_FILE.id == bindparam("this")).values(archived_as=bindparam("name"))
)


def lab_files(session: Session) -> Sequence[LabFileRow]:
    """Every file, newest last."""
    return session.exec(select(LabFileRow).order_by(col(LabFileRow.id))).all()


def file_by_hash(session: Session, sha: str) -> LabFileRow | None:
    return session.execute(_FILE_BY_HASH, {"sha256": sha}).scalars().first()


def unfinished_files(session: Session) -> Sequence[LabFileRow]:
    """Files that were recorded and not yet put into their archive with a receipt."""
    return session.execute(_UNFINISHED).scalars().all()


def lab_file(session: Session, number: int) -> LabFileRow | None:
    return session.get(LabFileRow, number)


def mark_archived(session: Session, file_id: int, name: str) -> None:
    """The file is in its archive and its receipts are written: nothing more is to be done."""
    session.connection().execute(_ARCHIVED, {"this": file_id, "name": name})


def quarantine_flag_keys(session: Session, original_name: str, site: str) -> list[str]:
    """The keys of the flags of quarantined files of a site that came under this name."""
    files = session.connection().execute(_QUARANTINED, {"name": original_name, "site": site})
    return [file_flag_key(FlagCode.FILE_QUARANTINED, site, sha256) for site, sha256 in files]


def settled_flag_keys(session: Session) -> list[str]:
    """The keys of the open flags of held rows whose files have no held row left."""
    keys = session.connection().execute(_HELD_FLAGS).scalars().all()
    if not keys:
        return []
    waiting = {row.file_id for row in held_rows(session)}
    files = session.exec(select(LabFileRow).where(col(LabFileRow.id).in_(waiting)))
    return sorted(set(keys) - {file_flag_key(FlagCode.ROWS_HELD, row.site_id, row.sha256) for row in files})


def file_flag_key(code: FlagCode, site: str, sha256: str) -> str:
    """The key of the flag of a file."""
    return flag_key(code, f"site:{site}", None, sha256[:8])
