"""What is wrong with a reminder rule: unknown words, and rules by which no mail could ever leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta

from config.said import Said, said
from config.schema import ProtocolFile, ReminderFile, TimingFile
from scheduler.domain.civil import add_period, parse_period
from scheduler.domain.protocol import NOT_DRAWN, RECORDS_MISSING, RESULTS_OVERDUE, Trigger, VisitStatus

__all__ = ["check_reminder", "words"]

Say = Callable[[str, Said, Said], None]

_SHORTEST_DAY_LEVEL_VALIDITY = timedelta(hours=12)
_ANY_TARGET = date(2025, 1, 15)
_BEFORE_THE_END = {
    VisitStatus.PLANNED,
    VisitStatus.WINDOW_OPEN,
    VisitStatus.BOOKED,
    VisitStatus.UNCONFIRMED,
}
_AFTER_ATTENDANCE = {
    VisitStatus.ATTENDED,
    VisitStatus.AWAITING_RESULTS,
    VisitStatus.INCOMPLETE,
    RESULTS_OVERDUE,
    RECORDS_MISSING,
}
# What a visit can be while a reminder with this trigger is valid; a complete visit is silent.
_POSSIBLE: dict[str, set[str]] = {
    Trigger.WINDOW_OPEN: {*_BEFORE_THE_END},
    Trigger.TARGET: {*_BEFORE_THE_END},
    Trigger.WINDOW_CLOSE: {*_BEFORE_THE_END},
    Trigger.BOOKING: {VisitStatus.BOOKED, VisitStatus.UNCONFIRMED, VisitStatus.OVERDUE, VisitStatus.MISSED},
    Trigger.OVERDUE: {VisitStatus.OVERDUE, VisitStatus.BOOKED, VisitStatus.UNCONFIRMED},
    Trigger.MISSED: {VisitStatus.MISSED},
    Trigger.ATTENDED: {*_AFTER_ATTENDANCE},
    Trigger.DRAWS: {*_AFTER_ATTENDANCE},
}
# What it can be as well when the reminder is due before its trigger.
_POSSIBLE_BEFORE: dict[str, set[str]] = {
    Trigger.OVERDUE: {*_BEFORE_THE_END},
    Trigger.MISSED: {*_BEFORE_THE_END, VisitStatus.OVERDUE},
}


def words(names: Iterable[str]) -> str:
    """The names that may be used, for a remedy."""
    return ", ".join(sorted(str(name) for name in names))


def check_reminder(source: ProtocolFile, rule: ReminderFile, where: str, say: Say) -> None:
    """Says every defect of one reminder rule; roles and templates are looked at elsewhere."""
    points = {one.id for one in source.sampling.points}
    is_point = rule.trigger in points
    if not is_point and rule.trigger not in set(Trigger):
        problem = said("'{name}' is not a trigger.", name=rule.trigger)
        say(f"{where}.trigger", problem, said("Use one of {known}.", known=words([*Trigger, *points])))
        return
    if rule.type == "at" and not parse_period(rule.value).is_zero:
        problem = said("A reminder of type 'at' has no distance.")
        say(f"{where}.value", problem, said("Use type 'before' or 'after'."))
    _check_while(rule, is_point, where, say)
    valid_for = parse_period(rule.valid_for)
    if valid_for.months or valid_for.elapsed <= timedelta(0):
        say(
            f"{where}.valid_for",
            said("The reminder can never be valid."),
            said("Give it a length in days or minutes."),
        )
    if is_point:
        _check_draw_reminder(source, rule, where, say)
    else:
        _check_day_reminder(source, rule, where, say)


def _check_while(rule: ReminderFile, is_point: bool, where: str, say: Say) -> None:
    allowed: set[str] = {NOT_DRAWN} if is_point else {*VisitStatus, RESULTS_OVERDUE, RECORDS_MISSING}
    for word in rule.while_:
        if word not in allowed:
            problem = said("'{name}' does not fit the trigger.", name=word)
            say(f"{where}.while", problem, said("Use some of {known}.", known=words(allowed)))
    if is_point or not set(rule.while_) <= allowed:
        return
    possible = _POSSIBLE[rule.trigger]
    if rule.type == "before":
        possible = possible | _POSSIBLE_BEFORE.get(rule.trigger, set())
    if not set(rule.while_) & possible:
        say(
            f"{where}.while",
            said(
                "The reminder can never be valid: around '{name}' a visit has none of these statuses.",
                name=rule.trigger,
            ),
            said("Use some of {known}.", known=words(possible)),
        )


def _check_draw_reminder(source: ProtocolFile, rule: ReminderFile, where: str, say: Say) -> None:
    value = parse_period(rule.value)
    if rule.at or value.days or value.months:
        remedy = said("Use hours and minutes, without 'at'.")
        say(where, said("A draw's reminder is reckoned in minutes."), remedy)
    point = next(one for one in source.sampling.points if one.id == rule.trigger)
    after_min = value.minutes if rule.type == "after" else 0
    if after_min and after_min >= parse_period(point.window_upper).minutes:
        problem = said("The reminder can never be valid: it falls after the draw's window.")
        say(where, problem, said("Shorten it."))


def _check_day_reminder(source: ProtocolFile, rule: ReminderFile, where: str, say: Say) -> None:
    valid_for = parse_period(rule.valid_for)
    if parse_period(rule.value).minutes:
        problem = said("A day-level reminder is reckoned in days.")
        say(f"{where}.value", problem, said("Use days and 'at'."))
    if rule.at is None:
        say(f"{where}.at", said("A day-level reminder needs a local time."), said('Add at = "08:00".'))
    short = timedelta(0) < valid_for.elapsed < _SHORTEST_DAY_LEVEL_VALIDITY
    if short and not valid_for.months and not rule.accept_short_validity:
        say(
            f"{where}.valid_for",
            said("A day-level reminder valid for less than 12 hours is lost in a short outage."),
            said("Make it longer, or add accept_short_validity = true."),
        )
    if not any(_comes_in_time(rule, one.timing) for one in source.encounters):
        say(
            where,
            said("The reminder can never be valid: at every visit it falls after its last sensible instant."),
            said("Bring it nearer to its trigger, or use a later trigger."),
        )


def _comes_in_time(rule: ReminderFile, timing: TimingFile) -> bool:
    """Whether the reminder is due before the instant that ends its sense, at an encounter with this timing."""
    first = add_period(_ANY_TARGET, parse_period(timing.window_lower), -1)
    last = add_period(_ANY_TARGET, parse_period(timing.window_upper))
    closes = last + timedelta(days=1)
    overdue = add_period(last, parse_period(timing.grace)) + timedelta(days=1)
    missed = add_period(overdue, parse_period(timing.expires_after))
    spans = {
        Trigger.WINDOW_OPEN: (first, closes),
        Trigger.TARGET: (_ANY_TARGET, closes),
        Trigger.WINDOW_CLOSE: (last, closes),
        Trigger.OVERDUE: (overdue, missed),
    }
    span = spans.get(Trigger(rule.trigger))
    if span is None:
        return True
    reference, end = span
    sign = {"before": -1, "after": 1, "at": 0}[rule.type]
    day = add_period(reference, parse_period(rule.value), sign) if sign else reference
    due = datetime.combine(day, time.fromisoformat(rule.at or "00:00"))
    return due < datetime.combine(end, time())
