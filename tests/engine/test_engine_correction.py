"""A record is corrected or taken back, a flag acknowledged; what was said before stays on record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from engine_desk import MORNING, OTHER, SUBJECT, Desk, at, refused

from scheduler.domain.facts import (
    Assessed,
    Attended,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.reason import RefusedError
from scheduler.store.tables import (
    AcknowledgementRow,
    FactRow,
    FlagRow,
    VisitRow,
)

# --- corrections ------------------------------------------------------------------------------------------------


def test_a_correction_replaces_fields_and_keeps_the_old_record(desk: Desk) -> None:
    desk.sampled()
    number = desk.number("dose_given")
    before = desk.rows(FactRow, id=number)[0].payload
    desk.correct(number, {"at": at(8, 35).isoformat()})
    assert desk.rows(FactRow, id=number)[0].payload == before
    assert "sample_out_of_window" in desk.open_flags()  # H2 is 105 min after the corrected dose
    desk.correct(number, {"at": at(8, 21).isoformat()})  # corrected once more
    assert "sample_out_of_window" not in desk.open_flags()
    flags = desk.rows(FlagRow, code="sample_out_of_window")
    assert flags and all(row.closed_at is not None for row in flags)  # H30 and H2: closed, and kept


def test_a_record_taken_back_counts_no_longer(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    desk.say(MORNING[0])
    assert desk.status("INCLUSION") == "attended"
    desk.correct(desk.number("attended"), None)
    assert desk.status("INCLUSION") == "window_open"
    desk.say(Attended("INCLUSION", at(8, 30)))
    assert desk.status("INCLUSION") == "attended"


def test_a_withdrawal_taken_back_brings_the_visits_back(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    desk.say(Withdrawn(at(9, 0), Withdrawal.LOST, "mistaken for another"))
    assert desk.status("Y1") == "not_applicable"
    desk.correct(desk.number("withdrawn"), None)
    assert desk.status("Y1") == "planned"


def test_a_corrected_inclusion_date_moves_every_later_visit(desk: Desk) -> None:
    desk.enrol()
    before = {row.visit: row.target for row in desk.rows(VisitRow)}
    desk.correct(desk.number("enrolled"), {"baseline": "2025-09-08"})
    after = {row.visit: row.target for row in desk.rows(VisitRow)}
    assert after["W6"] - before["W6"] == timedelta(days=7)
    assert after["INCLUSION"] == date(2025, 9, 8)


@pytest.mark.parametrize(
    ("kind", "fields", "reasons"),
    [
        ("dose_given", {"mg": 500}, ["refused_field_unknown"]),
        ("dose_given", {"dose_mg": "a lot"}, ["refused_field_value"]),
        ("dose_given", {"at": at(9, 0, 1, 1, 2030).isoformat()}, ["refused_future", "refused_other_day"]),
        ("attended", {"at": "yesterday"}, ["refused_field_value"]),
        ("enrolled", None, ["refused_void_enrolment"]),
        ("enrolled", {"baseline": "1999-09-01"}, ["refused_baseline_old"]),
        ("corrected", {"reason": "x"}, ["refused_correction_of_correction"]),
        ("sample_drawn", {"timepoint": "H30"}, ["refused_draw_twice"]),
    ],
)
def test_a_correction_is_checked_as_the_record_was(
    desk: Desk, kind: str, fields: dict[str, Any] | None, reasons: list[str]
) -> None:
    desk.sampled()
    desk.correct(desk.number("attended"), {"at": at(8, 6).isoformat()})
    with pytest.raises(RefusedError) as error:  # noqa: PT012
        before = desk.everything()
        desk.correct(desk.number(kind), fields)
    assert {one.code for one in error.value.reasons} >= {reasons[0]}
    assert desk.everything() == before


def test_a_record_of_another_subject_cannot_be_corrected(desk: Desk) -> None:
    desk.enrol()
    other = desk.enrol(OTHER)
    with refused(desk, "refused_fact_unknown"):
        desk.correct(other.number, {"baseline": "2025-09-02"})


# --- flags and persons ------------------------------------------------------------------------------------------


def test_an_acknowledged_flag_stays_on_record_with_who_and_why(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    desk.say(MORNING[0])
    desk.now = at(11, 0, 5)
    desk.reconcile()
    flag = desk.flag("visit_incomplete")
    assert flag.id is not None
    done = desk.acknowledge(flag.id)
    assert done.subject == SUBJECT
    assert [(row.flag_key, row.by, row.reason) for row in desk.rows(AcknowledgementRow)] == [
        (flag.key, "a nurse", "seen")
    ]
    for what in MORNING[1:]:
        desk.say(what)
    desk.now = at(11, 0, 6)
    for item, value in (("mrss", 18), ("fvc", 80), ("dlco", 60)):
        desk.say(Assessed("INCLUSION", item, at(9, 0), value, ""))
    desk.lab()
    assert "visit_incomplete" not in desk.open_flags()  # it closes by itself when late evidence arrives


def test_a_flag_about_a_file_is_closed_by_a_person(desk: Desk) -> None:
    desk.sampled()
    desk.lab(unit="g/L")
    flag = desk.flag("rows_held")
    assert flag.id is not None
    desk.acknowledge(flag.id)
    assert "rows_held" not in desk.open_flags()
    with refused(desk, "refused_flag_unknown"):
        desk.acknowledge(flag.id)
