"""The SQL that writes laboratory rows: each row of a file, and the logical result that an accepted one belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlmodel import Session

from scheduler.store.lab.values import Entry, Key
from scheduler.store.tables import LabResultRow, LabResultVersionRow

__all__ = ["NewRow", "add_rows"]

_RESULT = LabResultRow.__table__
_VERSION = LabResultVersionRow.__table__
_RESULTS = select(_RESULT.c.id, _RESULT.c.lab, _RESULT.c.specimen, _RESULT.c.analyte).where(
    _RESULT.c.specimen.in_(bindparam("specimens", expanding=True))
)
_ADD_RESULTS = insert(_RESULT)
_ADD_VERSIONS = insert(_VERSION).returning(_VERSION.c.id, sort_by_parameter_order=True)


@dataclass(frozen=True, slots=True)
class NewRow:
    """One row of a file as it is to be stored; a held one belongs to no logical result yet."""

    file_id: int
    row_no: int
    entry: Entry
    findings: list[dict[str, Any]]
    accepted: bool


def add_rows(session: Session, rows: Sequence[NewRow], now: datetime) -> list[int]:
    """Store rows in their order, the accepted ones as versions of their logical results. Returns their numbers."""
    if not rows:
        return []
    results = _results(session, [row.entry for row in rows if row.accepted])
    values = [_values(row, results.get(row.entry.key) if row.accepted else None, now) for row in rows]
    return list(session.connection().execute(_ADD_VERSIONS, values).scalars())


def _results(session: Session, entries: Iterable[Entry]) -> dict[Key, int]:
    """The numbers of the logical results of these entries; those that are new are added."""
    places = {entry.key: entry.place for entry in reversed(list(entries))}
    if not places:
        return {}
    known = _numbers(session, places)
    new = [key for key in reversed(places) if key not in known]
    if not new:
        return known
    names = ("lab", "specimen", "analyte", "subject", "visit", "timepoint")
    session.connection().execute(
        _ADD_RESULTS, [dict(zip(names, (*key, *places[key]), strict=True)) for key in new]
    )
    return _numbers(session, places)


def _numbers(session: Session, keys: Iterable[Key]) -> dict[Key, int]:
    asked = {"specimens": sorted({specimen for _, specimen, _ in keys})}
    rows = session.connection().execute(_RESULTS, asked)
    return {(lab, specimen, analyte): number for number, lab, specimen, analyte in rows}


def _values(row: NewRow, result_id: int | None, now: datetime) -> dict[str, Any]:
    entry = row.entry
    return {
        "result_id": result_id,
        "file_id": row.file_id,
        "row_no": row.row_no,
        "state": "accepted" if row.accepted else "held",
        "subject": entry.subject,
        "visit": entry.visit,
        "timepoint": entry.timepoint,
        "lab": entry.lab,
        "specimen": entry.specimen,
        "analyte": entry.analyte,
        "result_key": entry.result_key,
        "replaces": entry.replaces,
        "status": entry.status.value if entry.status is not None else None,
        "value_raw": entry.value_raw,
        "unit_raw": entry.unit_raw,
        "comparator": entry.comparator,
        "conc_mg_l": _text(entry.conc_mg_l),
        "lloq_mg_l": _text(entry.lloq_mg_l),
        "uloq_mg_l": _text(entry.uloq_mg_l),
        "below_lloq": entry.below_lloq,
        "above_uloq": entry.above_uloq,
        "quality": entry.quality,
        "blocking": entry.blocking,
        "method": entry.method,
        "matrix": entry.matrix,
        "collected_at": entry.collected_at,
        "received_at": entry.received_at,
        "reported_at": entry.reported_at,
        "recorded_at": now,
        "findings": row.findings,
        "content_hash": entry.content_hash,
    }


def _text(number: Decimal | None) -> str | None:
    return format(number, "f") if number is not None else None
