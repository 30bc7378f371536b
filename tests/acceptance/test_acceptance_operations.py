"""Running the service: files read anew while it runs, metrics, a daemon that only seems to be alive."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import closing

import pytest
from acceptance_cases import COMMAND, ROOT, Installation, clean_environment, wait_until
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from config.defects import Defect
from scheduler.store.database import Database

pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]


def asked(at: Installation, statement: str) -> list[tuple[object, ...]]:
    with closing(Database(at.settings["MPA_DATABASE"])) as db:
        return db.read(lambda session: [tuple(row) for row in session.execute(text(statement))])


def started(at: Installation, times: int) -> Callable[[], bool]:
    statement = "SELECT seq FROM audit WHERE action = 'daemon_started'"
    return lambda: len(asked(at, statement)) >= times


def metrics(at: Installation) -> dict[str, float]:
    """The metrics without labels, by name; the text must be one that Prometheus reads."""
    families = text_string_to_metric_families(at("status", "--prometheus").out)
    found = {}
    for family in families:
        assert family.type == "gauge"
        assert family.documentation
        found |= {one.name: one.value for one in family.samples if not one.labels}
    return found


def test_files_are_read_anew_while_it_runs_and_broken_ones_leave_the_old_in_force(
    hospital: Installation,
) -> None:
    site = hospital.home / "config" / "sites" / "cochin.toml"
    good = site.read_text("utf-8")
    address = good.split('email = "', 1)[1].split('"', 1)[0]
    moved = good.replace(address, "moved@cochin.example", 1)
    with hospital.daemon() as process:
        wait_until(started(hospital, 1), 60)
        site.write_text(good.replace("open_weekdays", "open_weekday") + "\nzones = 1\n", "utf-8")
        os.kill(process.pid, signal.SIGHUP)
        noted = "SELECT failures, detail FROM heartbeat WHERE service = 'configuration' AND failures > 0"
        ((count, first),) = wait_until(lambda: asked(hospital, noted), 60)
        assert isinstance(count, int) and count > 1  # every defect, not the first alone
        assert Defect.from_json(str(first)).file == "sites/cochin.toml"
        site.write_text(good, "utf-8")  # commands read the files too
        done = hospital("status", "--json")
        assert (done.code, done.json["configuration"]["defects"]) == (1, count)
        assert done.json["configuration"]["first"].startswith("sites/cochin.toml: open_weekday: There is no")
        french = hospital("--language", "fr", "status").out
        assert "sites/cochin.toml\u202f: open_weekday\u202f: Cette clé n'existe pas ici." in french
        assert metrics(hospital)["mpa_monitor_configuration_defects"] == count
        assert started(hospital, 1)() and not started(hospital, 2)()
        assert asked(hospital, f"SELECT id FROM staff WHERE email = '{address}'")

        site.write_text(moved, "utf-8")
        os.kill(process.pid, signal.SIGHUP)
        wait_until(started(hospital, 2), 60)
        assert asked(hospital, "SELECT id FROM staff WHERE email = 'moved@cochin.example'")
        assert process.poll() is None  # the same process
        wait_until(lambda: hospital("status", "--json").code == 0, 60)
        assert metrics(hospital)["mpa_monitor_healthy"] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_a_daemon_that_is_stopped_dead_is_said_to_be_so(hospital: Installation) -> None:
    """Two intervals without a sign of life: status, its exit code and the metrics say so."""
    with hospital.daemon() as process:
        wait_until(started(hospital, 1), 60)
        wait_until(lambda: hospital("status").code == 0, 60)
        process.kill()
        process.wait(20)
        old = "UPDATE heartbeat SET at = at - 61000000 WHERE service = 'reconcile'"  # microseconds
        with closing(Database(hospital.settings["MPA_DATABASE"])) as db:
            db.transact(lambda session: session.execute(text(old)))
        done = hospital("status", "--json")
        assert done.code == 1
        assert [one["service"] for one in done.json["services"] if one["stale"]] == ["reconcile"]
        assert metrics(hospital)["mpa_monitor_healthy"] == 0


def test_the_procfile_prepares_the_database_and_runs_the_service_until_it_is_told_to_end(
    hospital: Installation,
) -> None:
    beside = str(COMMAND.parent)
    environment = clean_environment(**hospital.settings) | {"PATH": f"{beside}:{os.environ['PATH']}"}
    honcho = [f"{beside}/honcho", "-f", str(ROOT / "Procfile"), "-d", str(hospital.home), "start"]
    released = subprocess.run(
        [*honcho, "release"], env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert "Ready: sqlite" in released.stdout, released.stderr
    worker = subprocess.Popen([*honcho, "worker"], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        wait_until(started(hospital, 1), 60)
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=60)
        assert '"event": "daemon_stopped"' in said
        assert asked(hospital, "SELECT detail FROM audit WHERE action = 'daemon_stopped'")
    finally:
        if worker.poll() is None:
            worker.kill()
