"""A question asked of a file: which columns, what response is, how it is analysed; and its answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pk.target.analysis import analyse
from pk.target.asked import Direction, OutcomeKind
from pk.target.data.table import Column, Table, numbers_of, read_table
from pk.target.findings import Settings, TargetAnalysis
from pk.target.pace import Step, unwatched
from pk.target.planning.thresholds import Plan, plan
from pk.target.upper_bound import upper_bound
from pk.values.reason import Reason, short

_RULE = re.compile(r"\s*(<=|>=|<|>)\s*([+-]?\d+(?:[.,]\d+)?)\s*", re.ASCII)
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Columns by name; `rule` makes responders of a continuous outcome, as "<=-5"; `tell_apart` asks for a plan.

    `events` is a column of 0 and 1, adverse events, for an upper bound.
    """

    exposure: str
    outcome: str
    baseline: str | None = None
    events: str | None = None
    kind: OutcomeKind = OutcomeKind.AUTO
    rule: str | None = None
    tell_apart: tuple[float, float] | None = None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """The question, what was found, and the plan and the upper bound if they were asked for and can be had."""

    question: Question
    found: TargetAnalysis
    plan: Plan | None
    upper: TargetAnalysis | None = None


def answer(content: bytes, question: Question, step: Step = unwatched) -> Answer | tuple[Reason, ...]:
    """Return the answer of a CSV file, or everything that is wrong with file or question; `step` as of `analyse`."""
    table = read_table(content)
    if isinstance(table, Reason):
        return (table,)
    asked = (question.exposure, question.outcome, question.baseline, question.events)
    names = [one for one in asked if one is not None]
    repeated = [one for i, one in enumerate(names) if one in names[:i]]
    if repeated:
        return (Reason.of("target_columns_equal", column_id=repeated[0]),)
    columns = _columns(table, names)
    if not isinstance(columns, dict):
        return columns
    outcome = columns[question.outcome]
    responder = _responders(outcome, question)
    if isinstance(responder, Reason):
        return (responder,)
    events = None if question.events is None else columns[question.events]
    wrong = None if events is None else next((one for one in events.numbers if one not in (0, 1, None)), None)
    if events is not None and wrong is not None:
        line = events.line_of(wrong)
        return (Reason.of("target_events_not_binary", column_id=events.name, value=short(wrong), line=line),)
    found = analyse(
        columns[question.exposure].numbers,
        outcome.numbers,
        responder=responder,
        baseline=None if question.baseline is None else columns[question.baseline].numbers,
        settings=question.settings,
        binary=responder is not None,
        step=step,
    )
    numbers = columns[question.exposure].numbers
    upper = None if events is None else upper_bound(numbers, events.numbers, question.settings)
    return Answer(question, found, _plan(found, question), upper)


def _columns(table: Table, names: Sequence[str]) -> dict[str, Column] | tuple[Reason, ...]:
    found = {name: numbers_of(table, name) for name in names}
    problems = [problem for one in found.values() if not isinstance(one, Column) for problem in one]
    if problems:
        return tuple(problems)
    return {name: one for name, one in found.items() if isinstance(one, Column)}


def _responders(outcome: Column, question: Question) -> tuple[bool | None, ...] | Reason | None:
    """Who responded; None for a continuous outcome without a rule."""
    values = sorted({one for one in outcome.numbers if one is not None})
    zero_one = all(one in (0, 1) for one in values)
    if question.kind is OutcomeKind.BINARY and not zero_one:
        wrong = next(one for one in values if one not in (0, 1))
        return Reason.of("target_outcome_not_binary", value=short(wrong), line=outcome.line_of(wrong))
    if question.kind is OutcomeKind.AUTO:
        problem = None if zero_one else _almost_binary(outcome, values)
        if problem is not None and question.rule is None:
            return problem
    if question.rule is not None:
        return _by_rule(outcome, question.rule, binary=question.kind is OutcomeKind.BINARY)
    if question.kind is OutcomeKind.CONTINUOUS or not zero_one:
        return None
    return tuple(None if one is None else one == 1 for one in outcome.numbers)


def _almost_binary(outcome: Column, values: Sequence[float]) -> Reason | None:
    """A column that looks like a miscoded yes and no: two values, or 0, 1 and one other."""
    if len(values) == 2 and len(outcome.numbers) > 2:
        return Reason.of("target_outcome_two_values", low=short(values[0]), high=short(values[1]))
    other = [one for one in values if one not in (0, 1)]
    if len(values) == 3 and len(other) == 1:
        return Reason.of("target_outcome_not_01", value=short(other[0]), line=outcome.line_of(other[0]))
    return None


def _by_rule(outcome: Column, rule: str, *, binary: bool) -> tuple[bool | None, ...] | Reason:
    """Responders by a comparison with a number, equal within 1e-9."""
    read = _RULE.fullmatch(rule)
    if read is None:
        return Reason.of("target_rule_unreadable", rule=rule)
    if binary:
        return Reason.of("target_rule_binary")
    comparison, limit = read[1], float(read[2].replace(",", "."))
    slack = _TOLERANCE if comparison.endswith("=") else -_TOLERANCE
    sign = 1.0 if comparison[0] == "<" else -1.0
    return tuple(None if one is None else sign * (one - limit) <= slack for one in outcome.numbers)


def _plan(found: TargetAnalysis, question: Question) -> Plan | None:
    if question.tell_apart is None or found.responder is None:
        return None
    low, high = sorted(question.tell_apart)
    higher = question.settings.direction is Direction.HIGHER
    return plan(found.exposure, found.responder, low, high, higher=higher, seed=question.settings.seed)
