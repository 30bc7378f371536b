"""The contacts of laboratories are people of their site, with one role that nobody else has."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from config_cases import copy_of_config
from sqlmodel import Session, col, select

from config.defects import ConfigurationInvalidError
from notifications.words.render import template_names
from scheduler.engine.study import Study, load_study
from scheduler.store.database import Database
from scheduler.store.tables import StaffRow

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONTACT = """
[[contacts]]
id = "{id}"
name = "Paillasse"
email = "bench@cochin.example"
language = "fr"
"""


def study_with(folder: Path, *contacts: str, more: str = "") -> Study:
    """The study as shipped, its laboratory with these contacts."""
    shutil.rmtree(folder, ignore_errors=True)
    copy_of_config(folder)
    path = folder / "labs" / "cch-pharmaco.toml"
    path.write_text(
        path.read_text("utf-8") + "".join(CONTACT.format(id=one) for one in contacts) + more, "utf-8"
    )
    return load_study(folder, template_names())


def contacts_of(db: Database) -> list[tuple[str, Sequence[str], bool]]:
    def step(session: Session) -> list[tuple[str, Sequence[str], bool]]:
        rows = session.exec(select(StaffRow).order_by(col(StaffRow.id)))
        return [(row.id, row.roles, row.active) for row in rows if row.id.startswith("bench")]

    return db.transact(step)


def test_a_contact_is_told_as_that_of_its_laboratory_and_leaves_when_the_file_no_longer_names_it(
    sqlite_db: Database, tmp_path: Path
) -> None:
    for names, expected in (
        (("bench-1", "bench-2"), [True, True]),
        (("bench-2",), [False, True]),
        ((), [False, False]),
        (("bench-1",), [True, False]),
    ):
        study = study_with(tmp_path / "config", *names)
        sqlite_db.transact(lambda session, study=study: study.sync(session, NOW))
        role = ["laboratory:CCH-PHARMACO"]
        assert contacts_of(sqlite_db) == [("bench-1", role, expected[0]), ("bench-2", role, expected[1])]


@pytest.mark.parametrize("names", [("coordinator-1",), ("bench-1", "bench-1")])
def test_the_id_of_a_contact_is_used_by_nobody_else(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationInvalidError) as refused:
        study_with(tmp_path / "config", *names)
    assert "is used twice" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["\n[reconciliation]\nweekday = 8\n", '\n[reconciliation]\nat = "8"\n', '\n[[contacts]]\nid = "a"\n'],
)
def test_a_table_that_cannot_be_meant_is_a_defect(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationInvalidError):
        study_with(tmp_path / "config", more=text)
