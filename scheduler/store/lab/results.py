"""The SQL that reads accepted results, and what was understood of a stored row."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, bindparam, select
from sqlmodel import Session

from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.store.lab.held import IS_ACCEPTED
from scheduler.store.lab.values import Entry
from scheduler.store.tables import LabResultVersionRow

__all__ = ["accepted_versions", "accepted_versions_of", "decimal", "entry_of"]

_VERSION: Any = LabResultVersionRow.__table__.c
_SUBJECTS: BindParameter[Any] = bindparam("subjects", expanding=True)
_VERSIONS = (
    select(  # after the subject, the fields of a ResultVersion in their order
        _VERSION.subject, _VERSION.id, _VERSION.visit, _VERSION.timepoint, _VERSION.specimen, _VERSION.status,
        _VERSION.conc_mg_l, _VERSION.below_lloq, _VERSION.above_uloq, _VERSION.lloq_mg_l, _VERSION.collected_at,
        _VERSION.reported_at, _VERSION.recorded_at, _VERSION.method, _VERSION.blocking,
    )
    .where(_VERSION.subject.in_(_SUBJECTS), IS_ACCEPTED)
    .order_by(_VERSION.id)
)  # fmt: skip


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
            number, visit, timepoint, specimen, ResultStatus(status), decimal(conc), below, above,
            # only a specimen without result may lack its time: nothing is computed from it
            decimal(lloq), collected_at or reported_at, reported_at, recorded_at, method, blocking,
        )  # fmt: skip
        found.setdefault(subject, []).append(version)
    return {subject: tuple(versions) for subject, versions in found.items()}


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
        decimal(row.conc_mg_l),
        decimal(row.lloq_mg_l),
        decimal(row.uloq_mg_l),
        row.below_lloq,
        row.above_uloq,
        row.quality,
        row.blocking,
        row.collected_at,
        row.received_at,
        row.reported_at,
    )


def decimal(text: str | None) -> Decimal | None:
    """A number as it is stored."""
    return Decimal(text) if text is not None else None
