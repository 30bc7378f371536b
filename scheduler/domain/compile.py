"""From the protocol file to the protocol: every defect of meaning, at once, or the checked value."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date, time, timedelta
from itertools import pairwise

from config.defects import Defect
from config.schema import EncounterFile, ProtocolFile, ReminderFile, TimingFile
from scheduler.domain.civil import Period, add_period, parse_period
from scheduler.domain.protocol import (
    NOT_DRAWN,
    RESULTS_OVERDUE,
    Activity,
    AnchorBasis,
    Band,
    Encounter,
    Event,
    IfAnchorMissed,
    Limits,
    Notice,
    Protocol,
    ReminderRule,
    SamplePoint,
    Shift,
    Timing,
    TimingType,
    Trigger,
    VisitStatus,
)

__all__ = ["ROLES", "compile_protocol"]

ROLES = frozenset({"coordinator", "investigator", "pharmacist", "laboratory", "data_manager"})

_BEFORE_ATTENDANCE = {
    VisitStatus.PLANNED,
    VisitStatus.WINDOW_OPEN,
    VisitStatus.BOOKED,
    VisitStatus.UNCONFIRMED,
    VisitStatus.OVERDUE,
    VisitStatus.MISSED,
}
_AFTER_ATTENDANCE = {
    VisitStatus.ATTENDED,
    VisitStatus.AWAITING_RESULTS,
    VisitStatus.INCOMPLETE,
    VisitStatus.COMPLETE,
    RESULTS_OVERDUE,
}
# The statuses that a visit can have at or after each trigger's instant (before it, when the rule looks ahead).
_POSSIBLE: dict[str, set[str]] = {
    Trigger.WINDOW_OPEN: {*_BEFORE_ATTENDANCE, *_AFTER_ATTENDANCE},
    Trigger.TARGET: {*_BEFORE_ATTENDANCE, *_AFTER_ATTENDANCE},
    Trigger.WINDOW_CLOSE: {*_BEFORE_ATTENDANCE, *_AFTER_ATTENDANCE},
    Trigger.BOOKING: {VisitStatus.BOOKED, VisitStatus.UNCONFIRMED, VisitStatus.OVERDUE, VisitStatus.MISSED},
    Trigger.OVERDUE: {VisitStatus.OVERDUE, VisitStatus.MISSED, VisitStatus.BOOKED, VisitStatus.UNCONFIRMED},
    Trigger.MISSED: {VisitStatus.MISSED},
    Trigger.ATTENDED: set(_AFTER_ATTENDANCE),
    Trigger.DRAWS: set(_AFTER_ATTENDANCE),
}
_SHORTEST_DAY_LEVEL_VALIDITY = timedelta(hours=12)
_SAMPLE_BASELINE = date(2025, 1, 15)


def compile_protocol(
    source: ProtocolFile, file: str, templates: Collection[str], key: str = ""
) -> tuple[Protocol | None, list[Defect]]:
    """The protocol, or what keeps the file from being one.

    `templates` are the names of the mail templates that exist; `key` identifies this version in caches.
    """
    checker = _Checker(source, file, frozenset(templates))
    checker.check()
    if checker.defects:
        return None, checker.defects
    return _build(source, key), []


class _Checker:
    """Collects the defects of one protocol file."""

    def __init__(self, source: ProtocolFile, file: str, templates: frozenset[str]) -> None:
        self.source = source
        self.file = file
        self.templates = templates
        self.defects: list[Defect] = []
        self.encounters = {one.id: one for one in source.encounters}
        self.points = {one.id for one in source.sampling.points}
        self.activities = {one.id for one in source.activities}

    def say(self, key: str, problem: str, remedy: str) -> None:
        self.defects.append(Defect(self.file, key, problem, remedy))

    def check(self) -> None:
        self.check_study()
        self.check_names()
        for i, encounter in enumerate(self.source.encounters):
            self.check_encounter(f"encounters.{i}", encounter)
        self.check_anchors()
        self.check_points()
        for i, activity in enumerate(self.source.activities):
            if activity.minimum > activity.maximum:
                self.say(f"activities.{i}.minimum", "The minimum exceeds the maximum.", "Exchange them.")
        for i, reminder in enumerate(self.source.reminders):
            self.check_reminder(f"reminders.{i} ({reminder.id})", reminder)
        for i, notice in enumerate(self.source.notices):
            where = f"notices.{i} ({notice.event})"
            if notice.event not in set(Event):
                self.say(
                    f"{where}.event", f"'{notice.event}' is not an event.", f"Use one of {_words(Event)}."
                )
            self.check_roles(where, notice.to)
            self.check_template(where, notice.template)
        self.check_roles("digest", self.source.digest.to)
        if not self.defects:
            self.check_overlaps()

    def check_study(self) -> None:
        try:
            re.compile(self.source.study.subject_pattern)
        except re.error as error:
            self.say("study.subject_pattern", f"Not a regular expression: {error}.", "Correct it.")

    def check_names(self) -> None:
        for what, names in (
            ("encounters", [e.id for e in self.source.encounters] + [e.code for e in self.source.encounters]),
            ("sampling.points", [p.id for p in self.source.sampling.points]),
            ("activities", [a.id for a in self.source.activities]),
            ("reminders", [r.id for r in self.source.reminders]),
            ("bands", [b.id for b in self.source.bands]),
        ):
            for name in sorted({n for n in names if names.count(n) > 1}):
                self.say(what, f"'{name}' is used more than once.", "Give each its own id and code.")

    def check_encounter(self, where: str, encounter: EncounterFile) -> None:
        timing, key = encounter.timing, f"{where} ({encounter.id}).timing"
        lower, upper, value = (
            parse_period(p) for p in (timing.window_lower, timing.window_upper, timing.value)
        )
        for name, period in (("window_lower", lower), ("window_upper", upper), ("value", value)):
            if period.minutes:
                self.say(
                    f"{key}.{name}", "Hours and minutes do not fit a visit's day.", "Use days, weeks, months."
                )
        if timing.type == "fixed":
            if timing.relative_to or not (value.is_zero and lower.is_zero and upper.is_zero):
                self.say(
                    key,
                    "A fixed encounter is an anchor: it has no offset, no window and no relative_to.",
                    "Remove value, window_lower, window_upper and relative_to, or use type 'after'.",
                )
        elif timing.relative_to is None:
            self.say(f"{key}.relative_to", "It is missing.", "Name the encounter that it is reckoned from.")
        elif timing.relative_to not in self.encounters:
            names = _words(self.encounters)
            self.say(
                f"{key}.relative_to", f"There is no encounter '{timing.relative_to}'.", f"Use one of {names}."
            )
        elif self.position(timing.relative_to) > self.position(encounter.id):
            self.say(
                f"{key}.relative_to",
                "The anchor is listed after it.",
                "Move the anchor's entry before this one.",
            )
        elif _crosses(timing):
            self.say(
                f"{key}.{'window_lower' if timing.type == 'after' else 'window_upper'}",
                "The window crosses its own anchor.",
                "Make it shorter than the distance to the anchor.",
            )
        for name in (*encounter.required, *encounter.optional):
            if name not in self.activities:
                self.say(where, f"There is no activity '{name}'.", f"Use one of {_words(self.activities)}.")
        for name in sorted(set(encounter.required) & set(encounter.optional)):
            self.say(where, f"'{name}' is both required and optional.", "Keep one of the two.")

    def position(self, encounter: str) -> int:
        return list(self.encounters).index(encounter)

    def check_anchors(self) -> None:
        fixed = [e.id for e in self.source.encounters if e.timing.type == "fixed"]
        if len(fixed) != 1:
            self.say("encounters", f"{len(fixed)} encounters are fixed.", "Exactly one must be the anchor.")
        for i, encounter in enumerate(self.source.encounters):
            if encounter.timing.relative_to == encounter.id:
                self.say(
                    f"encounters.{i}.timing.relative_to", "It is its own anchor.", "Name another encounter."
                )

    def check_points(self) -> None:
        for i, point in enumerate(self.source.sampling.points):
            key = f"sampling.points.{i} ({point.id})"
            value, lower, upper = map(parse_period, (point.value, point.window_lower, point.window_upper))
            for name, period in (("value", value), ("window_lower", lower), ("window_upper", upper)):
                if period.months or period.days:
                    self.say(f"{key}.{name}", "Days and months do not fit a draw.", "Use hours and minutes.")
            towards = upper if point.type == "before" else lower
            if towards.minutes > value.minutes:
                self.say(
                    key, "The window crosses the dose.", "Make it shorter than the distance to the dose."
                )

    def check_reminder(self, where: str, rule: ReminderFile) -> None:
        self.check_roles(where, rule.to)
        self.check_template(where, rule.template)
        is_point = rule.trigger in self.points
        if not is_point and rule.trigger not in set(Trigger):
            known = _words([*Trigger, *self.points])
            self.say(f"{where}.trigger", f"'{rule.trigger}' is not a trigger.", f"Use one of {known}.")
            return
        allowed = {NOT_DRAWN} if is_point else {*VisitStatus, RESULTS_OVERDUE}
        for word in rule.while_:
            if word not in allowed:
                self.say(
                    f"{where}.while", f"'{word}' does not fit the trigger.", f"Use some of {_words(allowed)}."
                )
        if not is_point and not set(rule.while_) & _POSSIBLE[rule.trigger]:
            self.say(
                f"{where}.while",
                f"The reminder can never be valid: after '{rule.trigger}' a visit has none of these statuses.",
                f"Use some of {_words(_POSSIBLE[rule.trigger])}.",
            )
        value, valid_for = parse_period(rule.value), parse_period(rule.valid_for)
        if is_point and (rule.at or value.days or value.months):
            self.say(
                where, "A draw's reminder is reckoned in minutes.", "Use hours and minutes, without 'at'."
            )
        if not is_point and value.minutes:
            self.say(f"{where}.value", "A day-level reminder is reckoned in days.", "Use days and 'at'.")
        if not is_point and rule.at is None:
            self.say(f"{where}.at", "A day-level reminder needs a local time.", 'Add at = "08:00".')
        if valid_for.months or valid_for.elapsed <= timedelta(0):
            self.say(
                f"{where}.valid_for",
                "The reminder can never be valid.",
                "Give it a length in days or minutes.",
            )
        elif (
            not is_point
            and valid_for.elapsed < _SHORTEST_DAY_LEVEL_VALIDITY
            and not rule.accept_short_validity
        ):
            self.say(
                f"{where}.valid_for",
                "A day-level reminder valid for less than 12 hours is lost in a short outage.",
                "Make it longer, or add accept_short_validity = true.",
            )
        if rule.trigger == Trigger.WINDOW_CLOSE and rule.type == "after" and not value.is_zero:
            self.say(
                where, "The reminder can never be valid: it falls after the window.", "Use trigger 'overdue'."
            )
        if is_point and rule.type == "after" and not value.is_zero:
            point = next(p for p in self.source.sampling.points if p.id == rule.trigger)
            if value.minutes >= parse_period(point.window_upper).minutes:
                self.say(
                    where, "The reminder can never be valid: it falls after the draw's window.", "Shorten it."
                )

    def check_roles(self, where: str, roles: tuple[str, ...]) -> None:
        for role in roles:
            if role not in ROLES:
                self.say(f"{where}.to", f"'{role}' is not a role.", f"Use one of {_words(ROLES)}.")

    def check_template(self, where: str, template: str) -> None:
        if template not in self.templates:
            known = _words(self.templates)
            self.say(f"{where}.template", f"There is no mail template '{template}'.", f"Use one of {known}.")

    def check_overlaps(self) -> None:
        """Windows of encounters on the same chain of anchors must not share a day."""
        days = {one.id: _window(self.encounters, one.id) for one in self.source.encounters}
        ordered = sorted(days.items(), key=lambda item: item[1])
        for (name, (_, last)), (following, (first, _)) in pairwise(ordered):
            if first <= last:
                self.say(
                    f"encounters ({following}).timing",
                    f"Its window overlaps that of {name}.",
                    "Narrow one of the two so that each day belongs to one visit.",
                )


def _crosses(timing: TimingFile) -> bool:
    sign = -1 if timing.type == "before" else 1
    target = add_period(_SAMPLE_BASELINE, parse_period(timing.value), sign)
    if sign > 0:
        return add_period(target, parse_period(timing.window_lower), -1) <= _SAMPLE_BASELINE
    return add_period(target, parse_period(timing.window_upper)) >= _SAMPLE_BASELINE


def _window(encounters: dict[str, EncounterFile], name: str) -> tuple[date, date]:
    """The first and last day of an encounter's window for an arbitrary baseline."""
    timing = encounters[name].timing
    target = _target(encounters, name)
    lower, upper = parse_period(timing.window_lower), parse_period(timing.window_upper)
    return add_period(target, lower, -1), add_period(target, upper)


def _target(encounters: dict[str, EncounterFile], name: str) -> date:
    timing = encounters[name].timing
    if timing.relative_to is None:
        return _SAMPLE_BASELINE
    sign = -1 if timing.type == "before" else 1
    return add_period(_target(encounters, timing.relative_to), parse_period(timing.value), sign)


def _words(words: Iterable[str]) -> str:
    return ", ".join(sorted(str(word) for word in words))


def _time(text: str) -> time:
    return time.fromisoformat(text)


def _build(source: ProtocolFile, key: str) -> Protocol:
    study = source.study
    return Protocol(
        id=study.id,
        version=study.version,
        title=study.title.model_dump(),
        acronym=study.acronym,
        registry_id=study.registry_id,
        sponsor_id=study.sponsor_id,
        study_id=study.study_id,
        subject_pattern=study.subject_pattern,
        subject_check=study.subject_check,
        encounters=tuple(_encounter(one) for one in source.encounters),
        points=tuple(
            _point(p.id, p.type, *map(parse_period, (p.value, p.window_lower, p.window_upper)))
            for p in source.sampling.points
        ),
        activities=tuple(
            Activity(a.id, a.label.model_dump(), a.unit, a.minimum, a.maximum, a.integer)
            for a in source.activities
        ),
        limits=Limits(
            parse_period(source.limits.attendance_within),
            parse_period(source.limits.complete_within),
            parse_period(source.limits.results_within),
        ),
        bands=tuple(
            Band(b.id, b.label.model_dump(), b.low_mg_h_l, b.high_mg_h_l, b.source, b.flag)
            for b in source.bands
        ),
        reminders=tuple(_rule(one) for one in source.reminders),
        notices=tuple(Notice(Event(n.event), n.template, n.to) for n in source.notices),
        digest_at=_time(source.digest.at),
        digest_roles=source.digest.to,
        key=key or f"{study.id} {study.version}",
    )


def _encounter(source: EncounterFile) -> Encounter:
    timing = source.timing
    return Encounter(
        id=source.id,
        code=source.code,
        label=source.label.model_dump(),
        timing=Timing(
            type=TimingType(timing.type),
            value=parse_period(timing.value),
            relative_to=timing.relative_to,
            window_lower=parse_period(timing.window_lower),
            window_upper=parse_period(timing.window_upper),
            anchor_basis=AnchorBasis(timing.anchor_basis),
            if_anchor_missed=IfAnchorMissed(timing.if_anchor_missed),
            shift=Shift(timing.shift),
            grace=parse_period(timing.grace),
            expires_after=parse_period(timing.expires_after),
        ),
        sampling=source.sampling,
        required=source.required,
        optional=source.optional,
    )


def _point(name: str, type_: str, value: Period, lower: Period, upper: Period) -> SamplePoint:
    nominal = -value.minutes if type_ == "before" else value.minutes
    return SamplePoint(name, nominal, nominal - lower.minutes, nominal + upper.minutes)


def _rule(source: ReminderFile) -> ReminderRule:
    return ReminderRule(
        id=source.id,
        template=source.template,
        roles=source.to,
        trigger=source.trigger,
        sign={"before": -1, "after": 1, "at": 0}[source.type],
        value=parse_period(source.value),
        at=_time(source.at) if source.at else None,
        while_=frozenset(source.while_),
        valid_for=parse_period(source.valid_for),
    )
