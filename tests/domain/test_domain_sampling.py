"""What the samples of a day say against each other: what holds them, what warns, and how each is settled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import domain_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pk.exposure import AVERAGE
from scheduler.domain.exposure import Exposure, VisitExposures
from scheduler.domain.facts import FlagAcknowledged, Formulation, SampleNotDrawn, What
from scheduler.domain.flag_rules import flags_of, holds_of
from scheduler.domain.flags import Flag
from scheduler.domain.reason import because
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.domain.sampling import Doubt, Weight, doubts_of, minutes_after_dose
from scheduler.domain.timeline import Timeline

W6 = date(2025, 10, 13)
DOSE_AT = cases.local(W6)
LATER = cases.local(date(2025, 10, 30))
ATTENDED, DOSE, H0, H30, H2 = cases.sampling_day("W6", W6)
BY_LABORATORY = (ATTENDED, DOSE)  # the site recorded no draw


def results(**of_point: dict[str, Any]) -> list[ResultVersion]:
    """Three ordinary results with some of their content replaced: results(H30={"conc_mg_l": …})."""
    return [
        replace(one, **of_point.get(one.timepoint, {})) for one in cases.results_of("W6", W6, first_id=11)
    ]


def minutes(after: int) -> dict[str, datetime]:
    return {"collected_at": DOSE_AT + timedelta(minutes=after)}


def line(*whats: What, of: Iterable[ResultVersion] = ()) -> Timeline:
    return cases.timeline(*(whats or (ATTENDED, DOSE, H0, H30, H2)), results=of or results())


def doubts(of: Timeline) -> tuple[Doubt, ...]:
    plan = of.visit("W6")
    assert plan is not None
    return doubts_of(of, plan)


def holding(of: Timeline) -> list[str]:
    plan = of.visit("W6")
    assert plan is not None
    return [reason.code for reason in holds_of(of, plan)]


def sample_flags(of: Timeline, now: datetime = LATER) -> list[Flag]:
    return [one for one in cases.stand(of, now).flags if one.code in ("set_held", "profile_unusual")]


def test_an_ordinary_day_has_nothing_against_it() -> None:
    assert doubts(line()) == ()
    assert doubts(line(*BY_LABORATORY)) == ()
    assert sample_flags(line()) == []


# --- S-02, S-03: the time after the dose, in the protocol's windows ----------------------------------------------


@pytest.mark.parametrize(
    ("point", "after", "code"),
    [
        ("H0", -60, None),
        ("H0", 0, None),
        ("H0", -61, "set_out_of_window"),
        ("H0", 1, "set_after_dose"),
        ("H30", 20, None),
        ("H30", 40, None),
        ("H30", 19, "set_out_of_window"),
        ("H30", 41, "set_out_of_window"),
        ("H30", 0, "set_before_dose"),
        ("H30", -3, "set_before_dose"),
        ("H2", 110, None),
        ("H2", 131, "set_out_of_window"),
    ],
)
def test_S02_S03_the_laboratorys_time_must_lie_in_the_protocols_window(
    point: str, after: int, code: str | None
) -> None:
    found = line(*BY_LABORATORY, of=results(**{point: minutes(after)}))
    assert [one for one in holding(found) if one != "set_out_of_order"] == ([code] if code else [])
    if code is not None:
        said = dict(doubts(found)[0].reason.params)
        assert (said["point"], said["minutes"]) == (point, after)
        sampled = found.protocol.point(point)
        assert sampled is not None
        assert (said["low"], said["high"]) == (sampled.earliest_min, sampled.latest_min)
        assert doubts(found)[0].detail.startswith("S-02" if code == "set_out_of_window" else "S-03")


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(-1, 19), (0, 20), (29, 20), (31, 21), (1200, 40), (1201, 41)]
)
def test_minutes_after_the_dose_are_rounded_away_from_the_window_and_within_it_to_the_nearest(
    seconds: int, minutes: int
) -> None:
    """H30 is drawn from 20 to 40 minutes after the dose."""
    found = line().visit("W6")
    assert found is not None
    draw = next(one for one in found.draws if one.point.id == "H30")
    assert draw.window is not None
    at = draw.window[0] + timedelta(seconds=seconds)
    assert minutes_after_dose(draw.point, draw.window, at) == minutes


def test_S02_the_windows_are_those_of_the_protocol_and_of_no_other_place() -> None:
    content = cases.document()
    point = next(one for one in content["sampling"]["points"] if one["id"] == "H30")
    point["window_upper"] = "PT25M"
    plan = cases.study_plan(cases.protocol_from(content))
    wide = cases.timeline(*BY_LABORATORY, results=results(H30=minutes(55)), plan=plan)
    assert doubts(wide) == ()


def test_S02_a_draw_that_the_site_recorded_is_used_at_its_own_time() -> None:
    """A person saw the clock: the deviation is flagged, and the AUC uses the actual time."""
    late = replace(H30, at=DOSE_AT + timedelta(minutes=48))  # type: ignore[type-var]
    found = line(ATTENDED, DOSE, H0, late, H2, of=results(H30=minutes(48)))
    assert holding(found) == []
    assert "sample_out_of_window" in cases.flag_codes(found, "W6", LATER)


def test_S02_recording_the_draw_or_correcting_the_time_settles_it() -> None:
    doubtful = results(H30=minutes(55))
    assert holding(line(ATTENDED, DOSE, H0, H2, of=doubtful)) == ["set_out_of_window"]
    assert holding(line(of=doubtful)) == []
    corrected = replace(
        doubtful[1],
        id=20,
        status=ResultStatus.CORRECTED,
        reported_at=doubtful[1].reported_at + timedelta(hours=1),
        **minutes(31),
    )
    assert holding(line(ATTENDED, DOSE, H0, H2, of=[*doubtful, corrected])) == []


def test_S08_without_the_time_of_the_dose_nothing_is_said_of_times_after_it() -> None:
    assert holding(line(ATTENDED, of=results(H30=minutes(55)))) == []


# --- S-04, S-06: order and tubes ---------------------------------------------------------------------------------


def test_S04_times_in_the_reverse_order_hold_even_where_the_site_recorded_the_draws() -> None:
    exchanged = results(H30=minutes(120), H2=minutes(30))
    (doubt,) = doubts(line(of=exchanged))
    assert (doubt.reason.code, doubt.weight) == ("set_out_of_order", Weight.HOLDS)
    said = dict(doubt.reason.params)
    assert (said["first"], said["second"]) == ("H30", "H2")
    assert said["at"] == exchanged[1].collected_at


def test_S04_draws_recorded_in_the_reverse_order_hold_though_the_laboratorys_times_are_in_order() -> None:
    late, early = (replace(one, at=DOSE_AT + timedelta(minutes=m)) for one, m in ((H30, 120), (H2, 30)))  # type: ignore[type-var]
    (doubt,) = doubts(line(ATTENDED, DOSE, H0, late, early))
    assert (doubt.reason.code, doubt.reason.get("first"), doubt.reason.get("second")) == (
        "set_out_of_order",
        "H30",
        "H2",
    )
    assert doubt.reason.get("at") == DOSE_AT + timedelta(minutes=120)


def test_S04_one_time_on_all_tubes_is_no_order() -> None:
    """A requisition of three tubes may carry one time; the site's own records count."""
    assert holding(line(of=results(H0=minutes(0), H30=minutes(0), H2=minutes(0)))) == []


@given(st.permutations([-5, 30, 120]))
def test_S04_exactly_the_pairs_in_reverse_order_are_named(times: list[int]) -> None:
    of = results(**{point: minutes(at) for point, at in zip(cases.POINT_MINUTES, times, strict=True)})
    said = {
        (one.reason.get("first"), one.reason.get("second"))
        for one in doubts(line(of=of))
        if one.reason.code == "set_out_of_order"
    }
    points = list(cases.POINT_MINUTES)
    assert said == {(points[i], points[j]) for i in range(3) for j in range(i + 1, 3) if times[i] > times[j]}


def test_S06_a_result_of_a_tube_that_was_recorded_for_another_draw_holds() -> None:
    exchanged = results(H30={"specimen": "W6-H2"}, H2={"specimen": "W6-H30"})
    found = doubts(line(of=exchanged))
    assert [(one.reason.code, one.reason.get("other")) for one in found] == [
        ("set_other_tube", "H2"),
        ("set_other_tube", "H30"),
    ]
    assert holding(line(of=exchanged)) == ["set_other_tube", "set_other_tube"]


def test_S06_a_tube_of_another_visit_is_known_too() -> None:
    day = date(2025, 9, 1)
    found = line(
        *cases.sampling_day("INCLUSION", day),
        ATTENDED,
        DOSE,
        H0,
        H30,
        H2,
        of=results(H0={"specimen": "INCLUSION-H0"}),
    )
    (doubt,) = doubts(found)
    assert dict(doubt.reason.params)["visit"] == "INCLUSION"


def test_numbers_that_the_laboratory_gave_itself_are_no_contradiction() -> None:
    assert doubts(line(of=results(H0={"specimen": "26-1"}, H30={"specimen": "26-2"}))) == ()


# --- R-19 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("point", "changes", "code"),
    [
        ("H0", {"below_lloq": True}, None),
        ("H30", {"below_lloq": True}, "set_below_lloq"),
        ("H2", {"below_lloq": True}, "set_below_lloq"),
        ("H0", {"above_uloq": True}, "set_above_uloq"),
        ("H30", {"above_uloq": True}, "set_above_uloq"),
    ],
)
def test_R19_outside_the_limits_of_quantification(
    point: str, changes: dict[str, bool], code: str | None
) -> None:
    found = line(of=results(**{point: {"conc_mg_l": None, **changes}}))
    assert holding(found) == ([code] if code else [])


def test_a_sample_that_is_not_used_holds_nothing() -> None:
    lost = SampleNotDrawn("W6", "H30", cases.local(W6, 10), "no vein")
    above = {"conc_mg_l": None, "above_uloq": True}
    assert doubts(line(of=results(H30={**above, "blocking": "HEM"}))) == ()
    assert doubts(line(ATTENDED, DOSE, H0, lost, H2, of=results(H30=above))) == ()


# --- a person decides ---------------------------------------------------------------------------------------------


def test_acknowledging_the_flag_lets_the_samples_be_used_until_the_result_is_another_one() -> None:
    above = results(H30={"conc_mg_l": None, "below_lloq": True})
    (flag,) = sample_flags(line(of=above))
    assert flag.code == "set_held"
    seen = (ATTENDED, DOSE, H0, H30, H2, FlagAcknowledged(flag.key, "she took it"))
    assert holding(line(*seen, of=above)) == []
    again = replace(
        above[1],
        id=30,
        status=ResultStatus.CORRECTED,
        reported_at=above[1].reported_at + timedelta(days=1),
    )
    assert holding(line(*seen, of=[*above, again])) == ["set_below_lloq"]


def test_a_flag_that_warns_does_not_hold() -> None:
    of = results(H0={"conc_mg_l": Decimal(9)})
    assert [one.code for one in sample_flags(line(of=of))] == ["profile_unusual"]
    assert holding(line(of=of)) == []


# --- S-05: the profile (the other rules of it: test_domain_doubts.py) ---------------------------------------------


def profile(h0: str, h30: str, h2: str) -> list[ResultVersion]:
    values = {"H0": h0, "H30": h30, "H2": h2}
    return results(**{point: {"conc_mg_l": Decimal(value)} for point, value in values.items()})


@given(*[st.decimals("0.1", "14", places=1) for _ in range(3)])
def test_S05_is_said_exactly_when_the_sample_before_the_dose_is_too_high(
    h0: Decimal, h30: Decimal, h2: Decimal
) -> None:
    found = [one for one in doubts(line(of=profile(str(h0), str(h30), str(h2)))) if one.detail[:4] == "S-05"]
    assert bool(found) == ((h0 > h30 and h0 > h2) or h30 < h0)


def test_S05_is_only_told_of_enteric_coated_tablets() -> None:
    coated = replace(DOSE, formulation=Formulation.EC_MPS)  # type: ignore[type-var]
    found = line(ATTENDED, coated, H0, H30, H2, of=profile("7", "3", "9"))
    assert [one.weight for one in doubts(found)] == [Weight.TELLS]
    assert sample_flags(found) == []


def test_S05_rule_and_models_speak_with_one_voice() -> None:
    swapped = because("profile_looks_swapped", first="H0", second="H30")
    average = Exposure(AVERAGE, "AUC0-12", 40.0, 30.0, 50.0, "mg·h/L", (0.0, 12.0), (), (swapped,))
    by_models = {"W6": VisitExposures("x", (average,), "{}")}
    for values, expected in (
        (("7", "3", "9"), ["profile_predose_high", "profile_looks_swapped"]),
        (("1", "3", "9"), ["profile_looks_swapped"]),
    ):
        found = line(of=profile(*values))
        flags = [
            one
            for one in flags_of(found, cases.stand(found, LATER).views, by_models, LATER)
            if one.code == "profile_unusual"
        ]
        (flag,) = flags
        why = flag.reason.get("why")
        assert isinstance(why, tuple)
        assert [one.code for one in why] == expected


# --- S-09 ---------------------------------------------------------------------------------------------------------


def test_S09_a_result_that_did_not_come_with_the_others_is_overdue_with_the_records() -> None:
    """Two full days by this protocol; with no result at all the laboratory has its five."""
    due = cases.local(date(2025, 10, 16), 0)
    partly, none = line(of=results()[:2]), cases.timeline(ATTENDED, DOSE, H0, H30, H2)
    tick = timedelta(seconds=1)
    assert "result_overdue" not in cases.flag_codes(partly, "W6", due - tick)
    overdue = [one for one in cases.stand(partly, due).flags if one.code == "result_overdue"]
    assert [one.detail for one in overdue] == ["H2"]
    assert overdue[0].since == due
    assert "result_overdue" not in cases.flag_codes(none, "W6", due)
    assert cases.stand(partly, due - tick).next_change == due


@given(st.sets(st.sampled_from(["H0", "H30", "H2"])), st.integers(0, 40))
def test_what_is_said_is_a_function_of_what_is_recorded(points: set[str], late: int) -> None:
    """Whatever of the day is recorded and measured: never an exception, each doubt with a flag of its own."""
    of = [one for one in results(H30=minutes(late), H2=minutes(30)) if one.timepoint in points]
    drawn = [one for one, name in ((H0, "H0"), (H30, "H30"), (H2, "H2")) if name not in points]
    found = cases.timeline(ATTENDED, DOSE, *drawn, results=of)
    expected = [one for one in doubts(found) if one.weight is not Weight.TELLS]
    assert len({one.key for one in sample_flags(found)}) == len(expected)
