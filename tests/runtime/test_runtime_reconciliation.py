"""`lab reconciliation` as it is typed."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from click.testing import Result
from sqlmodel import Session
from typer.testing import CliRunner

from main import app
from scheduler.domain.reason import because, to_json
from scheduler.store.database import Database
from scheduler.store.tables import ProtocolVersionRow, SamplingRow, SiteRow, SubjectRow, VisitRow

SUBJECT = "MPA-0042-7"
DRAWN_AT = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)


@pytest.fixture
def drawn(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A study in which H0 was drawn and measured, and H30 drawn."""

    def fill(session: Session) -> None:
        session.add(SiteRow(id="cochin", name="Cochin", zone="Europe/Paris"))
        session.add(ProtocolVersionRow(sha256="p", protocol="x", version="1", text="", recorded_at=DRAWN_AT))
        session.add(SubjectRow(code=SUBJECT, site_id="cochin", protocol_sha256="p", enrolled_at=DRAWN_AT))
        session.flush()
        session.add(
            VisitRow(
                subject=SUBJECT, visit="W6", status="attended", reason=to_json(because("status_planned")),
                target=date(2026, 3, 5), first=date(2026, 3, 5), last=date(2026, 3, 5), missing=[],
            )
        )  # fmt: skip
        for point, tube, result in (("H0", "T-1", "F"), ("H30", "=T-2", None)):
            session.add(
                SamplingRow(
                    subject=SUBJECT, visit="W6", point=point, drawn_at=DRAWN_AT, tube=tube, result=result
                )
            )

    db = Database(sqlite_url)
    db.transact(fill)
    db.close()
    monkeypatch.setenv("MPA_DATABASE", sqlite_url)
    return sqlite_url


def run(*words: str, language: str = "en") -> Result:
    return CliRunner().invoke(app, ["--language", language, "lab", "reconciliation", *words])


def test_it_lists_what_is_open_and_what_was_drawn_in_the_period(drawn: str) -> None:
    found = json.loads(run("--from", "2026-03-01", "--to", "2026-03-07", "--json").output)
    assert [(one["point"], one["state"]) for one in found] == [("H30", "awaited"), ("H0", "received")]
    assert found[0]["laboratory"] == "CCH-PHARMACO"
    later = json.loads(run("--from", "2026-03-08", "--to", "2026-03-14", "--json").output)
    assert [(one["point"], one["state"]) for one in later] == [("H30", "awaited")]


def test_it_is_a_table_in_both_languages(drawn: str) -> None:
    period = ("--from", "01/03/2026", "--to", "07/03/2026")
    assert "awaited" in run(*period).output
    assert "attendu" in run(*period, language="fr").output


def test_it_is_written_as_a_csv_without_formulas(drawn: str, tmp_path: Path) -> None:
    out = tmp_path / "list.csv"
    done = run("--from", "2026-03-01", "--to", "2026-03-07", "--csv", str(out))
    assert done.exit_code == 0, done.output
    rows = list(csv.reader(StringIO(out.read_text("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows[1:]] == [SUBJECT, SUBJECT]
    assert not [cell for row in rows for cell in row if cell.startswith("=")]
    assert run("--csv", str(tmp_path / "no" / "x.csv")).exit_code == 2


@pytest.mark.parametrize("words", [("--lab", "NOBODY"), ("--from", "yesterday")])
def test_what_cannot_be_meant_is_refused(drawn: str, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_one_laboratory_may_be_asked_for(drawn: str) -> None:
    found = json.loads(run("--lab", "CCH-PHARMACO", "--to", "2026-03-07", "--json").output)
    assert len(found) == 2
