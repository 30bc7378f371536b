"""What needs a person's attention, since when, and how it closes."""

from __future__ import annotations

from datetime import date, timedelta

import domain_cases as cases
import pytest

from scheduler.domain.facts import Attended, SampleNotDrawn
from scheduler.domain.flag_rules import flags_of
from scheduler.domain.flags import Flag, FlagCode
from scheduler.domain.sentences import SENTENCES
from scheduler.domain.timeline import Timeline

W6 = date(2025, 10, 13)
Y1 = date(2026, 9, 1)
LATER = cases.local(date(2025, 10, 30))


def flags(line: Timeline, visit: str, now=LATER) -> dict[str, Flag]:  # type: ignore[no-untyped-def]
    found = cases.stand(line, now).flags
    return {f"{flag.code} {flag.detail}".strip(): flag for flag in found if flag.visit == visit}


def test_a_draw_out_of_its_window_is_flagged_with_its_deviation_until_it_is_corrected() -> None:
    attended, dose, h0, h30, _ = cases.sampling_day("W6", W6)
    late = cases.drawn("W6", "H2", cases.local(W6, 11, 25))
    found = flags(cases.timeline(attended, dose, h0, h30, late), "W6")
    flag = found["sample_out_of_window H2"]
    assert dict(flag.reason.params) == {"point": "H2", "minutes": 145, "low": 110, "high": 130}
    assert flag.since == late.at


@pytest.mark.parametrize(("minute", "outside"), [(20, False), (40, False), (19, True), (41, True)])
def test_both_ends_of_a_draws_window_belong_to_it(minute: int, outside: bool) -> None:
    attended, dose, *_ = cases.sampling_day("W6", W6)
    drawn = cases.drawn("W6", "H30", cases.local(W6, 9, minute))
    found = flags(cases.timeline(attended, dose, drawn), "W6")
    assert ("sample_out_of_window H30" in found) is outside


def test_without_a_dose_no_draw_has_a_window() -> None:
    attended, _, *draws = cases.sampling_day("W6", W6)
    plan = cases.timeline(attended, *draws).visit("W6")
    assert plan is not None
    assert {draw.window for draw in plan.draws} == {None}


def test_a_result_without_a_draw_is_flagged_until_the_draw_is_recorded() -> None:
    results = cases.results_of("W6", W6)
    attended, dose, h0, h30, h2 = cases.sampling_day("W6", W6)
    found = flags(cases.timeline(attended, dose, h0, h30, results=results), "W6")
    assert found["result_without_draw H2"].since == results[2].recorded_at
    assert flags(cases.timeline(attended, dose, h0, h30, h2, results=results), "W6") == {}


def test_a_result_of_a_draw_that_was_said_not_to_be_drawn_is_flagged() -> None:
    whats = cases.sampling_day("W6", W6, without=["H2"])
    lost = SampleNotDrawn("W6", "H2", cases.local(W6, 11), "no vein")
    found = flags(cases.timeline(*whats, lost, results=cases.results_of("W6", W6)), "W6")
    assert {"result_without_draw H2", "visit_incomplete"} <= set(found)


def test_an_endpoint_is_missing_only_once_its_time_is_over() -> None:
    """A lost sample makes the visit incomplete at once; the scores may still come."""
    whats = cases.sampling_day("Y1", Y1, without=["H2"])
    lost = SampleNotDrawn("Y1", "H2", cases.local(Y1, 11), "no vein")
    line = cases.timeline(*whats, lost)
    due = cases.local(Y1 + timedelta(days=3), 0)
    before = flags(line, "Y1", due - timedelta(seconds=1))
    assert "visit_incomplete" in before
    assert not any(name.startswith("endpoint") for name in before)
    after = flags(line, "Y1", due)
    assert {name for name in after if name.startswith("endpoint")} == {
        "endpoint_missing mrss",
        "endpoint_missing fvc",
        "endpoint_missing dlco",
    }
    assert after["endpoint_missing fvc"].since == due
    partly = cases.timeline(*whats, lost, *cases.assessed("Y1", Y1, ["mrss", "dlco"]))
    assert [name for name in flags(partly, "Y1", due) if name.startswith("endpoint")] == [
        "endpoint_missing fvc"
    ]


def test_a_missed_final_visit_misses_its_endpoints() -> None:
    line = cases.timeline()
    missed_at = next(plan.missed_at for plan in line.visits if plan.id == "Y1")
    found = flags(line, "Y1", missed_at)
    assert found["endpoint_missing mrss"].since == missed_at
    assert "visit_missed" in found


def test_the_inclusion_has_no_endpoint_to_miss() -> None:
    line = cases.timeline(Attended("INCLUSION", cases.local(cases.BASELINE)))
    assert set(flags(line, "INCLUSION")) == {"visit_incomplete"}


@pytest.mark.parametrize(
    ("conc", "expected"),
    [("1", "flag_auc_below_band"), ("4", None), ("9", "flag_auc_above_band")],
)
def test_an_auc_outside_a_band_that_asks_for_it_is_flagged(conc: str, expected: str | None) -> None:
    from decimal import Decimal

    results = [
        cases.result("W6", point, number=i, day=W6, conc_mg_l=Decimal(conc) + more)
        for i, (point, more) in enumerate({"H0": Decimal("-0.5"), "H30": Decimal("0.5"), "H2": 0}.items())
    ]  # three results of `conc` on average give an AUC of twelve times as much
    found = flags(cases.timeline(*cases.sampling_day("W6", W6), results=results), "W6")
    codes = {flag.reason.code for flag in found.values()}
    assert codes == ({expected} if expected else set())
    for flag in found.values():
        assert flag.since == max(one.recorded_at for one in results)


def test_an_auc_that_cannot_be_computed_says_why() -> None:
    lost = SampleNotDrawn("W6", "H30", cases.local(W6, 10), "no vein")
    results = [one for one in cases.results_of("W6", W6) if one.timepoint != "H30"]
    line = cases.timeline(*cases.sampling_day("W6", W6, without=["H30"]), lost, results=results)
    found = flags(line, "W6")
    assert set(found) == {"auc_not_computable", "visit_incomplete"}


def test_an_estimate_of_a_visit_that_is_not_attended_is_not_flagged() -> None:
    line = cases.timeline()
    views = cases.stand(line, LATER).views
    seen = cases.timeline(*cases.sampling_day("W6", W6), results=cases.results_of("W6", W6))
    assert all(
        flag.code not in (FlagCode.AUC_OUTSIDE_BAND, FlagCode.AUC_NOT_COMPUTABLE)
        for flag in flags_of(line, views, cases.fake_exposures(seen), LATER)
    )


def test_every_flag_says_how_it_closes_and_how_soon_it_matters() -> None:
    for code in FlagCode:
        flag = Flag(code, "s", None, "", cases.because("x"), LATER)
        assert flag.closes.code in SENTENCES
        assert flag.severity in (1, 2, 3)


def test_two_flags_of_one_code_on_one_visit_have_keys_of_their_own() -> None:
    line = cases.timeline(*cases.sampling_day("W6", W6))
    keys = [flag.key for flag in cases.stand(line, LATER).flags]
    assert len(keys) == len(set(keys))
    assert f"{cases.CODE}|W6|result_overdue|H30" in keys
