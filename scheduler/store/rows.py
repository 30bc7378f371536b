"""Rows to domain values and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from pydantic import TypeAdapter

from scheduler.domain.facts import KINDS, Corrected, What
from scheduler.domain.flags import Flag
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.reason import Reason, from_json, to_json
from scheduler.domain.recorded import RecordedDraw, RecordedVisit

__all__ = [
    "VISIT_COLUMNS",
    "flag_row",
    "payload_of",
    "reason_from_text",
    "recorded_visit",
    "sampling_rows",
    "visit_row",
    "what_from",
    "what_from_json",
]


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[kind])


def payload_of(what: What) -> dict[str, Any]:
    """A fact's content as JSON values."""
    if isinstance(what, Corrected):
        instead = what.instead
        inner = None if instead is None else {"kind": instead.kind, "payload": payload_of(instead)}
        return {"fact_id": what.fact_id, "instead": inner, "reason": what.reason}
    content: dict[str, Any] = _adapter(what.kind).dump_python(what, mode="json")
    return content


def what_from(kind: str, payload: dict[str, Any]) -> What:
    """The content that `payload_of` wrote. Raises pydantic.ValidationError for anything else."""
    if kind == Corrected.kind:
        inner = payload["instead"]
        instead = None if inner is None else what_from(inner["kind"], inner["payload"])
        return Corrected(payload["fact_id"], instead, payload["reason"])
    what: What = _adapter(kind).validate_python(payload)
    return what


def what_from_json(kind: str, payload: str) -> What:
    """The content of a fact from the text of its JSON, as `what_from` reads it."""
    if kind == Corrected.kind:
        return what_from(kind, json.loads(payload))
    what: What = _adapter(kind).validate_json(payload)
    return what


_NO_REASONS = "[]"
_REMEMBERED = 4_096  # reasons, some hundred bytes each; those of a visit stay the same from look to look


@lru_cache(_REMEMBERED)
def reason_from_text(text: str) -> Reason:
    """A reason from the text of its JSON."""
    return from_json(json.loads(text))


VISIT_COLUMNS = (
    "status", "reason", "target", "first", "last", "booked_local", "sequence", "attended_at", "missing",
    "amended_by",
)  # fmt: skip


def recorded_visit(
    draws: Iterable[RecordedDraw],
    status: str,
    reason: str,
    target: date,
    first: date,
    last: date,
    booked_local: str | None,
    sequence: int,
    attended_at: datetime | None,
    missing: str,
    amended_by: str | None,
) -> RecordedVisit:
    """A visit's draws and VISIT_COLUMNS as a value; reasons as the text of their JSON."""
    return RecordedVisit(
        status=VisitStatus(status),
        reason=reason_from_text(reason),
        target=target,
        first=first,
        last=last,
        booked_local=datetime.fromisoformat(booked_local) if booked_local else None,
        sequence=sequence,
        attended_at=attended_at,
        missing=() if missing == _NO_REASONS else tuple(map(from_json, json.loads(missing))),
        draws=tuple(draws),
        amended_by=amended_by,
    )


def visit_row(subject: str, visit: str, wanted: RecordedVisit) -> dict[str, Any]:
    return {
        "subject": subject,
        "visit": visit,
        "status": wanted.status.value,
        "reason": to_json(wanted.reason),
        "target": wanted.target,
        "first": wanted.first,
        "last": wanted.last,
        "booked_local": wanted.booked_local.isoformat() if wanted.booked_local else None,
        "sequence": wanted.sequence,
        "attended_at": wanted.attended_at,
        "missing": [to_json(one) for one in wanted.missing],
        "amended_by": wanted.amended_by,
    }


def sampling_rows(subject: str, visit: str, wanted: RecordedVisit) -> list[dict[str, Any]]:
    return [
        {
            "subject": subject,
            "visit": visit,
            "point": draw.point,
            "window_from": draw.window_from,
            "window_to": draw.window_to,
            "drawn_at": draw.drawn_at,
            "tube": draw.tube,
            "not_drawn": draw.not_drawn,
            "result": draw.result,
        }
        for draw in wanted.draws
    ]


def flag_row(flag: Flag, site: str, now: datetime) -> dict[str, Any]:
    return {
        "key": flag.key,
        "code": flag.code.value,
        "site_id": site,
        "subject": flag.subject,
        "visit": flag.visit,
        "detail": flag.detail,
        "severity": int(flag.severity),
        "reason": to_json(flag.reason),
        "since": flag.since,
        "opened_at": now,
    }
