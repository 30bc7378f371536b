"""Samples that do not fit together, from the laboratory's file to the flag, the AUC, the mail and the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from engine_desk import DOSE, DRAWN, MORNING, OTHER, SUBJECT, TUBES, VALUES, Desk, at, speaker

from config.language import Language
from scheduler.domain.exposure import HELD
from scheduler.domain.facts import Formulation, SampleDrawn
from scheduler.engine.reconcile import rebuild
from scheduler.engine.report.aucs import auc_rows
from scheduler.engine.report.patient_report import PatientReport, patient_report
from scheduler.engine.report.rows import flag_rows
from scheduler.engine.study import Study
from scheduler.intake.findings import Verdict
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.study import intake_study
from scheduler.store.database import Database
from scheduler.store.tables import FactRow, LabResultVersionRow


@pytest.fixture
def desk(sqlite_db: Database, study: Study) -> Desk:
    return Desk(sqlite_db, study)


@pytest.fixture
def by_laboratory(desk: Desk) -> Desk:
    """The dose is recorded, the draws are not: the laboratory's times are the only ones."""
    desk.enrol()
    desk.now = at(11, 0)
    for what in MORNING[:2]:
        desk.say(what)
    desk.now = at(14, 0, 3)
    return desk


def collected(desk: Desk, **minutes: int) -> None:
    """A file in which some samples were collected so many minutes after the dose."""
    for point, value in VALUES.items():
        moment = DOSE.at + timedelta(minutes=minutes[point]) if point in minutes else DRAWN[point]
        desk.lab({point: value}, collected_at=moment)


def primary(desk: Desk) -> dict[str, object]:
    rows = desk.db.transact(lambda session: auc_rows(session, speaker(desk.study), SUBJECT))
    return next(row for row in rows if row["primary"] or row["method"] == HELD)


def report_of(desk: Desk) -> PatientReport:
    return desk.db.transact(
        lambda session: patient_report(session, desk.study, desk.subject(), speaker(desk.study), desk.now)
    )


def test_S02_the_auc_waits_with_its_reason_until_the_draw_is_recorded(by_laboratory: Desk) -> None:
    desk = by_laboratory
    collected(desk, H30=55)
    flag = desk.flag("set_held")
    row = primary(desk)
    assert row["value"] is None
    assert row["reasons"] == [
        "H30 was collected 55 min after the dose, says the laboratory; expected from 20 to 40 min, "
        "and no draw is recorded"
    ]
    assert "auc_not_computable" not in desk.open_flags()  # one matter, one flag
    french = flag_rows_of(desk, Language.FR)
    assert any("55 min" in one and "pas d'AUC" in one for one in french)
    desk.say(SampleDrawn("INCLUSION", "H30", DRAWN["H30"], TUBES["H30"]))
    assert "set_held" not in desk.open_flags()
    assert flag.id is not None
    assert primary(desk)["value"] is not None


def flag_rows_of(desk: Desk, language: Language) -> list[str]:
    rows = desk.db.transact(lambda session: flag_rows(session, speaker(desk.study, language), SUBJECT))
    return [row["reason"] for row in rows]


def test_a_person_may_say_that_the_samples_are_as_they_should_be(by_laboratory: Desk) -> None:
    desk = by_laboratory
    collected(desk, H30=55)
    desk.acknowledge(desk.flag("set_held").id or 0)
    assert primary(desk)["value"] is not None
    assert desk.db.transact(lambda s: rebuild(s, desk.study, desk.subject(), desk.now)) == []


def test_R19_a_correction_below_quantification_takes_the_auc_back_and_says_so(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    assert primary(desk)["value"] is not None
    desk.now = at(14, 0, 4)
    desk.lab({"H30": "<0.10"}, status="C", replaces="R-H30-1")
    row = primary(desk)
    assert (row["value"], row["method"]) == (None, HELD)
    assert len(desk.mails("auc_withdrawn")) > 0
    assert all(
        not one["value"] for one in desk.db.transact(lambda s: auc_rows(s, speaker(desk.study), SUBJECT))
    )


def test_S06_a_tube_of_another_subject_is_held_until_the_records_are_right(desk: Desk) -> None:
    desk.sampled()
    desk.enrol(OTHER)
    desk.now = at(14, 0, 3)
    assert desk.lab({"H0": VALUES["H0"]}, subject=OTHER) is Verdict.HELD
    assert [(row.subject, row.state) for row in desk.rows(LabResultVersionRow)] == [(OTHER, "held")]
    assert desk.flag("rows_held").reason["params"]["why"]["reason"]["code"] == "S-06.tube"
    drawn = next(row for row in desk.rows(FactRow, kind="sample_drawn") if row.payload["timepoint"] == "H0")
    desk.correct(drawn.id, {"tube": "T-9"})
    known = intake_study(desk.study.newest[1], desk.study.labs.values(), "cochin")
    desk.db.transact(lambda session: recheck_held(session, known, desk.now))
    assert {row.state for row in desk.rows(LabResultVersionRow)} == {"held", "accepted"}


def test_S08_the_auc_waits_for_the_dose_and_comes_with_it(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    for what in (MORNING[0], *MORNING[2:]):
        desk.say(what)
    desk.now = at(14, 0, 3)
    desk.lab()
    assert desk.auc() == []
    desk.say(DOSE)
    desk.reconcile()
    assert desk.auc()[-1][1] is not None


def test_S05_is_a_flag_for_mmf_and_a_remark_for_enteric_coated_tablets(desk: Desk) -> None:
    values = {"H0": "9.10", "H30": "4.00", "H2": "12.00"}
    desk.enrol()
    desk.now = at(11, 0)
    for what in MORNING:
        desk.say(replace(what, formulation=Formulation.EC_MPS) if what is DOSE else what)
    desk.now = at(14, 0, 3)
    desk.lab(values)
    assert "profile_unusual" not in desk.open_flags()
    (h0, *_) = report_of(desk).visits[0].samples
    assert h0.remarks == ("H0, before the dose, is higher than H30 after it; the tubes may be exchanged",)
    desk.correct(desk.number("dose_given"), {"formulation": "mmf"})
    assert "profile_unusual" in desk.open_flags()
    assert report_of(desk).visits[0].samples[0].remarks == ()


def test_the_lists_of_a_site_come_with_one_command(by_laboratory: Desk) -> None:
    """Results without a draw and draws without a result are flags, and flags are listed by site."""
    desk = by_laboratory
    desk.say(SampleDrawn("INCLUSION", "H0", DRAWN["H0"], TUBES["H0"]))
    desk.lab({"H30": VALUES["H30"]})
    desk.now = at(9, 0, 9)
    desk.reconcile()
    rows = desk.db.transact(lambda s: flag_rows(s, speaker(desk.study), site="cochin"))
    found = {(row["code"], row["subject"]) for row in rows}
    assert {("result_without_draw", SUBJECT), ("result_overdue", SUBJECT)} <= found
    assert desk.db.transact(lambda s: flag_rows(s, speaker(desk.study), site="elsewhere")) == []


def test_the_moment_is_told_in_the_zone_of_the_site(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    collected(desk, H30=120, H2=30)
    (reason,) = primary(desk)["reasons"]  # type: ignore[misc]
    moment: datetime = DOSE.at + timedelta(minutes=120)
    assert speaker(desk.study).moment(moment) in str(reason)
