"""What systemd is told, over a real socket; and the units as shipped."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import DaemonSettings
from main import CONTENTS
from scheduler.clock import ManualClock, SystemClock
from scheduler.engine.alive import STALE
from scheduler.runtime.daemon import RELOAD, run_daemon
from scheduler.runtime.supervisor import Supervisor
from scheduler.runtime.work import Work
from scheduler.store.database import Database

UNITS = Path(__file__).resolve().parents[2] / "deploy"
QUICK = DaemonSettings(longest_wait_s=0.05)


class Listener:
    """The end of systemd: a datagram socket, and what arrived."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    yield made
    made.socket.close()


def test_the_watchdog_is_fed_while_every_service_writes_and_no_longer_once_one_is_silent(
    systemd: Listener,
) -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    told = Supervisor(clock, {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "60000000"})
    told.ready(["intake", "delivery"])
    assert systemd.heard() == ["READY=1\nSTATUS=2 services run"]
    told.alive("intake")
    assert systemd.heard() == ["WATCHDOG=1"]
    clock.move_to(clock.now() + timedelta(seconds=61))
    told.alive("intake")
    assert systemd.heard() == []  # delivery has been silent for longer than the watchdog's interval
    told.alive("delivery")
    assert systemd.heard() == ["WATCHDOG=1"]
    told.stopping()
    assert systemd.heard() == ["STOPPING=1"]


def test_without_a_supervisor_or_with_one_that_is_gone_nothing_happens(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody"), "WATCHDOG_USEC": "1000000"}):
        told = Supervisor(SystemClock(), environment)
        told.ready(["one"])
        told.alive("one")
        told.stopping()


async def test_the_daemon_says_ready_alive_and_stopping(
    db: Database, systemd: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    stop, heard = asyncio.Event(), list[str]()

    async def step(now: datetime) -> None:
        heard.extend(systemd.heard())
        if "WATCHDOG=1" in heard:
            stop.set()

    async with asyncio.timeout(30):
        works = [Work("one", step)]
        code = await run_daemon(db, works, SystemClock(), QUICK, daily=[], every=[], stop=stop)
    heard += systemd.heard()
    assert code == 0
    assert heard[0].startswith("READY=1")
    assert heard[1] == "WATCHDOG=1"
    assert heard[-1] == "STOPPING=1"


@pytest.mark.parametrize("usable", [True, False])
async def test_sighup_ends_the_daemon_for_a_new_start_only_when_the_files_can_be_used(
    db: Database, systemd: Listener, monkeypatch: pytest.MonkeyPatch, usable: bool
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    stop, asked = asyncio.Event(), list[bool]()

    async def reread() -> bool:
        asked.append(usable)
        return usable

    async def step(now: datetime) -> None:
        if not asked:
            os.kill(os.getpid(), signal.SIGHUP)
        elif not usable:
            stop.set()

    async with asyncio.timeout(30):
        code = await run_daemon(
            db, [Work("one", step)], SystemClock(), QUICK, daily=[], every=[], stop=stop, reread=reread
        )
    assert code == (RELOAD if usable else 0)
    heard = systemd.heard()
    assert any(one.startswith("RELOADING=1\nMONOTONIC_USEC=") for one in heard)
    assert ("STOPPING=1" in heard) is not usable


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda path: path.name)
def test_a_unit_is_understood_by_systemd_and_exposes_little(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    text = unit.read_text("utf-8").replace("/opt/mpa-monitor/.venv/bin/mpa-monitor", "/bin/true")
    copy.write_text(text, "utf-8")

    def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["systemd-analyze", *arguments, str(copy)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    checked = analyzed("verify", "--man=no")
    assert [line for line in checked.stderr.splitlines() if unit.name in line] == []
    judged = analyzed("security", "--offline=yes", "--threshold=13")  # 1.3 of 10 with systemd 252
    assert judged.returncode == 0, judged.stdout[-300:]


def _read(unit: Path) -> dict[str, list[str]]:
    """The settings of a unit, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda path: path.name)
def test_a_unit_says_what_it_takes_away_and_what_it_starts(unit: Path) -> None:
    """Also where there is no systemd to ask: nothing of the hardening is lost unseen, and the commands are ours."""
    found = _read(unit)
    for name in (
        "NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "PrivateMounts", "ProtectClock",
        "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectControlGroups",
        "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "RemoveIPC",
    ):  # fmt: skip
        assert found[name] == ["yes"], name
    assert found["ProtectSystem"] == ["strict"] and found["User"] == ["mpa"]
    assert found["CapabilityBoundingSet"] == [""] and found["SystemCallFilter"][0] == "@system-service"
    assert found["RestartPreventExitStatus"] == ["2"]
    commands = {one.name for part in CONTENTS for one in part.entries}
    for line in [*found["ExecStart"], *found.get("ExecStartPre", [])]:
        program, command, *_ = line.split()
        assert (program, command in commands) == ("/opt/mpa-monitor/.venv/bin/mpa-monitor", True), line
    if unit.name == "mpa-monitor.service":
        assert found["Type"] == ["notify"]
        assert int(found["WatchdogSec"][0]) >= 4 * STALE.total_seconds()
