"""What is asked for every file and every subject is answered by an index, however much there is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from notifications.outbox.ledger import look_ahead
from scheduler.store.database import Database
from scheduler.store.lab import files, held, records
from scheduler.store.lab.writing import add_rows
from scheduler.store.recorded import draws_of_tube, load_recorded
from scheduler.store.subjects import due_subjects, load_history, next_wake

NOW = datetime.fromisoformat("2026-01-05T08:00:00+00:00")
QUESTIONS: dict[str, Callable[[Session], Any]] = {
    "history": lambda session: load_history(session, "a"),
    "recorded": lambda session: load_recorded(session, "a"),
    "due": lambda session: due_subjects(session, NOW, 50),
    "next": next_wake,
    "tube": lambda session: draws_of_tube(session, "t"),
    "file": lambda session: files.file_by_hash(session, "0"),
    "unfinished": files.unfinished_files,
    "quarantined": lambda session: files.quarantine_flag_keys(session, "n", "s"),
    "held since": lambda session: held.held_rows(session, NOW),
    "held": held.held_rows,
    "undecided": lambda session: held.undecided_rows(session, NOW),
    "questions": lambda session: held.open_questions(session, "a"),
    "decided": lambda session: held.decided_of(session, [1, 2]),
    "proposed": lambda session: held.proposed_of(session, [1, 2]),
    "stale receipts": held.files_with_stale_receipt,
    "any held": held.any_held,
    "settled": files.settled_flag_keys,
    "records": lambda session: records.load_records(session, ["a", "b"], ["s", "t"]),
    "what comes first in the outbox": look_ahead,
    "nothing to add": lambda session: add_rows(session, [], NOW),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_goes_through_a_whole_table(sqlite_db: Database, question: str) -> None:
    asked: list[tuple[str, Any]] = []

    @event.listens_for(sqlite_db.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, values))

    sqlite_db.transact(QUESTIONS[question])
    event.remove(sqlite_db.engine, "before_cursor_execute", note)

    def scans(session: Session) -> list[str]:
        return [
            row[3]
            for statement, values in asked
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            if row[3].startswith("SCAN") and "INDEX" not in row[3] and "(subquery" not in row[3]
        ]

    assert [line for line in sqlite_db.transact(scans) if line != "SCAN CONSTANT ROW"] == []
    assert asked or question == "nothing to add"
