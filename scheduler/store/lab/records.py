"""The SQL that reads what is on record of the subjects and specimens that a file speaks of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlmodel import Session

from scheduler.domain.facts import Corrected, Withdrawn
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.results import ResultStatus
from scheduler.store.lab.held import IS_ACCEPTED
from scheduler.store.lab.results import decimal
from scheduler.store.lab.values import KnownResult, KnownSubject, KnownVersion, KnownVisit, Records, measured
from scheduler.store.tables import (
    FactRow,
    LabResultRow,
    LabResultVersionRow,
    SamplingRow,
    SubjectRow,
    VisitRow,
)

__all__ = ["load_records"]

_CODE, _FACT, _VISIT = SubjectRow.__table__.c.code, FactRow.__table__.c, VisitRow.__table__.c
_RESULT, _VERSION, _SAMPLING = (
    LabResultRow.__table__.c,
    LabResultVersionRow.__table__.c,
    SamplingRow.__table__.c,
)
_SUBJECTS: BindParameter[Any] = bindparam("subjects", expanding=True)
_KNOWN_SUBJECTS = select(_CODE).where(_CODE.in_(_SUBJECTS))
_WITHDRAWALS = (
    select(_FACT.id, _FACT.subject, _FACT.kind, _FACT.payload)
    .where(_FACT.subject.in_(_SUBJECTS), _FACT.kind.in_((Withdrawn.kind, Corrected.kind)))
    .order_by(_FACT.id)
)
_KNOWN_VISITS = select(
    _VISIT.subject, _VISIT.visit, _VISIT.target, _VISIT.first, _VISIT.last, _VISIT.booked_local,
    _VISIT.attended_at, _VISIT.status,
).where(_VISIT.subject.in_(_SUBJECTS))  # fmt: skip
_KNOWN_RESULTS = select(
    _RESULT.id, _RESULT.lab, _RESULT.specimen, _RESULT.analyte, _RESULT.subject, _RESULT.visit, _RESULT.timepoint
).where(_RESULT.subject.in_(_SUBJECTS) | _RESULT.specimen.in_(bindparam("specimens", expanding=True)))  # fmt: skip
_KNOWN_TUBES = select(_SAMPLING.tube, _SAMPLING.subject).where(
    _SAMPLING.tube.in_(bindparam("specimens", expanding=True))
)
_KNOWN_VERSIONS = (
    select(  # the last ten are what `measured` takes
        _VERSION.result_id, _VERSION.status, _VERSION.reported_at, _VERSION.content_hash, _VERSION.result_key,
        _VERSION.comparator, _VERSION.value_raw, _VERSION.unit_raw, _VERSION.conc_mg_l, _VERSION.lloq_mg_l,
        _VERSION.uloq_mg_l, _VERSION.quality, _VERSION.method, _VERSION.matrix, _VERSION.collected_at,
    )
    .where(_VERSION.result_id.in_(bindparam("results", expanding=True)), IS_ACCEPTED)
    .order_by(_VERSION.id)
)  # fmt: skip


def load_records(session: Session, subjects: Collection[str], specimens: Collection[str]) -> Records:
    """What is on record of these subjects, and of all results of these subjects and specimens."""
    connection = session.connection()
    known = list(connection.execute(_KNOWN_SUBJECTS, {"subjects": subjects}).scalars())
    gone = _withdrawn(session, known)
    visits: dict[str, dict[str, KnownVisit]] = {code: {} for code in known}
    for row in connection.execute(_KNOWN_VISITS, {"subjects": known}):
        booked = datetime.fromisoformat(row.booked_local).date() if row.booked_local else None
        is_off = row.status == VisitStatus.CANCELLED
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
        r.payload.get("fact_id"): r.payload.get("instead") is None for r in rows if r.kind == Corrected.kind
    }
    return {row.subject for row in rows if row.kind == Withdrawn.kind and not taken_back.get(row.id, False)}


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
            numbers = (decimal(conc), decimal(lloq), decimal(uloq))
            found = measured(comparator, value, unit, numbers, *rest)
            versions[result].append(KnownVersion(ResultStatus(status), reported_at, content_hash, key, found))
    return tuple(
        KnownResult((lab, specimen, analyte), (subject, visit, timepoint), tuple(versions[number]))
        for number, lab, specimen, analyte, subject, visit, timepoint in results
    )
