"""Protocol versions: none is edited after its use, and whoever was enrolled under one keeps it."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from config_cases import PROTOCOL, changed_study
from engine_desk import DOSE, MORNING, OTHER, SUBJECT, WHO, Desk, at
from typer.testing import CliRunner

from config.defects import ConfigurationInvalidError
from main import app
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.subjects import wake_all
from scheduler.store.tables import (
    AuditRow,
    FactRow,
    ProtocolVersionRow,
    VisitRow,
)

WIDER = (
    'value = "P6W", relative_to = "INCLUSION", window_lower = "P7D"',
    'value = "P6W", relative_to = "INCLUSION", window_lower = "P5D"',
)
SECOND = (WIDER, ('version = "1"', 'version = "2"'))


def test_a_version_edited_after_its_use_is_refused_and_nothing_is_changed(desk: Desk, tmp_path: Path) -> None:
    edited = changed_study(tmp_path / "config", PROTOCOL, WIDER)
    desk.db.transact(lambda session: edited.sync(session, desk.now))  # nobody is enrolled under it yet
    desk.enrol()
    before = desk.everything()
    with pytest.raises(ConfigurationInvalidError, match="its file was edited since"):
        desk.db.transact(lambda session: edited.sync(session, desk.now))
    assert desk.everything() == before


def test_a_new_version_is_for_new_subjects_and_the_old_ones_keep_theirs(desk: Desk, tmp_path: Path) -> None:
    desk.enrol()
    old = desk.rows(VisitRow, subject=SUBJECT, visit="W6")[0].first
    both = Desk(
        desk.db, changed_study(tmp_path / "config", PROTOCOL, *SECOND, beside="second.toml"), desk.now
    )
    both.enrol(OTHER)
    both.db.transact(lambda session: wake_all(session, both.now))
    assert both.reconcile() == 2
    assert both.rows(VisitRow, subject=SUBJECT, visit="W6")[0].first == old
    assert both.rows(VisitRow, subject=OTHER, visit="W6")[0].first == old + timedelta(days=2)
    assert {row.version for row in both.rows(ProtocolVersionRow)} == {"1", "2"}


def test_an_assessment_is_read_by_the_version_that_its_visit_follows(
    sqlite_url: str, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer file scores one site more; whoever follows the older one has a total without it."""
    with closing(Database(sqlite_url)) as db:
        desk = Desk(db, study)
        desk.enrol()
        desk.now = at(11, 0)
        desk.say(MORNING[0])
        second = (
            ('version = "1"', 'version = "2"'),
            ('"face",', '"neck", "face",'),
            ("maximum = 51", "maximum = 54"),
        )
        changed_study(tmp_path / "config", PROTOCOL, *second, beside="second.toml")
        monkeypatch.setenv("MPA_DATABASE", sqlite_url)
        monkeypatch.setenv("MPA_CONFIG", str(tmp_path / "config"))
        mrss = study.newest[1].activity("mrss")
        assert mrss is not None
        sites = [f"mrss.{site}=1" for site in mrss.sites]
        done = CliRunner().invoke(app, ["assess", SUBJECT, "INCLUSION", *sites, "--at", "2025-09-01 09:00"])
        assert done.exit_code == 0, done.output
        assert [row.payload["value"] for row in desk.rows(FactRow, kind="assessed")] == [len(sites)]


def test_subjects_of_a_version_whose_file_is_gone_go_on(desk: Desk, tmp_path: Path) -> None:
    desk.enrol()
    later: Any = Desk(desk.db, changed_study(tmp_path / "config", PROTOCOL, *SECOND), at(11, 0))
    later.say(DOSE)
    assert later.status("INCLUSION") == "attended"
    later.now = at(9, 0, 27, 10)
    assert later.reconcile() == 1
    assert later.status("W6") == "overdue"
    assert WHO.name in {row.actor for row in later.rows(AuditRow)}
