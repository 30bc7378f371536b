"""The SQL that reads laboratory files and results."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, exists, literal_column, or_
from sqlalchemy import select as core_select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.store.database import StoreError
from scheduler.store.lab_values import (
    Entry,
    KnownResult,
    KnownSubject,
    KnownVersion,
    KnownVisit,
    Records,
    measured,
)
from scheduler.store.tables import (
    FactRow,
    FlagRow,
    LabFileRow,
    LabResultRow,
    LabResultVersionRow,
    LabReviewRow,
    SamplingRow,
    SubjectRow,
    VisitRow,
)

__all__ = [
    "DATABASE_TROUBLE",
    "DECIDED",
    "IS_HELD",
    "WAITS",
    "accepted_versions",
    "accepted_versions_of",
    "any_held",
    "entry_of",
    "file_by_hash",
    "file_flag_key",
    "held_rows",
    "lab_files",
    "load_records",
    "quarantine_flag_keys",
    "settled_flag_keys",
    "unfinished_files",
]

DATABASE_TROUBLE = (OperationalError, InterfaceError, StoreError)  # the database, not the file, is at fault


# --- the statements, made once: the intake runs them for every file, and the engine the first for every subject -------


_VERSION, _RESULT, _FILE = LabResultVersionRow.__table__.c, LabResultRow.__table__.c, LabFileRow.__table__.c
_FLAG, _FACT, _VISIT, _SAMPLING, _CODE = (
    FlagRow.__table__.c,
    FactRow.__table__.c,
    VisitRow.__table__.c,
    SamplingRow.__table__.c,
    SubjectRow.__table__.c.code,
)
# A literal: compared with a parameter, a column of partial indexes has SQLite plan anew at every execution.
_ACCEPTED: ColumnElement[str] = literal_column("'accepted'")
_SUBJECTS: BindParameter[Any] = bindparam("subjects", expanding=True)
_VERSIONS = (
    core_select(  # after the subject, the fields of a ResultVersion in their order
        _VERSION.subject, _VERSION.id, _VERSION.visit, _VERSION.timepoint, _VERSION.specimen, _VERSION.status,
        _VERSION.conc_mg_l, _VERSION.below_lloq, _VERSION.above_uloq, _VERSION.lloq_mg_l, _VERSION.collected_at,
        _VERSION.reported_at, _VERSION.recorded_at, _VERSION.method, _VERSION.blocking,
    )
    .where(_VERSION.subject.in_(bindparam("subjects", expanding=True)), _VERSION.state == _ACCEPTED)
    .order_by(_VERSION.id)
)  # fmt: skip
_LATER = aliased(LabResultVersionRow)
DECIDED = or_(  # by a person, or as soon as the records no longer spoke against the row
    exists().where(col(LabReviewRow.version_id) == col(LabResultVersionRow.id)),
    exists().where(
        col(_LATER.file_id) == col(LabResultVersionRow.file_id),
        col(_LATER.row_no) == col(LabResultVersionRow.row_no),
        col(_LATER.state) == _ACCEPTED,
    ),
)
_SAME_OR_LATER = and_(
    col(_LATER.state) == _ACCEPTED,
    col(_LATER.id) > col(LabResultVersionRow.id),
    or_(
        col(_LATER.content_hash) == col(LabResultVersionRow.content_hash),
        col(LabResultVersionRow.reported_at).is_(None),
        col(_LATER.reported_at) >= col(LabResultVersionRow.reported_at),
    ),
)
_SAID_AGAIN = or_(
    exists().where(
        col(_LATER.lab) == col(LabResultVersionRow.lab),
        col(_LATER.specimen) == col(LabResultVersionRow.specimen),
        _SAME_OR_LATER,
    ),
    exists().where(  # the row named no specimen, or no laboratory that is known
        col(_LATER.subject) == col(LabResultVersionRow.subject),
        col(_LATER.visit) == col(LabResultVersionRow.visit),
        col(_LATER.timepoint) == col(LabResultVersionRow.timepoint),
        col(LabResultVersionRow.specimen).in_(("", col(_LATER.specimen))),
        _SAME_OR_LATER,
    ),
)
# Word for word as in the indexes of held rows, or they would not be used.
IS_HELD = col(LabResultVersionRow.state) == literal_column("'held'")
WAITS = and_(IS_HELD, ~DECIDED, ~_SAID_AGAIN)
"""The condition of a held row that still waits."""

_HELD = core_select(LabResultVersionRow).where(WAITS)
_HELD_SINCE = _HELD.where(col(LabResultVersionRow.recorded_at) >= bindparam("since"))
_ANY_HELD = core_select(core_select(_VERSION.id).where(IS_HELD).exists())
_FILE_BY_HASH = core_select(LabFileRow).where(_FILE.sha256 == bindparam("sha256"))
_UNFINISHED = core_select(LabFileRow).where(_FILE.archived_as.is_(None)).order_by(_FILE.id)
_QUARANTINED = core_select(_FILE.site_id, _FILE.sha256).where(
    _FILE.original_name == bindparam("name"),
    _FILE.site_id == bindparam("site"),
    _FILE.verdict == "quarantined",
)
_HELD_FLAGS = core_select(_FLAG.key).where(_FLAG.code == FlagCode.ROWS_HELD.value, _FLAG.closed_at.is_(None))
_KNOWN_SUBJECTS = core_select(_CODE).where(_CODE.in_(_SUBJECTS))
_WITHDRAWALS = (
    core_select(_FACT.id, _FACT.subject, _FACT.kind, _FACT.payload)
    .where(_FACT.subject.in_(_SUBJECTS), _FACT.kind.in_(("withdrawn", "corrected")))
    .order_by(_FACT.id)
)
_KNOWN_VISITS = core_select(
    _VISIT.subject, _VISIT.visit, _VISIT.target, _VISIT.first, _VISIT.last, _VISIT.booked_local,
    _VISIT.attended_at, _VISIT.status,
).where(_VISIT.subject.in_(_SUBJECTS))  # fmt: skip
_KNOWN_RESULTS = core_select(
    _RESULT.id, _RESULT.lab, _RESULT.specimen, _RESULT.analyte, _RESULT.subject, _RESULT.visit, _RESULT.timepoint
).where(_RESULT.subject.in_(_SUBJECTS) | _RESULT.specimen.in_(bindparam("specimens", expanding=True)))  # fmt: skip
_KNOWN_TUBES = core_select(_SAMPLING.tube, _SAMPLING.subject).where(
    _SAMPLING.tube.in_(bindparam("specimens", expanding=True))
)
_KNOWN_VERSIONS = (
    core_select(  # the last ten are what `measured` takes
        _VERSION.result_id, _VERSION.status, _VERSION.reported_at, _VERSION.content_hash, _VERSION.result_key,
        _VERSION.comparator, _VERSION.value_raw, _VERSION.unit_raw, _VERSION.conc_mg_l, _VERSION.lloq_mg_l,
        _VERSION.uloq_mg_l, _VERSION.quality, _VERSION.method, _VERSION.matrix, _VERSION.collected_at,
    )
    .where(_VERSION.result_id.in_(bindparam("results", expanding=True)), _VERSION.state == _ACCEPTED)
    .order_by(_VERSION.id)
)  # fmt: skip


# --- reading -----------------------------------------------------------------------------------------------------


def accepted_versions(session: Session, subject: str) -> tuple[ResultVersion, ...]:
    """Every accepted version of the subject's results."""
    return accepted_versions_of(session, [subject]).get(subject, ())


def accepted_versions_of(session: Session, subjects: Collection[str]) -> dict[str, tuple[ResultVersion, ...]]:
    """Every accepted version of the results of those of these subjects that have any."""
    found: dict[str, list[ResultVersion]] = {}
    for (
        subject, number, visit, timepoint, specimen, status, conc, below, above, lloq, collected_at, reported_at,
        recorded_at, method, blocking,
    ) in session.connection().execute(_VERSIONS, {"subjects": list(subjects)}).all():  # fmt: skip
        version = ResultVersion(
            number, visit, timepoint, specimen, ResultStatus(status), _decimal(conc), below, above,
            # only a specimen without result may lack its time: nothing is computed from it
            _decimal(lloq), collected_at or reported_at, reported_at, recorded_at, method, blocking,
        )  # fmt: skip
        found.setdefault(subject, []).append(version)
    return {subject: tuple(versions) for subject, versions in found.items()}


def held_rows(session: Session, since: datetime | None = None) -> Sequence[LabResultVersionRow]:
    """The held rows that nothing has settled: no person, no records, and nothing accepted since, be it the same content
    or the laboratory's same or later word on the specimen."""
    query = _HELD if since is None else _HELD_SINCE
    rows = session.execute(query, {"since": since}).scalars()
    # asked to sort by the number, SQLite would go through every row there is
    return sorted(rows, key=lambda row: row.id or 0)


def any_held(session: Session) -> bool:
    """Whether a row was ever held: a cheap question before the dear one."""
    return bool(session.connection().execute(_ANY_HELD).scalar())


def lab_files(session: Session) -> Sequence[LabFileRow]:
    """Every file, newest last."""
    return session.exec(select(LabFileRow).order_by(col(LabFileRow.id))).all()


def file_by_hash(session: Session, sha: str) -> LabFileRow | None:
    return session.execute(_FILE_BY_HASH, {"sha256": sha}).scalars().first()


def unfinished_files(session: Session) -> Sequence[LabFileRow]:
    """Files that were recorded and not yet put into their archive with a receipt."""
    return session.execute(_UNFINISHED).scalars().all()


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
    connection = session.connection()
    known = list(connection.execute(_KNOWN_SUBJECTS, {"subjects": subjects}).scalars())
    gone = _withdrawn(session, known)
    visits: dict[str, dict[str, KnownVisit]] = {code: {} for code in known}
    for row in connection.execute(_KNOWN_VISITS, {"subjects": known}):
        booked = datetime.fromisoformat(row.booked_local).date() if row.booked_local else None
        is_off = row.status == "cancelled"
        visit = KnownVisit(row.target, row.first, row.last, booked, row.attended_at, is_off)
        visits[row.subject][row.visit] = visit
    return Records(
        {code: KnownSubject(code not in gone, visits[code]) for code in known},
        _known_results(session, known, specimens),
        {row.tube: row.subject for row in connection.execute(_KNOWN_TUBES, {"specimens": specimens})},
    )


def _withdrawn(session: Session, subjects: Collection[str]) -> set[str]:
    """The subjects whose withdrawal is on record and was not taken back."""
    rows = session.connection().execute(_WITHDRAWALS, {"subjects": subjects}).all()
    taken_back = {
        r.payload.get("fact_id"): r.payload.get("instead") is None for r in rows if r.kind == "corrected"
    }
    return {row.subject for row in rows if row.kind == "withdrawn" and not taken_back.get(row.id, False)}


def _known_results(
    session: Session, subjects: Collection[str], specimens: Collection[str]
) -> tuple[KnownResult, ...]:
    connection, asked = session.connection(), {"subjects": subjects, "specimens": specimens}
    results = connection.execute(_KNOWN_RESULTS, asked).all()
    versions: dict[int, list[KnownVersion]] = {row.id: [] for row in results}
    for result, status, reported_at, content_hash, key, *content in connection.execute(
        _KNOWN_VERSIONS, {"results": list(versions)}
    ):
        if status is not None and reported_at is not None:
            comparator, value, unit, conc, lloq, uloq, *rest = content
            numbers = (_decimal(conc), _decimal(lloq), _decimal(uloq))
            found = measured(comparator, value, unit, numbers, *rest)
            versions[result].append(KnownVersion(ResultStatus(status), reported_at, content_hash, key, found))
    return tuple(
        KnownResult((lab, specimen, analyte), (subject, visit, timepoint), tuple(versions[number]))
        for number, lab, specimen, analyte, subject, visit, timepoint in results
    )


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
