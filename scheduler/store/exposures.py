"""The estimates on record: written once a version, read back as they were."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy import select as core_select
from sqlmodel import Session

from pk.values.estimate import Fit
from scheduler.domain.exposure import AUC, WITHDRAWN, Bounds, Exposure, Shown, VisitExposures
from scheduler.domain.plan import ExposureChange
from scheduler.domain.reason import from_json, to_json
from scheduler.domain.recorded import RecordedExposure
from scheduler.store.tables import ExposureRow

__all__ = [
    "Tally",
    "aucs_in_force",
    "exposure_of",
    "exposure_rows",
    "newest_exposures",
    "primary_aucs",
    "recorded_exposures",
    "recorded_exposures_of",
    "stored_exposures",
]

_NEVER = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
_TABLE = ExposureRow.__table__
_ONE = (_TABLE.c.subject == bindparam("subject"), _TABLE.c.visit == bindparam("visit"))
_NEWEST = core_select(func.max(_TABLE.c.version)).where(*_ONE)
_VERSION = core_select(_TABLE).where(*_ONE, _TABLE.c.version == bindparam("version")).order_by(_TABLE.c.id)
_ALL = (
    core_select(*(_TABLE.c[name] for name in ("subject", "visit", "version", "inputs_hash", "method", "quantity",
                                              "value", "low", "high")))
    .where(_TABLE.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(_TABLE.c.version, _TABLE.c.id)
)  # fmt: skip


_IN_FORCE = core_select(_TABLE.c.subject, _TABLE.c.visit, func.max(_TABLE.c.version).label("version"))
_IN_FORCE_OF = _IN_FORCE.group_by(_TABLE.c.subject, _TABLE.c.visit).subquery()
_AUCS = (
    core_select(_TABLE.c.subject, _TABLE.c.visit, _TABLE.c.computed_at)
    .join(
        _IN_FORCE_OF,
        (_TABLE.c.subject == _IN_FORCE_OF.c.subject)
        & (_TABLE.c.visit == _IN_FORCE_OF.c.visit)
        & (_TABLE.c.version == _IN_FORCE_OF.c.version),
    )
    .where(_TABLE.c.quantity == AUC, _TABLE.c.value.is_not(None))
    .distinct()
)
_PRIMARY = _AUCS.with_only_columns(_TABLE.c.subject, _TABLE.c.visit, _TABLE.c.value, _TABLE.c.id).order_by(
    _TABLE.c.id
)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many subjects have how many AUCs in force, how many of them are new, and when the newest was computed."""

    subjects: int
    aucs: int
    new: int
    until: datetime


def aucs_in_force(session: Session, since: datetime | None, by: datetime) -> Tally:
    """The AUCs of all visits that stand now and were computed `by` then; those after `since`, or all, are new."""
    found = [row for row in session.connection().execute(_AUCS).all() if row.computed_at <= by]
    new = [row for row in found if since is None or row.computed_at > since]
    until = max([row.computed_at for row in found] + ([since] if since else []), default=_NEVER)
    return Tally(len({row.subject for row in found}), len(found), len(new), until)


def primary_aucs(session: Session) -> dict[str, dict[str, float]]:
    """The AUC0-12 that counts of every visit that has one now, by subject and visit, mg·h/L."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for subject, visit, value, _ in session.connection().execute(_PRIMARY):
        found[subject].setdefault(visit, value)  # the first of the order of the protocol
    return found


def newest_exposures(session: Session, subject: str, visit: str) -> VisitExposures | None:
    """The newest estimates of a visit; None when there are none or they were withdrawn."""
    connection = session.connection()
    version = connection.execute(_NEWEST, {"subject": subject, "visit": visit}).scalar()
    return stored_exposures(session, subject, visit, version) if version is not None else None


def stored_exposures(session: Session, subject: str, visit: str, version: int) -> VisitExposures | None:
    """The estimates of one version, equal to those that were written; None for a withdrawal or no such version."""
    asked = {"subject": subject, "visit": visit, "version": version}
    rows = session.connection().execute(_VERSION, asked).all()
    if not rows or rows[0].inputs_hash is None:
        return None
    return VisitExposures(rows[0].inputs_hash, tuple(exposure_of(row) for row in rows), rows[0].inputs or "")


def recorded_exposures(session: Session, subject: str) -> dict[str, RecordedExposure]:
    """The newest version of every visit and what people saw of it."""
    return recorded_exposures_of(session, [subject]).get(subject, {})


def recorded_exposures_of(
    session: Session, subjects: Collection[str]
) -> dict[str, dict[str, RecordedExposure]]:
    """The newest version of every visit and what people saw of it, of those of these subjects that have any."""
    all_found: dict[str, dict[str, RecordedExposure]] = {}
    rows = session.connection().execute(_ALL, {"subjects": list(subjects)}).all()
    for subject, visit, version, inputs_hash, method, quantity, value, low, high in rows:
        found = all_found.setdefault(subject, {})
        before = found.get(visit)
        shown = before.shown if before is not None and before.version == version else None
        if shown is None and quantity == AUC and value is not None:
            shown = Shown.of(method, value, low, high)
        found[visit] = RecordedExposure(inputs_hash, version, shown)
    return all_found


def exposure_of(row: Any) -> Exposure:
    """A row as the value that it was. Rows of version 0.1 have no detail; limits there came from a BLQ sample."""
    detail = row.detail or {}
    bounds = row.bounds or (Bounds.BELOW_LLOQ if row.low is not None else None)
    return Exposure(
        method=row.method,
        quantity=row.quantity,
        value=row.value,
        low=row.low,
        high=row.high,
        unit=row.unit,
        interval_h=(row.from_h, row.to_h),
        reasons=tuple([from_json(one) for one in row.reasons]),
        notes=tuple([from_json(one) for one in row.notes]),
        bounds=Bounds(bounds) if bounds is not None else None,
        name=detail.get("name"),
        daily=detail.get("auc_0_24_mg_h_l"),
        per_g=detail.get("per_g_mg_h_l"),
        fit=_fit_of(detail["fit"]) if "fit" in detail else None,
        weights=tuple(detail.get("weights", {}).items()),
    )


def exposure_rows(subject: str, change: ExposureChange, now: datetime) -> list[dict[str, Any]]:
    """The rows of a new version: one a method, or the one that says that the estimates no longer stand."""
    version = {"subject": subject, "visit": change.visit, "version": change.version, "computed_at": now}
    found = change.found
    if found is None:
        return [{**version, "method": WITHDRAWN, "inputs_hash": None, "reasons": [], "notes": []}]
    inputs = {"inputs_hash": found.inputs_hash, "inputs": found.inputs}
    return [{**version, **inputs, **_columns(one)} for one in found.exposures]


def _columns(one: Exposure) -> dict[str, Any]:
    return {
        "method": one.method,
        "quantity": one.quantity,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "bounds": one.bounds.value if one.bounds is not None else None,
        "unit": one.unit,
        "from_h": one.interval_h[0],
        "to_h": one.interval_h[1],
        "reasons": [to_json(reason) for reason in one.reasons],
        "notes": [to_json(note) for note in one.notes],
        "detail": _detail(one) or None,
    }


def _detail(one: Exposure) -> dict[str, Any]:
    detail = {
        "name": one.name,
        "auc_0_24_mg_h_l": one.daily,
        "per_g_mg_h_l": one.per_g,
        "fit": _fit_detail(one.fit) if one.fit is not None else None,
        "weights": dict(one.weights) or None,
    }
    return {name: value for name, value in detail.items() if value is not None}


_PAIRS = ("parameters", "eta", "shrinkage", "predictions")


def _fit_detail(fit: Fit) -> dict[str, Any]:
    return asdict(fit) | {name: dict(getattr(fit, name)) for name in _PAIRS}


def _fit_of(detail: dict[str, Any]) -> Fit:
    content: dict[str, Any] = detail | {name: tuple(detail[name].items()) for name in _PAIRS}
    return Fit(**content)
