"""The rows of one file about one visit, looked at together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import H0, H2, H30, OTHER, THREE, context, csv_bytes, known

from scheduler.intake.findings import FileVerdict, Severity, State
from scheduler.intake.readers import read
from scheduler.intake.rules.validate import validate
from scheduler.store.lab.values import KnownSubject, Records

Rows = Iterable[Mapping[str, str]]


def verdict_of(rows: Rows) -> FileVerdict:
    return validate(read(csv_bytes(rows)), context())


def said(rows: Rows) -> dict[str, list[str]]:
    """By code the sampling times of the rows that have it."""
    found: dict[str, list[str]] = {}
    for row in verdict_of(rows).rows:
        for finding in row.findings:
            found.setdefault(finding.reason.code, []).append(row.entry.timepoint)
    return found


def profile(h0: str, h30: str, h2: str) -> list[dict[str, str]]:
    return [{**row, "value": value} for row, value in zip(THREE, (h0, h30, h2), strict=True)]


def test_an_ordinary_visit_is_accepted_without_a_word() -> None:
    assert said(THREE) == {}


def test_S04_times_in_the_reverse_order_are_told_on_both_rows_and_hold_none() -> None:
    exchanged = [H0, {**H30, "collected_at": H2["collected_at"]}, {**H2, "collected_at": H30["collected_at"]}]
    assert said(exchanged) == {"S-04": ["H30", "H2"]}
    verdict = verdict_of(exchanged)
    assert verdict.count(State.ACCEPTED) == 3
    assert {one.severity for row in verdict.rows for one in row.findings} == {Severity.SET}


def test_S04_one_time_for_all_tubes_is_no_order() -> None:
    assert said([{**row, "collected_at": H0["collected_at"]} for row in THREE]) == {}


@pytest.mark.parametrize(
    ("values", "lower"),
    [
        (("1,85", "14,2", "6,4"), None),
        (("7", "3", "9"), "H30"),
        (("9", "3", "7"), "H30, H2"),
        (("5", "9", "3"), None),
        (("<0,1", "0,05", "3"), None),
    ],
)
def test_S05_a_sample_before_the_dose_above_the_first_after_it(
    values: tuple[str, str, str], lower: str | None
) -> None:
    found = [one for row in verdict_of(profile(*values)).rows for one in row.findings if one.rule == "S-05"]
    assert [one.reason.get("other") for one in found] == ([lower] if lower else [])
    assert all(one.severity is Severity.WARN for one in found)


def test_S07_different_methods_are_told_on_every_row() -> None:
    assert said([H0, H30, {**H2, "method": "EMIT"}]) == {"S-07": ["H0", "H30", "H2"]}


def test_R14_three_identical_values_are_told_and_two_are_not() -> None:
    assert said(profile("3", "3,0", "3,00")) == {"R-14.identical": ["H0", "H30", "H2"]}
    assert said(profile("3", "3", "4")) == {}
    assert said(profile("3", "3", "3")[:2]) == {}


def test_only_rows_that_are_used_are_compared() -> None:
    """Neither a held row, nor a preliminary one, nor one that a later row of the file replaces."""
    low = {**H30, "value": "0,5"}
    assert said([H0, {**low, "unit": ""}, H2]) == {"R-15": ["H30"]}
    assert said([H0, {**low, "status": "P"}, H2]) == {"R-40": ["H30"]}
    corrected = {**H30, "status": "C", "reported_at": "15/01/2026 16:00"}
    assert "S-05" not in said([H0, low, corrected, H2])


def test_visits_and_subjects_are_not_compared_with_each_other() -> None:
    other = {**H30, "subject_id": OTHER, "specimen_id": "x", "value": "0,5", "method": "EMIT"}
    records = known()
    both = Records({**records.subjects, OTHER: KnownSubject(True, {})})
    verdict = validate(read(csv_bytes([H0, other, H2])), context(both))
    assert [one.rule for row in verdict.rows for one in row.findings] == []


@given(
    st.lists(st.sampled_from([H0, H30, H2]), min_size=1, max_size=3, unique_by=lambda row: row["timepoint"]),
    st.lists(st.sampled_from(["1", "3", "3,0", "9"]), min_size=3, max_size=3),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(rows: list[dict[str, str]], values: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    given_ = [{**row, "value": value} for row, value in zip(rows, values, strict=False)]
    shuffled = list(given_)
    chance.shuffle(shuffled)
    first, second = said(given_), said(shuffled)
    assert {code: sorted(points) for code, points in first.items()} == {
        code: sorted(points) for code, points in second.items()
    }
