"""However the versions of a result arrive, alone or in files together, the same stands in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise, permutations
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_cases import H0, SUBJECT, Bench, csv_bytes, enrol, found_site
from sqlmodel import Session

from scheduler.domain.results import current_results
from scheduler.intake.arrival import Arrival
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.ingest import ingest
from scheduler.store.database import Database
from scheduler.store.lab.held import held_rows
from scheduler.store.lab.results import accepted_versions

Row = dict[str, str]
NOW = datetime(2026, 1, 16, 8, 0, tzinfo=UTC)
P = {
    **H0,
    "status": "P",
    "value": "1,8",
    "reported_at": "15/01/2026 12:00",
    "result_id": "R-0",
    "replaces": "",
}
F = {**P, "status": "F", "value": "1,85", "reported_at": "15/01/2026 14:00", "result_id": "R-1"}
C = {
    **P,
    "status": "C",
    "value": "1,95",
    "reported_at": "15/01/2026 16:00",
    "result_id": "R-2",
    "replaces": "R-1",
}
W = {
    **P,
    "status": "W",
    "value": "",
    "reported_at": "15/01/2026 18:00",
    "result_id": "R-3",
    "replaces": "R-2",
}
VERSIONS = {"P": P, "F": F, "C": C, "W": W}


def arrive(bench: Bench, files: Iterable[Sequence[Row]]) -> None:
    """Each file in its step, with the automatic re-check after it."""
    for number, rows in enumerate(files):

        def step(session: Session, number: int = number, rows: Sequence[Row] = rows) -> None:
            arrival = Arrival.of(f"{number}.csv", csv_bytes(rows))
            ingest(session, arrival, bench.study, NOW, bench.handle)
            recheck_held(session, bench.study, NOW)

        bench.db.transact(step)


def stands(bench: Bench) -> tuple[Any, ...]:
    """The version in force, the accepted contents, and the held rows that still wait."""
    versions = bench.db.transact(lambda session: accepted_versions(session, SUBJECT))
    in_force = {
        (visit, point): (current.version.status, current.version.conc_mg_l, current.version.reported_at)
        for visit, points in current_results(versions).items()
        for point, current in points.items()
    }
    accepted = sorted(row.content_hash for row in bench.versions() if row.state == "accepted")
    waiting = sorted(row.content_hash for row in bench.db.transact(held_rows))
    return in_force, accepted, waiting


def files_of(rows: Sequence[Any]) -> Iterator[tuple[tuple[Any, ...], ...]]:
    """Every way to send the rows: each in a file of its own, or several in one file, the files in every order."""
    if not rows:
        yield ()
        return
    for size in range(1, len(rows) + 1):
        for chosen in permutations(rows, size):
            if list(chosen) == sorted(chosen):  # within a file the order of rows does not matter
                rest = [row for row in rows if row not in chosen]
                yield from ((chosen, *others) for others in files_of(rest))


def words(files: tuple[tuple[str, ...], ...]) -> str:
    return " ".join("".join(file) for file in files)


@pytest.mark.parametrize("files", list(files_of("CFPW")), ids=words)
def test_R43_R44_R46_the_four_versions_stand_the_same_in_every_order_and_mix(
    bench: Bench, files: tuple[tuple[str, ...], ...]
) -> None:
    arrive(bench, [[VERSIONS[letter] for letter in file] for file in files])
    in_force, accepted, waiting = stands(bench)
    (held,) = in_force.values()
    assert held[0] == "W"
    assert len(accepted) == 4
    assert waiting == []


def test_there_are_75_ways_to_send_four_rows() -> None:
    assert len(set(files_of("CFPW"))) == 75


# --- longer lives, without a contradiction in the laboratory's own order


@st.composite
def lives(draw: st.DrawFn) -> list[Row]:
    """What a laboratory may say of one specimen in the course of a day, in the order in which it says it."""
    rows: list[Row] = []
    value = 185
    for hour in range(9, 9 + draw(st.integers(2, 6))):
        last = rows[-1]["status"] if rows else ""
        settled = [row for row in rows if row["status"] != "P"]
        kinds = {"": "PF", "P": "PF", "F": "FCW", "C": "FCW", "W": "FC"}[last]
        kind = draw(st.sampled_from(kinds if last else "PF"))
        if kind == "P" and settled:
            kind = "F"
        if kind == "C" or not settled or last == "W":
            value += 10  # a final after a final says the same again
        row = {
            **P,
            "status": kind,
            "value": "" if kind == "W" else f"{value / 100:.2f}".replace(".", ","),
            "reported_at": f"15/01/2026 {hour:02}:00",
            "result_id": f"R-{hour}" if draw(st.booleans()) else "",
        }
        before = rows[-1]["result_id"] if rows else ""
        if kind in "CW" and before and draw(st.booleans()):
            row["replaces"] = before
        rows.append(row)
    return rows


@given(lived=lives(), data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_laboratory_says_in_good_order_stands_the_same_in_every_order(
    sqlite_template: Path, lived: list[Row], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(lived))
    cuts = data.draw(st.sets(st.integers(1, len(lived) - 1)))
    edges = [0, *sorted(cuts), len(order)]
    files = [order[start:end] for start, end in pairwise(edges)]
    as_said = _in_a_new_database(sqlite_template, [[row] for row in lived])
    assert as_said[2] == []
    assert _in_a_new_database(sqlite_template, files) == as_said


def _in_a_new_database(template: Path, files: Iterable[Sequence[Row]]) -> tuple[Any, ...]:
    with TemporaryDirectory() as folder:
        copy(template, Path(folder) / "study.db")
        db = Database(f"sqlite:///{folder}/study.db", durable=False)
        try:
            found_site(db)
            enrol(db)
            bench = Bench(Path(folder) / "drop", db)
            arrive(bench, files)
            return stands(bench)
        finally:
            db.close()


# --- what is said again


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_R42_an_unchanged_final_said_again_is_another_version_and_nothing_else(
    bench: Bench, order: tuple[int, int]
) -> None:
    said = (F, {**F, "reported_at": "15/01/2026 15:00", "result_id": "R-8"})
    arrive(bench, [[said[place]] for place in order])
    in_force, accepted, waiting = stands(bench)
    assert [(status, str(value)) for status, value, _ in in_force.values()] == [("F", "1.85")]
    assert (len(accepted), waiting) == (2, [])


def test_R43_two_different_finals_are_held_until_a_correction_overtakes_them(bench: Bench) -> None:
    other = {**F, "value": "1,87", "reported_at": "15/01/2026 15:00", "result_id": "R-8"}
    arrive(bench, [[F], [other]])
    assert len(stands(bench)[2]) == 1
    arrive(bench, [[C]])
    in_force, accepted, waiting = stands(bench)
    assert [status for status, _, _ in in_force.values()] == ["C"]
    assert (len(accepted), waiting) == (3, [])


def test_R43_a_correction_explains_a_later_final_that_says_the_same(bench: Bench) -> None:
    again = {**F, "value": "1,95", "reported_at": "15/01/2026 17:00", "result_id": "R-8"}
    arrive(bench, [[again], [F], [C]])
    in_force, accepted, waiting = stands(bench)
    assert [(status, str(value)) for status, value, _ in in_force.values()] == [("F", "1.95")]
    assert (len(accepted), waiting) == (3, [])


def test_S01_a_second_tube_is_accepted_once_the_first_is_withdrawn(bench: Bench) -> None:
    arrive(bench, [[F], [{**F, "specimen_id": "26015-00899-1", "result_id": "R-8"}]])
    assert len(stands(bench)[2]) == 1
    arrive(bench, [[{**W, "replaces": "R-1"}]])
    assert stands(bench)[2] == []
    assert [row.specimen for row in bench.versions() if row.state == "accepted"][-1] == "26015-00899-1"
