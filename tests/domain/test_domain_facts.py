"""Facts and corrections, result versions, regimens: what holds, whatever the order of arrival."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import permutations

import domain_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.corrections import effective
from scheduler.domain.exposure import set_is_settled, settled_at
from scheduler.domain.facts import (
    KINDS,
    Attended,
    Corrected,
    Enrolled,
    Fact,
    Formulation,
    Regimen,
    RegimenChanged,
    SampleNotDrawn,
    Source,
    What,
)
from scheduler.domain.history import History, fold
from scheduler.domain.results import ResultStatus as R
from scheduler.domain.results import current_results
from scheduler.domain.subject_code import check_digit, is_well_formed
from scheduler.domain.timeline import build_timeline

DAY = date(2025, 10, 13)


def at(hour: int) -> datetime:
    return cases.local(DAY, hour)


def seen(hour: int) -> Attended:
    return Attended("W6", at(hour))


def holding(*whats: What) -> list[tuple[int, What]]:
    return [(fact.id, fact.what) for fact in effective(cases.numbered(whats))]


# --- corrections ------------------------------------------------------------------------------------------------


def test_without_corrections_every_fact_holds() -> None:
    assert holding(seen(1), seen(2)) == [(1, seen(1)), (2, seen(2))]


def test_a_correction_replaces_the_fact_in_its_place() -> None:
    assert holding(seen(1), seen(2), Corrected(1, seen(5), "typo")) == [(1, seen(5)), (2, seen(2))]


def test_a_fact_taken_back_no_longer_holds() -> None:
    assert holding(seen(1), seen(2), Corrected(1, None, "never")) == [(2, seen(2))]


def test_the_last_correction_of_a_fact_holds() -> None:
    again = [seen(1), Corrected(1, seen(2), "a"), Corrected(1, seen(3), "b")]
    assert holding(*again) == [(1, seen(3))]
    assert holding(*again, Corrected(1, None, "c")) == []


def test_a_fact_taken_back_can_be_restored() -> None:
    assert holding(seen(1), Corrected(1, None, "a"), Corrected(1, seen(4), "b")) == [(1, seen(4))]


def test_a_correction_may_change_the_visit() -> None:
    other = Attended("W12", at(1))
    assert holding(seen(1), Corrected(1, other, "wrong visit")) == [(1, other)]


def test_a_corrected_fact_carries_who_corrected_it_and_when() -> None:
    facts = cases.numbered([seen(1), Corrected(1, seen(2), "typo")])
    (fact,) = effective(facts)
    assert (fact.id, fact.recorded_at) == (1, facts[1].recorded_at)


@given(st.permutations(range(6)))
def test_the_order_of_arrival_of_corrections_does_not_matter(order: list[int]) -> None:
    facts = cases.numbered(
        [
            seen(1),
            seen(2),
            Corrected(1, seen(3), ""),
            Corrected(2, None, ""),
            Corrected(1, seen(4), ""),
            seen(9),
        ]
    )
    assert effective([facts[i] for i in order]) == effective(facts)


def test_every_kind_of_fact_has_a_name_of_its_own() -> None:
    assert len(KINDS) == len({cls.__name__ for cls in KINDS.values()}) == 18


def test_nobody_enrolled_has_no_timeline() -> None:
    assert build_timeline(cases.shipped_plan(), History("x", cases.numbered([seen(1)]))) is None


def test_facts_of_a_visit_that_the_protocol_does_not_know_are_left_alone() -> None:
    line = cases.timeline(Attended("V99", at(9)))
    assert {plan.attended_at for plan in line.visits} == {None}


# --- results ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize(
    ("statuses", "holds"),
    [
        ([R.PRELIMINARY, R.FINAL, R.CORRECTED, R.WITHDRAWN], R.WITHDRAWN),
        ([R.PRELIMINARY, R.FINAL, R.CORRECTED], R.CORRECTED),
        ([R.PRELIMINARY, R.FINAL], R.FINAL),
        ([R.PRELIMINARY, R.NOT_OBTAINED], R.NOT_OBTAINED),
    ],
)
def test_all_orders_of_arrival_of_the_versions_of_a_result_end_in_the_same_state(
    statuses: list[R], holds: R, together: bool
) -> None:
    """Reported one after the other or at the same instant, and numbered in the order in which they arrive."""
    reported = [cases.local(DAY, 12) + (0 if together else i) * timedelta(days=1) for i in range(4)]
    found = set()
    for order in permutations(range(len(statuses))):
        versions = [
            cases.result("W6", "H0", statuses[i], number=number, reported_at=reported[i])
            for number, i in enumerate(order, 1)
        ]
        current = current_results(versions)["W6"]["H0"]
        found.add((current.version.status, current.version.reported_at, current.versions))
    assert found == {(holds, reported[0] if together else reported[len(statuses) - 1], len(statuses))}


def test_a_preliminary_version_never_replaces_another_kind() -> None:
    late = cases.result("W6", "H0", R.PRELIMINARY, number=2, reported_at=cases.local(DAY, 12) + timedelta(9))
    early = cases.result("W6", "H0", R.FINAL, number=1)
    assert current_results([late, early])["W6"]["H0"].version is early


def test_a_final_version_reported_later_replaces_a_withdrawal() -> None:
    withdrawn = cases.result("W6", "H0", R.WITHDRAWN, number=1)
    again = cases.result("W6", "H0", R.FINAL, number=2, reported_at=withdrawn.reported_at + timedelta(1))
    assert current_results([again, withdrawn])["W6"]["H0"].is_final


# --- the sampling day and the regimen ---------------------------------------------------------------------------


def test_a_sampling_day_is_settled_when_every_draw_has_its_last_word() -> None:
    def settled(*whats: What, results=()) -> bool:  # type: ignore[no-untyped-def]
        plan = cases.timeline(*whats, results=results).visit("W6")
        assert plan is not None
        return set_is_settled(plan)

    whole, results = cases.sampling_day("W6", DAY), cases.results_of("W6", DAY)
    assert settled(*whole, results=results)
    assert not settled(*whole, results=results[:2])
    assert not settled(whole[0], *whole[2:], results=results)  # no dose
    lost = SampleNotDrawn("W6", "H2", at(11), "no vein")
    assert settled(*cases.sampling_day("W6", DAY, without=["H2"]), lost, results=results[:2])
    none = cases.result("W6", "H2", R.NOT_OBTAINED, number=7, conc_mg_l=None)
    assert settled(*whole, results=[*results[:2], none])
    preliminary = cases.result("W6", "H2", R.PRELIMINARY, number=7)
    assert not settled(*whole, results=[*results[:2], preliminary])


def test_a_set_is_settled_at_the_record_of_its_last_piece() -> None:
    results = cases.results_of("W6", DAY)
    plan = cases.timeline(*cases.sampling_day("W6", DAY), results=results).visit("W6")
    assert plan is not None
    assert settled_at(plan) == max(one.recorded_at for one in results)


MMF_1000, MMF_500 = Regimen(Formulation.MMF, 1000.0, 12.0), Regimen(Formulation.MMF, 500.0, 12.0)


def days_unchanged(*whats: What, enrolled: Enrolled) -> float | None:
    facts = cases.numbered([enrolled, *whats, *cases.sampling_day("W6", DAY)])
    line = build_timeline(cases.shipped_plan(), History("x", facts))
    assert line is not None
    plan = line.visit("W6")
    assert plan is not None and plan.dose is not None
    return plan.dose.days_unchanged


def test_the_days_on_an_unchanged_regimen_count_from_its_start() -> None:
    started = Enrolled(cases.BASELINE, date(2025, 8, 1), MMF_1000)
    assert days_unchanged(enrolled=started) == 73.0
    assert days_unchanged(enrolled=Enrolled(cases.BASELINE, None, MMF_1000)) is None
    assert days_unchanged(enrolled=Enrolled(cases.BASELINE)) is None


def test_a_dose_other_than_the_regimen_is_a_change_of_that_day() -> None:
    assert days_unchanged(enrolled=Enrolled(cases.BASELINE, date(2025, 8, 1), MMF_500)) == 0.0


def test_a_change_of_regimen_counts_from_its_day_and_only_once_it_has_come() -> None:
    started = Enrolled(cases.BASELINE, date(2025, 8, 1), MMF_500)
    change = RegimenChanged(cases.local(date(2025, 10, 3)), MMF_1000, "response")
    assert days_unchanged(change, enrolled=started) == 10.0
    later = RegimenChanged(cases.local(date(2025, 11, 3)), MMF_500, "side effects")
    assert days_unchanged(change, later, enrolled=started) == 10.0


def test_regimens_count_in_the_order_of_time_whatever_the_order_of_recording() -> None:
    started = Enrolled(cases.BASELINE, date(2025, 8, 1), MMF_500)
    up = RegimenChanged(cases.local(date(2025, 10, 3)), MMF_1000, "response")
    before = RegimenChanged(cases.local(date(2025, 9, 15)), MMF_500, "recorded late")
    assert (
        days_unchanged(up, before, enrolled=started) == days_unchanged(before, up, enrolled=started) == 10.0
    )


def test_a_fold_does_not_share_anything_between_subjects() -> None:
    one = fold(cases.history(seen(9)))
    two = fold(cases.history())
    assert one.visits.keys() == {"W6"}
    assert two.visits == {}


# --- subject codes ----------------------------------------------------------------------------------------------


@given(st.integers(0, 9999), st.integers(0, 4), st.integers(1, 9))
def test_a_wrong_digit_of_a_subject_code_is_noticed(number: int, place: int, by: int) -> None:
    digits = f"{number:04d}"
    code = f"MPA-{digits}-{check_digit(digits)}"
    protocol = cases.shipped_protocol()
    assert is_well_formed(protocol, code) is None
    position = [4, 5, 6, 7, 9][place]
    wrong = code[:position] + str((int(code[position]) + by) % 10) + code[position + 1 :]
    reason = is_well_formed(protocol, wrong)
    assert reason is not None and reason.code == "subject_code_check"


@pytest.mark.parametrize("code", ["MPA-42-7", "mpa-0042-7", "MPA-0042-7 ", "MPA-００42-7", ""])  # noqa: RUF001
def test_a_code_of_another_form_is_refused(code: str) -> None:
    reason = is_well_formed(cases.shipped_protocol(), code)
    assert reason is not None and reason.code == "subject_code_form"


def test_the_source_of_a_fact_is_kept() -> None:
    fact = Fact(1, seen(1), at(1), "x", Source.LAB)
    assert effective([fact]) == [fact]
