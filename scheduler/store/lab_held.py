"""The SQL about held rows: what they put in question, what persons decided of them, whose receipt is out of date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal_column, or_, union, update
from sqlalchemy import select as core_select
from sqlmodel import Session, col, select

from scheduler.domain.results import Question, ResultStatus
from scheduler.store.lab import DECIDED, IS_HELD, WAITS
from scheduler.store.lab_values import Entry
from scheduler.store.tables import LabFileRow, LabProposalRow, LabResultRow, LabResultVersionRow, LabReviewRow

__all__ = [
    "decided_of",
    "files_with_stale_receipt",
    "mark_receipt_due",
    "mark_receipt_written",
    "mark_said_again",
    "open_questions",
    "proposed_of",
    "still_waits",
    "subjects_spoken_of",
    "undecided_rows",
]

_FILE = LabFileRow.__table__
_SPEAKS = or_(  # a preliminary row never replaces anything
    col(LabResultVersionRow.status).is_(None),
    col(LabResultVersionRow.status) != ResultStatus.PRELIMINARY.value,
)
_OF_THE_ROW = (col(LabResultVersionRow.id), col(LabResultVersionRow.recorded_at))
_QUESTIONS = union(
    core_select(
        col(LabResultVersionRow.visit), col(LabResultVersionRow.timepoint), *_OF_THE_ROW
    ).where(col(LabResultVersionRow.subject) == bindparam("subject"), _SPEAKS, WAITS),
    core_select(col(LabResultRow.visit), col(LabResultRow.timepoint), *_OF_THE_ROW)
    .join(
        LabResultVersionRow,
        (col(LabResultVersionRow.specimen) == col(LabResultRow.specimen))
        & (col(LabResultVersionRow.lab) == col(LabResultRow.lab)),
    )
    .where(col(LabResultRow.subject) == bindparam("subject"), _SPEAKS, WAITS),
)  # fmt: skip
_OWNERS = core_select(col(LabResultRow.subject)).where(
    col(LabResultRow.specimen).in_(bindparam("specimens", expanding=True))
)
_UNDECIDED = core_select(LabResultVersionRow).where(
    IS_HELD, ~DECIDED, col(LabResultVersionRow.recorded_at) >= bindparam("since")
)
_STILL_WAITS = core_select(col(LabResultVersionRow.id)).where(
    col(LabResultVersionRow.id) == bindparam("number"), WAITS
)
_SAID_AGAIN = (
    update(_FILE)
    .where(
        _FILE.c.id.in_(
            core_select(col(LabResultVersionRow.file_id)).where(
                IS_HELD, col(LabResultVersionRow.specimen).in_(bindparam("specimens", expanding=True))
            )
        )
    )
    .values(receipt_due=True)
)
_RECEIPT = (
    update(_FILE)
    .where(_FILE.c.id.in_(bindparam("these", expanding=True)))
    .values(receipt_due=bindparam("due"))
)
# Word for word as in its index, as above.
_STALE = core_select(LabFileRow).where(literal_column("receipt_due")).order_by(_FILE.c.id)


def open_questions(session: Session, subject: str) -> tuple[Question, ...]:
    """The held rows that speak about a sampling point or a specimen of the subject, the oldest first."""
    rows = session.connection().execute(_QUESTIONS, {"subject": subject}).all()
    questions = (Question(visit, point, number or 0, since) for visit, point, number, since in rows)
    return tuple(sorted(questions, key=lambda one: (one.row, one.timepoint)))


def undecided_rows(session: Session, since: datetime) -> list[LabResultVersionRow]:
    """The held rows received since, that may yet be accepted: also those of which the laboratory has said more."""
    rows = session.execute(_UNDECIDED, {"since": since}).scalars()
    return sorted(rows, key=lambda row: row.id or 0)


def still_waits(session: Session, number: int) -> bool:
    """Whether the row with this number is held and nothing has settled it."""
    return session.connection().execute(_STILL_WAITS, {"number": number}).first() is not None


def subjects_spoken_of(session: Session, entries: Collection[Entry]) -> set[str]:
    """The subjects that held entries name, and those whose specimens they name."""
    specimens = sorted({one.specimen for one in entries} - {""})
    owners = session.connection().execute(_OWNERS, {"specimens": specimens}).scalars() if specimens else ()
    return {one.subject for one in entries if one.subject} | set(owners)


def decided_of(session: Session, rows: Collection[int]) -> dict[int, LabReviewRow]:
    """What persons decided of these held rows, by their numbers."""
    found = session.exec(select(LabReviewRow).where(col(LabReviewRow.version_id).in_(rows)))
    return {one.version_id: one for one in found}


def proposed_of(session: Session, rows: Collection[int]) -> dict[int, LabProposalRow]:
    """What a first person proposed for these held rows, by their numbers."""
    found = session.exec(select(LabProposalRow).where(col(LabProposalRow.version_id).in_(rows)))
    return {one.version_id: one for one in found}


def mark_receipt_due(session: Session, files: Collection[int]) -> None:
    """A row of these files was settled: what their receipts say of it no longer holds."""
    if files:
        session.connection().execute(_RECEIPT, {"these": sorted(files), "due": True})


def mark_said_again(session: Session, specimens: Collection[str]) -> None:
    """Accepted rows speak of these specimens: what receipts say of held rows about them may no longer hold."""
    session.connection().execute(_SAID_AGAIN, {"specimens": sorted(specimens)})


def mark_receipt_written(session: Session, file_id: int) -> None:
    session.connection().execute(_RECEIPT, {"these": [file_id], "due": False})


def files_with_stale_receipt(session: Session) -> Sequence[LabFileRow]:
    """The files of which a row was settled since their receipt was written, oldest first."""
    return session.execute(_STALE).scalars().all()
