"""The rehearsal of the worst day: a backup under the running service, and the study made again from it elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acceptance_cases import Installation, wait_until

SUBJECT = "MPA-0042-7"


def test_a_study_saved_under_the_running_service_is_made_again_elsewhere(
    hospital: Installation, tmp_path: Path
) -> None:
    at = hospital
    at.ok("init")
    with at.daemon():
        wait_until(lambda: at("status", "--json").json["services"], what="the service runs")
        at.ok(
            "enrol", SUBJECT, "--inclusion", "2026-01-05", "--treatment-start", "2025-12-01", "--formulation", "mmf",
            "--dose-mg", "1000", "--interval-h", "12",
        )  # fmt: skip
        done = at.ok("backup", "--out", str(tmp_path / "saved"))
        assert "encrypted" in done.out
        assert "replaces nothing" in at.refused("backup", "--out", str(tmp_path / "saved" / "manifest.json"))
    anchor = at.ok("audit", "verify", "--json").json
    assert anchor["intact"] is True
    new = tmp_path / "new"
    new.mkdir()
    moved = {"MPA_DATABASE": f"sqlite:///{new}/study.db", "MPA_INTAKE__FOLDER": str(new / "lab")}
    there = replace(at, home=new, settings={**at.settings, **moved})
    said = there.ok("restore", str(tmp_path / "saved")).out
    assert "possibly-sent" in said
    assert "empty place" in there.refused("restore", str(tmp_path / "saved"))
    there.ok("init")
    assert there.ok("audit", "verify", "--json").json["intact"] is True
    assert there.ok("board", "--json").json
    assert there("status").code == 1  # not running yet
    assert there.ok("outbox", "possibly-sent", "--sent").out
    cut = there("audit", "verify", "--anchor", f"{anchor['rows'] + 100}:{anchor['head']}")
    assert cut.code == 1 and "cut off" in cut.err
