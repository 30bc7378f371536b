"""A crowd of enrolled subjects: a few are enrolled by the engine, the others are copies of their rows under codes of
their own. What is measured afterwards reads and writes as with any other subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pysqlite3
from sqlmodel import Session

from scheduler.domain import keys
from scheduler.domain.facts import Attended, DoseGiven, Enrolled, Formulation, Regimen, Source, What
from scheduler.engine.recording import record
from scheduler.engine.recording.request import Who
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.cast import subject_code

__all__ = ["H30_AFTER_DOSE", "enrol", "enrol_crowd", "multiply"]

WHO = Who("benchmark", Source.CLI)
H30_AFTER_DOSE = timedelta(minutes=20)
"""When staff are reminded of the sample at 30 minutes."""
_TABLES = ("subject", "fact", "visit", "sampling", "flag", "reminder", "outbox")
_NUMBERED = frozenset({"fact", "flag", "outbox"})


def enrol(program: Program, code: str, baseline: datetime, facts: Sequence[What] = ()) -> None:
    """One subject by the engine, with what happened to it since."""
    day, now = baseline.date(), program.clock.now()
    what = Enrolled(day, day - timedelta(days=60), Regimen(Formulation.MMF, 1000, 12))

    def step(session: Session) -> None:
        record.enrol(
            session,
            program.study,
            code,
            "cochin",
            what,
            WHO,
            now,
            lambda *_: None,
        )
        for fact in facts:
            record.record(session, program.study, code, fact, WHO, now, program.handle)

    program.database.transact(step)


def enrol_crowd(program: Program, subjects: int, due: int, due_at: datetime) -> None:
    """So many subjects somewhere in their year, and `due` of them with a sample of which staff must be reminded at one
    and the same instant."""
    now, path = program.clock.now(), str(program.settings.database).removeprefix("sqlite:///")
    models = [subject_code(number) for number in range(10)]
    for number, code in enumerate(models):
        enrol(program, code, now - timedelta(days=30 * number))
    dose_at = due_at - H30_AFTER_DOSE
    with_dose = [
        Attended("M6", dose_at - timedelta(minutes=5)),
        DoseGiven("M6", dose_at, 1000, Formulation.MMF, 12),
    ]
    enrol(program, subject_code(10), due_at.astimezone(UTC) - timedelta(days=182), with_dose)
    program.database.close()
    codes = map(subject_code, range(11, subjects))
    multiply(path, subject_code(10), [next(codes) for _ in range(due - 1)], program.settings.mail.domain)
    rest = list(codes)
    for number, code in enumerate(models):
        multiply(path, code, rest[number :: len(models)], program.settings.mail.domain)


def multiply(path: str, model: str, codes: Sequence[str], domain: str) -> None:
    """Copies of everything on record about one subject."""
    with pysqlite3.connect(path) as connection:
        for table in _TABLES:
            column = "code" if table == "subject" else "subject"
            found = connection.execute(f"SELECT * FROM {table} WHERE {column} = ?", (model,))
            names = [one[0] for one in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found]
            if rows:
                marks = ", ".join(f":{name}" for name in names)
                connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
                    _copies(table, rows, model, codes, domain),
                )
    connection.close()


def _copies(
    table: str, rows: Sequence[dict[str, Any]], model: str, codes: Sequence[str], domain: str
) -> Iterator[dict[str, Any]]:
    for code in codes:
        for row in rows:
            copy = {
                name: one.replace(model, code) if isinstance(one, str) else one for name, one in row.items()
            }
            if table in _NUMBERED:
                copy["id"] = None
            if table == "outbox":
                copy["message_id"] = keys.message_id(copy["key"], domain)
            yield copy
