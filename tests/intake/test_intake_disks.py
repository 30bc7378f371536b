"""Disks that are full, or are two: nothing is lost, and nothing half-written."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_cases import CALLS, World, codes, is_done
from intake_cases import H0, Bench, csv_bytes

from scheduler.intake.folder.moving import content_of, fetch, move_new

# --- full disks


@pytest.mark.parametrize("call", ["flush", "name", "open"])
def test_no_space_for_the_receipts_writes_them_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    content = csv_bytes()
    bench.drop("a.csv", content)
    real = getattr(os, CALLS[call])
    full = [True]

    def failing(*args: Any, **options: Any) -> Any:
        if full[0] and call != "flush" and "receipt" in Path(args[0]).name:
            raise OSError(errno.ENOSPC, "full")
        if full[0] and call == "flush":
            raise OSError(errno.ENOSPC, "full")
        return real(*args, **options)

    monkeypatch.setattr(os, CALLS[call], failing)
    assert "folder.unfinished" in codes(bench, 30)
    assert bench.names("receipts") == []
    full[0] = False
    codes(bench, 32)
    is_done(bench, content)


def test_a_database_without_space_goes_on_when_there_is_some(bench: Bench) -> None:
    """SQLite's own limit of pages: the error is the one of a full disk."""
    content = csv_bytes([{**H0, "specimen_id": f"{no:05}"} for no in range(400)])
    limit = Limit(bench)
    bench.drop("a.csv", content)
    with limit:
        reports = [one for _ in range(8) for one in bench.look().files]
        assert {(one.verdict, one.error) for one in reports} == {("failed", "OperationalError")}
        assert len(reports) >= 3
        assert (bench.files(), bench.versions(), bench.names("receipts")) == ([], [], [])
    (report,) = bench.step().files
    assert report.verdict == "held"  # one sampling point, many specimens
    assert (len(bench.files()), len(bench.versions()), len(bench.names("archive"))) == (1, 400, 1)


class Limit:
    """No page more for the database than it has."""

    def __init__(self, bench: Bench) -> None:
        self.engine = bench.db.engine

    def _pages(self, number: str) -> None:
        self.engine.dispose()
        with self.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={number}")

    def __enter__(self) -> None:
        from sqlalchemy import event

        def narrow(connection: Any, _record: Any) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages}")

        self._narrow: Callable[..., None] = narrow
        event.listen(self.engine, "connect", narrow)
        self.engine.dispose()

    def __exit__(self, *_: object) -> None:
        from sqlalchemy import event

        event.remove(self.engine, "connect", self._narrow)
        self.engine.dispose()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Mounts a file system of so many kB of its own; where that is not permitted the test is left out."""
    mounted: list[Path] = []

    def mount(at: Path, kilobytes: int) -> None:
        at.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(at)],
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip("no file system can be mounted here")
        mounted.append(at)

    yield mount
    for at in reversed(mounted):
        subprocess.run(["umount", str(at)], check=True)


def fill(disk: Path) -> Path:
    """Leaves no room on a disk."""
    filler = disk / ".filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                continue
        except OSError as error:
            assert error.errno == errno.ENOSPC  # noqa: PT017
    return filler


@pytest.mark.parametrize("room", ["receipts", "archive"])
def test_a_disk_that_is_really_full_loses_nothing(
    bench: Bench, small_disk: Callable[[Path, int], None], room: str
) -> None:
    small_disk(bench.root / room, 256)
    bench.restart()
    filler = fill(bench.root / room)
    content = csv_bytes()
    bench.drop("a.csv", content)
    assert codes(bench, 30) == ["folder.unfinished" if room == "receipts" else "folder.trouble"]
    assert [name for name in bench.names(room) if not name.startswith(".")] == []
    assert len(bench.versions()) == 3  # on record at once
    filler.unlink()
    codes(bench, 32)
    is_done(bench, content)


# --- two file systems


@pytest.mark.parametrize("room", ["in", "work", "archive"])
def test_folders_on_two_disks(bench: Bench, small_disk: Callable[[Path, int], None], room: str) -> None:
    small_disk(bench.root / room, 256)
    bench.restart()
    content = csv_bytes()
    bench.drop("a.csv", content)
    assert [one.verdict for one in bench.step().files] == ["accepted"]
    is_done(bench, content)


def test_a_file_on_its_way_between_two_disks_is_fetched_after_a_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = csv_bytes()
    bench.drop("a.csv", content)
    real = os.rename

    def two_disks(source: Any, target: Any, **options: Any) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, "two disks")
        real(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", two_disks)
        world = World(patch, "open", errno.EIO)
        codes(bench, 5)
        assert [name.endswith(".claimed") for name in bench.names("in")] == [True]
        world.is_bad = False
        bench.restart()
        assert [one.verdict for one in bench.step().files] == ["accepted"]
    is_done(bench, content)


def test_what_changes_while_it_is_copied_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"one")
    real = os.fsync

    def late(descriptor: int) -> None:
        source.write_bytes(b"other")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", late)
    with pytest.raises(OSError, match="changed"):
        fetch(source, target)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


@pytest.mark.parametrize("kind", ["symlink", "fifo", "folder"])
def test_only_ordinary_files_are_fetched_or_read(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "source"
    if kind == "symlink":
        (tmp_path / "secret").write_bytes(b"secret")
        source.symlink_to(tmp_path / "secret")
    elif kind == "fifo":
        os.mkfifo(source)
    else:
        source.mkdir()
    with pytest.raises(OSError):  # noqa: PT011
        fetch(source, tmp_path / "target")
    assert not (tmp_path / "target").exists()
    if kind == "fifo":
        assert content_of(source, 100) is None
    elif kind == "symlink":
        with pytest.raises(OSError, match="symbolic"):
            content_of(source, 100)


def test_a_copy_is_made_when_a_file_of_another_owner_keeps_its_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, folder = tmp_path / "source", tmp_path / "archive"
    folder.mkdir()
    source.write_bytes(b"one")
    source.chmod(0o644)

    def forbidden(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, "not the owner")

    monkeypatch.setattr(os, "chmod", forbidden)
    before = source.stat().st_ino
    assert move_new(source, folder, "a.csv", private=True) == "a.csv"
    kept = (folder / "a.csv").stat()
    assert (kept.st_mode & 0o777, kept.st_ino == before, source.exists()) == (0o600, False, False)
