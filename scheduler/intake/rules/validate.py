"""The verdict on a file: each row by itself, among the others, and among what is on record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime

from scheduler.domain.reason import Reason, because
from scheduler.domain.results import ResultStatus, laboratory_order
from scheduler.domain.subject_code import is_well_formed
from scheduler.intake.findings import FileVerdict, Finding, RowVerdict, Severity, State, Verdict, rule_of
from scheduler.intake.layout.codes import NO_RESULT
from scheduler.intake.layout.columns import COLUMNS, normalised
from scheduler.intake.readers import Candidate, Fault, Reading
from scheduler.intake.rules.place import VISIT_UNNAMED, Placement, derived, visit_of_day
from scheduler.intake.rules.together import with_visits
from scheduler.intake.rules.understand import understand
from scheduler.intake.study import Context
from scheduler.store.lab.values import Entry, Key

__all__ = ["quarantined", "validate"]

_NOT_UNDERSTOOD = frozenset({"R-10", "R-11", "R-15", "R-16"})
_FAR = datetime.max.replace(tzinfo=UTC)
_MANY_SUBJECTS = 4
_SUSPICIOUS_SHARE = 0.3


def validate(reading: Reading | Fault, context: Context) -> FileVerdict:
    """What becomes of the file and of each of its rows. Pure; the order of the rows does not matter."""
    if isinstance(reading, Fault):
        if reading.is_foreign:
            return FileVerdict(Verdict.IGNORED, reading.reason, (), reading.notes)
        return quarantined(reading.reason, reading.notes)
    as_a_whole = _other_study(reading, context) or _shifted(reading, context)
    if as_a_whole is not None:
        return as_a_whole
    alone = [_alone(candidate, reading, context) for candidate in reading.candidates]
    rows = [_on_its_day(row, context) for row in alone]
    unknown = _unknown_subjects(rows, context)
    if unknown is not None:
        return quarantined(unknown, reading.notes)
    placement = Placement(context)
    placed = _placed(_among_each_other(rows, placement), placement)
    return _file(with_visits(placed, context.study.protocol), reading.notes)


def quarantined(reason: Reason, notes: tuple[Reason, ...] = ()) -> FileVerdict:
    return FileVerdict(Verdict.QUARANTINED, reason, (), notes)


def _alone(candidate: Candidate, reading: Reading, context: Context) -> RowVerdict:
    entry, row = understand(candidate, reading, context.study, context.now)
    return RowVerdict(row.no, entry, tuple(row.findings))


def _on_its_day(row: RowVerdict, context: Context) -> RowVerdict:
    """The row; one that names no visit with the visit that its day tells, as far as the records tell it."""
    unnamed = [one for one in row.findings if one.reason.code == VISIT_UNNAMED]
    if not unnamed or context.records is None:
        return row
    entry = row.entry
    visit = visit_of_day(context.study, context.records.subjects.get(entry.subject), entry)
    if visit is None:
        return row
    findings = tuple(one for one in row.findings if one not in unnamed)
    return RowVerdict(row.row, replace(entry, visit=visit), (*findings, derived(row.row, visit)))


def _file(rows: tuple[RowVerdict, ...], notes: tuple[Reason, ...]) -> FileVerdict:
    states = {row.state for row in rows}
    if State.HELD in states:
        return FileVerdict(Verdict.HELD, None, rows, notes)
    if State.ACCEPTED in states:
        return FileVerdict(Verdict.ACCEPTED, None, rows, notes)
    other = all(row.decisive is not None and row.decisive.rule == "R-06" for row in rows)
    return FileVerdict(Verdict.IGNORED, because("F-17.analyte") if other else None, rows, notes)


# --- the file as a whole


def _other_study(reading: Reading, context: Context) -> FileVerdict | None:
    ours = normalised(context.study.protocol.study_id)
    others = [one.row for one in reading.candidates if normalised(one.text("study_id")) != ours]
    if not others:
        return None
    expected = context.study.protocol.study_id
    if len(others) == len(reading.candidates):
        return FileVerdict(Verdict.IGNORED, because("F-17", expected=expected), (), reading.notes)
    return quarantined(because("F-17.mixed", row=others[0], expected=expected), reading.notes)


def _shifted(reading: Reading, context: Context) -> FileVerdict | None:
    """No subject code where they belong, but some in another column."""
    protocol = context.study.protocol
    if any(is_well_formed(protocol, one.text("subject_id")) is None for one in reading.candidates):
        return None
    for column in COLUMNS:
        if column in ("subject_id", "comment"):
            continue
        if any(is_well_formed(protocol, one.text(column)) is None for one in reading.candidates):
            reason = because(
                "F-19.shifted", column=reading.header(column), expected=reading.header("subject_id")
            )
            return quarantined(reason, reading.notes)
    return None


def _unknown_subjects(rows: list[RowVerdict], context: Context) -> Reason | None:
    """Too many unknown subjects for a slip of the pen; few subjects prove nothing."""
    if context.records is None:
        return None
    named = {row.entry.subject for row in rows if row.entry.subject}
    unknown = named - set(context.records.subjects)
    if len(named) < _MANY_SUBJECTS or len(unknown) <= _SUSPICIOUS_SHARE * len(named):
        return None
    return because("F-19", unknown=len(unknown), subjects=len(named))


# --- the rows among each other


def _among_each_other(rows: list[RowVerdict], placement: Placement) -> list[RowVerdict]:
    """The rows with what contradicts between them held on both sides, for neither is the better one."""
    against: dict[int, list[Reason]] = defaultdict(list)
    live = [row for row in rows if row.state is not State.IGNORED and row.entry.specimen]
    for group in _grouped(live, lambda entry: entry.key):
        if len({row.entry.place for row in group}) > 1:
            for row in group:
                against[row.row].append(because("S-06", row=row.row, specimen=row.entry.specimen))
        elif placement.finals_differ(row.entry for row in group if _counts(row)):
            for row in group:
                if row.entry.status is ResultStatus.FINAL:
                    against[row.row].append(because("R-43.file", row=row.row, specimen=row.entry.specimen))
    for group in _grouped(live, lambda entry: entry.place):
        standing = _standing_specimens(group)
        if len(standing) > 1 and all(group[0].entry.place):
            for row in group:
                if row.entry.key in standing:
                    timepoint = row.entry.timepoint
                    against[row.row].append(because("S-01.file", row=row.row, timepoint=timepoint))
    return [_with(row, [Finding(Severity.HOLD, reason) for reason in against[row.row]]) for row in rows]


def _grouped(
    rows: Iterable[RowVerdict], by: Callable[[Entry], tuple[str, str, str]]
) -> Iterable[list[RowVerdict]]:
    groups: dict[tuple[str, str, str], list[RowVerdict]] = defaultdict(list)
    for row in rows:
        groups[by(row.entry)].append(row)
    return groups.values()


def _counts(row: RowVerdict) -> bool:
    """Whether a row may stand against another: a correction that is held corrects nothing yet."""
    return row.state is State.ACCEPTED or row.entry.status is ResultStatus.FINAL


def _standing_specimens(group: list[RowVerdict]) -> set[Key]:
    """The specimens whose last word in the file is a result."""
    last: dict[Key, RowVerdict] = {}
    for row in sorted(group, key=_chronological):
        if row.entry.status is not None:
            last[row.entry.key] = row
    return {key for key, row in last.items() if row.entry.status not in NO_RESULT}


def _placed(rows: list[RowVerdict], placement: Placement) -> tuple[RowVerdict, ...]:
    """The rows in the order of the laboratory's own times, each among those before it."""
    done = [
        row if row.state is State.IGNORED else _placed_row(row, placement)
        for row in sorted(rows, key=_chronological)
    ]
    return tuple(sorted(done, key=lambda row: row.row))


def _placed_row(row: RowVerdict, placement: Placement) -> RowVerdict:
    entry = row.entry
    if entry.subject and entry.specimen and entry.reported_at is not None and not _miscoded(row):
        row = _with(row, [one for one in placement.place(row.row, entry) if not _is_idle(one, row)])
    if row.state is State.ACCEPTED:
        placement.accept(entry)
    return row


def _is_idle(finding: Finding, row: RowVerdict) -> bool:
    """Whether nothing is said by telling that a result changed: what it is now was not understood."""
    if finding.reason.code != "R-43" or row.state is not State.HELD:
        return False
    return row.entry.collected_at is None or any(
        rule_of(one.reason) in _NOT_UNDERSTOOD for one in row.findings
    )


def _miscoded(row: RowVerdict) -> bool:
    return any(rule_of(finding.reason) == "R-02" for finding in row.findings)


def _chronological(row: RowVerdict) -> tuple[datetime, int, str]:
    status, reported_at = row.entry.status, row.entry.reported_at or _FAR
    rank = laboratory_order(status, reported_at)[-1] if status is not None else len(ResultStatus)
    return reported_at, rank, row.entry.content_hash


def _with(row: RowVerdict, findings: list[Finding]) -> RowVerdict:
    return RowVerdict(row.row, row.entry, (*row.findings, *findings)) if findings else row
