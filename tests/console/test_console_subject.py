"""One subject's page: its year, why everything is as it is, the records, the mails; and the AUC with its picture."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from config_cases import PROTOCOL, changed_study
from console_cases import OPERATOR, SUBJECT, House
from markupsafe import escape
from sqlmodel import Session

from config.language import Language
from scheduler.clock import ManualClock
from scheduler.domain.facts import (
    Answer,
    Assessed,
    Attended,
    Corrected,
    DoseGiven,
    EligibilityAssessed,
    Enrolled,
    FlagAcknowledged,
    Formulation,
    Intercurrent,
    Occurred,
    Paused,
    ProtocolApplied,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleDrawn,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.engine.reconcile import reconcile_step
from scheduler.engine.recording.amendment import apply_version
from scheduler.engine.recording.record import enrol, record
from scheduler.engine.report.endpoints import endpoint_rows
from scheduler.engine.report.explain import explain
from scheduler.engine.report.facts import fact_said
from scheduler.engine.report.sampling_day import SamplingDay, sampling_day
from scheduler.engine.study import Study
from scheduler.intake.arrival import Arrival
from scheduler.intake.ingest import ingest
from scheduler.intake.study import intake_study
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file
from scheduler.store.database import Database
from scheduler.store.tables import SubjectRow

AT = datetime(2025, 9, 1, 6, 0, tzinfo=UTC)
PAGE = f"/subjects/{SUBJECT}"
BOTH = list(Language)


def minute(n: int) -> datetime:
    return AT.replace(hour=6 + n // 60, minute=n % 60)


@pytest.fixture
def lived(sqlite_db: Database, study: Study) -> House:
    """A subject whose first sampling day is complete, with its AUC."""
    house = House(sqlite_db, study, ManualClock(minute(300)))
    draws = {"H0": minute(20), "H30": minute(55), "H2": minute(145)}

    def step(session: Session) -> None:
        now, handle = house.clock.now(), house.desk.handle
        what = Enrolled(AT.date(), date(2025, 3, 1), Regimen(Formulation.MMF, 1000, 12))
        enrol(session, study, SUBJECT, "cochin", what, OPERATOR, now, handle)
        happened: list[What] = [DoseGiven("INCLUSION", minute(25), 1000, Formulation.MMF, 12)]
        happened += [SampleDrawn("INCLUSION", point, at, f"T-{point}") for point, at in draws.items()]
        happened += [VisitBooked("W6", datetime(2025, 10, 13, 8, 30))]  # noqa: DTZ001
        for one in happened:
            record(session, study, SUBJECT, one, OPERATOR, now, handle)
        rows = [
            LabRow(
                study="MPA-AUC", subject=SUBJECT, visit="V1", timepoint=point, specimen=f"T-{point}", collected_at=at,
                reported_at=now, value=value, result_id=f"R-{point}",
            )
            for (point, at), value in zip(draws.items(), ("1.85", "14.20", "6.40"), strict=True)
        ]  # fmt: skip
        known = intake_study(study.newest[1], study.labs.values(), "cochin")
        arrival = Arrival.of("1.csv", lab_file(rows, study.calendars["cochin"].zone))
        ingest(session, arrival, known, now, handle)

    house.db.transact(step)
    reconcile_step(house.db, study, house.clock.now(), house.desk.handle)
    return house


@pytest.mark.parametrize("language", BOTH)
def test_the_page_says_of_every_visit_what_the_engine_explains(lived: House, language: Language) -> None:
    html = lived.signed_in("marie", language=language).get(PAGE).text
    speaker = lived.desk.speaker(language, "cochin")

    def step(session: Session) -> list[str]:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        found = explain(session, lived.study, row, None, speaker, lived.clock.now())
        return [line for one in found for line in (one.reason, *one.steps, *one.reminders)]

    lines = lived.db.read(step)
    assert len(lines) > 20
    assert not [line for line in lines if str(escape(line)) not in html]


def test_the_pictures_records_mails_and_aucs_are_on_the_page(lived: House) -> None:
    html = lived.signed_in().get(PAGE).text
    assert (
        html.count(f"The year of {SUBJECT}") == 2 and html.count(f"AUC0-12 of {SUBJECT} over the year") == 2
    )
    assert "borrowed" in html and "T-H30" in html and "visit booked" in html
    assert "14.20 mg/L" in html


@pytest.mark.parametrize("language", BOTH)
def test_every_endpoint_is_on_the_page_with_why_it_cannot_be_evaluated(
    lived: House, language: Language
) -> None:
    html = lived.signed_in("marie", language=language).get(PAGE).text
    speaker = lived.desk.speaker(language, "cochin")
    (row,) = lived.db.read(lambda session: endpoint_rows(session, lived.study, speaker, SUBJECT))
    said = [text for one in row["outcomes"] for text in (one["id"], one["text"], *one["why"])]
    assert len(row["outcomes"]) > 10 and any(one["why"] for one in row["outcomes"])
    assert not [text for text in said if str(escape(text)) not in html]


def test_the_auc_page_has_every_method_and_a_picture(lived: House) -> None:
    browser = lived.signed_in()
    html = browser.get(f"{PAGE}/visits/INCLUSION/auc").text
    assert "Pawinski 2002" in html and "Mizaki 2023" in html
    picture = browser.get(f"{PAGE}/visits/INCLUSION/auc/picture")
    assert picture.headers["content-type"] == "image/png" and picture.content.startswith(b"\x89PNG")
    assert picture.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("visit", ["W6", "NOWHERE"])
def test_where_there_is_no_estimate_there_is_no_page_and_no_picture(lived: House, visit: str) -> None:
    browser = lived.signed_in()
    assert browser.get(f"{PAGE}/visits/{visit}/auc").status_code == 404
    assert browser.get(f"{PAGE}/visits/{visit}/auc/picture").status_code == 404


def followed_under(house: House, folder: Path, on: date, *changes: tuple[str, str]) -> House:
    """The same subject, followed from a day on under a version with these changes."""
    version = ('version = "1"', 'version = "2"')
    second = changed_study(folder / "config", PROTOCOL, version, *changes, beside="second.toml")
    house = House(house.db, second, house.clock)
    sha256, protocol = house.study.newest

    def step(session: Session) -> None:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        what = ProtocolApplied(on, protocol.version, sha256, "amendment")
        apply_version(session, house.study, [row], what, OPERATOR, house.clock.now(), house.desk.handle)

    house.db.transact(step)
    reconcile_step(house.db, house.study, house.clock.now(), house.desk.handle)
    return house


@pytest.fixture
def amended(lived: House, tmp_path: Path) -> House:
    """From its first day on with a longer H30 and another primary method."""
    h30 = 'value = "PT30M"\nwindow_lower = "PT10M"\nwindow_upper = '
    longer = (f'{h30}"PT10M"', f'{h30}"PT15M"')
    primary = ("\n[sampling]", '\n[exposure]\nprimary = ["chaigne_2014"]\n\n[sampling]')
    return followed_under(lived, tmp_path, AT.date(), longer, primary)


def test_after_an_amendment_the_auc_still_has_its_picture(amended: House) -> None:
    browser = amended.signed_in()
    assert "/auc/picture" in browser.get(f"{PAGE}/visits/INCLUSION/auc").text
    assert browser.get(f"{PAGE}/visits/INCLUSION/auc/picture").status_code == 200


def test_after_an_amendment_the_sampling_day_has_the_windows_of_the_new_version(amended: House) -> None:
    page = f"{PAGE}/visits/INCLUSION/sampling"
    assert amended.signed_in().get(page).status_code == 200

    def step(session: Session) -> SamplingDay | None:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        return sampling_day(session, amended.study, row, "INCLUSION", amended.clock.now())

    day = amended.db.read(step)
    assert day is not None
    assert {one.point: one.planned_min for one in day.draws}["H30"] == (20, 30, 45)


def test_a_score_of_before_an_amendment_is_corrected_by_the_sites_that_it_had(
    lived: House, tmp_path: Path
) -> None:
    mrss = lived.study.newest[1].activity("mrss")
    assert mrss is not None
    scored = tuple((site, 1) for site in mrss.sites)
    what = Assessed("INCLUSION", "mrss", minute(160), float(len(scored)), mrss.unit, scored)
    lived.db.transact(
        lambda session: record(
            session, lived.study, SUBJECT, what, OPERATOR, lived.clock.now(), lived.desk.handle
        )
    )
    fewer = ('"face", "chest",', '"chest",')
    later = followed_under(
        lived, tmp_path, AT.date() + timedelta(days=30), fewer, ("maximum = 51", "maximum = 48")
    )
    (fact,) = later.facts("assessed")
    assert 'name="sites.face"' in later.signed_in().get(f"{PAGE}/records/{fact.id}/correct").text


LOCAL = datetime(2025, 10, 13, 8, 30)  # noqa: DTZ001
EVERY_KIND: list[What] = [
    Enrolled(AT.date()), VisitBooked("W6", LOCAL), VisitMoved("W6", LOCAL, "MARK"), VisitCancelled("W6", "MARK"),
    VisitCancelled("W6", "MARK", True), Attended("W6", AT), DoseGiven("W6", AT, 1000, Formulation.EC_MPS, 12),
    SampleDrawn("W6", "H0", AT, "MARK"), SampleNotDrawn("W6", "H30", AT, "MARK"),
    Assessed("W6", "fvc", AT, 70.0, "% predicted"), EligibilityAssessed(AT.date(), 50, raynaud=Answer.YES),
    Intercurrent(AT, Occurred.RESCUE_TREATMENT, "MARK"), RegimenChanged(AT, Regimen(Formulation.MMF, 500, 12), "MARK"),
    Paused(AT, "MARK"), Resumed(AT, "MARK"), Withdrawn(AT, Withdrawal.DEATH, "MARK"), FlagAcknowledged("k", "MARK"),
    Corrected(3, None, "MARK"), Corrected(3, Attended("W6", AT), "MARK"),
]  # fmt: skip


@pytest.mark.parametrize("what", EVERY_KIND, ids=lambda one: one.kind)
def test_every_kind_of_record_is_said_in_both_languages(house: House, what: What) -> None:
    english, french = (fact_said(what, house.desk.speaker(one)) for one in BOTH)
    assert english != french and "{" not in english + french
    if "MARK" in repr(what):
        assert "MARK" in english and "MARK" in french
