"""Files whose rows are held, and what a person does with them."""

from __future__ import annotations

from datetime import UTC, datetime

from intake_cases import Bench, csv_bytes
from sqlmodel import Session

from scheduler.intake.arrival import Arrival
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.held.review import Decision, Reviewed, review
from scheduler.intake.held.waiting import HeldRow, waiting_rows
from scheduler.intake.ingest import ingest

Row = dict[str, str]


NOW = datetime(2026, 1, 16, 8, 0, tzinfo=UTC)


WHY = "asked Mrs X by telephone"


def receive(bench: Bench, *rows: Row, now: datetime = NOW) -> None:
    """A file of these rows, and the automatic re-check after it."""
    arrival = Arrival.of("results.csv", csv_bytes(rows))

    def step(session: Session) -> None:
        ingest(session, arrival, bench.study, now, bench.handle)
        recheck_held(session, bench.study, now)

    bench.db.transact(step)


def look_again(bench: Bench, now: datetime = NOW) -> None:
    bench.db.transact(lambda session: recheck_held(session, bench.study, now))


def waiting(bench: Bench, now: datetime = NOW) -> list[HeldRow]:
    return bench.db.transact(lambda session: waiting_rows(session, bench.study, now))


def decide(
    bench: Bench,
    number: int,
    decision: Decision,
    timepoint: str = "",
    why: str = WHY,
    by: str = "a manager",
    by_two: bool = False,
) -> Reviewed:
    return bench.db.transact(
        lambda session: review(session, bench.study, number, decision, why, by, NOW, timepoint, by_two=by_two)
    )


def accepted(bench: Bench) -> list[tuple[str, str, str | None]]:
    rows = [row for row in bench.versions() if row.state == "accepted"]
    return [(row.visit, row.timepoint, row.conc_mg_l) for row in rows]
