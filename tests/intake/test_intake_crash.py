"""The process may die anywhere: started again, the database and the folder end up the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from intake_cases import H0, H2, H30, Bench, csv_bytes
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

import scheduler.intake.folder as folder_module
from scheduler.intake import step as step_module
from scheduler.intake.folder import DropFolder
from scheduler.store.tables import LabResultRow


class PowerCutError(BaseException):
    """Ends everything at once, as a power cut does: nothing can catch it."""


FILES = {
    "accepted": csv_bytes(),
    "held": csv_bytes([H0, {**H30, "unit": ""}, H2]),
    "quarantined": csv_bytes()[:-30],
}


def cut(*_: Any, **__: Any) -> Any:
    raise PowerCutError


def after(real: Callable[..., Any]) -> Callable[..., Any]:
    """Does the real thing, then dies."""

    def done_and_dead(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise PowerCutError

    return done_and_dead


def count_down(real: Callable[..., Any], times: int, then: Callable[..., Any]) -> Callable[..., Any]:
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        return then(*args, **kwargs) if calls == times else real(*args, **kwargs)

    return counted


def uninterrupted(bench: Bench, content: bytes) -> None:
    bench.drop("a.csv", content)
    bench.step()


POINTS: dict[str, tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]] = {
    "after the claim": (DropFolder, "claim", after),
    "before reading": (DropFolder, "read", lambda real: cut),
    "inside the transaction": (step_module, "ingest", after),
    "before the move": (DropFolder, "put_away", lambda real: cut),
    "between link and unlink": (folder_module, "move_new", lambda real: _linked_only),
    "after the move": (DropFolder, "put_away", after),
    "before the first receipt": (DropFolder, "write", lambda real: cut),
    "after the first note or receipt": (DropFolder, "write", after),
    "after the second note or receipt": (DropFolder, "write", lambda real: count_down(real, 2, after(real))),
    "before the mark": (step_module, "mark_archived", lambda real: cut),
}


def _linked_only(source: Any, folder: Any, name: str) -> Any:
    (folder / name).hardlink_to(source)
    raise PowerCutError


@pytest.mark.parametrize("verdict", FILES)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("times", [1, 2])
def test_a_power_cut_changes_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, point: str, verdict: str, times: int
) -> None:
    owner, name, make = POINTS[point]
    bench.drop("a.csv", FILES[verdict])
    for _ in range(times):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, make(getattr(owner, name)))
            with pytest.raises(PowerCutError):
                if point == "between link and unlink" and bench.names("archive") + bench.names("quarantine"):
                    raise PowerCutError
                if point == "after the claim" and bench.names("work"):
                    raise PowerCutError
                if point == "after the move" and not bench.names("work") + bench.names("in"):
                    raise PowerCutError
                bench.step()
        bench.restart()
    bench.step()
    (file,) = bench.files()
    assert file.verdict == verdict
    assert file.archived_as is not None
    assert {"accepted": 3, "held": 3, "quarantined": 0}[verdict] == len(bench.versions())
    assert len(bench.names("receipts")) == 2
    room = "quarantine" if verdict == "quarantined" else "archive"
    kept = [entry for entry in bench.names(room) if not entry.endswith(".reason.txt")]
    assert [f"{room}/{entry}" for entry in kept] == [file.archived_as]
    assert (bench.root / file.archived_as).read_bytes() == FILES[verdict]
    assert (bench.root / file.archived_as).stat().st_nlink == 1
    assert bench.names("in") == bench.names("work") == bench.names("duplicates") == []
    assert len(bench.names("quarantine")) == (2 if verdict == "quarantined" else 0)
    assert bench.step().files == ()


def test_the_receipt_after_a_restart_is_the_first_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.drop("a.csv", csv_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(step_module, "mark_archived", cut)
        with pytest.raises(PowerCutError):
            bench.step()
    first = {name: (bench.root / "receipts" / name).read_bytes() for name in bench.names("receipts")}
    bench.restart()
    bench.step()
    assert {name: (bench.root / "receipts" / name).read_bytes() for name in bench.names("receipts")} == first
    assert len(first) == 2


def test_F05_the_same_bytes_later_go_to_the_duplicates(bench: Bench) -> None:
    uninterrupted(bench, csv_bytes())
    bench.drop("b.csv", csv_bytes())
    (report,) = bench.step().files
    assert (report.verdict, report.code, report.file_id) == ("duplicate", "F-05", 1)
    assert (len(bench.names("archive")), len(bench.names("duplicates"))) == (1, 1)
    assert len(bench.files()) == 1
    receipt = next(
        name for name in bench.names("receipts") if name.startswith("b.csv") and name.endswith(".csv")
    )
    assert "déjà été reçu" in (bench.root / "receipts" / receipt).read_text("utf-8-sig")


def test_the_same_name_with_new_content_is_another_file(bench: Bench) -> None:
    uninterrupted(bench, csv_bytes([H0]))
    uninterrupted(bench, csv_bytes([H30]))
    assert [file.original_name for file in bench.files()] == ["a.csv", "a.csv"]
    assert (len(bench.names("archive")), len(bench.names("receipts"))) == (2, 4)


def test_E_POISON_a_file_that_fails_twice_is_quarantined_and_the_others_go_on(bench: Bench) -> None:
    def transact(step: Callable[[Session], Any]) -> Any:
        def watched(session: Session) -> Any:
            found = step(session)
            if (
                session.exec(select(LabResultRow).where(LabResultRow.specimen == "poison")).first()
                is not None
            ):
                raise ValueError("a defect of ours")
            return found

        return bench.db.transact(watched)

    bench.drop("bad.csv", csv_bytes([{**H0, "specimen_id": "poison"}]))
    bench.drop("good.csv", csv_bytes([H30]))
    first = {one.name: one for one in bench.step(transact).files}
    assert first["good.csv"].verdict == "accepted"
    assert (first["bad.csv"].verdict, first["bad.csv"].error) == ("failed", "ValueError")
    (second,) = bench.step(transact).files
    assert (second.verdict, second.code) == ("quarantined", "E-POISON")
    assert bench.look(transact).files == ()
    assert bench.names("work") == []


def test_a_database_that_is_away_is_not_the_files_fault(bench: Bench) -> None:
    def away(step: Callable[[Session], Any]) -> Any:
        if getattr(step, "func", None) is step_module.ingest:
            raise OperationalError("", {}, Exception("locked"))
        return bench.db.transact(step)

    bench.drop("a.csv", csv_bytes())
    for _ in range(5):
        (report,) = bench.step(away).files
        assert report.verdict == "failed"
    (report,) = bench.step().files
    assert report.verdict == "accepted"


def test_a_file_that_was_recorded_and_is_gone_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.drop("a.csv", csv_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(DropFolder, "put_away", cut)
        with pytest.raises(PowerCutError):
            bench.step()
    for path in (bench.root / "work").iterdir():
        path.unlink()
    bench.restart()
    assert [alert.reason.code for alert in bench.look().alerts] == ["folder.lost"]


def test_a_file_still_being_written_after_the_claim_is_left_until_it_rests(bench: Bench) -> None:
    whole = csv_bytes()
    path = bench.drop("a.csv", whole[:200])
    with path.open("ab") as upload:
        for _ in range(3):
            bench.folder.scan(bench.clock.now(), 0)
        (one,) = bench.folder.scan(bench.clock.now(), 30).ready
        claimed = bench.folder.claim(one)
        assert claimed is not None
        upload.write(whole[200:])
    arrival = bench.folder.read(claimed)
    assert arrival is not None
    assert arrival.content == whole
