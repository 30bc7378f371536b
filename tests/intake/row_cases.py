"""The verdict on rows of a CSV file, and what was found of one row."""

from __future__ import annotations

from intake_cases import context, csv_text

from scheduler.intake.findings import FileVerdict, RowVerdict
from scheduler.intake.readers import read
from scheduler.intake.rules.validate import validate
from scheduler.intake.study import Context


def verdict_of(*rows: dict[str, str], about: Context | None = None) -> FileVerdict:
    about = about or context()
    return validate(read(csv_text(rows).encode(), about.study.aliases), about)


def codes(row: RowVerdict) -> list[str]:
    return [finding.reason.code for finding in row.findings]
