"""What a receipt says, also after a held row was settled, and through a stop."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from intake_cases import H0, H2, H30, NOW, OTHER, SUBJECT, Bench, csv_bytes, enrol
from sqlmodel import Session

from scheduler.intake import step as step_module
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.receipts import receipt_csv, settled, speakers
from scheduler.store import audit
from scheduler.store.lab.held import mark_receipt_due
from scheduler.store.lab.results import entry_of
from scheduler.store.lab.settled import Settlement
from scheduler.store.lab.writing import NewRow, add_rows
from scheduler.store.tables import LabReviewRow

STRANGER = {**H2, "subject_id": OTHER, "specimen_id": "x-9"}


class PowerCutError(BaseException):
    """Ends everything at once: nothing can catch it."""


def receipt(bench: Bench) -> dict[str, Any]:
    (name,) = [one for one in bench.names("receipts") if one.endswith(".json")]
    found: dict[str, Any] = json.loads((bench.root / "receipts" / name).read_bytes())
    return found


def table(bench: Bench) -> list[list[str]]:
    (name,) = [one for one in bench.names("receipts") if one.endswith(".csv")]
    text = (bench.root / "receipts" / name).read_text("utf-8-sig")
    return list(csv.reader(StringIO(text, newline=""), delimiter=";"))


def of_row(bench: Bench, number: int) -> tuple[str, list[str]]:
    (row,) = [one for one in receipt(bench)["rows"] if one["row"] == number]
    return row["verdict"], [one["rule"] for one in row["findings"]]


def due(bench: Bench) -> list[bool]:
    return [file.receipt_due for file in bench.files()]


@pytest.fixture
def waiting(bench: Bench) -> Bench:
    """A file of two rows, the second of a subject who is not on record yet."""
    bench.drop("a.csv", csv_bytes([H0, STRANGER]))
    bench.step()
    return bench


def decide(bench: Bench, accepted_as: str | None) -> None:
    """A person decides on the held row, as the review does."""
    (held,) = [row for row in bench.versions() if row.state == "held"]

    def step(session: Session) -> None:
        about = ("lab_result_version", str(held.id))
        seq = audit.append(session, NOW, "lab_row_reviewed", *about, actor="x", source="cli")
        number = None
        if accepted_as is not None:
            entry = replace(entry_of(held), timepoint=accepted_as, subject=SUBJECT)
            (number,) = add_rows(session, [NewRow(held.file_id, held.row_no, entry, [], accepted=True)], NOW)
        session.add(
            LabReviewRow(
                version_id=held.id, decision="x", by="x", at=NOW, audit_seq=seq, before={}, after={},
                accepted_as=number,
            )
        )  # fmt: skip
        mark_receipt_due(session, [held.file_id])

    bench.db.transact(step)


# --- what it says ---------------------------------------------------------------------------------------------


def test_a_receipt_has_a_deterministic_name_and_quotes_every_field(bench: Bench) -> None:
    bench.drop("=1+1.csv", csv_bytes([H0, {**H30, "unit": "=HYPERLINK(1)"}]))
    bench.step()
    sha = bench.files()[0].sha256
    assert bench.names("receipts") == [f"%3D1+1.csv.{sha[:8]}.receipt.{form}" for form in ("csv", "json")]
    raw = (bench.root / "receipts" / bench.names("receipts")[0]).read_text("utf-8-sig")
    assert all(line.startswith('"') and line.endswith('"') for line in raw.splitlines())
    assert not [cell for line in table(bench) for cell in line if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_a_receipt_says_of_each_row_what_became_of_it_and_never_its_value_or_comment(bench: Bench) -> None:
    bench.drop(
        "a.csv",
        csv_bytes(
            [
                {**H0, "comment": "Rappeler la famille"},
                {**H30, "unit": ""},
                {**H2, "analyte": "23906-1", "specimen_id": "g"},
            ]
        ),
    )
    bench.step()
    assert [of_row(bench, number)[0] for number in (2, 3, 4)] == ["accepted", "held", "ignored"]
    said = json.dumps(receipt(bench)) + json.dumps(table(bench))
    for secret in ("1,85", "14,2", "6,40", "Rappeler", "famille"):
        assert secret not in said


# --- after a held row was settled -----------------------------------------------------------------------------


def test_a_row_that_is_accepted_later_is_so_in_the_receipt(waiting: Bench) -> None:
    assert (receipt(waiting)["verdict"], of_row(waiting, 3)) == ("held", ("held", ["R-01"]))
    enrol(waiting.db, OTHER)
    waiting.look()
    assert of_row(waiting, 3)[0] == "accepted"
    found = receipt(waiting)
    assert (found["verdict"], found["accepted"], found["held"], found["code"]) == ("accepted", 2, 0, "")
    assert any("acceptée depuis" in line[4] for line in table(waiting))
    assert due(waiting) == [False]
    assert len(waiting.names("receipts")) == 2


@pytest.mark.parametrize(
    ("accepted_as", "verdict", "words"),
    [
        (None, "ignored", "ne pas utiliser"),
        ("H30", "accepted", "comme H30"),
        ("H2", "accepted", "acceptée depuis"),
    ],
)
def test_what_a_person_decides_of_a_row_stands_in_the_receipt(
    waiting: Bench, accepted_as: str | None, verdict: str, words: str
) -> None:
    decide(waiting, accepted_as)
    waiting.look()
    assert of_row(waiting, 3)[0] == verdict
    assert any(words in line[4] for line in table(waiting))
    assert receipt(waiting)["verdict"] == "accepted"
    assert due(waiting) == [False]


def test_a_file_sent_again_gets_the_receipt_as_it_stands_now(waiting: Bench) -> None:
    enrol(waiting.db, OTHER)
    waiting.look()
    waiting.drop("a.csv", csv_bytes([H0, STRANGER]))
    waiting.step()
    assert (receipt(waiting)["duplicate"], receipt(waiting)["verdict"]) == (True, "accepted")


def test_a_receipt_with_a_row_still_held_names_that_one() -> None:
    row = {
        "severity": "hold",
        "reason": {"code": "R-15", "params": {"row": 3, "column": "u"}},
        "rule": "R-15",
    }
    other = {**row, "rule": "R-01", "reason": {"code": "R-01", "params": {"row": 2, "subject": SUBJECT}}}
    before = {
        "file": "a", "received_at": NOW.isoformat(), "verdict": "held", "code": "R-01", "reason": other["reason"],
        "accepted": 0, "held": 2, "ignored": 0, "ignored_columns": [], "notes": [],
        "rows": [
            {"row": 2, "verdict": "held", "findings": [other]},
            {"row": 3, "verdict": "held", "findings": [row]},
        ],
    }  # fmt: skip
    after = settled(before, {2: Settlement(None)})
    assert (after["verdict"], after["code"], after["held"], after["ignored"]) == ("held", "R-15", 1, 1)
    assert settled(before, {}) == before
    assert b"R-01" not in receipt_csv(after, speakers(ZoneInfo("UTC")))


# --- a stop in between ----------------------------------------------------------------------------------------


def dies_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def done_and_dead(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise PowerCutError

    return done_and_dead


def dies(*_: Any, **__: Any) -> Any:
    raise PowerCutError


@pytest.mark.parametrize(
    ("target", "name", "how"),
    [
        (DropFolder, "write", lambda real: dies),
        (DropFolder, "write", dies_after),
        (step_module, "mark_receipt_written", lambda real: dies),
    ],
    ids=["before the first receipt", "between the two receipts", "before the mark is cleared"],
)
def test_a_stop_before_the_mark_is_cleared_leaves_the_receipt_to_be_written(
    waiting: Bench, monkeypatch: pytest.MonkeyPatch, target: Any, name: str, how: Any
) -> None:
    enrol(waiting.db, OTHER)
    with monkeypatch.context() as patched:
        patched.setattr(target, name, how(getattr(target, name)))
        with pytest.raises(PowerCutError):
            waiting.look()
    assert due(waiting) == [True]
    waiting.restart()
    waiting.look()
    assert due(waiting) == [False]
    assert of_row(waiting, 3)[0] == "accepted"
    assert len(waiting.names("receipts")) == 2


def test_a_row_that_is_settled_while_the_receipt_is_written_leaves_it_due(
    waiting: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting.db.transact(lambda session: mark_receipt_due(session, [1]))
    real = DropFolder.write

    def write_and_decide(folder: DropFolder, *args: Any) -> None:
        real(folder, *args)
        if args[1].endswith(".json"):
            decide(waiting, None)

    with monkeypatch.context() as patched:
        patched.setattr(DropFolder, "write", write_and_decide)
        waiting.look()
    assert due(waiting) == [True]
    waiting.look()
    assert due(waiting) == [False]
    assert of_row(waiting, 3)[0] == "ignored"


def test_a_receipt_that_cannot_be_written_stays_due(waiting: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol(waiting.db, OTHER)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(DropFolder, "write", full)
        waiting.look()
    assert due(waiting) == [True]
    for _ in range(60):
        waiting.look()
    assert due(waiting) == [False]
