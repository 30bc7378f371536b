"""After a stop, a second arrival or a failure nothing is read that was refused, told twice, or lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from intake_cases import H0, H30, Bench, csv_bytes
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from scheduler.intake import step as step_module
from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.store.tables import LabResultRow


class PowerCutError(BaseException):
    """Ends everything at once, as a power cut does: nothing can catch it."""


def cut(*_: Any, **__: Any) -> Any:
    raise PowerCutError


def uninterrupted(bench: Bench, content: bytes) -> None:
    bench.drop("a.csv", content)
    bench.step()


@pytest.mark.parametrize("kind", ["broken link", "link", "large"])
def test_what_was_refused_unread_is_not_read_after_a_stop_either(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    path = bench.drop("a.csv", b"x" * (5_000_001 if kind == "large" else 1))
    for seconds in (0, 20, 40):
        scan = bench.folder.scan(bench.clock.now(), seconds)
    if kind != "large":
        path.unlink()
        path.symlink_to(tmp_path / "secret")
    if kind == "link":
        (tmp_path / "secret").write_bytes(csv_bytes())
    assert bench.folder.claim(scan.ready[0]) is not None
    read: list[Path] = []
    monkeypatch.setattr(Path, "read_bytes", lambda self: read.append(self))  # noqa: PLW0108 - a method
    with monkeypatch.context() as patch:
        patch.setattr(step_module, "reason_text", cut)
        with pytest.raises(PowerCutError):
            bench.look()
    bench.restart()
    assert bench.look().alerts == ()
    assert ([one.archived_as is None for one in bench.files()], read) == ([False], [])
    assert len(bench.names("receipts")) == 2


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
                session.exec(select(LabResultRow).where(LabResultRow.specimen == "poison-0001")).first()
                is not None
            ):
                raise ValueError("a defect of ours")
            return found

        return bench.db.transact(watched)

    bench.drop("bad.csv", csv_bytes([{**H0, "specimen_id": "poison-0001"}]))
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
