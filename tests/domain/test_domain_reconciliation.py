"""What was drawn held against what was sent: every tube once, in the state that is true of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.reason import because
from scheduler.domain.reconciliation import (
    SETTLED,
    Drawn,
    Line,
    LineState,
    Sent,
    answered_by_lab,
    drawn_for,
    tally,
)
from scheduler.domain.spreadsheet import csv_bytes

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
UNTIL = FIRST + timedelta(days=7)
PLACES = [("MPA-0042-7", visit, point) for visit in ("W6", "M6") for point in ("H0", "H30", "H2")]
DAYS = st.integers(-20, 20).map(lambda day: FIRST + timedelta(days=day))
STATUSES = st.sampled_from([None, "P", "F", "C", "W", "X"])
DRAWN = st.builds(Drawn, st.sampled_from(PLACES), st.just("T"), DAYS, STATUSES, st.booleans())
SENT = st.builds(Sent, st.sampled_from(PLACES), st.just("T"), DAYS, st.just("F"), st.booleans())


def unique(drawn: list[Drawn]) -> list[Drawn]:
    return list({one.place: one for one in drawn}.values())


@given(st.lists(DRAWN), st.lists(SENT))
def test_whatever_is_open_is_listed_once_whatever_its_age(drawn: list[Drawn], sent: list[Sent]) -> None:
    drawn = unique(drawn)
    lines = tally(drawn, sent, FIRST, UNTIL)
    held = {one.place for one in sent if one.held}
    of_draws = {line.place: line for line in lines if line.drawn_at is not None}
    assert len(of_draws) == sum(line.drawn_at is not None for line in lines)
    for one in drawn:
        if one.place in held:
            assert of_draws[one.place].state is LineState.HELD
        elif one.status not in SETTLED:
            wanted = LineState.MISSING if one.overdue else LineState.AWAITED
            assert of_draws[one.place].state is wanted
        elif one.place in of_draws:
            assert of_draws[one.place].state is LineState.RECEIVED


@given(st.lists(DRAWN), st.lists(SENT))
def test_the_order_in_which_things_are_known_does_not_matter(drawn: list[Drawn], sent: list[Sent]) -> None:
    drawn = unique(drawn)
    sent = [one for one in sent if not one.held]

    def states(lines: tuple[Line, ...]) -> list[tuple[str, ...]]:
        return sorted((*line.place, line.state) for line in lines)

    assert states(tally(drawn, sent, FIRST, UNTIL)) == states(tally(drawn[::-1], sent[::-1], FIRST, UNTIL))


def test_the_visits_of_a_subject_stand_in_the_order_of_their_days() -> None:
    visits = ("INCLUSION", "W6", "W12", "M6")
    drawn = [
        Drawn(("MPA-0042-7", visit, point), "T", FIRST + timedelta(days=day, hours=hour), None, True)
        for day, visit in enumerate(visits)
        for hour, point in enumerate(("H0", "H30", "H2"))
    ]
    lines = tally(drawn[::-1], [], FIRST, UNTIL)
    assert [line.place for line in lines] == [one.place for one in drawn]


@given(st.lists(SENT))
def test_a_final_result_of_a_tube_that_nobody_drew_is_listed_in_its_week(sent: list[Sent]) -> None:
    lines = tally([], [one for one in sent if not one.held], FIRST, UNTIL)
    last = {one.place: one for one in sorted(sent, key=lambda one: one.received_at) if not one.held}
    expected = {place for place, one in last.items() if FIRST <= one.received_at < UNTIL}
    assert {line.place for line in lines} == expected
    assert {line.state for line in lines} <= {LineState.WITHOUT_DRAW}


def test_a_tube_goes_where_others_of_its_visit_or_subject_were_measured() -> None:
    w6, m6 = (Drawn(("MPA-0042-7", visit, "H0"), "T", FIRST, None, False) for visit in ("W6", "M6"))
    assert drawn_for("A", [w6, m6], {}) == [w6, m6]
    assert drawn_for("A", [w6, m6], {("MPA-0042-7", "W6"): {"B"}}) == []
    assert drawn_for("A", [w6, m6], {("MPA-0042-7", "W6"): {"A"}, ("MPA-0042-7", "M6"): {"B"}}) == [w6]
    assert drawn_for("A", [m6], {("MPA-0042-7", "W6"): {"A"}}) == [m6]
    assert drawn_for("A", [w6], {("MPA-0001-3", "W6"): {"B"}}) == [w6]


@pytest.mark.parametrize(
    "code", ["R-01", "R-03", "R-04.cancelled", "R-04.missing", "R-32", "R-32.window", "R-33"]
)
def test_what_lies_with_the_study_is_not_asked_of_the_laboratory(code: str) -> None:
    unit = because("R-15", row=2)
    assert answered_by_lab([because(code, row=2)]) == ()
    assert answered_by_lab([because(code, row=2), unit]) == (unit,)


def test_a_table_has_no_formula_and_every_field_quoted() -> None:
    content = csv_bytes(["a"], [["=1+1"], ['x"; y'], ["+1"], ["@x"], ["\tx"]]).decode("utf-8-sig")
    assert content.splitlines() == ['"a"', '"\'=1+1"', '"x""; y"', '"\'+1"', '"\'@x"', '"\'\tx"']
