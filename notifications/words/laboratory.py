"""What mails say of laboratory files: to the staff, of one in trouble; to a laboratory, of refused files, of rows to
correct, of overdue tubes, and of a week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from notifications.messages.versions import ContextError
from notifications.words.discretion import discreet_file_reason, one_line
from notifications.words.letter import Attachment
from scheduler.domain.discreet import discreet_tube
from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import Reason, from_json
from scheduler.domain.reconciliation import Line, LineState, Place, answered_by_lab, discreet_place, table_of
from scheduler.domain.speech import Speaker
from scheduler.domain.spreadsheet import csv_bytes
from scheduler.store.reconciliation import (
    asked_rows,
    holding_reasons,
    load_tally,
    overdue_tubes,
    refused_files,
)
from scheduler.store.tables import LabFileRow, LabResultVersionRow, OutboxRow

__all__ = ["LAB_RECONCILIATION", "attachment_of", "laboratory_values", "troubled_file"]

LAB_RECONCILIATION = "lab_reconciliation"
_MOST = 20
_TOLD_ONE_BY_ONE = (LineState.MISSING, LineState.HELD, LineState.WITHOUT_DRAW, LineState.AWAITED)


def laboratory_values(session: Session, row: OutboxRow, protocol: Protocol, now: datetime) -> dict[str, Any]:
    """What the templates of a laboratory are filled with, as things stand now."""
    match row.template:
        case "lab_files_refused":
            return _refused(session, row.facts["file_ids"])
        case "lab_rows_to_correct":
            return _to_correct(session, row.facts["file_ids"], protocol)
        case "lab_results_overdue":
            tubes = overdue_tubes(session, row.site_id, row.facts["lab"], now)
            return {"tubes": [_line(one, protocol) for one in tubes[:_MOST]], "more": _over(tubes)}
        case "lab_reconciliation":
            return _week(_lines(session, row), row, protocol)
    return {}


def attachment_of(
    session: Session, row: OutboxRow, protocol: Protocol, speaker: Speaker
) -> Attachment | None:
    """The list of the week as a table; other mails have none."""
    if row.template != LAB_RECONCILIATION:
        return None
    header, rows = table_of(_lines(session, row), speaker, protocol)
    day = datetime.fromisoformat(row.facts["until"]).astimezone(speaker.zone).date()
    return Attachment(f"{row.facts['lab']}_{day.isoformat()}.csv", csv_bytes(header, rows))


def troubled_file(session: Session, file_id: int, protocol: Protocol) -> dict[str, Any]:
    """A file that was refused, or of which rows are held. Raises ContextError when it is not on record."""
    file = session.get(LabFileRow, file_id)
    if file is None:
        raise ContextError(f"laboratory file {file_id} is not on record")
    query = (
        select(LabResultVersionRow)
        .where(LabResultVersionRow.file_id == file_id, LabResultVersionRow.state == "held")
        .order_by(col(LabResultVersionRow.row_no))
        .limit(_MOST)
    )
    rows = [_row(row, holding_reasons(row), protocol) for row in session.exec(query)]
    return {
        **_refusal(file),
        "id": file_id,
        "accepted": file.accepted,
        "held": file.held,
        "rows": rows,
        "more": file.held - len(rows),
    }


def _over(found: Sequence[Any]) -> int:
    """How many more there are than a mail lists."""
    return max(0, len(found) - _MOST)


def _refused(session: Session, numbers: list[int]) -> dict[str, Any]:
    files = refused_files(session, numbers)
    shown = [_refusal(file) for file in files[:_MOST]]
    return {"files": shown, "count": len(files), "more": _over(files)}


def _to_correct(session: Session, numbers: list[int], protocol: Protocol) -> dict[str, Any]:
    asked = asked_rows(session, numbers)
    names = {
        file.id: one_line(file.original_name)
        for number in {row.file_id for row, _ in asked}
        if (file := session.get(LabFileRow, number)) is not None
    }
    shown = [{"file": names[row.file_id], **_row(row, reasons, protocol)} for row, reasons in asked[:_MOST]]
    return {"to_correct": shown, "count": len(asked), "more": _over(asked)}


def _refusal(file: LabFileRow) -> dict[str, Any]:
    reason = discreet_file_reason(from_json(file.reason)) if file.reason else None
    return {"name": one_line(file.original_name), "received_at": file.received_at, "reason": reason}


def _row(row: LabResultVersionRow, reasons: Sequence[Reason], protocol: Protocol) -> dict[str, Any]:
    return {
        **_place((row.subject, row.visit, row.timepoint), protocol),
        "tube": discreet_tube(row.specimen),
        "drawn_at": None,
        "reasons": [discreet_file_reason(one) for one in reasons],
    }


def _place(place: Place, protocol: Protocol) -> dict[str, str]:
    subject, visit, point = discreet_place(place, protocol)
    return {"who": subject, "where": visit, "point": point}


def _line(line: Line, protocol: Protocol) -> dict[str, Any]:
    return {
        **_place(line.place, protocol),
        "tube": discreet_tube(line.tube) if line.tube else "-",
        "drawn_at": line.drawn_at,
        "reasons": list(line.reasons),
    }


def _lines(session: Session, row: OutboxRow) -> list[Line]:
    """The list of the week, without what stood in a file."""
    first, until = (datetime.fromisoformat(row.facts[name]) for name in ("first", "until"))
    found = load_tally(session, row.site_id, row.facts["lab"], first, until)
    return [replace(one, reasons=tuple(map(discreet_file_reason, one.reasons))) for one in found]


def _week(lines: list[Line], row: OutboxRow, protocol: Protocol) -> dict[str, Any]:
    by_state = {state: [one for one in lines if one.state is state] for state in LineState}
    first, until = (datetime.fromisoformat(row.facts[name]) for name in ("first", "until"))
    to_correct = [one for one in by_state[LineState.HELD] if answered_by_lab(one.reasons)]
    return {
        "first": first,
        "last": until - timedelta(hours=12),  # the last day of the period, in any zone
        "received": len(by_state[LineState.RECEIVED]),
        "open": len(by_state[LineState.MISSING]) + len(to_correct),
        "groups": {
            state.value: [_line(one, protocol) for one in by_state[state][:_MOST]]
            for state in _TOLD_ONE_BY_ONE
        },
        "more": sum(_over(by_state[state]) for state in _TOLD_ONE_BY_ONE),
    }
