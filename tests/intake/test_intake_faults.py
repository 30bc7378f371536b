"""The world is against the files: shares that are busy, stale or closed, disks that are full or are two. Nothing is
lost, nothing half-written, it is tried again later and later, told the third time, and goes on when it is over."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import H0, H30, Bench, csv_bytes

from scheduler.intake.folder.moving import content_of, fetch, move_new
from scheduler.intake.folder.rooms import Room
from scheduler.intake.folder.troubles import Troubles

WORLD = [errno.EBUSY, errno.EACCES, errno.ESTALE, errno.EIO]
CALLS = {
    "open": "open",
    "rename": "rename",
    "link": "link",
    "unlink": "unlink",
    "flush": "fsync",
    "name": "replace",
}


class World:
    """Calls of the system that fail while `is_bad`, for the file a.csv and what belongs to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
        self.is_bad, self.asked, self.number = True, 0, number
        real = getattr(os, call)

        def failing(*args: Any, **options: Any) -> Any:
            # a descriptor is a file being written, of which there are no others
            about_it = any(isinstance(one, int) or "a.csv" in os.fspath(one) for one in args[:2])
            if self.is_bad and about_it:
                self.asked += 1
                raise OSError(number, os.strerror(number))
            return real(*args, **options)

        monkeypatch.setattr(os, call, failing)


def codes(bench: Bench, looks: int) -> list[str]:
    return [alert.reason.code for _ in range(looks) for alert in bench.look().alerts]


def whole_copies(bench: Bench, content: bytes) -> int:
    """How many files hold the content: one, or two names of one file in the middle of a move."""
    found = {
        path.stat().st_ino
        for room in Room
        for path in (bench.root / room).iterdir()
        if path.read_bytes() == content
    }
    return len(found)


def is_done(bench: Bench, content: bytes) -> None:
    """Accepted once, archived once, told once, and nothing else left anywhere."""
    (file,) = bench.files()
    assert (file.verdict, len(bench.versions())) == ("accepted", 3)
    assert [f"archive/{name}" for name in bench.names("archive")] == [file.archived_as]
    assert (bench.root / str(file.archived_as)).read_bytes() == content
    assert len(bench.names("receipts")) == 2
    for room in ("in", "work", "duplicates", "quarantine"):
        assert bench.names(room) == []


@pytest.mark.parametrize("number", WORLD, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", CALLS)
def test_it_is_tried_again_told_the_third_time_and_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    content = csv_bytes()
    bench.drop("a.csv", content)
    with monkeypatch.context() as patch:
        world = World(patch, CALLS[call], number)
        told = codes(bench, 40)
        asked = world.asked
        assert world.asked < 40  # later and later
        # a file at rest is not opened before it is ours; the other calls are of one step or another
        assert asked >= 3
    closed = "folder.unreadable" if number == errno.EACCES else "folder.trouble"
    assert told
    assert set(told) <= {closed, "folder.unfinished"}
    assert whole_copies(bench, content) == 1
    assert codes(bench, 32) == []  # 300 s at most
    is_done(bench, content)


@pytest.mark.parametrize("number", WORLD, ids=errno.errorcode.get)
def test_a_file_that_cannot_be_looked_at_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class Closed:
        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name, self.path, self.inode = entry.name, entry.path, entry.inode
            self._entry = entry

        def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
            if self.name == "a.csv":
                raise OSError(number, os.strerror(number))
            return self._entry.stat(follow_symlinks=follow_symlinks)

    real = os.scandir
    bench.drop("a.csv", csv_bytes([H0]))
    bench.drop("b.csv", csv_bytes([H30]))
    bench.look()
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", lambda path: [Closed(entry) for entry in real(path)])
        assert [one.name for one in bench.step().files] == ["b.csv"]
        assert codes(bench, 3) == []  # told already, once
    assert [one.name for _ in range(32) for one in bench.look().files] == ["a.csv"]


@pytest.mark.parametrize("number", WORLD, ids=errno.errorcode.get)
def test_a_share_that_is_away_is_told_once_and_comes_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def away(path: Any) -> Any:
        raise OSError(number, os.strerror(number))

    bench.drop("a.csv", csv_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", away)
        assert codes(bench, 10) == ["folder.away"]
    assert [one.verdict for one in bench.step().files] == ["accepted"]


def test_a_folder_that_cannot_be_made_yet_is_made_later(bench: Bench, tmp_path: Path) -> None:
    bench.root = tmp_path / "share" / "drop"
    (tmp_path / "share").write_text("what is there before it is mounted")
    bench.restart()
    assert codes(bench, 5) == ["folder.away"]
    (tmp_path / "share").unlink()
    bench.look()
    bench.drop("a.csv", csv_bytes())
    assert [one.verdict for one in bench.step().files] == ["accepted"]


def test_a_file_that_is_gone_before_it_is_taken_is_nobodys_trouble(bench: Bench) -> None:
    path = bench.drop("a.csv", csv_bytes())
    for seconds in (0, 20, 40):
        scan = bench.folder.scan(bench.clock.now(), seconds)
    path.unlink()
    assert bench.folder.claim(scan.ready[0]) is None
    assert codes(bench, 10) == []


@given(st.lists(st.floats(0, 1000), min_size=3, max_size=12))
def test_the_delay_grows_to_five_minutes_and_success_forgets(gaps: list[float]) -> None:
    troubles, now, waits = Troubles(), 0.0, []
    for no, gap in enumerate(gaps, 1):
        troubles.note("a", OSError(errno.EBUSY, ""), now)
        wait = min(5.0 * 2 ** (no - 1), 300.0)
        assert troubles.rests("a", now + wait - 0.01)
        assert not troubles.rests("a", now + wait)
        assert list(troubles.lasting()) == ([("a", "EBUSY")] if no >= 3 else [])
        waits.append(wait)
        now += gap
    assert waits == sorted(waits)
    troubles.over("a")
    assert not troubles.rests("a", now)
    assert list(troubles.lasting()) == []


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
