"""Eligibility, endpoints and exposure summaries through the engine: recorded, corrected, shown, rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest
from engine_desk import BASELINE, DOSE, PAWINSKI, SUBJECT, Desk, at, speaker
from sqlmodel import Session

from config.language import Language
from scheduler.domain.facts import (
    Answer,
    Assessed,
    Attended,
    DoseGiven,
    EligibilityAssessed,
    Formulation,
    Intercurrent,
    Occurred,
)
from scheduler.domain.reason import RefusedError
from scheduler.engine.reconcile import rebuild
from scheduler.engine.report.endpoints import endpoint_record, endpoint_rows, timelines
from scheduler.engine.report.exposure_summaries import (
    exposure_record,
    nominal_weeks,
    summary_row,
    summary_rows,
)
from scheduler.engine.report.page import report_page
from scheduler.engine.report.patient_report import patient_report
from scheduler.engine.report.rows import board_rows
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.rows import what_from
from scheduler.store.tables import FactRow, SubjectRow

NO, YES = Answer.NO, Answer.YES
SKIN = EligibilityAssessed(
    date(2025, 8, 29), 40, NO, NO, YES, diffuse_skin=YES, first_sign="2024-05", other_immunosuppressant=NO,
    ild_on_imaging=NO, biologic_last_6_months=NO,
)  # fmt: skip


@pytest.fixture
def desk(sqlite_db: Database, study: Study) -> Desk:
    return Desk(sqlite_db, study)


def endpoints(desk: Desk, language: Language = Language.EN) -> dict[str, Any]:
    (row,) = desk.db.transact(
        lambda session: endpoint_rows(session, desk.study, speaker(desk.study, language), SUBJECT)
    )
    return row


def summaries(desk: Desk) -> dict[str, Any]:
    (row,) = desk.db.transact(lambda session: summary_rows(session, desk.study, speaker(desk.study)))
    return row


def page(desk: Desk, language: Language) -> str:
    def step(session: Session) -> str:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        said = speaker(desk.study, language)
        return report_page(patient_report(session, desk.study, row, said, desk.now), said)

    return desk.db.transact(step)


def skin(visit: str, moment: Any, total: float) -> Assessed:
    return Assessed(visit, "mrss", moment, total, "points", assessor="A")


def lived(desk: Desk) -> None:
    """Eligible for the skin, included with a score of 20, seen again after a year with 14."""
    desk.sampled()
    desk.say(SKIN)
    desk.say(skin("INCLUSION", at(9), 20))
    desk.now = at(12, 0, 1, 9, 2026)
    desk.say(Attended("Y1", at(9, 0, 1, 9, 2026)))
    desk.say(skin("Y1", at(10, 0, 1, 9, 2026), 14))


def holds(row: Mapping[str, Any], name: str) -> bool | None:
    return next(one["holds"] for one in row["outcomes"] if one["id"] == name)


def test_eligibility_and_endpoints_are_kept_as_facts_and_derived(desk: Desk) -> None:
    lived(desk)
    row = endpoints(desk)
    assert (row["eligibility"]["status"], row["eligibility"]["arms"]) == ("eligible", ["skin_arm"])
    assert row["changes"]["mrss"]["absolute"] == -6
    assert (row["response"], holds(row, "lung_response"), holds(row, "eustar")) == (True, None, True)
    desk.reconcile()
    assert desk.db.transact(lambda session: rebuild(session, desk.study, desk.subject(), desk.now)) == []
    assert endpoints(desk) == row


@pytest.mark.parametrize(("told", "response"), [(Desk.sampled, None), (lived, True)])
def test_the_board_says_the_response_when_it_can_be_evaluated(
    desk: Desk, told: Callable[[Desk], None], response: bool | None
) -> None:
    told(desk)
    rows = desk.db.read(lambda session: board_rows(session, desk.study))
    assert [one["response"] for one in rows] == [response]


def test_a_correction_of_an_answer_or_a_score_changes_what_follows_and_keeps_the_old(desk: Desk) -> None:
    lived(desk)
    number = desk.number("eligibility_assessed")
    desk.correct(number, {"first_sign": "2020", "diffuse_skin": "yes"})
    assert endpoints(desk)["eligibility"]["status"] == "not_eligible"
    assert endpoints(desk)["response"] is None
    desk.correct(desk.number("assessed"), {"value": "19"})
    assert endpoints(desk)["changes"]["mrss"]["absolute"] == -1
    assert len(desk.rows(FactRow, kind="eligibility_assessed")) == 1
    with pytest.raises(RefusedError):
        desk.correct(number, {"first_sign": "last year"})
    desk.correct(number, None)
    assert endpoints(desk)["eligibility"] is None


def test_eligibility_is_recorded_once_and_no_date_of_birth_with_it(desk: Desk) -> None:
    desk.enrol()
    assert [one.code for one in desk.say(SKIN).warnings] == []
    with pytest.raises(RefusedError) as caught:
        desk.say(SKIN)
    assert [one.code for one in caught.value.reasons] == ["refused_eligibility_twice"]
    (fact,) = desk.rows(FactRow, kind="eligibility_assessed")
    assert fact.payload["age_years"] == 40
    assert not [name for name in fact.payload if "birth" in name]


def test_an_event_before_the_year_is_over_makes_no_response(desk: Desk) -> None:
    lived(desk)
    desk.say(Intercurrent(at(9, 0, 3, 2, 2026), Occurred.RESCUE_TREATMENT, "worse"))
    assert endpoints(desk)["response"] is False


def test_an_assessment_of_before_is_read_with_what_it_had(desk: Desk) -> None:
    desk.sampled()
    desk.say(skin("INCLUSION", at(9), 20))
    (row,) = desk.rows(FactRow, kind="assessed")
    old = {name: row.payload[name] for name in ("visit", "item", "at", "value", "unit")}
    assert what_from("assessed", old) == Assessed("INCLUSION", "mrss", at(9), 20, "points")


@pytest.mark.parametrize("language", list(Language))
def test_the_report_shows_eligibility_and_endpoints_or_that_they_are_not_recorded(
    desk: Desk, language: Language
) -> None:
    desk.sampled()
    words = {"en": "The eligibility is not recorded.", "fr": "L'éligibilité n'est pas enregistrée."}
    assert words[language] in page(desk, language)
    desk.now = at(12)
    desk.say(SKIN)
    shown = page(desk, language)
    assert words[language] not in shown
    row = endpoints(desk, language)
    for one in row["eligibility"]["criteria"]:
        assert one["reason"].replace("'", "&#39;") in shown
    for one in row["outcomes"]:
        assert one["id"] in shown


def test_a_flat_record_has_an_empty_cell_where_nothing_can_be_said(desk: Desk) -> None:
    lived(desk)
    record = endpoint_record(endpoints(desk))
    assert (record["response"], record["skin_response"], record["lung_response"]) == (1, 1, None)
    assert (record["mrss_change"], record["fvc_change"], record["arms"]) == (-6, None, "skin_arm")
    assert (record["omeract_prog"], record["age_years"], record["first_sign"]) == (None, 40, "2024-05")


def test_the_exposure_that_counts_is_summarised_by_the_day_it_was_measured(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(11, 0, 3)
    desk.lab()
    row = summaries(desk)
    assert row["aucs"] == pytest.approx([PAWINSKI])
    assert (row["weeks"], row["days"], row["occasions"], row["twa_6_26"]) == ([0], [0], 1, None)
    assert row["auc_per_g"] == pytest.approx(PAWINSKI / (DOSE.dose_mg * 2 / 1000))
    assert exposure_record(row)["mean_all"] == pytest.approx(PAWINSKI)


def test_visits_count_by_their_actual_days_and_ec_mps_has_no_auc_per_gram(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(12, 0, 20, 10)
    desk.say(Attended("W6", at(9, 0, 16, 10)))
    desk.say(DoseGiven("W6", at(9, 5, 16, 10), 720, Formulation.EC_MPS, 12))
    (timeline,) = desk.db.transact(lambda session: list(timelines(session, desk.study)))
    row = summary_row(timeline, {"INCLUSION": 30.0, "W6": 50.0, "Y1": 70.0}, speaker(desk.study))
    assert (row["weeks"], row["days"]) == ([0, 6], [0, (date(2025, 10, 16) - BASELINE).days])
    assert row["twa_6_26"] == 50.0
    assert row["flags"] == ["single_occasion"]
    assert [one["formulation"] for one in row["visits"]] == ["mmf", "ec_mps"]
    assert row["flags_text"] == ["one AUC stands for the whole span"]
    assert row["auc_per_g"] == 15.0  # of the visit with a dose of MMF


def test_the_nominal_weeks_of_the_protocol_are_those_of_the_specification(study: Study) -> None:
    assert nominal_weeks(study.newest[1]) == {"INCLUSION": 0, "W6": 6, "W12": 12, "M6": 26, "Y1": 52}
