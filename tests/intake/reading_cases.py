"""What the readers and rules make of a message, in the usual study."""

from __future__ import annotations

from functools import cache
from typing import Any

from intake_cases import a_study, context, known

from scheduler.intake.findings import FileVerdict
from scheduler.intake.readers import Candidate, Fault, Reading, read
from scheduler.intake.rules.validate import validate
from scheduler.intake.study import IntakeStudy


@cache
def usual_study() -> IntakeStudy:
    return a_study()


def read_message(content: bytes, study: IntakeStudy | None = None) -> Reading | Fault:
    return read(content, {}, (study or usual_study()).setting)


def reading_of(content: bytes, study: IntakeStudy | None = None) -> Reading:
    found = read_message(content, study)
    assert isinstance(found, Reading), found
    return found


def fault_of(content: bytes, study: IntakeStudy | None = None) -> Fault:
    found = read_message(content, study)
    assert isinstance(found, Fault), found
    return found


def verdict_of(content: bytes, study: IntakeStudy | None = None, **visit: Any) -> FileVerdict:
    """The verdict on a file; `visit` changes what is on record of the visit."""
    study = study or usual_study()
    return validate(read_message(content, study), context(known(**visit), study))


def only(content: bytes, study: IntakeStudy | None = None) -> Candidate:
    """The one row of a file."""
    (one,) = reading_of(content, study).candidates
    return one


def codes(content: bytes, study: IntakeStudy | None = None) -> list[str]:
    """What is found of the one row of a file."""
    (row,) = verdict_of(content, study).rows
    return [one.reason.code for one in row.findings]


def seen(verdict: FileVerdict) -> list[tuple[Any, ...]]:
    """What was understood, without places in the file."""
    return [(row.entry, row.state, sorted(f.reason.code for f in row.findings)) for row in verdict.rows]
