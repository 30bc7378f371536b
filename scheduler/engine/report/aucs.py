"""The estimates on record as plain rows: for tables, for JSON, for the report of a subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlmodel import Session, col, select

from pk.exposure import Disagreement, map_method
from scheduler.domain.exposure import AUC, FEWER_SAMPLES, Exposure, VisitExposures, disagreement, method_said
from scheduler.domain.speech import Speaker
from scheduler.store.exposures import exposure_of
from scheduler.store.tables import ExposureRow

__all__ = ["auc_rows", "weights_said"]

Row = dict[str, Any]


def auc_rows(
    session: Session,
    speaker: Speaker,
    subject: str | None = None,
    visit: str | None = None,
    *,
    history: bool = False,
) -> list[Row]:
    """The estimates in force, or all versions; of each version the primary one first, then those with a value.

    The primary row carries how far the methods lie apart.
    """
    query = select(ExposureRow).order_by(
        col(ExposureRow.subject), col(ExposureRow.visit), col(ExposureRow.version), col(ExposureRow.id)
    )
    if subject is not None:
        query = query.where(ExposureRow.subject == subject)
    if visit is not None:
        query = query.where(ExposureRow.visit == visit)
    found: list[Row] = []
    for _, of_visit in groupby(session.exec(query), key=lambda row: (row.subject, row.visit)):
        versions = [list(rows) for _, rows in groupby(of_visit, key=lambda row: row.version)]
        for rows in versions if history else versions[-1:]:
            found += _version(rows, speaker, rows is versions[-1])
    return found


def _version(rows: Sequence[ExposureRow], speaker: Speaker, in_force: bool) -> Iterator[Row]:
    """The rows of one version, the primary one first."""
    exposures = tuple(exposure_of(row) for row in rows)
    primary = VisitExposures("", exposures, "").primary
    names = {one.method: one.name for one in exposures if one.name is not None}
    pairs = sorted(zip(rows, exposures, strict=True), key=lambda pair: _place(pair[1], primary))
    for row, one in pairs:
        made = _row(row, one, names, speaker) | {"in_force": in_force, "primary": one is primary}
        yield made | {"disagreement": _apart(exposures, names, speaker) if one is primary else None}


def _place(one: Exposure, primary: Exposure | None) -> tuple[bool, bool]:
    return one is not primary, one.value is None


def _row(row: ExposureRow, one: Exposure, names: Mapping[str, str], speaker: Speaker) -> Row:
    return {
        "subject": row.subject,
        "visit": row.visit,
        "version": row.version,
        "method": one.method,
        "method_text": speaker.say(method_said(one.method, one.name)),
        "quantity": one.quantity,
        "value": one.value,
        "low": one.low,
        "high": one.high,
        "bounds": one.bounds.value if one.bounds is not None else None,
        "unit": one.unit,
        "interval_h": list(one.interval_h),
        "auc_0_24": one.daily,
        "per_g": one.per_g,
        "weights": {names.get(map_method(model), model): weight for model, weight in one.weights},
        "fit": (row.detail or {}).get("fit"),
        "reasons": [speaker.say(reason) for reason in one.reasons],
        "notes": [speaker.say(note) for note in one.notes],
        "remark": next((speaker.say(note) for note in one.notes if note.code == FEWER_SAMPLES), None),
        "inputs_hash": row.inputs_hash,
        "computed": row.computed_at,
    }


def _apart(exposures: Sequence[Exposure], names: Mapping[str, str], speaker: Speaker) -> Row | None:
    found = disagreement((one.method, one.quantity, one.value) for one in exposures)
    if found is None:
        return None
    return {
        "lowest": found.lowest,
        "highest": found.highest,
        "ratio": found.ratio,
        "primary_over_average_percent": found.primary_over_average_percent,
        "text": _apart_said(found, names, speaker),
    }


def _apart_said(found: Disagreement, names: Mapping[str, str], speaker: Speaker) -> str:
    words = "The methods differ: {quantity} from {low} by {lowest} to {high} mg·h/L by {highest}, {percent}% more."
    return speaker.text(
        words,
        quantity=AUC,
        low=speaker.number(found.lowest_mg_h_l),
        lowest=method_said(found.lowest, names.get(found.lowest)),
        high=speaker.number(found.highest_mg_h_l),
        highest=method_said(found.highest, names.get(found.highest)),
        percent=speaker.number(100 * (found.ratio - 1), 0),
    )


def weights_said(weights: Mapping[str, float], speaker: Speaker) -> str:
    """The models of an average with their weights, the heaviest first."""
    heaviest = sorted(weights.items(), key=lambda pair: -pair[1])
    return ", ".join(
        speaker.text("{model} {percent}%", model=name, percent=speaker.number(100 * weight, 0))
        for name, weight in heaviest
    )
