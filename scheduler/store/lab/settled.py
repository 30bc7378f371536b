"""What became of the held rows of a file since its receipt was first written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session, col, select

from scheduler.store.tables import LabResultVersionRow, LabReviewRow

__all__ = ["Became", "Settlement", "decided_rows", "settlements"]


class Became(StrEnum):
    """What a held row can become that it was not when it came."""

    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a held row was settled: `accepted_as` is its place (visit, sampling point), None when it is not used.

    `moved` when a person assigned it to another place than the one it was sent for.
    """

    accepted_as: tuple[str, str] | None
    moved: bool = False


def decided_rows(session: Session) -> frozenset[int]:
    """The held rows that a person decided."""
    return frozenset(session.exec(select(LabReviewRow.version_id)))


def settlements(session: Session, file_id: int) -> dict[int, Settlement]:
    """The settled rows of a file by their numbers: accepted since, or decided by a person."""
    rows = session.exec(
        select(LabResultVersionRow)
        .where(LabResultVersionRow.file_id == file_id)
        .order_by(col(LabResultVersionRow.id))
    ).all()
    held = {row.row_no: row for row in rows if row.state == "held"}
    accepted = {row.row_no: row for row in rows if row.state == "accepted" and row.row_no in held}
    reviewed = session.exec(
        select(LabReviewRow).where(col(LabReviewRow.version_id).in_([row.id for row in held.values()]))
    )
    decided = {one.version_id for one in reviewed}
    found = {}
    for number, row in held.items():
        now = accepted.get(number)
        if now is not None:
            place = (now.visit, now.timepoint)
            found[number] = Settlement(place, row.id in decided and place != (row.visit, row.timepoint))
        elif row.id in decided:
            found[number] = Settlement(None)
    return found
