"""Originals may hold names: who may read them, how long they are kept, and how a refused one is judged again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from intake_cases import H0, H2, H30, Bench, a_study, csv_bytes

from config.settings import IntakeSettings, load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.domain.flags import FlagCode
from scheduler.intake import step as step_module
from scheduler.intake.folder.retention import delete_originals
from scheduler.intake.ingest import Outcome
from scheduler.intake.replay import ReplayRefusedError, replay
from scheduler.intake.study import IntakeStudy
from scheduler.runtime.works import housekeeping_work
from scheduler.store.flags import open_flags
from scheduler.store.tables import AuditRow, ReviewRow

PRIVATE = ("work", "archive", "duplicates", "quarantine")


@pytest.fixture(params=[0o000, 0o027, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mode", [0o777, 0o644, 0o600, 0o000], ids=oct)
def test_originals_are_for_the_service_alone_whatever_the_umask_and_the_sender(
    bench: Bench, tmp_path: Path, umask: int, mode: int
) -> None:
    bench.root = tmp_path / "another"
    bench.restart()
    for name, content in {"a.csv": csv_bytes(), "b.csv": csv_bytes()[:-30]}.items():
        bench.drop(name, content).chmod(mode)
    assert sorted(one.verdict for one in bench.step().files) == ["accepted", "quarantined"]
    bench.drop("c.csv", csv_bytes()).chmod(mode)
    assert [one.verdict for one in bench.step().files] == ["duplicate"]
    for room in PRIVATE:
        assert (bench.root / room).stat().st_mode & 0o777 == 0o700
        for path in (bench.root / room).iterdir():
            assert path.stat().st_mode & 0o7777 == 0o600, path
    assert [len(bench.names(room)) for room in PRIVATE] == [0, 1, 1, 2]
    assert {path.stat().st_mode & 0o777 for path in (bench.root / "receipts").iterdir()} == {0o640}


def test_private_folders_of_an_older_program_are_narrowed_at_the_start(bench: Bench) -> None:
    for room in (*PRIVATE, "in", "receipts"):
        (bench.root / room).chmod(0o770)
    bench.restart()
    for room in PRIVATE:
        assert (bench.root / room).stat().st_mode & 0o777 == 0o700
    for room in ("in", "receipts"):  # what the operator gave the laboratory stays
        assert (bench.root / room).stat().st_mode & 0o777 == 0o770


# --- how long they are kept


def delete(bench: Bench, days: int) -> list[str]:
    now = bench.clock.now()
    return delete_originals(bench.root, bench.db.transact, now - timedelta(days=days), now)


def deleted(bench: Bench) -> list[AuditRow]:
    return [row for row in bench.rows(AuditRow) if row.action == "lab_original_deleted"]


def test_for_ever_is_the_default() -> None:
    assert IntakeSettings().keep_originals_days is None


def test_old_originals_go_and_what_is_on_record_stays(bench: Bench) -> None:
    for name, content in (
        ("a.csv", csv_bytes([H0])),
        ("b.csv", csv_bytes()[:-30]),
        ("c.csv", csv_bytes([H0])),
    ):
        bench.drop(name, content)
        bench.step()
    bench.clock.move_to(bench.clock.now() + timedelta(days=40))
    bench.drop("d.csv", csv_bytes([H30]))
    bench.step()
    (bench.root / "archive" / "20200101T000000Z_00000000_unknown.csv").write_bytes(b"restored")
    receipts, before = bench.names("receipts"), bench.contents()
    assert delete(bench, 41) == []
    gone = delete(bench, 30)
    assert sorted(place.partition("/")[0] for place in gone) == ["archive", "duplicates", "quarantine"]
    assert [name.rpartition("_")[2] for name in bench.names("archive")] == ["unknown.csv", "d.csv"]
    assert bench.names("quarantine") == bench.names("duplicates") == []
    assert (bench.names("receipts"), bench.contents()) == (receipts, before)
    assert sorted(row.entity_id for row in deleted(bench)) == ["-", "1", "2"]
    assert delete(bench, 30) == []
    assert len(deleted(bench)) == 3
    bench.drop("e.csv", csv_bytes([H0]))  # its content is still known
    assert [one.verdict for one in bench.step().files] == ["duplicate"]


def test_a_stop_between_the_record_and_the_deletion_is_made_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.drop("a.csv", csv_bytes())
    bench.step()
    bench.clock.move_to(bench.clock.now() + timedelta(days=2))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", closed)
        assert delete(bench, 1) == []
    assert len(bench.names("archive")) == 1
    assert len(delete(bench, 1)) == 1
    assert (bench.names("archive"), len(deleted(bench))) == ([], 2)


def closed(*_: Any, **__: Any) -> None:
    raise PermissionError


def test_a_file_that_is_not_finished_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.drop("a.csv", csv_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(step_module, "receipt_csv", closed)
        bench.step()
    bench.clock.move_to(bench.clock.now() + timedelta(days=2))
    assert len(bench.names("archive")) == 1
    assert delete(bench, 1) == []


@pytest.mark.parametrize(("days", "left"), [(None, 1), (3, 0), (30, 1)])
async def test_the_service_does_it_as_the_settings_say(bench: Bench, days: int | None, left: int) -> None:
    bench.drop("a.csv", csv_bytes())
    bench.step()
    settings = load_settings(
        database=bench.db.url.render_as_string(hide_password=False),
        intake={"folder": bench.root, "keep_originals_days": days},
    )
    program = make_program(settings)
    now = bench.clock.now() + timedelta(days=10)
    program.clock = ManualClock(now)
    await housekeeping_work(program).step(now)
    assert len(bench.names("archive")) == left
    program.database.close()


# --- judged again


def again(bench: Bench, number: int, study: IntakeStudy | None = None) -> Outcome:
    """As after a restart with another configuration."""
    bench.study = study or bench.study
    return replay(
        [(bench.folder, bench.study)],
        bench.db.transact,
        number,
        "dr-a",
        "unit added",
        bench.clock.now(),
        bench.handle,
    )


STRANGE = csv_bytes().replace(b"resultat", b"dosage")


def understood() -> IntakeStudy:
    return a_study(column_aliases={"value": ("dosage",)})


def refused(bench: Bench) -> None:
    bench.drop("a.csv", STRANGE)
    assert [(one.verdict, one.code) for one in bench.step().files] == [("quarantined", "F-09")]


def codes(bench: Bench, number: int) -> list[str]:
    with pytest.raises(ReplayRefusedError) as told:
        again(bench, number)
    return [one.code for one in told.value.reasons]


def test_a_refused_file_is_judged_again_after_a_fix(bench: Bench) -> None:
    refused(bench)
    outcome = again(bench, 1, understood())
    assert (outcome.verdict, outcome.file_id, len(bench.versions())) == ("accepted", 2, 3)
    old, new = bench.files()
    assert (old.verdict, new.verdict) == ("quarantined", "accepted")
    assert old.archived_as == new.archived_as
    assert (bench.root / str(new.archived_as)).read_bytes() == STRANGE
    assert len(bench.names("quarantine")) == 1  # the note of what was wrong is gone
    assert (len(bench.names("receipts")), bench.names("archive")) == (4, [])
    receipt = next(
        name for name in bench.names("receipts") if name.endswith(f"{new.sha256[:8]}.receipt.json")
    )
    said = json.loads((bench.root / "receipts" / receipt).read_bytes())
    assert (said["verdict"], said["replay_of"]["file"]) == ("accepted", 1)
    assert bench.db.transact(open_flags) == []


def test_it_is_on_record_who_ordered_it_and_why(bench: Bench) -> None:
    refused(bench)
    again(bench, 1, understood())
    (row,) = [one for one in bench.rows(AuditRow) if one.action == "lab_file_replayed"]
    assert (row.actor, row.source, row.entity_id) == ("dr-a", "cli", "1")
    assert row.detail == {"as": 2, "verdict": "accepted"}
    assert [one.text for one in bench.rows(ReviewRow) if one.audit_seq == row.seq] == ["unit added"]


def test_nothing_is_recorded_twice(bench: Bench) -> None:
    refused(bench)
    again(bench, 1, understood())
    assert codes(bench, 1) == ["replay.done"]
    assert codes(bench, 2) == ["replay.accepted"]
    bench.drop("a.csv", STRANGE)
    bench.drop("b.csv", csv_bytes())  # the same results in another form
    found = {one.name: one.verdict for one in bench.step().files}
    assert found == {"a.csv": "duplicate", "b.csv": "ignored"}
    assert len(bench.versions()) == 3
    receipt = max(
        (bench.root / "receipts").glob("a.csv.*.receipt.json"), key=lambda path: path.stat().st_mtime_ns
    )
    assert (json.loads(receipt.read_bytes())["verdict"], len(bench.names("duplicates"))) == ("accepted", 1)


def test_one_that_is_refused_again_may_be_judged_once_more(bench: Bench) -> None:
    refused(bench)
    assert again(bench, 1).verdict == "quarantined"
    assert codes(bench, 1) == ["replay.done"]
    assert len(bench.names("quarantine")) == 2
    flags = bench.db.transact(open_flags)
    assert [one.code for one in flags] == [FlagCode.FILE_QUARANTINED]
    assert again(bench, 2, understood()).verdict == "accepted"
    assert len(bench.versions()) == 3


def test_a_file_refused_for_its_marker_may_be_vouched_for(bench: Bench) -> None:
    bench.drop("a.csv", csv_bytes())
    bench.drop("a.csv.ok", b"0" * 64 + b";1")
    assert bench.step().files[0].code == "F-11"
    assert again(bench, 1).verdict == "accepted"


@pytest.mark.parametrize("kind", ["unknown", "accepted", "gone", "changed", "large", "link"])
def test_what_cannot_be_judged_again_is_refused_in_words(bench: Bench, tmp_path: Path, kind: str) -> None:
    if kind == "accepted":
        bench.drop("a.csv", csv_bytes([H0, H2]))
        bench.step()
    elif kind == "large":
        bench.drop("a.csv", b"x" * 5_000_001)
        bench.step()
    elif kind != "unknown":
        refused(bench)
        original = bench.root / str(bench.files()[0].archived_as)
        content = original.read_bytes()
        original.unlink()
        if kind == "changed":
            original.write_bytes(content + b"x")
        elif kind == "link":
            (tmp_path / "secret").write_bytes(content)
            original.symlink_to(tmp_path / "secret")
    known = {"changed": "gone", "link": "gone"}
    count = len(bench.files())
    assert codes(bench, 1) == [f"replay.{known.get(kind, kind)}"]
    assert len(bench.files()) == count


def test_killed_before_its_receipts_the_service_writes_them(bench: Bench) -> None:
    refused(bench)
    before = bench.names("receipts")
    pid = os.fork()
    if pid == 0:

        def die(*_: Any, **__: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        step_module.receipt_csv = die  # type: ignore[assignment]
        bench.db.engine.dispose(close=False)
        again(bench, 1, understood())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert (len(bench.files()), bench.names("receipts")) == (2, before)
    bench.restart()
    assert bench.look().alerts == ()
    assert len(bench.names("receipts")) == 4
    assert bench.files()[1].archived_as == bench.files()[0].archived_as
    assert len(bench.names("quarantine")) == 1


def test_originals_of_files_judged_again_are_kept_as_long_as_the_younger(bench: Bench) -> None:
    refused(bench)
    bench.clock.move_to(bench.clock.now() + timedelta(days=10))
    again(bench, 1, understood())
    bench.clock.move_to(bench.clock.now() + timedelta(days=10))
    assert delete(bench, 15) == []
    assert len(delete(bench, 5)) == 1
