"""What a file is judged by as a whole, and its rows among each other."""

from __future__ import annotations

from intake_cases import H0, H2, H30, NOW, OTHER, ROW, SUBJECT, a_study
from row_cases import codes, verdict_of

from scheduler.intake.study import Context


def test_F17_another_study_is_passed_over_and_a_mixture_refused() -> None:
    other = {**ROW, "study_id": "OTHER-1"}
    whole = verdict_of(other)
    assert (whole.verdict, whole.reason and whole.reason.code) == ("ignored", "F-17")
    mixed = verdict_of(ROW, other)
    assert (mixed.verdict, mixed.reason and mixed.reason.code) == ("quarantined", "F-17.mixed")


def test_F17_a_file_about_other_analytes_is_passed_over() -> None:
    verdict = verdict_of({**ROW, "analyte": "MPAG"})
    assert (verdict.verdict, verdict.reason and verdict.reason.code) == ("ignored", "F-17.analyte")


def test_F19_shifted_columns_refuse_the_file() -> None:
    verdict = verdict_of({**ROW, "subject_id": "V2", "visit": SUBJECT})
    assert (verdict.verdict, verdict.reason and verdict.reason.code) == ("quarantined", "F-19.shifted")


def test_F19_many_unknown_subjects_refuse_the_file_and_few_are_held() -> None:
    from scheduler.domain.subject_code import check_digit

    numbers = [f"{n:04d}" for n in range(100, 104)]
    rows = [{**ROW, "subject_id": f"MPA-{n}-{check_digit(n)}", "specimen_id": n} for n in numbers]
    verdict = verdict_of(*rows)
    assert (verdict.verdict, verdict.reason and verdict.reason.code) == ("quarantined", "F-19")
    verdict = verdict_of(*rows[:3])
    assert verdict.verdict == "held"
    assert [codes(row) for row in verdict.rows] == [["R-01"]] * 3


def test_S06_one_specimen_for_two_sampling_times_or_subjects_is_held_on_both_sides() -> None:
    verdict = verdict_of(H0, {**H30, "specimen_id": H0["specimen_id"]}, H2)
    assert [row.state for row in verdict.rows] == ["held", "held", "accepted"]
    assert codes(verdict.rows[0]) == ["S-06"]


def test_S01_two_specimens_for_one_sampling_time_are_held_on_both_sides() -> None:
    verdict = verdict_of(H0, {**H0, "specimen_id": "other", "value": "2,85"}, H2)
    assert [row.state for row in verdict.rows] == ["held", "held", "accepted"]
    assert codes(verdict.rows[0]) == ["S-01.file"]


def test_S01_a_second_specimen_after_an_unusable_one_is_accepted() -> None:
    verdict = verdict_of({**H0, "value": "hémolysé"}, {**H0, "specimen_id": "other"})
    assert verdict.verdict == "accepted"


def test_R43_two_final_values_of_one_specimen_in_one_file_are_both_held() -> None:
    verdict = verdict_of(H0, {**H0, "value": "2,85"})
    assert [codes(row) for row in verdict.rows] == [["R-43.file"], ["R-43.file"]]


def test_R42_the_same_row_twice_counts_once() -> None:
    verdict = verdict_of(H0, H0)
    assert sorted(row.state for row in verdict.rows) == ["accepted", "ignored"]


def test_without_records_the_rules_about_them_are_left_out() -> None:
    about = Context(a_study(), NOW, None)
    corrected = {**H0, "status": "C", "subject_id": OTHER, "collected_at": "01/01/2026 08:00"}
    assert verdict_of(corrected, about=about).verdict == "accepted"
