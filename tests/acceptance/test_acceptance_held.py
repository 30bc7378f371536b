"""Held rows at the command line: what waits, and what a person decides of it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from acceptance_cases import Installation
from sqlmodel import Session, col, select

from notifications.words.render import template_names
from scheduler.engine.study import load_study
from scheduler.intake.arrival import Arrival
from scheduler.intake.ingest import ingest
from scheduler.intake.study import intake_study
from scheduler.store.database import Database
from scheduler.store.tables import AuditRow, LabReviewRow, ReviewRow

pytestmark = pytest.mark.process

SUBJECT = "MPA-0042-7"
HEADER = (
    "etude;code_patient;visite;temps;numero_echantillon;date_heure_prelevement;date_heure_validation;analyse;"
    "resultat;unite;statut;technique;milieu;laboratoire"
)


def receive(at: Installation) -> None:
    """A file of the laboratory: an implausible value, a row without unit, and one of an unknown subject."""
    study = load_study(Path(at.settings["MPA_CONFIG"]), template_names())
    known = intake_study(study.newest[1], study.labs.values(), "cochin")
    now = datetime.now(UTC)
    start = (now - timedelta(hours=3)).isoformat(timespec="minutes")
    end = (now - timedelta(hours=1)).isoformat(timespec="minutes")
    rows = [
        f"MPA-AUC;{subject};V1;{point};T-{tube};{start};{end};23905-3;{value};{unit};F;LCMSMS;PLASMA_EDTA;CCH-PHARMACO"
        for subject, point, tube, value, unit in (
            (SUBJECT, "H0", "1", "60", "mg/L"),
            (SUBJECT, "H30", "2", "14,2", ""),
            ("MPA-0001-3", "H0", "3", "1,85", "mg/L"),
        )
    ]
    content = "\r\n".join([HEADER, *rows, "#FIN;3", ""]).encode()

    def step(session: Session) -> None:
        ingest(session, Arrival.of("held.csv", content), known, now, lambda *_: None)

    with closing(Database(at.settings["MPA_DATABASE"])) as db:
        db.transact(step)


def test_what_waits_is_listed_and_a_person_decides_it(hospital: Installation) -> None:
    at = hospital
    assert at.ok("lab", "held", "--json").json == []
    at.ok("enrol", SUBJECT, "--inclusion", f"{datetime.now(UTC):%Y-%m-%d}")
    receive(at)

    rows = at.ok("lab", "held", "--json").json
    assert [[why["code"] for why in row["why"]] for row in rows] == [["R-14"], ["R-15"], ["R-01"]]
    assert [row["settles"]["code"] for row in rows] == [
        "settles_person",
        "settles_laboratory",
        "settles_records",
    ]
    assert all(row["why"][0]["en"] != row["why"][0]["fr"] for row in rows)
    numbers = [str(row["id"]) for row in rows]

    said = {language: at.ok("--language", language, "lab", "held").out for language in ("en", "fr")}
    assert "held.csv" in said["en"] and "implausible" in said["en"]
    assert "Lignes en attente" in said["fr"] and "implausible" not in said["fr"]

    why = ("--reason", "diluted twice, says the laboratory")
    assert "lacks: a unit" in at.refused("lab", "review", numbers[1], "--accept", *why)
    assert "--accept, --reject" in at.refused("lab", "review", numbers[0], *why)
    assert "--accept, --reject" in at.refused("lab", "review", numbers[0], "--accept", "--reject", *why)
    assert "No. 99" in at.refused("lab", "review", "99", "--reject", *why)
    assert at.ok("lab", "review", numbers[0], "--accept", "--by", "a manager", *why).out
    assert "a manager" in at.refused("lab", "review", numbers[0], "--reject", *why)
    assert at.ok("lab", "review", numbers[1], "--reject", *why).out
    assert [str(row["id"]) for row in at.ok("lab", "held", "--json").json] == numbers[2:]

    results = [(row["timepoint"], row["state"]) for row in at.ok("results", SUBJECT, "--json").json]
    assert results.count(("H0", "accepted")) == 1
    assert sorted(state for _, state in results) == ["accepted", "settled", "settled"]
    assert at.ok("audit", "verify")
    the_decisions_are_on_record(at)


def the_decisions_are_on_record(at: Installation) -> None:
    def step(session: Session) -> None:
        made = session.exec(select(LabReviewRow).order_by(col(LabReviewRow.id))).all()
        assert [row.decision for row in made] == ["accept", "reject"]
        for row in made:
            chained, text = session.get(AuditRow, row.audit_seq), session.get(ReviewRow, row.audit_seq)
            assert chained is not None and chained.source == "cli"
            assert text is not None and text.text == "diluted twice, says the laboratory"

    with closing(Database(at.settings["MPA_DATABASE"])) as db:
        db.transact(step)
