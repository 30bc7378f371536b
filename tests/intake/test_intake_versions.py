"""Versions of one result: what may follow what, in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from intake_cases import H0, SUBJECT, Bench, context, csv_bytes, csv_text, enrol, known
from row_cases import codes
from sqlmodel import Session

from scheduler.domain.results import ResultStatus, current_results
from scheduler.intake.arrival import Arrival
from scheduler.intake.findings import RowVerdict
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.ingest import ingest
from scheduler.intake.readers import read
from scheduler.intake.rules.validate import validate
from scheduler.store.lab.held import held_rows
from scheduler.store.lab.results import accepted_versions
from scheduler.store.lab.values import KnownResult, KnownVersion

PLACE = (SUBJECT, "W6", "H0")
KEY = ("CCH-PHARMACO", H0["specimen_id"], "MPA")

P = {**H0, "status": "P", "value": "1,8", "reported_at": "15/01/2026 12:00", "result_id": "R-0"}
F = {**H0, "status": "F", "value": "1,85", "reported_at": "15/01/2026 14:00", "result_id": "R-1"}
C = {
    **H0,
    "status": "C",
    "value": "1,95",
    "reported_at": "15/01/2026 16:00",
    "result_id": "R-2",
    "replaces": "R-1",
}
W = {
    **H0,
    "status": "W",
    "value": "",
    "reported_at": "15/01/2026 18:00",
    "result_id": "R-3",
    "replaces": "R-2",
}
LATER_F = {**F, "reported_at": "15/01/2026 15:30"}
X = {**H0, "status": "X", "value": "", "reported_at": "15/01/2026 15:00", "specimen_quality": "QNS"}


def entry_of(row: dict[str, str]) -> Any:
    return validate(read(csv_text([row]).encode()), context()).rows[0].entry


def on_record(
    *rows: dict[str, str], place: tuple[str, str, str] = PLACE, key: tuple[str, str, str] = KEY
) -> KnownResult:
    return KnownResult(key, place, tuple(KnownVersion.of(entry_of(row)) for row in rows))


def after(row: dict[str, str], *before: dict[str, str], **about: Any) -> RowVerdict:
    """What becomes of a row when others are on record."""
    verdict = validate(read(csv_text([row]).encode()), context(known(on_record(*before, **about))))
    return verdict.rows[0]


FOLLOWS = {
    "F after P": (F, (P,), "accepted", []),
    "F after F with the same content": (F, (F,), "ignored", ["R-42"]),
    "F after F with another value": ({**F, "value": "9"}, (F,), "held", ["R-43"]),
    "F after F without a unit": ({**F, "unit": ""}, (F,), "held", ["R-15"]),
    "F after F with a value nobody understands": ({**F, "value": "1 850,0"}, (F,), "held", ["R-10"]),
    "F after F without its time": ({**F, "collected_at": "15/01/26 07:55"}, (F,), "held", ["R-30"]),
    "F after F with another time of validation": (LATER_F, (F,), "accepted", ["R-42.unchanged"]),
    "F after the same F that was said later": (F, (LATER_F,), "accepted", ["R-42.unchanged", "R-46"]),
    "F after F with another time of collection": (
        {**LATER_F, "collected_at": "15/01/2026 07:50"},
        (F,),
        "held",
        ["R-43"],
    ),
    "F after C with the value of the correction": (
        {**F, "value": "1,95", "reported_at": "15/01/2026 17:00"},
        (F, C),
        "accepted",
        ["R-42.unchanged"],
    ),
    "F that was overtaken by a correction": ({**F, "value": "9"}, (LATER_F, C), "accepted", ["R-46"]),
    "C before a final that differs": (C, ({**F, "reported_at": "15/01/2026 17:00"},), "held", ["R-43.order"]),
    "C at the time of another C": (
        {**C, "value": "2,05", "result_id": "R-9"},
        (F, C),
        "held",
        ["R-43.order"],
    ),
    "C at the time of the C that it replaces": (
        {**C, "value": "2,05", "result_id": "R-9", "replaces": "R-2"},
        (F, C),
        "accepted",
        ["R-45"],
    ),
    "F after the W of an earlier F": ({**F, "reported_at": "15/01/2026 19:00"}, (F, W), "accepted", []),
    "F after C, older": (F, (P, C), "accepted", ["R-46"]),
    "F after C, newer": ({**F, "reported_at": "15/01/2026 17:00"}, (P, C), "held", ["R-43"]),
    "F after X": ({**F, "reported_at": "15/01/2026 17:00"}, (X,), "held", ["R-43"]),
    "X after P": (X, (P,), "accepted", ["R-22"]),
    "X after F": (X, (F,), "held", ["R-22", "R-43"]),
    "C after F": (C, (F,), "accepted", ["R-45"]),
    "C after X": ({**C, "replaces": ""}, (X,), "accepted", ["R-45"]),
    "C after F without saying which": ({**C, "replaces": ""}, (F,), "accepted", ["R-45"]),
    "C after F of a version that never came": ({**C, "replaces": "R-9"}, (F,), "held", ["R-44.version"]),
    "C after W, older": (C, (F, {**W, "replaces": ""}), "accepted", ["R-45", "R-46"]),
    "W after F": ({**W, "replaces": "R-1"}, (F,), "accepted", ["R-45"]),
    "W after C": (W, (F, C), "accepted", ["R-45"]),
    "P after F": (P, (F,), "accepted", ["R-40", "R-46"]),
}


@pytest.mark.parametrize(("row", "before", "state", "found"), FOLLOWS.values(), ids=list(FOLLOWS))
def test_follows(
    row: dict[str, str], before: tuple[dict[str, str], ...], state: str, found: list[str]
) -> None:
    verdict = after(row, *before)
    assert (verdict.state, codes(verdict)) == (state, found)


def test_S06_a_specimen_known_for_another_sampling_time_is_held() -> None:
    assert codes(after(F, P, place=(SUBJECT, "W6", "H2"))) == ["S-06.known"]


def test_R47_a_correction_may_not_change_whose_specimen_it_is() -> None:
    assert codes(after(C, F, place=(SUBJECT, "W12", "H0"))) == ["R-47.place"]
    elsewhere = ("CCH-PHARMACO", "another", "MPA")
    assert codes(after(C, F, place=(SUBJECT, "W6", "H2"), key=elsewhere)) == ["R-47"]


def test_S01_another_specimen_that_stands_for_the_sampling_time_is_held_against() -> None:
    elsewhere = ("CCH-PHARMACO", "another", "MPA")
    assert codes(after(F, F, key=elsewhere)) == ["S-01"]
    assert after(F, F, {**W, "replaces": ""}, key=elsewhere).state == "accepted"
    assert after(F, X, key=elsewhere).state == "accepted"


def record(bench: Bench, name: str, *rows: dict[str, str]) -> None:
    arrival = Arrival.of(name, csv_bytes(rows))
    now = datetime(2026, 1, 16, 8, 0, tzinfo=UTC)

    def step(session: Session) -> None:
        ingest(session, arrival, bench.study, now, bench.handle)
        recheck_held(session, bench.study, now)

    bench.db.transact(step)


def final_state(bench: Bench) -> tuple[ResultStatus, int]:
    versions = bench.db.transact(lambda session: accepted_versions(session, SUBJECT))
    ((current,),) = [points.values() for points in current_results(versions).values()]
    return current.version.status, current.versions


ORDERS = list(permutations("PFCW"))


@pytest.mark.parametrize("order", ORDERS, ids=["".join(order) for order in ORDERS])
def test_R44_R46_every_order_of_arrival_reaches_the_same_state(bench: Bench, order: Iterable[str]) -> None:
    rows = {"P": P, "F": F, "C": C, "W": W}
    for letter in order:
        record(bench, letter, rows[letter])
    assert final_state(bench) == (ResultStatus.WITHDRAWN, 4)
    assert bench.db.transact(held_rows) == []


@pytest.mark.parametrize("order", ["PFCW", "WCFP"])
def test_one_file_with_every_version_reaches_the_same_state(bench: Bench, order: str) -> None:
    rows = {"P": P, "F": F, "C": C, "W": W}
    record(bench, "all", *(rows[letter] for letter in order))
    assert final_state(bench) == (ResultStatus.WITHDRAWN, 4)


def test_the_natural_key_is_laboratory_specimen_and_analyte(bench: Bench) -> None:
    enrol(bench.db, "MPA-0001-3")
    record(bench, "a", F)
    record(bench, "b", {**F, "subject_id": "MPA-0001-3"})
    assert [(v.subject, v.state) for v in bench.versions()] == [(SUBJECT, "accepted"), ("MPA-0001-3", "held")]
