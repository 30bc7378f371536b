"""The laboratory desk and the study in numbers: the same decisions, numbers and files as by the command line."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, date, datetime
from io import StringIO
from xml.etree import ElementTree

import pytest
from console_cases import OPERATOR, SUBJECT, Browser, House
from sqlmodel import Session, select

from config.language import Language
from scheduler.clock import ManualClock
from scheduler.domain.facts import DoseGiven, Enrolled, Formulation, Regimen, SampleDrawn, What
from scheduler.engine.account.accounts import Role
from scheduler.engine.recording.record import enrol, record
from scheduler.engine.study import Study
from scheduler.intake.arrival import Arrival
from scheduler.intake.ingest import ingest
from scheduler.intake.study import intake_study
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file
from scheduler.store.database import Database
from scheduler.store.tables import LabResultVersionRow, LabReviewRow

NOON = datetime(2025, 9, 1, 10, 0, tzinfo=UTC)
DRAWN = {"H0": NOON.replace(hour=6, minute=20), "H30": NOON.replace(hour=6, minute=55)}


@pytest.fixture
def desk(sqlite_db: Database, study: Study) -> House:
    """H0 and H30 are drawn; the laboratory sent H30 as an H0 that is too high to be one; one file is no table."""
    house = House(sqlite_db, study, ManualClock(NOON))

    def step(session: Session) -> None:
        now, handle = house.clock.now(), house.desk.handle
        what = Enrolled(NOON.date(), date(2025, 3, 1), Regimen(Formulation.MMF, 1000, 12))
        enrol(session, study, SUBJECT, "cochin", what, OPERATOR, now, handle)
        happened: list[What] = [
            SampleDrawn("INCLUSION", "H0", DRAWN["H0"], "T-1"),
            DoseGiven("INCLUSION", NOON.replace(hour=6, minute=25), 1000, Formulation.MMF, 12),
            SampleDrawn("INCLUSION", "H30", DRAWN["H30"], "T-2"),
        ]
        for one in happened:
            record(session, study, SUBJECT, one, OPERATOR, now, handle)
        row = LabRow(
            study="MPA-AUC", subject=SUBJECT, visit="V1", timepoint="H0", specimen="T-2", collected_at=DRAWN["H30"],
            reported_at=now, value="60", result_id="R-1",
        )  # fmt: skip
        known = intake_study(study.newest[1], study.labs.values(), "cochin")
        zone = study.calendars["cochin"].zone
        for name, content in (("held.csv", lab_file([row], zone)), ("bad.csv", b"nothing of use\n")):
            ingest(session, Arrival.of(name, content), known, now, handle)

    house.db.transact(step)
    return house


@pytest.fixture
def pharmacist(desk: House) -> Browser:
    return desk.signed_in("paul", roles=[Role.PHARMACIST])


def held(desk: House) -> LabResultVersionRow:
    rows = desk.db.read(lambda session: session.exec(select(LabResultVersionRow)).all())
    return next(row for row in rows if row.state == "held")


def decide(browser: Browser, number: int | None, **fields: str) -> int:
    return browser.send(f"/lab/rows/{number}", f"/lab/rows/{number}", **fields).status_code


def test_the_desk_shows_what_waits_what_was_refused_and_what_is_expected(
    desk: House, pharmacist: Browser
) -> None:
    html = pharmacist.get("/lab").text
    assert f"/lab/rows/{held(desk).id}" in html and "held.csv" in html
    assert "a person who decides; or the laboratory, by a corrected row" in html and "lab review" not in html
    quarantined = html[html.index('id="quarantined"') : html.index('id="expected"')]
    assert "bad.csv" in quarantined
    expected = html[html.index('id="expected"') : html.index('id="files"')]
    assert "T-2" in expected and SUBJECT in expected


def test_a_row_says_why_it_is_held_and_takes_a_decision_with_its_reason(
    desk: House, pharmacist: Browser
) -> None:
    row = held(desk)
    html = pharmacist.get(f"/lab/rows/{row.id}").text
    assert "60" in html and "Why it is held" in html
    assert decide(pharmacist, row.id, decision="reject", reason="") == 422
    assert pharmacist.last is not None and 'aria-describedby="e-reason"' in pharmacist.last.text
    assert decide(pharmacist, row.id, decision="reject", reason="tube mixed up, by telephone") == 303
    (review,) = desk.db.read(lambda session: [session.get(LabReviewRow, 1)])
    assert review is not None and (review.by, review.decision) == ("paul", "reject")
    (noted,) = desk.audited("lab_row_reviewed")
    assert (noted.actor, noted.source) == ("paul", "console")
    assert "Decided on" in pharmacist.get(f"/lab/rows/{row.id}").text


def test_a_row_is_used_for_another_sampling_time(desk: House, pharmacist: Browser) -> None:
    row = held(desk)
    answer = decide(pharmacist, row.id, decision="reassign", timepoint="H30", reason="the label says H30")
    assert answer == 303
    (noted,) = desk.audited("lab_row_reviewed")
    assert noted.detail["after"]["timepoint"] == "H30"


def test_deciding_twice_is_harmless_and_another_decision_is_refused(desk: House, pharmacist: Browser) -> None:
    row = held(desk)
    csrf = pharmacist.csrf()
    sent = {"csrf": csrf, "decision": "reject", "reason": "mixed up"}
    assert [pharmacist.post(f"/lab/rows/{row.id}", sent).status_code for _ in range(2)] == [303, 303]
    assert pharmacist.post(f"/lab/rows/{row.id}", {**sent, "decision": "accept"}).status_code == 422
    assert len(desk.audited("lab_row_reviewed")) == 1


@pytest.mark.parametrize(
    "fields", [{}, {"decision": "burn"}, {"decision": "reassign", "timepoint": "H99", "reason": "x"}]
)
def test_what_is_no_decision_is_refused_and_the_reason_is_kept(
    desk: House, pharmacist: Browser, fields: dict[str, str]
) -> None:
    assert decide(pharmacist, held(desk).id, **{"reason": "typed already", **fields}) == 422
    assert pharmacist.last is not None
    assert fields.get("reason", "typed already") in pharmacist.last.text
    assert not desk.audited("lab_row_reviewed")


def test_a_nurse_looks_and_does_not_decide(desk: House) -> None:
    nurse, row = desk.signed_in("nadia", roles=[Role.NURSE]), held(desk)
    assert "decided by others" in nurse.get(f"/lab/rows/{row.id}").text
    sent = {"csrf": nurse.csrf(), "decision": "reject", "reason": "x"}
    assert nurse.post(f"/lab/rows/{row.id}", sent).status_code == 403


def test_a_file_shows_its_rows_and_why_it_was_refused(desk: House, pharmacist: Browser) -> None:
    number = held(desk).file_id
    assert f"/lab/rows/{held(desk).id}" in pharmacist.get(f"/lab/files/{number}").text
    refused_file = pharmacist.get(f"/lab/files/{number + 1}").text
    assert "bad.csv" in refused_file and 'class="problems"' in refused_file


def test_with_two_reviewers_the_second_person_settles_it(desk: House) -> None:
    intake = desk.settings.intake.model_copy(update={"two_reviewers": True})
    house = replace(desk, settings=desk.settings.model_copy(update={"intake": intake}))
    row = held(house)
    fields = {"decision": "reassign", "timepoint": "H30", "reason": "the label says H30"}
    first, second = (house.signed_in(name, roles=[Role.PHARMACIST]) for name in ("paul", "pia"))
    assert decide(first, row.id, **fields) == 303
    assert "proposed" in first.get(first.last.headers["location"] if first.last else "/").text
    assert not house.audited("lab_row_reviewed")
    assert "another person than paul" in second.get("/lab").text
    assert decide(second, row.id, **fields) == 303
    assert len(house.audited("lab_row_reviewed")) == 1


def test_the_overview_shows_the_numbers_of_the_engine_in_both_languages(desk: House) -> None:
    english = desk.signed_in("ines", roles=[Role.INVESTIGATOR]).get("/overview").text
    french = desk.signed_in("irene", roles=[Role.INVESTIGATOR], language=Language.FR).get("/overview").text
    assert "1 subject" in english and "0 / 1" in english and "Sep 2025" in english
    assert "Recrutement" in french and "Télécharger le CSV" in french


def test_the_data_goes_out_whole_and_the_audit_notes_who_took_it(desk: House) -> None:
    browser = desk.signed_in("ines", roles=[Role.INVESTIGATOR])
    table = browser.send("/overview", "/overview/export/csv")
    rows = list(csv.DictReader(StringIO(table.content.decode("utf-8-sig")), delimiter=";"))
    assert {row["subject"] for row in rows} == {SUBJECT} and {row["site"] for row in rows} == {"cochin"}
    assert 'filename="scleramac-2025-09-01.csv"' in table.headers["content-disposition"]
    xml = browser.send("/overview", "/overview/export/odm")
    assert ElementTree.fromstring(xml.content).attrib["Granularity"] == "SingleSite"
    assert int(xml.headers["content-length"]) == len(xml.content)
    noted = desk.audited("exported")
    assert [(one.actor, one.source, one.detail["format"]) for one in noted] == [
        ("ines", "console", "csv"), ("ines", "console", "odm"),
    ]  # fmt: skip


def test_no_data_goes_out_by_a_link(desk: House) -> None:
    browser = desk.signed_in("ines", roles=[Role.INVESTIGATOR])
    assert browser.get("/overview/export/csv").headers["location"] == "/overview"
    assert not desk.audited("exported")


def test_who_may_not_export_sees_no_button(desk: House) -> None:
    browser = desk.signed_in("paul", roles=[Role.PHARMACIST])
    assert "/overview/export/" not in browser.get("/overview").text
    assert browser.post("/overview/export/csv", {"csrf": browser.csrf()}).status_code == 403


def test_a_refused_file_waits_on_the_desk_however_many_files_came_since(
    desk: House, pharmacist: Browser
) -> None:
    def step(session: Session) -> None:
        known = intake_study(desk.study.newest[1], desk.study.labs.values(), "cochin")
        zone, now = desk.study.calendars["cochin"].zone, desk.clock.now()
        for number in range(60):
            row = LabRow(
                study="OTHER", subject=SUBJECT, visit="V1", timepoint="H0", specimen=f"O-{number}",
                collected_at=DRAWN["H0"], reported_at=now, value="1", result_id=f"O-{number}",
            )  # fmt: skip
            arrival = Arrival.of(f"later-{number}.csv", lab_file([row], zone))
            ingest(session, arrival, known, now, desk.desk.handle)

    desk.db.transact(step)
    html = pharmacist.get("/lab").text
    assert "bad.csv" in html[html.index('id="quarantined"') : html.index('id="expected"')]
    assert "later-59.csv" in html and "later-10.csv" not in html and "/lab?show=files" in html
    pages = [pharmacist.get(f"/lab?show=files&page={number}").text for number in (1, 2)]
    assert ["bad.csv" in page for page in pages] == [False, True]
    for which in ("held", "quarantined", "expected", "nonsense"):
        assert pharmacist.get(f"/lab?show={which}").status_code == 200
