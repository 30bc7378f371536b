"""What a doubt about samples says, whole: its weight, its rule with the results involved, its reason, since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import domain_cases as cases

from scheduler.domain.reason import Reason, because
from scheduler.domain.results import ResultVersion
from scheduler.domain.sampling import Doubt, Weight, doubts_of

W6 = date(2025, 10, 13)
DOSE_AT = cases.local(W6)
NUMBER = {"H0": 11, "H30": 12, "H2": 13}


def results(**of_point: dict[str, Any]) -> list[ResultVersion]:
    """Three ordinary results, numbers 11 to 13, each recorded an hour after the one before."""
    return [
        replace(one, recorded_at=one.recorded_at + timedelta(hours=hours), **of_point.get(one.timepoint, {}))
        for hours, one in enumerate(cases.results_of("W6", W6, first_id=11))
    ]


def doubts(of: list[ResultVersion], *, drawn: bool = True) -> tuple[Doubt, ...]:
    whats = cases.sampling_day("W6", W6)
    line = cases.timeline(*(whats if drawn else whats[:2]), results=of)
    plan = line.visit("W6")
    assert plan is not None
    return doubts_of(line, plan)


def expected(of: list[ResultVersion], weight: Weight, rule: str, reason: Reason, *points: str) -> Doubt:
    """The doubt about these points: it began when the last of their results was recorded."""
    involved = [one for point in points for one in of if one.timepoint == point]
    numbers = " ".join(str(NUMBER[point]) for point in points)
    return Doubt(weight, f"{rule} {numbers}", reason, max(one.recorded_at for one in involved))


def test_times_in_the_reverse_order_name_both_points_and_both_times() -> None:
    of = results(H30={"collected_at": DOSE_AT + timedelta(minutes=125)})
    reason = because(
        "set_out_of_order",
        first="H30", at=DOSE_AT + timedelta(minutes=125), second="H2", other_at=DOSE_AT + timedelta(minutes=120),
    )  # fmt: skip
    assert doubts(of) == (expected(of, Weight.HOLDS, "S-04 H30 H2", reason, "H30", "H2"),)


def test_a_time_at_the_very_moment_of_the_dose_is_before_it_for_a_trough_and_too_early_for_the_others() -> (
    None
):
    of = results(H0={"collected_at": DOSE_AT}, H30={"collected_at": DOSE_AT})
    said = {"point": "H30", "minutes": 0, "low": 20, "high": 40}
    reason = because("set_before_dose", **said)
    assert doubts(of, drawn=False) == (expected(of, Weight.HOLDS, "S-03 H30 0", reason, "H30"),)


def test_a_tube_of_another_draw_names_the_point_the_tube_and_where_it_was_recorded() -> None:
    of = results(H30={"specimen": "W6-H2"}, H2={"specimen": "26-1"})
    reason = because("set_other_tube", point="H30", specimen="W6-H2", visit="W6", other="H2")
    assert doubts(of) == (expected(of, Weight.HOLDS, "S-06 H30", reason, "H30"),)


def test_results_beyond_the_limits_name_their_point() -> None:
    of = results(H30={"conc_mg_l": None, "above_uloq": True}, H2={"conc_mg_l": None, "below_lloq": True})
    assert doubts(of) == (
        expected(of, Weight.HOLDS, "R-19 H30", because("set_above_uloq", point="H30"), "H30"),
        expected(of, Weight.HOLDS, "R-19 H2", because("set_below_lloq", point="H2"), "H2"),
    )


def test_different_methods_are_named_in_order() -> None:
    of = results(H0={"method": "LCMSMS"}, H2={"method": "EMIT"})
    reason = because("profile_methods_differ", methods="EMIT, HPLC, LCMSMS")
    assert doubts(of) == (expected(of, Weight.WARNS, "S-07", reason, "H0", "H30", "H2"),)


def test_two_methods_are_enough_to_differ() -> None:
    reason = because("profile_methods_differ", methods="EMIT, HPLC")
    of = results(H2={"method": "EMIT"})
    assert doubts(of) == (expected(of, Weight.WARNS, "S-07", reason, "H0", "H30", "H2"),)


def measured(h0: str, h30: str, h2: str | None) -> list[ResultVersion]:
    values = {"H0": h0, "H30": h30, "H2": h2}
    return results(
        **{
            point: {"conc_mg_l": Decimal(value) if value is not None else None}
            for point, value in values.items()
        }
    )


def test_three_identical_values_are_unusual_and_two_are_not() -> None:
    of = measured("3", "3.0", "3.00")
    reason = because("profile_identical", count=3)
    assert doubts(of) == (expected(of, Weight.WARNS, "R-14", reason, "H0", "H30", "H2"),)
    assert doubts(measured("3", "3", None)) == ()


def test_a_high_trough_is_unusual_by_itself_and_a_high_later_sample_is_not() -> None:
    of = measured("15.1", "20", "16")
    reason = because("profile_trough_high", point="H0", limit=15)
    assert doubts(of) == (expected(of, Weight.WARNS, "R-14 H0", reason, "H0"),)
    assert doubts(measured("15", "20", "16")) == ()


def test_the_samples_below_that_before_the_dose_are_named_and_one_equal_to_it_is_not() -> None:
    of = measured("7", "3", "6.9")
    reason = because("profile_predose_high", point="H0", lower="H30, H2")
    assert doubts(of) == (expected(of, Weight.WARNS, "S-05", reason, "H0", "H30", "H2"),)
    of = measured("7", "3", "7")
    reason = because("profile_predose_high", point="H0", lower="H30")
    assert doubts(of) == (expected(of, Weight.WARNS, "S-05", reason, "H0", "H30"),)


def test_a_point_one_minute_after_the_dose_is_after_it() -> None:
    """What counts as before the dose ends at the dose itself."""
    content = cases.document()
    point = next(one for one in content["sampling"]["points"] if one["id"] == "H30")
    point |= {"value": "PT1M", "window_lower": "PT0M", "window_upper": "PT5M"}
    plan = cases.study_plan(cases.protocol_from(content))
    at = {"collected_at": DOSE_AT + timedelta(minutes=1)}
    whats = cases.sampling_day("W6", W6)[:2]

    def said(**h30: Any) -> list[str]:
        line = cases.timeline(*whats, results=results(H30={**at, **h30}), plan=plan)
        visit = line.visit("W6")
        assert visit is not None
        return [one.reason.code for one in doubts_of(line, visit)]

    assert said() == []
    assert said(conc_mg_l=None, below_lloq=True) == ["set_below_lloq"]
    assert said(conc_mg_l=Decimal(16)) == []
    assert said(conc_mg_l=Decimal("0.2")) == ["profile_predose_high"]
    assert said(collected_at=DOSE_AT) == ["set_before_dose"]
