"""Adverse events beside the response: the same analysis reversed, and the window between the two cuts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from json_schema import problems
from target_cases import csv_of, simulated

from pk.command.json_parser import schema_text
from pk.target.asked import Direction
from pk.target.findings import Settings
from pk.target.question import Answer, Question, answer
from pk.target.report.record import answered
from pk.target.report.statements import statements
from pk.values.reason import Reason

SCHEMA = json.loads(schema_text("target-output"))


def asked(columns: dict[str, Any], **settings: Any) -> Answer | tuple[Reason, ...]:
    drawn = Settings(**({"bootstrap": 200, "permutations": 199, "cuts": (45.0,)} | settings))
    return answer(csv_of(columns), Question(exposure="x", outcome="y", events="ae", settings=drawn))


def events_above(exposure: list[float], cut: float, seed: int) -> list[float]:
    """Events of most patients above a cut and of few below."""
    noise, _ = simulated(len(exposure), seed)
    return [float((x >= cut) != (n < 15)) for x, n in zip(exposure, noise, strict=True)]


def said(found: Answer) -> list[str]:
    return [one.code for one in statements(found)]


def test_events_are_analysed_as_responses_are_and_leave_a_window() -> None:
    exposure, outcome = simulated(200, 1, shift=25)
    found = asked({"x": exposure, "y": outcome, "ae": events_above(exposure, 62.0, 3)})
    assert isinstance(found, Answer) and found.upper is not None and found.found.cutpoint is not None
    alone = answer(
        csv_of({"x": exposure, "ae": events_above(exposure, 62.0, 3)}),
        Question(exposure="x", outcome="ae", settings=found.question.settings),
    )
    assert isinstance(alone, Answer) and alone.found.cutpoint is not None and found.upper.cutpoint is not None
    assert found.upper.cutpoint.value == alone.found.cutpoint.value == pytest.approx(62, abs=2)
    assert {"target_upper_candidate", "target_window", "target_upper_at_cut"} <= set(said(found))
    document = json.loads(json.dumps(answered(found), allow_nan=False))
    assert problems(document, SCHEMA) == []
    assert document["adverse_events"]["n_events"] == sum(events_above(exposure, 62.0, 3))
    assert document["config"]["adverse_events"] == "ae"


def test_events_keep_their_direction_whatever_that_of_response() -> None:
    exposure, outcome = simulated(200, 1, shift=25)
    columns = {"x": exposure, "y": [1 - one for one in outcome], "ae": events_above(exposure, 62.0, 3)}
    found = asked(columns, direction=Direction.LOWER)
    assert isinstance(found, Answer) and found.upper is not None and found.upper.roc is not None
    assert found.upper.roc.area > 0.5 and "target_upper_candidate" in said(found)
    assert not {"target_window", "target_window_none"} & set(said(found))


def test_a_bound_below_the_cut_for_response_leaves_no_window() -> None:
    exposure, outcome = simulated(200, 1, shift=25)
    found = asked({"x": exposure, "y": outcome, "ae": events_above(exposure, 35.0, 3)})
    assert isinstance(found, Answer) and "target_window_none" in said(found)


@pytest.mark.parametrize(
    ("n", "events", "code"),
    [
        (2, [0.0, 1.0], "target_upper_not_estimable"),
        (40, [0.0] * 40, "target_upper_not_estimable"),
        (40, [None] * 40, "target_upper_not_estimable"),
        (40, [float(i % 2) for i in range(40)], "target_upper_no_evidence"),
    ],
)
def test_few_patients_or_no_events_have_no_bound(n: int, events: list[float | None], code: str) -> None:
    exposure = [20.0 + i for i in range(n)]
    found = asked({"x": exposure, "y": [float(i % 3 == 0) for i in range(n)], "ae": events})
    assert isinstance(found, Answer) and found.upper is not None
    assert code in said(found) and problems(json.loads(json.dumps(answered(found))), SCHEMA) == []
    if n == 2:
        assert found.upper.cutpoint is None and found.upper.association is None


def test_events_against_the_expected_direction_are_no_bound() -> None:
    exposure = [20.0 + i for i in range(60)]
    found = asked(
        {"x": exposure, "y": [float(i % 3 == 0) for i in range(60)], "ae": [float(i < 25) for i in range(60)]}
    )
    assert isinstance(found, Answer) and "target_upper_opposite" in said(found)


def test_a_column_of_events_is_0_or_1() -> None:
    found = asked({"x": [1.0, 2.0, 3.0], "y": [0.0, 1.0, 0.0], "ae": [0.0, 2.0, 1.0]})
    assert isinstance(found, tuple) and [one.code for one in found] == ["target_events_not_binary"]
    assert dict(found[0].params)["line"] == 3
