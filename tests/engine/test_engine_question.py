"""A held row about a result in use: no AUC stands on that result until the row is settled."""

from __future__ import annotations

import json

import pytest
from engine_desk import DRAWN, PARIS, PAWINSKI, SUBJECT, TUBES, Desk, at
from sqlmodel import Session, select

from scheduler.domain.reason import from_json
from scheduler.engine.reconcile import rebuild
from scheduler.intake.arrival import Arrival
from scheduler.intake.findings import Verdict
from scheduler.intake.held.recheck import recheck_held
from scheduler.intake.held.review import Decision, review
from scheduler.intake.ingest import ingest
from scheduler.intake.study import IntakeStudy, intake_study
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file
from scheduler.store.lab.held import files_with_stale_receipt, held_rows, open_questions
from scheduler.store.tables import ExposureRow, LabReviewRow, SubjectRow


@pytest.fixture
def estimated(desk: Desk) -> Desk:
    """A sampling day with an AUC on record."""
    desk.sampled()
    desk.now = at(14, 0, 3)
    assert desk.lab() is Verdict.ACCEPTED
    assert desk.auc() == [(1, pytest.approx(PAWINSKI))]
    desk.now = at(14, 0, 9)
    return desk


def known(desk: Desk) -> IntakeStudy:
    return intake_study(desk.study.newest[1], desk.study.labs.values(), "cochin")


def decide(desk: Desk, decision: Decision, timepoint: str = "") -> None:
    (row,) = desk.db.transact(held_rows)
    assert row.id is not None
    number = row.id
    desk.db.transact(
        lambda session: review(
            session,
            known(desk),
            number,
            decision,
            "the laboratory was asked",
            "a manager",
            desk.now,
            timepoint,
        )
    )
    desk.reconcile()


def in_force(desk: Desk) -> list[ExposureRow]:
    rows: list[ExposureRow] = desk.rows(ExposureRow)
    newest = max(row.version for row in rows)
    return [row for row in rows if row.version == newest]


def in_question(desk: Desk) -> bool:
    (row, *others) = in_force(desk)
    return not others and row.value is None and "set_in_question" in {one["code"] for one in row.reasons}


# A correction of H2 that is held: the value of another unit, no status, another value without the status.
HELD = {
    "a correction without its unit": {"status": "C", "unit": "", "replaces": "R-H2-1"},
    "a correction of a version that never came": {"status": "C", "replaces": "R-9"},
    "a change without the status of a correction": {"status": "F"},
    "an unknown status": {"status": "Q"},
    "a withdrawal with a value": {"status": "W", "replaces": "R-H2-1"},
    "another tube": {"status": "F", "specimen": "T-9"},
    "another subject for the same tube": {"status": "F", "subject": "MPA-0042-8"},
}


@pytest.mark.parametrize("changes", HELD.values(), ids=list(HELD))
def test_a_held_row_about_a_result_in_use_withdraws_the_AUC_and_says_why(
    estimated: Desk, changes: dict[str, str]
) -> None:
    desk = estimated
    assert desk.lab({"H2": "9.40"}, **changes) is Verdict.HELD
    assert in_question(desk)
    assert "result_in_question" in desk.open_flags()
    assert len(desk.mails("auc_withdrawn")) == 2
    reason = from_json(desk.flag("result_in_question").reason)
    assert reason.code == "flag_result_in_question"

    decide(desk, Decision.REJECT)
    assert [row.value for row in in_force(desk) if row.method.startswith("pawinski")] == [
        pytest.approx(PAWINSKI)
    ]
    assert "result_in_question" not in desk.open_flags()
    assert len(desk.mails("auc_available")) == 4  # two persons, told once more that it stands


@pytest.mark.parametrize("changes", [{"status": "P"}, {"status": "P", "unit": ""}])
def test_a_preliminary_row_puts_nothing_in_question(estimated: Desk, changes: dict[str, str]) -> None:
    estimated.lab({"H2": "9.40"}, **changes)
    assert [version for version, _ in estimated.auc()] == [1]
    assert "result_in_question" not in estimated.open_flags()


def test_a_row_about_another_visit_puts_nothing_in_question(estimated: Desk) -> None:
    moment = at(8, 15, 13, 10)
    estimated.now = at(14, 0, 14, 10)
    assert (
        estimated.lab({"H0": "2.10"}, visit="V2", specimen="T-20", unit="", collected_at=moment)
        is Verdict.HELD
    )
    assert [version for version, _ in estimated.auc()] == [1]


def test_no_AUC_is_made_while_a_row_about_it_is_held(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab({"H0": "1.85", "H30": "14.20"})
    desk.lab({"H30": "15.20"})
    desk.lab({"H2": "6.40"})
    assert in_question(desk)
    assert desk.mails("auc_available") == []
    decide(desk, Decision.ACCEPT)
    (made,) = [value for version, value in desk.auc() if version == 2]
    assert made == pytest.approx(PAWINSKI + 0.76)
    assert len(desk.mails("auc_available")) == 2


def test_acknowledging_the_flag_does_not_lift_the_question(estimated: Desk) -> None:
    estimated.lab({"H2": "9.40"})
    flag = estimated.flag("result_in_question")
    assert flag.id is not None
    estimated.acknowledge(flag.id)
    assert in_question(estimated)
    assert "result_in_question" in estimated.open_flags()


def test_a_later_word_of_the_laboratory_settles_it(estimated: Desk) -> None:
    estimated.lab({"H2": "9.40"}, status="C", unit="", replaces="R-H2-1")
    assert in_question(estimated)
    estimated.now = at(15, 0, 9)
    assert estimated.lab({"H2": "9.40"}, status="C", replaces="R-H2-1") is Verdict.ACCEPTED
    assert estimated.auc()[-1][1] == pytest.approx(PAWINSKI + 2.43 * 3)
    assert not in_question(estimated)
    stale = estimated.db.transact(files_with_stale_receipt)
    assert "2.csv" in [file.original_name for file in stale]


def test_a_row_without_specimen_number_is_settled_by_the_row_that_has_one(estimated: Desk) -> None:
    estimated.lab({"H2": "9.40"}, status="C", specimen="", replaces="R-H2-1")
    assert in_question(estimated)
    estimated.now = at(15, 0, 9)
    estimated.lab({"H2": "9.40"}, status="C", replaces="R-H2-1")
    assert not in_question(estimated)


def test_the_missing_original_settles_it(estimated: Desk) -> None:
    desk = estimated
    again = {"H2": "9.40"}
    desk.lab(again, status="C", replaces="R-H2-3", reported_at=at(14, 0, 9))
    assert in_question(desk)
    desk.lab({"H2": "8.40"}, status="C", replaces="R-H2-1", reported_at=at(13, 0, 9))
    promoted = desk.db.transact(lambda session: recheck_held(session, known(desk), desk.now))
    desk.reconcile()
    assert len(promoted) == 1
    assert desk.auc()[-1][1] == pytest.approx(PAWINSKI + 2.43 * 3)


def test_reassigning_a_row_stores_it_under_the_other_point(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab({"H0": "1.85", "H30": "14.20"})
    mislabelled = {"timepoint": "H30", "specimen": TUBES["H2"], "collected_at": DRAWN["H2"]}
    assert desk.lab({"H2": "6.40"}, **mislabelled) is Verdict.HELD
    decide(desk, Decision.REASSIGN, "H2")
    assert desk.auc() == [(1, pytest.approx(PAWINSKI))]


def test_what_was_decided_is_on_record_and_survives_a_rebuild(estimated: Desk) -> None:
    desk = estimated
    desk.lab({"H2": "9.40"})
    decide(desk, Decision.ACCEPT)
    before = desk.derived()

    def step(session: Session) -> tuple[list[str], LabReviewRow]:
        subject = session.get(SubjectRow, SUBJECT)
        assert subject is not None
        return rebuild(session, desk.study, subject, desk.now), session.exec(select(LabReviewRow)).one()

    differences, made = desk.db.transact(step)
    assert differences == []
    assert desk.derived() == before
    assert (made.decision, made.by, made.accepted_as is not None) == ("accept", "a manager", True)
    assert desk.db.transact(lambda session: open_questions(session, SUBJECT)) == ()


# --- retraction, from the message to the mail


def hl7(status: str) -> bytes:
    """H2 once more as a message, without a value."""
    obr = [
        "OBR",
        "1",
        "",
        TUBES["H2"],
        "23905-3^Mycophenolate^LN",
        "",
        "",
        "202509011020",
        *[""] * 5,
        "V1 H2",
    ]
    obx = ["OBX", "1", "", "23905-3^Mycophenolate^LN", *[""] * 7, status, *[""] * 5, "LCMSMS"]
    lines = (
        "MSH|^~\\&|GLIMS|CCH-PHARMACO|||20250909133000||ORU^R01^ORU_R01|M1|P|2.5.1",
        f"PID|1||{SUBJECT}^^^MPA-AUC",
        "|".join([*obr, *[""] * 8, "202509091330"]),
        "|".join(obx),
        f"SPM|1|^{TUBES['H2']}||PLASMA_EDTA|||||||||||||202509011020",
    )
    return "\r".join([*lines, ""]).encode()


def fhir(status: str) -> bytes:
    """H2 once more as an Observation, without a value."""
    system = "urn:mpa-auc"
    observation = {
        "resourceType": "Observation",
        "status": status,
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": "23905-3"},
                {"system": f"{system}:timepoint", "code": "H2"},
            ]
        },
        "subject": {"identifier": {"system": f"{system}:subject", "value": SUBJECT}},
        "encounter": {"identifier": {"system": f"{system}:visit", "value": "V1"}},
        "effectiveDateTime": "2025-09-01T10:20:00+02:00",
        "issued": "2025-09-09T13:30:00+02:00",
        "performer": [{"identifier": {"value": "CCH-PHARMACO"}}],
        "method": {"coding": [{"code": "LCMSMS"}]},
        "specimen": {"reference": "#s"},
        "contained": [
            {
                "resourceType": "Specimen",
                "id": "s",
                "identifier": [{"value": TUBES["H2"]}],
                "type": {"coding": [{"code": "PLASMA_EDTA"}]},
            }
        ],
        "dataAbsentReason": {"coding": [{"code": "unknown"}]},
    }
    return json.dumps(observation).encode()


def csv(status: str) -> bytes:
    row = LabRow(
        "MPA-AUC", SUBJECT, "V1", "H2", TUBES["H2"], DRAWN["H2"], at(13, 30, 9), "", "R-H2-9", status=status,
        replaces="R-H2-1",
    )  # fmt: skip
    return lab_file([row], PARIS)


RETRACTIONS = {
    "CSV W": csv("W"),
    "CSV erroné": csv("erroné"),
    "HL7 D": hl7("D"),
    "HL7 W": hl7("W"),
    "FHIR entered-in-error": fhir("entered-in-error"),
}


@pytest.mark.parametrize("content", RETRACTIONS.values(), ids=list(RETRACTIONS))
def test_a_retracted_result_takes_the_AUC_with_it_and_a_mail_says_so(estimated: Desk, content: bytes) -> None:
    desk = estimated
    outcome = desk.db.transact(
        lambda session: ingest(session, Arrival.of("retracted", content), known(desk), desk.now, desk.handle)
    )
    assert (outcome.verdict, outcome.code) == (Verdict.ACCEPTED, "")
    desk.reconcile()
    assert desk.auc() == [(1, pytest.approx(PAWINSKI)), (2, None)]
    assert {mail.staff_id for mail in desk.mails("auc_withdrawn")} == {"pharmacist-1", "investigator-1"}
