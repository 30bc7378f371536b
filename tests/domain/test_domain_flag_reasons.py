"""What a flag says, whole: its subject, visit, detail, reason with every parameter, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import domain_cases as cases
import pytest

from pk.exposure import AVERAGE
from scheduler.domain.exposure import Bounds, Exposure, VisitExposures
from scheduler.domain.facts import Attended, EligibilityAssessed
from scheduler.domain.flag_rules import flags_of
from scheduler.domain.flags import Flag, FlagCode, flag_key
from scheduler.domain.reason import Reason, because
from scheduler.domain.results import Question
from scheduler.domain.timeline import Timeline, build_timeline

W6 = date(2025, 10, 13)
LATER = cases.local(date(2025, 10, 30))
RESULTS = cases.results_of("W6", W6)
LINE = cases.timeline(*cases.sampling_day("W6", W6), results=RESULTS)
SETTLED = max(one.recorded_at for one in RESULTS)


def exposure(value: float | None, *reasons: Reason, **more: Any) -> Exposure:
    empty = Exposure("pawinski_2002", "AUC0-12", value, None, None, "mg·h/L", (0.0, 12.0), reasons, ())
    return replace(empty, name="Pawinski 2002", **more)


def flags(one: Exposure, line: Timeline = LINE) -> list[Flag]:
    """The flags of W6 with this AUC0-12."""
    views = cases.stand(line, LATER).views
    return [
        flag for flag in flags_of(line, views, {"W6": VisitExposures("hash", (one,), "{}")}, LATER)
        if flag.code in (FlagCode.AUC_OUTSIDE_BAND, FlagCode.AUC_NOT_COMPUTABLE)
    ]  # fmt: skip


def banded(*bands: dict[str, Any]) -> Timeline:
    """W6 sampled, under a protocol with these bands."""
    protocol = cases.shipped_protocol()
    made = tuple(replace(protocol.bands[0], **band) for band in bands)
    plan = cases.study_plan(replace(protocol, bands=made))
    return cases.timeline(*cases.sampling_day("W6", W6), results=RESULTS, plan=plan)


def outside(code: str, detail: str = "transplant", **said: Any) -> Flag:
    reason = because(code, **said)
    return Flag(FlagCode.AUC_OUTSIDE_BAND, cases.CODE, "W6", detail, reason, SETTLED)


BAND = {"low": 30.0, "high": 60.0, "band": because("band_transplant")}


@pytest.mark.parametrize(
    ("value", "side", "shown"),
    [
        (29.84, "below", 29.8), (29.96, "below", 29.96), (29.996, "below", 29.996), (29.9999, "below", 29.999),
        (60.16, "above", 60.2), (60.04, "above", 60.04), (60.0001, "above", 60.001),
    ],
)  # fmt: skip
def test_an_auc_outside_a_band_says_its_value_so_that_it_is_seen_to_lie_outside(
    value: float, side: str, shown: float
) -> None:
    said = {"value": shown, **BAND}
    assert flags(exposure(value)) == [outside(f"flag_auc_{side}_band", **said)]


@pytest.mark.parametrize("value", [30.0, 45.0, 60.0])
def test_both_limits_belong_to_a_band(value: float) -> None:
    assert flags(exposure(value)) == []


def test_an_estimate_with_an_interval_says_its_method_and_its_limits_with_one_decimal() -> None:
    by_model = exposure(70.26, low=51.04, high=90.96, bounds=Bounds.INTERVAL_90)
    method = because("method_regression", equation="Pawinski 2002")
    said = {"value": 70.3, **BAND, "method": method, "least": 51.0, "most": 91.0}
    assert flags(by_model) == [outside("flag_auc_above_band_interval", **said)]


def test_a_band_without_one_of_its_limits_leaves_it_empty_and_every_band_that_asks_is_looked_at() -> None:
    line = banded(
        {"id": "silent", "flag": False, "low_mg_h_l": 90.0},
        {"id": "least", "low_mg_h_l": 35.0, "high_mg_h_l": None},
        {"id": "most", "low_mg_h_l": None, "high_mg_h_l": 20.0},
    )
    assert flags(exposure(25.0), line) == [
        outside("flag_auc_below_band", "least", value=25.0, low=35.0, high="", band=because("band_least")),
        outside("flag_auc_above_band", "most", value=25.0, low="", high=20.0, band=because("band_most")),
    ]


def test_an_auc_that_cannot_be_computed_says_every_reason_since_the_day_was_settled() -> None:
    why = (because("pk_sample_missing"), because("pk_other"))
    reason = because("flag_auc_not_computable", why=why)
    expected = Flag(FlagCode.AUC_NOT_COMPUTABLE, cases.CODE, "W6", "", reason, SETTLED)
    assert flags(exposure(None, *why)) == [expected]


def test_a_result_that_the_laboratory_owes_is_named_with_its_day() -> None:
    line = cases.timeline(*cases.sampling_day("W6", W6), results=RESULTS[:2])
    (flag,) = [one for one in cases.stand(line, LATER).flags if one.code is FlagCode.RESULT_OVERDUE]
    assert (flag.subject, flag.visit, flag.detail) == (cases.CODE, "W6", "H2")
    assert flag.reason == because("flag_result_overdue", point="H2", on=W6)


ANSWERED_ON = date(2025, 8, 29)


def test_answers_that_leave_eligibility_open_are_a_flag_of_the_subject_since_their_day() -> None:
    answers = EligibilityAssessed(ANSWERED_ON, age_years=17)
    flag = next(one for one in cases.stand(cases.timeline(answers), LATER).flags if one.visit is None)
    assert flag[:4] == (FlagCode.ELIGIBILITY_OPEN, cases.CODE, None, "")
    assert flag.reason.code == "flag_eligibility_not_eligible"
    why = flag.reason.get("why")
    assert isinstance(why, tuple)
    assert "criterion_age" in {one.code for one in why}
    assert flag.since == cases.local(ANSWERED_ON, 0)


def test_without_answers_nothing_is_said_of_eligibility() -> None:
    assert all(
        one.code is not FlagCode.ELIGIBILITY_OPEN for one in cases.stand(cases.timeline(), LATER).flags
    )


def test_a_visit_without_an_open_day_says_its_days_and_until_when_it_can_be_booked() -> None:
    timing = {"value": "P40D", "window_lower": "P1D", "window_upper": "P0D", "shift": "nearest_open_day"}
    plan = cases.study_plan(cases.protocol_from(cases.small_document(cases.encounter("WE", **timing))))
    line = cases.timeline(baseline=date(2025, 9, 2), plan=plan)  # 40 days later is a Sunday
    visit = line.visit("WE")
    assert visit is not None
    days = {"first": visit.planned.first, "last": visit.planned.last}
    for now, until in (
        (line.enrolled_at, visit.planned.closes_at),
        (visit.planned.closes_at, visit.missed_at),
    ):
        flag = next(one for one in cases.stand(line, now).flags if one.code is FlagCode.NO_OPEN_DAY)
        reason = because("flag_no_open_day", **days, due_at=until)
        assert flag == Flag(FlagCode.NO_OPEN_DAY, cases.CODE, "WE", "", reason, line.enrolled_at)
        assert flag.key == f"{cases.CODE}|WE|no_open_day|-"


def test_a_result_in_question_names_the_held_row_since_it_came() -> None:
    held_at = SETTLED + timedelta(hours=3)
    past = cases.history(*cases.sampling_day("W6", W6), results=RESULTS)
    past = replace(past, questions=(Question("W6", "H30", 7, held_at),))
    line = build_timeline(cases.shipped_plan(), past)
    assert line is not None
    flag = next(one for one in cases.stand(line, LATER).flags if one.code is FlagCode.RESULT_IN_QUESTION)
    why = because("set_in_question", point="H30", row=7)
    reason = because("flag_result_in_question", why=why)
    assert flag == Flag(FlagCode.RESULT_IN_QUESTION, cases.CODE, "W6", "R-45 H30 7", reason, held_at)


def test_the_key_of_a_flag_about_the_subject_alone_has_dashes() -> None:
    assert flag_key(FlagCode.ELIGIBILITY_OPEN, "S", None, "") == "S|-|eligibility_open|-"
    assert flag_key(FlagCode.SET_HELD, "S", "W6", "R-19 H30 2") == "S|W6|set_held|R-19 H30 2"


def of(code: FlagCode, line: Timeline) -> Flag:
    (found,) = [one for one in cases.stand(line, LATER).flags if one.code is code]
    return found


def test_a_visit_outside_its_window_says_when_it_was_and_its_days_and_both_ends_are_inside() -> None:
    plain = cases.timeline().visit("W6")
    assert plain is not None
    opens, closes = plain.planned.opens_at, plain.planned.closes_at
    second = timedelta(seconds=1)
    for at in (opens, closes - second):
        codes = {one.code for one in cases.stand(cases.timeline(Attended("W6", at)), LATER).flags}
        assert FlagCode.VISIT_OUT_OF_WINDOW not in codes
    for at in (opens - second, closes):
        days = {"first": plain.planned.first, "last": plain.planned.last}
        reason = because("flag_visit_out_of_window", at=at, **days)
        expected = Flag(FlagCode.VISIT_OUT_OF_WINDOW, cases.CODE, "W6", "", reason, at)
        assert of(FlagCode.VISIT_OUT_OF_WINDOW, cases.timeline(Attended("W6", at))) == expected


def test_a_draw_outside_its_window_says_its_minutes_and_those_that_were_expected() -> None:
    attended, dose, h0, h30, _ = cases.sampling_day("W6", W6)
    late = cases.drawn("W6", "H2", cases.local(W6, 11, 25))
    reason = because("flag_sample_out_of_window", point="H2", minutes=145, low=110, high=130)
    found = of(FlagCode.SAMPLE_OUT_OF_WINDOW, cases.timeline(attended, dose, h0, h30, late))
    assert found == Flag(FlagCode.SAMPLE_OUT_OF_WINDOW, cases.CODE, "W6", "H2", reason, late.at)


@pytest.mark.parametrize(("seconds", "minutes"), [(-20, 109), (20 * 60 + 20, 131), (20 * 60 + 60, 131)])
def test_seconds_outside_the_window_count_as_a_minute(seconds: int, minutes: int) -> None:
    attended, dose, h0, h30, _ = cases.sampling_day("W6", W6)
    opens = cases.local(W6, 11, 25) - timedelta(minutes=35)  # 110 minutes after the dose
    drawn = cases.drawn("W6", "H2", opens + timedelta(seconds=seconds))
    found = of(FlagCode.SAMPLE_OUT_OF_WINDOW, cases.timeline(attended, dose, h0, h30, drawn))
    assert found is not None and found.reason.get("minutes") == minutes


def test_a_result_without_a_draw_says_its_point_and_its_tube() -> None:
    attended, dose, h0, h30, _ = cases.sampling_day("W6", W6)
    found = of(FlagCode.RESULT_WITHOUT_DRAW, cases.timeline(attended, dose, h0, h30, results=RESULTS))
    reason = because("flag_result_without_draw", point="H2", specimen="W6-H2")
    since = RESULTS[2].recorded_at
    assert found == Flag(FlagCode.RESULT_WITHOUT_DRAW, cases.CODE, "W6", "H2", reason, since)


def changed(point: str, **changes: Any) -> Timeline:
    results = [replace(one, **changes) if one.timepoint == point else one for one in RESULTS]
    return cases.timeline(*cases.sampling_day("W6", W6), results=results)


def test_samples_that_are_held_say_why_since_the_result_came() -> None:
    found = of(FlagCode.SET_HELD, changed("H30", conc_mg_l=None, below_lloq=True))
    reason = because("flag_set_held", why=because("set_below_lloq", point="H30"))
    assert found == Flag(FlagCode.SET_HELD, cases.CODE, "W6", "R-19 H30 2", reason, RESULTS[1].recorded_at)


def test_an_unusual_profile_says_every_why_and_the_models_join_in_or_speak_alone() -> None:
    high = because("profile_trough_high", point="H0", limit=15)
    line = changed("H0", conc_mg_l=Decimal("15.1"))
    found = [one for one in cases.stand(line, LATER).flags if one.detail == "R-14 H0 1"]
    reason = because("flag_profile_unusual", why=(high,))
    assert found == [
        Flag(FlagCode.PROFILE_UNUSUAL, cases.CODE, "W6", "R-14 H0 1", reason, RESULTS[0].recorded_at)
    ]
    swapped = because("profile_looks_swapped", first="H0", second="H30")
    average = Exposure(AVERAGE, "AUC0-12", 40.0, 30.0, 50.0, "mg·h/L", (0.0, 12.0), (), (swapped,))
    views = cases.stand(LINE, LATER).views
    said = flags_of(LINE, views, {"W6": VisitExposures("x", (average,), "{}")}, LATER)
    unusual = [one for one in said if one.code is FlagCode.PROFILE_UNUSUAL]
    reason = because("flag_profile_unusual", why=(swapped,))
    assert unusual == [Flag(FlagCode.PROFILE_UNUSUAL, cases.CODE, "W6", "S-05", reason, SETTLED)]
