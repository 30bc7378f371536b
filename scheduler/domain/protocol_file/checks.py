"""Every defect of meaning of a protocol file, all at once, each with what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from config.defects import Defect
from config.schema import EncounterFile, PointFile, ProtocolFile, TimingFile
from scheduler.domain.civil import add_period, parse_period
from scheduler.domain.protocol import Event, Trigger
from scheduler.domain.protocol_file.endpoint_checks import check_endpoints
from scheduler.domain.protocol_file.reminder_checks import check_reminder, words

__all__ = ["ROLES", "defects_of"]

ROLES = frozenset({"coordinator", "investigator", "pharmacist", "laboratory", "data_manager"})

# Days on which calendar arithmetic differs: every month's ends and middle, in a leap year and in an ordinary one.
_BASELINES = [
    day
    for year in (2024, 2025)
    for month in range(1, 13)
    for day in (date(year, month, 1) - timedelta(days=1), date(year, month, 1), date(year, month, 15))
]
_WHOLE_DAYS = "Use days, weeks, months."

Window = tuple[date, date]


def defects_of(source: ProtocolFile, file: str, templates: frozenset[str]) -> list[Defect]:
    """What keeps the file from being a protocol; empty when nothing does."""
    return _Checker(source, file, templates).check()


class _Checker:
    """Collects the defects of one protocol file."""

    def __init__(self, source: ProtocolFile, file: str, templates: frozenset[str]) -> None:
        self.source = source
        self.file = file
        self.templates = templates
        self.defects: list[Defect] = []
        self.encounters = {one.id: one for one in source.encounters}
        self.activities = {one.id for one in source.activities}

    def say(self, key: str, problem: str, remedy: str) -> None:
        self.defects.append(Defect(self.file, key, problem, remedy))

    def check(self) -> list[Defect]:
        self.check_study()
        self.check_names()
        for i, encounter in enumerate(self.source.encounters):
            self.check_encounter(f"encounters.{i}", encounter)
        anchored = self.check_anchors()
        for i, point in enumerate(self.source.sampling.points):
            self.check_point(f"sampling.points.{i} ({point.id})", point)
        check_endpoints(self.source, self.say)
        self.check_limits()
        for name in _repeated(self.source.exposure.primary):
            self.say("exposure.primary", f"'{name}' is listed more than once.", "List each method once.")
        for i, reminder in enumerate(self.source.reminders):
            where = f"reminders.{i} ({reminder.id})"
            self.check_roles(where, reminder.to)
            self.check_template(where, reminder.template)
            check_reminder(self.source, reminder, where, self.say)
        self.check_notices()
        self.check_roles("digest", self.source.digest.to)
        if anchored:
            self.check_overlaps()
        return self.defects

    def check_study(self) -> None:
        try:
            re.compile(self.source.study.subject_pattern)
        except re.error as error:
            self.say("study.subject_pattern", f"Not a regular expression: {error}.", "Correct it.")

    def check_names(self) -> None:
        """Names are looked up whatever their case, so they must differ in more than that."""
        encounters = self.source.encounters
        for what, names in (
            ("encounters", [e.id for e in encounters] + [e.code for e in encounters]),
            ("sampling.points", [p.id for p in self.source.sampling.points]),
            ("activities", [a.id for a in self.source.activities]),
            ("reminders", [r.id for r in self.source.reminders]),
            ("bands", [b.id for b in self.source.bands]),
        ):
            for name in _repeated(names):
                self.say(what, f"'{name}' is used more than once.", "Give each its own id and code.")
        for point in self.source.sampling.points:
            if point.id.lower() in set(Trigger):
                self.say("sampling.points", f"'{point.id}' is the name of a trigger.", "Use another id.")

    def check_encounter(self, where: str, encounter: EncounterFile) -> None:
        timing, key = encounter.timing, f"{where} ({encounter.id}).timing"
        for name in ("value", "window_lower", "window_upper", "grace", "expires_after"):
            if parse_period(getattr(timing, name)).minutes:
                self.say(f"{key}.{name}", "Hours and minutes do not fit a visit's day.", _WHOLE_DAYS)
        if timing.type == "fixed":
            lengths = (timing.value, timing.window_lower, timing.window_upper)
            if timing.relative_to or not all(parse_period(one).is_zero for one in lengths):
                self.say(
                    key,
                    "A fixed encounter is an anchor: it has no offset, no window and no relative_to.",
                    "Remove value, window_lower, window_upper and relative_to, or use type 'after'.",
                )
        else:
            self.check_anchor(key, encounter)
        for name in (*encounter.required, *encounter.optional):
            if name not in self.activities:
                self.say(where, f"There is no activity '{name}'.", f"Use one of {words(self.activities)}.")
        for name in sorted(set(encounter.required) & set(encounter.optional)):
            self.say(where, f"'{name}' is both required and optional.", "Keep one of the two.")

    def check_anchor(self, key: str, encounter: EncounterFile) -> None:
        timing, anchor = encounter.timing, encounter.timing.relative_to
        order = list(self.encounters)
        where = f"{key}.relative_to"
        if anchor is None:
            self.say(where, "It is missing.", "Name the encounter that it is reckoned from.")
        elif anchor not in self.encounters:
            known = words(self.encounters)
            self.say(where, f"There is no encounter '{anchor}'.", f"Use one of {known}.")
        elif anchor == encounter.id:
            self.say(where, "It is its own anchor.", "Name another encounter.")
        elif order.index(anchor) > order.index(encounter.id):
            self.say(where, "The anchor is listed after it.", "Move the anchor's entry before this one.")
        if any(_crosses(timing, baseline) for baseline in _BASELINES):
            self.say(
                f"{key}.{'window_lower' if timing.type == 'after' else 'window_upper'}",
                "The window crosses its own anchor.",
                "Make it shorter than the distance to the anchor.",
            )

    def check_anchors(self) -> bool:
        """Whether every encounter can be reckoned from the one fixed anchor."""
        fixed = [e.id for e in self.source.encounters if e.timing.type == "fixed"]
        if len(fixed) != 1:
            self.say("encounters", f"{len(fixed)} encounters are fixed.", "Exactly one must be the anchor.")
            return False
        known: set[str] = set()
        for one in self.source.encounters:
            if one.timing.type != "fixed" and one.timing.relative_to not in known:
                return False
            known.add(one.id)
        return len(known) == len(self.source.encounters)

    def check_point(self, key: str, point: PointFile) -> None:
        value, lower, upper = map(parse_period, (point.value, point.window_lower, point.window_upper))
        for name, period in (("value", value), ("window_lower", lower), ("window_upper", upper)):
            if period.months or period.days:
                self.say(f"{key}.{name}", "Days and months do not fit a draw.", "Use hours and minutes.")
        towards = upper if point.type == "before" else lower
        if towards.minutes > value.minutes:
            self.say(key, "The window crosses the dose.", "Make it shorter than the distance to the dose.")

    def check_limits(self) -> None:
        limits = self.source.limits
        for name in ("attendance_within", "complete_within", "results_within"):
            period = parse_period(getattr(limits, name))
            if period.months or period.minutes:
                self.say(f"limits.{name}", "A limit is a number of whole days.", "Use days or weeks.")
        if parse_period(limits.attendance_within).days < 1:
            self.say(
                "limits.attendance_within",
                "An appointment would be unconfirmed before its day is over.",
                "Use P1D or longer.",
            )

    def check_notices(self) -> None:
        for i, notice in enumerate(self.source.notices):
            where = f"notices.{i} ({notice.event})"
            if notice.event not in set(Event):
                self.say(
                    f"{where}.event", f"'{notice.event}' is not an event.", f"Use one of {words(Event)}."
                )
            self.check_roles(where, notice.to)
            self.check_template(where, notice.template)
        for name in _repeated([f"{one.event} {one.template}" for one in self.source.notices]):
            self.say("notices", f"'{name}' is listed more than once.", "Join the roles in one notice.")

    def check_roles(self, where: str, roles: tuple[str, ...]) -> None:
        for role in roles:
            if role not in ROLES:
                self.say(f"{where}.to", f"'{role}' is not a role.", f"Use one of {words(ROLES)}.")

    def check_template(self, where: str, template: str) -> None:
        if template not in self.templates:
            known = words(self.templates)
            self.say(f"{where}.template", f"There is no mail template '{template}'.", f"Use one of {known}.")

    def check_overlaps(self) -> None:
        """No two windows share a day, whatever the baseline."""
        found: dict[tuple[str, str], None] = {}
        for baseline in _BASELINES:
            windows = self.windows(baseline)
            ordered = sorted(windows, key=lambda name: windows[name])
            for i, name in enumerate(ordered):
                for following in ordered[i + 1 :]:
                    if windows[following][0] <= windows[name][1]:
                        found[name, following] = None
        for name, following in found:
            self.say(
                f"encounters ({following}).timing",
                f"Its window overlaps that of {name}.",
                "Narrow one of the two so that each day belongs to one visit.",
            )

    def windows(self, baseline: date) -> dict[str, Window]:
        """The first and last day of every encounter's window."""
        targets: dict[str, date] = {}
        windows: dict[str, Window] = {}
        for one in self.source.encounters:
            anchor = one.timing.relative_to
            target = baseline if anchor is None else _target(one.timing, targets[anchor])
            targets[one.id] = target
            lower, upper = parse_period(one.timing.window_lower), parse_period(one.timing.window_upper)
            windows[one.id] = (add_period(target, lower, -1), add_period(target, upper))
        return windows


def _target(timing: TimingFile, anchor: date) -> date:
    return add_period(anchor, parse_period(timing.value), -1 if timing.type == "before" else 1)


def _crosses(timing: TimingFile, anchor: date) -> bool:
    target = _target(timing, anchor)
    if timing.type == "before":
        return add_period(target, parse_period(timing.window_upper)) >= anchor
    return add_period(target, parse_period(timing.window_lower), -1) <= anchor


def _repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once, whatever their case."""
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for name in names:
        if name.lower() in seen:
            repeated[name] = None
        seen.add(name.lower())
    return sorted(repeated)
