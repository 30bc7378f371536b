"""What a person decides of a held row. No value is ever changed: a row is stored as it stands, or it is not used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from scheduler.domain.facts import Source
from scheduler.domain.reason import Param, Reason, because
from scheduler.intake.findings import Finding, Severity
from scheduler.intake.held.recheck import close_settled_flags
from scheduler.intake.held.waiting import lacks
from scheduler.intake.layout.codes import timepoint_of
from scheduler.intake.receipts import findings_json
from scheduler.intake.rules.place import Placement
from scheduler.intake.study import Context, IntakeStudy
from scheduler.store import audit
from scheduler.store.lab.held import (
    decided_of,
    mark_receipt_due,
    proposed_of,
    still_waits,
    subjects_spoken_of,
)
from scheduler.store.lab.records import load_records
from scheduler.store.lab.results import entry_of
from scheduler.store.lab.values import Entry
from scheduler.store.lab.writing import NewRow, add_rows
from scheduler.store.subjects import wake
from scheduler.store.tables import LabProposalRow, LabResultVersionRow, LabReviewRow

__all__ = ["Decision", "Reviewed", "UndecidableError", "review"]

# What the records may say against a row that a decision cannot overrule: it would stand for something else.
_BINDING = frozenset({"R-42", "R-47", "R-47.place", "S-01", "S-06.known"})


class Decision(StrEnum):
    ACCEPT = "accept"
    REJECT = "reject"
    REASSIGN = "reassign"


class UndecidableError(ValueError):
    """The row cannot be decided so; nothing was recorded."""

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = list(reasons)
        super().__init__(", ".join(reason.code for reason in reasons))


@dataclass(frozen=True, slots=True)
class _Act:
    """Who decides, when, by which door, and why."""

    by: str
    now: datetime
    source: Source
    reason: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What was decided of a row; `version` is the number under which it was accepted. `proposed` when another person
    has yet to confirm it."""

    row: int
    decision: Decision
    timepoint: str
    version: int | None
    proposed: bool = False


def review(
    session: Session,
    study: IntakeStudy,
    number: int,
    decision: Decision,
    reason: str,
    by: str,
    now: datetime,
    timepoint: str = "",
    *,
    by_two: bool = False,
    source: Source = Source.CLI,
) -> Reviewed:
    """Records a decision and what follows from it. Raises UndecidableError with what to do instead.

    `timepoint` is the sampling point of the same visit to which a reassigned row belongs. `by_two`: that a row is used
    is proposed first and done when another person decides the same; that it is not used needs one person. `source` is
    the door by which the decision came in.
    """
    row = _open_row(session, number)
    if not reason.strip():
        raise UndecidableError(because("refused_text_needed"))
    act = _Act(by, now, source, reason)
    said = entry = entry_of(row)
    version = None
    if decision is not Decision.REJECT:
        if decision is Decision.REASSIGN:
            entry = replace(entry, timepoint=_point(study, row, timepoint))
        entry, findings = _acceptable(session, study, row, entry, now)
        if by_two and not _confirmed(session, number, decision, entry.timepoint, by):
            _propose(session, number, decision, entry.timepoint, act)
            return Reviewed(number, decision, entry.timepoint, None, proposed=True)
        told = _told(row, decision, said, entry)
        kept = [*row.findings, *findings_json((*findings, told))]
        accepted = NewRow(row.file_id, row.row_no, entry, kept, accepted=True)
        (version,) = add_rows(session, [accepted], now)
    _record(session, row, decision, said, entry, version, act)
    for subject in sorted(subjects_spoken_of(session, [entry])):
        wake(session, subject, now)
    mark_receipt_due(session, [row.file_id])
    close_settled_flags(session, now)
    return Reviewed(number, decision, entry.timepoint, version)


def _open_row(session: Session, number: int) -> LabResultVersionRow:
    """The held row with this number, as long as it waits."""
    row = session.get(LabResultVersionRow, number)
    if row is None:
        raise UndecidableError(because("refused_row_unknown", number=number))
    if row.state != "held":
        raise UndecidableError(because("refused_row_accepted", number=number))
    decided = decided_of(session, [number]).get(number)
    if decided is not None:
        what = because(f"decision_{decided.decision}", timepoint=decided.after["timepoint"])
        raise UndecidableError(
            because("refused_row_decided", number=number, at=decided.at, by=decided.by, decision=what)
        )
    if not still_waits(session, number):
        raise UndecidableError(because("refused_row_settled", number=number))
    return row


def _point(study: IntakeStudy, row: LabResultVersionRow, text: str) -> str:
    """The sampling point that a text names, other than the row's own."""
    point = study.protocol.point(timepoint_of(text, {}) or text)
    if point is None:
        known = ", ".join(one.id for one in study.protocol.points)
        raise UndecidableError(because("refused_point_unknown", point=text, known=known))
    if point.id == row.timepoint:
        raise UndecidableError(because("refused_row_point", number=row.id or 0, point=point.id))
    return point.id


def _acceptable(
    session: Session, study: IntakeStudy, row: LabResultVersionRow, entry: Entry, now: datetime
) -> tuple[Entry, tuple[Finding, ...]]:
    """The entry with its visit as the protocol calls it, and what is to be known of it among the records.

    Raises UndecidableError when it lacks something, or would stand for something else than it says.
    """
    records = load_records(session, [entry.subject], [entry.specimen])
    missing = tuple(lacks(entry, study, entry.subject in records.subjects))
    if missing:
        raise UndecidableError(because("refused_row_lacks", number=row.id or 0, what=missing))
    encounter = study.encounter(study.labs.get(entry.lab), entry.visit)
    assert encounter is not None
    entry = replace(entry, visit=encounter.id)
    found = Placement(Context(study, now, records)).place(row.row_no, entry)
    against = next((one.reason for one in found if one.reason.code in _BINDING), None)
    if against is not None:
        raise UndecidableError(because("refused_row_against", number=row.id or 0, why=against))
    return entry, tuple(one for one in found if one.severity is Severity.INFO)


def _confirmed(session: Session, number: int, decision: Decision, timepoint: str, by: str) -> bool:
    """Whether another person proposed the same. Raises UndecidableError when it was not another, or not the same."""
    before = proposed_of(session, [number]).get(number)
    if before is None:
        return False
    what = because(f"decision_{before.decision}", timepoint=before.timepoint)
    said: dict[str, Param] = {"number": number, "at": before.at, "by": before.by, "decision": what}
    if before.by.strip().casefold() == by.strip().casefold():
        raise UndecidableError(because("refused_row_same_person", **said))
    if (before.decision, before.timepoint) != (decision.value, timepoint):
        raise UndecidableError(because("refused_row_other_proposal", **said))
    return True


def _propose(session: Session, number: int, decision: Decision, timepoint: str, act: _Act) -> None:
    """What a first person would do, in its table and in the chain."""
    detail = {"decision": decision.value, "timepoint": timepoint}
    seq = _in_the_chain(session, "lab_row_proposed", number, detail, act)
    session.add(
        LabProposalRow(
            version_id=number,
            decision=decision.value,
            timepoint=timepoint,
            by=act.by,
            at=act.now,
            audit_seq=seq,
        )
    )


def _told(row: LabResultVersionRow, decision: Decision, said: Entry, entry: Entry) -> Finding:
    if decision is Decision.ACCEPT:
        return Finding(Severity.INFO, because("review.accepted", row=row.row_no))
    before = said.timepoint or "–"
    reason = because("review.reassigned", row=row.row_no, timepoint=entry.timepoint, before=before)
    return Finding(Severity.INFO, reason)


def _record(
    session: Session,
    row: LabResultVersionRow,
    decision: Decision,
    said: Entry,
    entry: Entry,
    version: int | None,
    act: _Act,
) -> None:
    """The decision in its table and in the chain; its free text beside the chain."""
    assert row.id is not None
    before = _standing("held", said)
    after = _standing("accepted" if version is not None else "rejected", entry)
    detail = {
        "decision": decision.value, "file": row.file_id, "row": row.row_no, "before": before, "after": after,
        "version": version,
    }  # fmt: skip
    changes = {name: (before[name], after[name]) for name in after if before[name] != after[name]}
    seq = _in_the_chain(session, "lab_row_reviewed", row.id, detail, act, changes)
    session.add(
        LabReviewRow(
            version_id=row.id, decision=decision.value, by=act.by, at=act.now, audit_seq=seq, before=before,
            after=after, accepted_as=version,
        )
    )  # fmt: skip
    session.flush()


def _in_the_chain(
    session: Session,
    action: str,
    number: int,
    detail: dict[str, Any],
    act: _Act,
    changes: audit.Changed | None = None,
) -> int:
    """The number of the audit row; its free text stands beside the chain."""
    about = ("lab_result_version", str(number), detail)
    who: dict[str, Any] = {"actor": act.by, "source": act.source, "reason": act.reason}
    seq = audit.append(session, act.now, action, *about, **who, changes=changes)
    session.flush()
    return seq


def _standing(state: str, entry: Entry) -> dict[str, str]:
    return {"state": state, "visit": entry.visit, "timepoint": entry.timepoint}
