"""The drop folder: rest, markers, links, limits; what is taken, and when."""

from __future__ import annotations

import os
import socket
import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from intake_cases import NOW, Bench, csv_bytes

from scheduler.intake.folder.drop_folder import DropFolder
from scheduler.intake.folder.rooms import Limits, Scan


@pytest.fixture
def folder(tmp_path: Path) -> DropFolder:
    return DropFolder(tmp_path / "drop", Limits(settle_s=30, min_free_bytes=0, min_free_share=0))


def drop(folder: DropFolder, name: str, content: bytes = b"x") -> Path:
    path = folder.root / "in" / name
    path.write_bytes(content)
    return path


def ready(scan: Scan) -> list[str]:
    return [one.name for one in scan.ready]


def test_a_file_is_ready_after_three_scans_and_the_settling_time(folder: DropFolder) -> None:
    drop(folder, "a.csv")
    assert [ready(folder.scan(NOW, seconds)) for seconds in (0, 1, 2, 29.9)] == [[]] * 4
    assert ready(folder.scan(NOW, 30)) == ["a.csv"]


def test_a_long_pause_between_two_scans_is_not_rest(folder: DropFolder) -> None:
    drop(folder, "a.csv")
    assert [ready(folder.scan(NOW, seconds)) for seconds in (0, 500)] == [[], []]
    assert ready(folder.scan(NOW, 1000)) == ["a.csv"]


@pytest.mark.parametrize("change", ["grow", "same size", "touch", "replace"])
def test_a_file_that_changes_starts_again(folder: DropFolder, change: str) -> None:
    path = drop(folder, "a.csv", b"one")
    for seconds in (0, 20, 25):
        folder.scan(NOW, seconds)
    about = path.stat()
    if change == "grow":
        path.write_bytes(b"one more")
    elif change == "touch":
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + 1))
    else:
        if change == "replace":
            path.unlink()
        path.write_bytes(b"two")
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))  # as Windows clients do
    assert [ready(folder.scan(NOW, seconds)) for seconds in (30, 40, 59)] == [[], [], []]
    assert ready(folder.scan(NOW, 60)) == ["a.csv"]


def test_an_old_modification_time_is_not_rest(folder: DropFolder) -> None:
    os.utime(drop(folder, "a.csv"), (0, 0))
    assert ready(folder.scan(NOW, 0)) == []


@pytest.mark.parametrize("suffix", [".ok", ".done"])
def test_a_matching_marker_makes_a_file_ready_at_once(folder: DropFolder, suffix: str) -> None:
    drop(folder, "a.csv", b"content")
    drop(folder, f"a.csv{suffix}", f"{sha256(b'content').hexdigest()};7\r\n".encode())
    (one,) = folder.scan(NOW, 0).ready
    claimed = folder.claim(one)
    assert claimed is not None
    assert list((folder.root / "in").iterdir()) == []
    arrival = folder.read(claimed)
    assert arrival is not None
    assert (arrival.content, arrival.fault) == (b"content", None)


@pytest.mark.parametrize("marker", ["", "nonsense", f"{'0' * 64};7", f"{sha256(b'content').hexdigest()};8"])
def test_F11_a_marker_that_does_not_match_waits_for_rest_and_then_refuses(
    folder: DropFolder, marker: str
) -> None:
    drop(folder, "a.csv", b"content")
    drop(folder, "a.csv.ok", marker.encode())
    assert [ready(folder.scan(NOW, seconds)) for seconds in (0, 20)] == [[], []]
    (one,) = folder.scan(NOW, 31).ready
    claimed = folder.claim(one)
    assert claimed is not None
    arrival = folder.read(claimed)
    if marker.endswith(";8"):  # the right content, only the size is mistyped: what was promised came
        assert arrival is not None
        assert arrival.fault is None
    else:
        assert arrival is not None
        assert arrival.fault is not None
        assert arrival.fault.code == "F-11.marker"


def test_F11_content_refused_for_its_marker_may_come_again(bench: Bench) -> None:
    bench.drop("a.csv", csv_bytes())
    bench.drop("a.csv.ok", b"0" * 64 + b";1")
    assert bench.step().files[0].code == "F-11"
    bench.drop("a.csv", csv_bytes())
    assert bench.step().files[0].verdict == "accepted"


@pytest.mark.parametrize(
    "name",
    [
        ".hidden",
        "~$a.csv",
        "a.csv~",
        "a.part",
        "a.filepart",
        "a.tmp",
        "a.TMP",
        "a.writing",
        "a.crdownload",
        "a.swp",
    ],
)
def test_F01_temporary_names_are_left_alone_and_told_after_a_day(folder: DropFolder, name: str) -> None:
    path = drop(folder, name)
    now = datetime.fromtimestamp(path.stat().st_ctime, UTC)
    for seconds in (0, 20, 40, 60):
        scan = folder.scan(now, seconds)
        assert (scan.ready, scan.alerts) == ((), ())
    scan = folder.scan(now + timedelta(hours=25), 90000)
    assert [alert.reason.code for alert in scan.alerts] == ["F-01.stale"]
    assert folder.scan(now + timedelta(hours=26), 93000).alerts == ()  # told once


def test_an_upload_without_end_is_told(folder: DropFolder) -> None:
    path = drop(folder, "a.csv")
    for hour in range(7):
        path.write_bytes(b"x" * (hour + 2))
        scan = folder.scan(NOW, hour * 3600.0)
    assert [alert.reason.code for alert in scan.alerts] == ["F-11.unsettled"]


def test_F02_what_is_no_ordinary_file_is_never_opened(folder: DropFolder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    inside = folder.root / "in"
    (inside / "link.csv").symlink_to(secret)
    os.link(secret, inside / "hard.csv")
    os.mkfifo(inside / "fifo.csv")
    (inside / "folder.csv").mkdir()
    drop(folder, "setuid.csv").chmod(0o4755)
    drop(folder, "setgid.csv").chmod(0o2755)
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(os.path.relpath(inside / "plug.csv"))
    if os.geteuid() == 0:
        os.mknod(inside / "device.csv", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    special = sorted(path.name for path in inside.iterdir())
    for seconds in (0, 20, 40, 60):
        scan = folder.scan(NOW, seconds)
        assert ready(scan) == []
        if seconds == 0:
            assert sorted(alert.name for alert in scan.alerts) == special
            codes = {alert.name: alert.reason.code for alert in scan.alerts}
            assert codes.pop("folder.csv") == "folder.unknown"  # a sub-folder is a laboratory's, or nobody's
            assert set(codes.values()) == {"F-02"}
    assert sorted(path.name for path in inside.iterdir()) == special
    assert secret.read_text() == "x"


@pytest.mark.parametrize("kind", ["symlink", "fifo", "hard link"])
def test_F02_a_file_exchanged_between_look_and_claim_is_not_followed(
    bench: Bench, kind: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(csv_bytes())
    secret.chmod(0o644)
    path = bench.drop("a.csv", b"x")
    for _ in range(3):
        bench.folder.scan(NOW, 0)
    (one,) = bench.folder.scan(NOW, 30).ready
    path.unlink()
    if kind == "symlink":
        path.symlink_to(secret)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        os.link(secret, path)
    claimed = bench.folder.claim(one)
    assert claimed is not None
    arrival = bench.folder.read(claimed)
    assert arrival is not None
    assert arrival.fault is not None
    assert (arrival.content, arrival.fault.code) == (None, "F-02")
    bench.restart()
    (report,) = bench.look().files
    assert (report.verdict, report.code) == ("quarantined", "F-02")
    assert bench.versions() == []
    assert (secret.read_bytes(), secret.stat().st_mode & 0o777) == (csv_bytes(), 0o644)


def test_F04_a_file_over_the_limit_is_quarantined_unread(bench: Bench) -> None:
    bench.drop("a.csv", b"x" * 5_000_001)
    assert [(one.verdict, one.code) for one in bench.step().files] == [("quarantined", "F-04")]
    assert (bench.root / "quarantine" / bench.names("quarantine")[0]).stat().st_size == 5_000_001


@pytest.mark.parametrize("limits", [{"min_free_bytes": 2**62}, {"min_free_share": 1.0, "min_free_bytes": 0}])
def test_no_file_is_taken_when_the_disk_is_nearly_full(tmp_path: Path, limits: dict[str, Any]) -> None:
    folder = DropFolder(tmp_path, Limits(settle_s=0, **limits))
    drop(folder, "a.csv")
    for seconds in (0, 10):
        folder.scan(NOW, seconds)
    scan = folder.scan(NOW, 20)
    assert (scan.ready, scan.waiting) == ((), 1)
    assert [alert.reason.code for alert in scan.alerts] == ["folder.full"]


def test_two_daemons_on_one_folder_share_it_without_a_double(folder: DropFolder) -> None:
    other = DropFolder(folder.root, Limits(settle_s=0, min_free_bytes=0, min_free_share=0))
    drop(folder, "a.csv")
    for seconds in (0, 20):
        folder.scan(NOW, seconds)
        other.scan(NOW, seconds)
    (mine,), (theirs,) = folder.scan(NOW, 40).ready, other.scan(NOW, 40).ready
    assert folder.claim(mine) is not None
    assert other.claim(theirs) is None


def test_a_backlog_is_taken_in_parts(tmp_path: Path) -> None:
    folder = DropFolder(tmp_path, Limits(settle_s=0, min_free_bytes=0, min_free_share=0, per_scan=2))
    for name in ("a.csv", "b.csv", "c.csv"):
        drop(folder, name)
    for seconds in (0, 20):
        folder.scan(NOW, seconds)
    scan = folder.scan(NOW, 40)
    assert (len(scan.ready), scan.waiting) == (2, 1)


def test_a_backlog_is_taken_oldest_first(folder: DropFolder) -> None:
    for age, name in enumerate(["c.csv", "a.csv", "b.csv"]):
        os.utime(drop(folder, name), (1000 + age, 1000 + age))
    for seconds in (0, 20):
        folder.scan(NOW, seconds)
    assert ready(folder.scan(NOW, 40)) == ["c.csv", "a.csv", "b.csv"]
