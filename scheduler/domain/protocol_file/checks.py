"""Every defect of meaning of a protocol file, all at once, each with what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from config.defects import Defect
from config.said import Said, said
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

    def say(self, key: str, problem: Said, remedy: Said) -> None:
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
            problem = said("'{name}' is listed more than once.", name=name)
            self.say("exposure.primary", problem, said("List each method once."))
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
            problem = said("Not a regular expression: {detail}.", detail=str(error))
            self.say("study.subject_pattern", problem, said("Correct it."))

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
                problem = said("'{name}' is used more than once.", name=name)
                self.say(what, problem, said("Give each its own id and code."))
        for point in self.source.sampling.points:
            if point.id.lower() in set(Trigger):
                problem = said("'{name}' is the name of a trigger.", name=point.id)
                self.say("sampling.points", problem, said("Use another id."))

    def check_encounter(self, where: str, encounter: EncounterFile) -> None:
        timing, key = encounter.timing, f"{where} ({encounter.id}).timing"
        for name in ("value", "window_lower", "window_upper", "grace", "expires_after"):
            if parse_period(getattr(timing, name)).minutes:
                problem = said("Hours and minutes do not fit a visit's day.")
                self.say(f"{key}.{name}", problem, said("Use days, weeks, months."))
        if timing.type == "fixed":
            lengths = (timing.value, timing.window_lower, timing.window_upper)
            if timing.relative_to or not all(parse_period(one).is_zero for one in lengths):
                self.say(
                    key,
                    said("A fixed encounter is an anchor: it has no offset, no window and no relative_to."),
                    said("Remove value, window_lower, window_upper and relative_to, or use type 'after'."),
                )
        else:
            self.check_anchor(key, encounter)
        for name in (*encounter.required, *encounter.optional):
            if name not in self.activities:
                problem = said("There is no activity '{name}'.", name=name)
                self.say(where, problem, said("Use one of {known}.", known=words(self.activities)))
        for name in sorted(set(encounter.required) & set(encounter.optional)):
            problem = said("'{name}' is both required and optional.", name=name)
            self.say(where, problem, said("Keep one of the two."))

    def check_anchor(self, key: str, encounter: EncounterFile) -> None:
        timing, anchor = encounter.timing, encounter.timing.relative_to
        order = list(self.encounters)
        where = f"{key}.relative_to"
        if anchor is None:
            remedy = said("Name the encounter that it is reckoned from.")
            self.say(where, said("It is missing."), remedy)
        elif anchor not in self.encounters:
            problem = said("There is no encounter '{name}'.", name=anchor)
            self.say(where, problem, said("Use one of {known}.", known=words(self.encounters)))
        elif anchor == encounter.id:
            self.say(where, said("It is its own anchor."), said("Name another encounter."))
        elif order.index(anchor) > order.index(encounter.id):
            remedy = said("Move the anchor's entry before this one.")
            self.say(where, said("The anchor is listed after it."), remedy)
        if any(_crosses(timing, baseline) for baseline in _BASELINES):
            self.say(
                f"{key}.{'window_lower' if timing.type == 'after' else 'window_upper'}",
                said("The window crosses its own anchor."),
                said("Make it shorter than the distance to the anchor."),
            )

    def check_anchors(self) -> bool:
        """Whether every encounter can be reckoned from the one fixed anchor."""
        fixed = [e.id for e in self.source.encounters if e.timing.type == "fixed"]
        if len(fixed) != 1:
            problem = said("{count} encounters are fixed.", count=len(fixed))
            self.say("encounters", problem, said("Exactly one must be the anchor."))
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
                problem = said("Days and months do not fit a draw.")
                self.say(f"{key}.{name}", problem, said("Use hours and minutes."))
        towards = upper if point.type == "before" else lower
        if towards.minutes > value.minutes:
            remedy = said("Make it shorter than the distance to the dose.")
            self.say(key, said("The window crosses the dose."), remedy)

    def check_limits(self) -> None:
        limits = self.source.limits
        for name in ("attendance_within", "complete_within", "results_within"):
            period = parse_period(getattr(limits, name))
            if period.months or period.minutes:
                problem = said("A limit is a number of whole days.")
                self.say(f"limits.{name}", problem, said("Use days or weeks."))
        if parse_period(limits.attendance_within).days < 1:
            self.say(
                "limits.attendance_within",
                said("An appointment would be unconfirmed before its day is over."),
                said("Use P1D or longer."),
            )

    def check_notices(self) -> None:
        for i, notice in enumerate(self.source.notices):
            where = f"notices.{i} ({notice.event})"
            if notice.event not in set(Event):
                problem = said("'{name}' is not an event.", name=notice.event)
                self.say(f"{where}.event", problem, said("Use one of {known}.", known=words(Event)))
            self.check_roles(where, notice.to)
            self.check_template(where, notice.template)
        for name in _repeated([f"{one.event} {one.template}" for one in self.source.notices]):
            problem = said("'{name}' is listed more than once.", name=name)
            self.say("notices", problem, said("Join the roles in one notice."))

    def check_roles(self, where: str, roles: tuple[str, ...]) -> None:
        for role in roles:
            if role not in ROLES:
                problem = said("'{name}' is not a role.", name=role)
                self.say(f"{where}.to", problem, said("Use one of {known}.", known=words(ROLES)))

    def check_template(self, where: str, template: str) -> None:
        if template not in self.templates:
            problem = said("There is no mail template '{name}'.", name=template)
            remedy = said("Use one of {known}.", known=words(self.templates))
            self.say(f"{where}.template", problem, remedy)

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
                said("Its window overlaps that of {name}.", name=name),
                said("Narrow one of the two so that each day belongs to one visit."),
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
