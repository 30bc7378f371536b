"""The SQL about held rows: which still wait, what they put in question, what was decided, whose receipt is stale."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, exists, literal_column, or_, union, update
from sqlalchemy import select as core_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from scheduler.domain.results import Question, ResultStatus
from scheduler.store.lab.values import Entry
from scheduler.store.tables import LabFileRow, LabProposalRow, LabResultRow, LabResultVersionRow, LabReviewRow

__all__ = [
    "IS_ACCEPTED",
    "any_held",
    "decided_of",
    "files_with_stale_receipt",
    "held_rows",
    "mark_receipt_due",
    "mark_receipt_written",
    "mark_said_again",
    "open_questions",
    "proposed_of",
    "still_waits",
    "subjects_spoken_of",
    "undecided_rows",
]

# Literals: compared with a parameter, a column of partial indexes has SQLite plan anew at every execution. Held rows
# are asked for word for word as in their indexes, or these would not be used.
_ACCEPTED: ColumnElement[str] = literal_column("'accepted'")
IS_ACCEPTED = col(LabResultVersionRow.state) == _ACCEPTED
_IS_HELD = col(LabResultVersionRow.state) == literal_column("'held'")
_LATER = aliased(LabResultVersionRow)
_DECIDED = or_(  # by a person, or as soon as the records no longer spoke against the row
    exists().where(col(LabReviewRow.version_id) == col(LabResultVersionRow.id)),
    exists().where(
        col(_LATER.file_id) == col(LabResultVersionRow.file_id),
        col(_LATER.row_no) == col(LabResultVersionRow.row_no),
        col(_LATER.state) == _ACCEPTED,
    ),
)
_SAME_OR_LATER = and_(
    col(_LATER.state) == _ACCEPTED,
    col(_LATER.id) > col(LabResultVersionRow.id),
    or_(
        col(_LATER.content_hash) == col(LabResultVersionRow.content_hash),
        col(LabResultVersionRow.reported_at).is_(None),
        col(_LATER.reported_at) >= col(LabResultVersionRow.reported_at),
    ),
)
_SAID_AGAIN = or_(
    exists().where(
        col(_LATER.lab) == col(LabResultVersionRow.lab),
        col(_LATER.specimen) == col(LabResultVersionRow.specimen),
        _SAME_OR_LATER,
    ),
    exists().where(  # the row named no specimen, or no laboratory that is known
        col(_LATER.subject) == col(LabResultVersionRow.subject),
        col(_LATER.visit) == col(LabResultVersionRow.visit),
        col(_LATER.timepoint) == col(LabResultVersionRow.timepoint),
        col(LabResultVersionRow.specimen).in_(("", col(_LATER.specimen))),
        _SAME_OR_LATER,
    ),
)
_WAITS = and_(_IS_HELD, ~_DECIDED, ~_SAID_AGAIN)
"""The condition of a held row that still waits."""

_HELD = core_select(LabResultVersionRow).where(_WAITS)
_HELD_SINCE = _HELD.where(col(LabResultVersionRow.recorded_at) >= bindparam("since"))
_ANY_HELD = core_select(core_select(col(LabResultVersionRow.id)).where(_IS_HELD).exists())
_FILE = LabFileRow.__table__
_SPEAKS = or_(  # a preliminary row never replaces anything
    col(LabResultVersionRow.status).is_(None),
    col(LabResultVersionRow.status) != ResultStatus.PRELIMINARY.value,
)
_OF_THE_ROW = (col(LabResultVersionRow.id), col(LabResultVersionRow.recorded_at))
_QUESTIONS = union(
    core_select(
        col(LabResultVersionRow.visit), col(LabResultVersionRow.timepoint), *_OF_THE_ROW
    ).where(col(LabResultVersionRow.subject) == bindparam("subject"), _SPEAKS, _WAITS),
    core_select(col(LabResultRow.visit), col(LabResultRow.timepoint), *_OF_THE_ROW)
    .join(
        LabResultVersionRow,
        (col(LabResultVersionRow.specimen) == col(LabResultRow.specimen))
        & (col(LabResultVersionRow.lab) == col(LabResultRow.lab)),
    )
    .where(col(LabResultRow.subject) == bindparam("subject"), _SPEAKS, _WAITS),
)  # fmt: skip
_OWNERS = core_select(col(LabResultRow.subject)).where(
    col(LabResultRow.specimen).in_(bindparam("specimens", expanding=True))
)
_UNDECIDED = core_select(LabResultVersionRow).where(
    _IS_HELD, ~_DECIDED, col(LabResultVersionRow.recorded_at) >= bindparam("since")
)
_STILL_WAITS = core_select(col(LabResultVersionRow.id)).where(
    col(LabResultVersionRow.id) == bindparam("number"), _WAITS
)
_MARK_SAID_AGAIN = (
    update(_FILE)
    .where(
        _FILE.c.id.in_(
            core_select(col(LabResultVersionRow.file_id)).where(
                _IS_HELD, col(LabResultVersionRow.specimen).in_(bindparam("specimens", expanding=True))
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
_STALE = core_select(LabFileRow).where(literal_column("receipt_due")).order_by(_FILE.c.id)  # as in its index


def held_rows(session: Session, since: datetime | None = None) -> Sequence[LabResultVersionRow]:
    """The held rows that nothing has settled: no person, no records, and nothing accepted since, be it the same content
    or the laboratory's same or later word on the specimen."""
    query = _HELD if since is None else _HELD_SINCE
    rows = session.execute(query, {"since": since}).scalars()
    # asked to sort by the number, SQLite would go through every row there is
    return sorted(rows, key=lambda row: row.id or 0)


def any_held(session: Session) -> bool:
    """Whether a row was ever held: a cheap question before the dear one."""
    return bool(session.connection().execute(_ANY_HELD).scalar())


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
    session.connection().execute(_MARK_SAID_AGAIN, {"specimens": sorted(specimens)})


def mark_receipt_written(session: Session, file_id: int) -> None:
    session.connection().execute(_RECEIPT, {"these": [file_id], "due": False})


def files_with_stale_receipt(session: Session) -> Sequence[LabFileRow]:
    """The files of which a row was settled since their receipt was written, oldest first."""
    return session.execute(_STALE).scalars().all()
