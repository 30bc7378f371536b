"""What was typed into a form: read field by field, so that each problem stands beside its field and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.speech import Speaker
from scheduler.engine.recording.moments import parse_day, parse_instant, parse_local
from scheduler.engine.recording.typed_assessments import read_number

__all__ = ["Field", "Group", "Kind", "Sheet"]

Value = TypeVar("Value")
Choice = TypeVar("Choice", bound=StrEnum)

# Beside which field a refusal of the engine stands; any other stands above the form.
_FIELD_OF: Mapping[str, str] = {
    "refused_booking_past": "at",
    "refused_booking_far": "at",
    "refused_time_skipped": "at",
    "refused_time_twice": "at",
    "refused_instant_twice": "at",
    "refused_future": "at",
    "refused_before_enrolment": "at",
    "refused_after_withdrawal": "at",
    "refused_same_day_as": "at",
    "refused_resumed_before_pause": "at",
    "refused_dose_mg": "dose_mg",
    "refused_interval": "interval_h",
    "refused_text_needed": "reason",
    "refused_code": "code",
    "refused_subject_known": "code",
    "refused_site_unknown": "site",
    "refused_baseline_far": "inclusion",
    "refused_baseline_old": "inclusion",
    "refused_treatment_far": "treatment_start",
}


class Kind(StrEnum):
    """How a field is shown."""

    TEXT = "text"
    AREA = "area"
    DAY = "day"
    MOMENT = "moment"
    NUMBER = "number"
    SELECT = "select"
    RADIO = "radio"
    CHECK = "check"


@dataclass(frozen=True, slots=True)
class Field:
    """A field with its label; `value` is what stands in it at first, `options` are values with their words."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    value: str = ""
    options: tuple[tuple[str, str], ...] = ()
    unit: str | None = None
    hint: str | None = None
    required: bool = True
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together. Of `sums` the total is shown while it is typed."""

    fields: tuple[Field, ...]
    legend: str | None = None
    note: str | None = None
    sums: bool = False


class Sheet:
    """The fields as they were typed. What cannot be read is noted and read as None."""

    def __init__(self, typed: Mapping[str, str], speaker: Speaker, now: datetime, zone: ZoneInfo) -> None:
        self._typed = typed
        self._speaker = speaker
        self._now = now
        self._zone = zone
        self.problems: dict[str, list[str]] = {}

    def raw(self, name: str) -> str:
        return self._typed.get(name, "").strip()

    def note(self, name: str, problem: str) -> None:
        """Put a problem beside a field, or above the form when the name is empty."""
        found = self.problems.setdefault(name, [])
        if problem not in found:
            found.append(problem)

    def day(self, name: str) -> date | None:
        return self._read(name, parse_day)

    def instant(self, name: str) -> datetime | None:
        return self._read(name, lambda text: parse_instant(text, self._now, self._zone))

    def local(self, name: str) -> datetime | None:
        """A local time of the site, as an appointment is kept."""
        return self._read(name, lambda text: parse_local(text, self._now, self._zone))

    def number(self, name: str) -> float | None:
        return self._read(name, read_number)

    def choice(self, name: str, among: type[Choice]) -> Choice | None:
        def read(text: str) -> Choice:
            if text not in set(among):
                raise RefusedError([because("refused_choice", text=text, known=", ".join(among))])
            return among(text)

        return self._read(name, read)

    def words(self, name: str) -> str | None:
        """A text that must not be empty."""
        return self._read(name, lambda text: text[:2000])

    def refuse(self, error: RefusedError, beside: Callable[[Reason], str] | None = None) -> None:
        """Note why the engine refuses, each reason beside its field."""
        for reason in error.reasons:
            name = beside(reason) if beside is not None else ""
            self.note(name or _FIELD_OF.get(reason.code, ""), self._speaker.say(reason))

    def _read(self, name: str, read: Callable[[str], Value]) -> Value | None:
        text = self.raw(name)
        if not text:
            self.note(name, self._speaker.text("This is needed."))
            return None
        try:
            return read(text)
        except RefusedError as error:
            for reason in error.reasons:
                self.note(name, self._speaker.say(reason))
            return None

    def filled(self, groups: Sequence[Group]) -> list[Group]:
        """The groups with what was typed and the problems; a problem of a field that is not there goes above."""
        known = {field.name for group in groups for field in group.fields}
        for name in [one for one in self.problems if one not in known and one]:
            for problem in self.problems.pop(name):
                self.note("", problem)
        return [replace(group, fields=tuple(map(self._filled, group.fields))) for group in groups]

    def _filled(self, field: Field) -> Field:
        value = self._typed.get(field.name, "")
        return replace(field, value=value, problems=tuple(self.problems.get(field.name, ())))
