"""The SQL about laboratory files and results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, or_, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.store.lab_values import (
    Entry,
    KnownResult,
    KnownSubject,
    KnownVersion,
    KnownVisit,
    Records,
)
from scheduler.store.tables import (
    FactRow,
    FlagRow,
    LabFileRow,
    LabResultRow,
    LabResultVersionRow,
    SubjectRow,
    VisitRow,
)

__all__ = [
    "DATABASE_TROUBLE",
    "accepted_versions",
    "add_row",
    "entry_of",
    "file_by_hash",
    "file_flag_key",
    "held_rows",
    "lab_files",
    "load_records",
    "mark_archived",
    "quarantine_flag_keys",
    "settled_flag_keys",
    "unfinished_files",
]

DATABASE_TROUBLE = (OperationalError, InterfaceError)  # the database, not the file, is at fault
# --- reading -----------------------------------------------------------------------------------------------------


def accepted_versions(session: Session, subject: str) -> tuple[ResultVersion, ...]:
    """Every accepted version of the subject's results."""
    rows = session.exec(
        select(LabResultVersionRow)
        .where(LabResultVersionRow.subject == subject, LabResultVersionRow.state == "accepted")
        .order_by(col(LabResultVersionRow.id))
    )
    return tuple(_version(row) for row in rows)


def _version(row: LabResultVersionRow) -> ResultVersion:
    assert row.id is not None and row.status is not None and row.reported_at is not None
    return ResultVersion(
        row.id,
        row.visit,
        row.timepoint,
        row.specimen,
        ResultStatus(row.status),
        _decimal(row.conc_mg_l),
        row.below_lloq,
        row.above_uloq,
        _decimal(row.lloq_mg_l),
        # only a specimen without result may lack its time: nothing is computed from it
        row.collected_at or row.reported_at,
        row.reported_at,
        row.recorded_at,
        row.method,
        row.blocking,
    )


def held_rows(session: Session, since: datetime | None = None) -> Sequence[LabResultVersionRow]:
    """The held rows that nothing accepted since has settled: the same content, or the laboratory's same or later word
    on the specimen."""
    later = aliased(LabResultVersionRow)
    settled = exists().where(
        col(later.lab) == col(LabResultVersionRow.lab),
        col(later.specimen) == col(LabResultVersionRow.specimen),
        col(later.state) == "accepted",
        col(later.id) > col(LabResultVersionRow.id),
        or_(
            col(later.content_hash) == col(LabResultVersionRow.content_hash),
            col(LabResultVersionRow.reported_at).is_(None),
            col(later.reported_at) >= col(LabResultVersionRow.reported_at),
        ),
    )
    query = select(LabResultVersionRow).where(LabResultVersionRow.state == "held", ~settled)
    if since is not None:
        query = query.where(LabResultVersionRow.recorded_at >= since)
    return session.exec(query.order_by(col(LabResultVersionRow.id))).all()


def lab_files(session: Session) -> Sequence[LabFileRow]:
    """Every file, newest last."""
    return session.exec(select(LabFileRow).order_by(col(LabFileRow.id))).all()


def file_by_hash(session: Session, sha: str) -> LabFileRow | None:
    return session.exec(select(LabFileRow).where(LabFileRow.sha256 == sha)).first()


def unfinished_files(session: Session) -> Sequence[LabFileRow]:
    """Files that were recorded and not yet put into their archive with a receipt."""
    return session.exec(select(LabFileRow).where(col(LabFileRow.archived_as).is_(None))).all()


def entry_of(row: LabResultVersionRow) -> Entry:
    """What was understood of a stored row."""
    return Entry(
        row.subject,
        row.visit,
        row.timepoint,
        row.lab,
        row.specimen,
        ResultStatus(row.status) if row.status is not None else None,
        row.value_raw,
        row.unit_raw,
        row.method,
        row.matrix,
        row.analyte,
        row.result_key,
        row.replaces,
        row.comparator,
        _decimal(row.conc_mg_l),
        _decimal(row.lloq_mg_l),
        _decimal(row.uloq_mg_l),
        row.below_lloq,
        row.above_uloq,
        row.quality,
        row.blocking,
        row.collected_at,
        row.received_at,
        row.reported_at,
    )


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def load_records(session: Session, subjects: Collection[str], specimens: Collection[str]) -> Records:
    """What is on record of these subjects, and of all results of these subjects and specimens."""
    known = session.exec(select(SubjectRow.code).where(col(SubjectRow.code).in_(subjects))).all()
    gone = _withdrawn(session, known)
    visits: dict[str, dict[str, KnownVisit]] = {code: {} for code in known}
    for row in session.exec(select(VisitRow).where(col(VisitRow.subject).in_(known))):
        visits[row.subject][row.visit] = _known_visit(row)
    return Records(
        {code: KnownSubject(code not in gone, visits[code]) for code in known},
        _known_results(session, known, specimens),
    )


def _known_visit(row: VisitRow) -> KnownVisit:
    booked = datetime.fromisoformat(row.booked_local).date() if row.booked_local else None
    return KnownVisit(row.target, row.first, row.last, booked, row.attended_at, row.status == "cancelled")


def _withdrawn(session: Session, subjects: Collection[str]) -> set[str]:
    """The subjects whose withdrawal is on record and was not taken back."""
    rows = session.exec(
        select(FactRow)
        .where(col(FactRow.subject).in_(subjects), col(FactRow.kind).in_(("withdrawn", "corrected")))
        .order_by(col(FactRow.id))
    ).all()
    taken_back = {
        r.payload.get("fact_id"): r.payload.get("instead") is None for r in rows if r.kind == "corrected"
    }
    return {row.subject for row in rows if row.kind == "withdrawn" and not taken_back.get(row.id, False)}


def _known_results(
    session: Session, subjects: Collection[str], specimens: Collection[str]
) -> tuple[KnownResult, ...]:
    results = session.exec(
        select(LabResultRow).where(
            col(LabResultRow.subject).in_(subjects) | col(LabResultRow.specimen).in_(specimens)
        )
    ).all()
    versions: dict[int | None, list[KnownVersion]] = {row.id: [] for row in results}
    query = select(LabResultVersionRow).where(
        col(LabResultVersionRow.result_id).in_(list(versions)), LabResultVersionRow.state == "accepted"
    )
    for row in session.exec(query.order_by(col(LabResultVersionRow.id))):
        if row.status is not None and row.reported_at is not None:
            versions[row.result_id].append(
                KnownVersion(ResultStatus(row.status), row.reported_at, row.content_hash, row.result_key)
            )
    return tuple(
        KnownResult(
            (row.lab, row.specimen, row.analyte),
            (row.subject, row.visit, row.timepoint),
            tuple(versions[row.id]),
        )
        for row in results
    )


def quarantine_flag_keys(session: Session, original_name: str) -> list[str]:
    """The keys of the flags of quarantined files that came under this name."""
    files = session.exec(
        select(LabFileRow).where(
            LabFileRow.original_name == original_name, LabFileRow.verdict == "quarantined"
        )
    )
    return [file_flag_key(FlagCode.FILE_QUARANTINED, row) for row in files]


def settled_flag_keys(session: Session) -> list[str]:
    """The keys of the open flags of held rows whose files have no held row left."""
    is_open = (FlagRow.code == FlagCode.ROWS_HELD.value, col(FlagRow.closed_at).is_(None))
    keys = session.exec(select(FlagRow.key).where(*is_open)).all()
    if not keys:
        return []
    waiting = {row.file_id for row in held_rows(session)}
    files = session.exec(select(LabFileRow).where(col(LabFileRow.id).in_(waiting)))
    return sorted(set(keys) - {file_flag_key(FlagCode.ROWS_HELD, row) for row in files})


def file_flag_key(code: FlagCode, row: LabFileRow) -> str:
    """The key of the flag of a file."""
    return flag_key(code, f"site:{row.site_id}", None, row.sha256[:8])


# --- writing -----------------------------------------------------------------------------------------------------


def add_row(
    session: Session,
    file_id: int,
    row_no: int,
    entry: Entry,
    findings: list[dict[str, Any]],
    now: datetime,
    accepted: bool,
) -> LabResultVersionRow:
    """Stores one row of a file; an accepted one as a version of its logical result."""
    row = LabResultVersionRow(
        result_id=_result_id(session, entry) if accepted else None,
        file_id=file_id,
        row_no=row_no,
        state="accepted" if accepted else "held",
        subject=entry.subject,
        visit=entry.visit,
        timepoint=entry.timepoint,
        lab=entry.lab,
        specimen=entry.specimen,
        analyte=entry.analyte,
        result_key=entry.result_key,
        replaces=entry.replaces,
        status=entry.status.value if entry.status is not None else None,
        value_raw=entry.value_raw,
        unit_raw=entry.unit_raw,
        comparator=entry.comparator,
        conc_mg_l=_text(entry.conc_mg_l),
        lloq_mg_l=_text(entry.lloq_mg_l),
        uloq_mg_l=_text(entry.uloq_mg_l),
        below_lloq=entry.below_lloq,
        above_uloq=entry.above_uloq,
        quality=entry.quality,
        blocking=entry.blocking,
        method=entry.method,
        matrix=entry.matrix,
        collected_at=entry.collected_at,
        received_at=entry.received_at,
        reported_at=entry.reported_at,
        recorded_at=now,
        findings=findings,
        content_hash=entry.content_hash,
    )
    session.add(row)
    session.flush()
    return row


def _text(number: Decimal | None) -> str | None:
    return format(number, "f") if number is not None else None


def _result_id(session: Session, entry: Entry) -> int:
    lab, specimen, analyte = entry.key
    row = session.exec(
        select(LabResultRow).where(
            LabResultRow.lab == lab, LabResultRow.specimen == specimen, LabResultRow.analyte == analyte
        )
    ).first()
    if row is None:
        subject, visit, timepoint = entry.place
        row = LabResultRow(
            lab=lab, specimen=specimen, analyte=analyte, subject=subject, visit=visit, timepoint=timepoint
        )
        session.add(row)
        session.flush()
    assert row.id is not None
    return row.id


def mark_archived(session: Session, file_id: int, name: str) -> None:
    """The file is in its archive and its receipts are written: nothing more is to be done."""
    session.execute(update(LabFileRow).where(col(LabFileRow.id) == file_id).values(archived_as=name))
