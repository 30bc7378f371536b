"""The shape of a protocol file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.endpoints import EligibilityFile, EndpointsFile
from config.schema.shapes import Duration, Id, LocalTime, Shape, Text

__all__ = ["ActivityFile", "EncounterFile", "PointFile", "ProtocolFile", "ReminderFile", "TimingFile"]


class TimingFile(Shape):
    """When an encounter is planned (terms of CDISC USDM; windows are distances from the target)."""

    type: Literal["fixed", "after", "before"]
    value: Duration = "P0D"
    relative_to: Id | None = None
    window_lower: Duration = "P0D"
    window_upper: Duration = "P0D"
    anchor_basis: Literal["planned", "actual"] = "actual"
    if_anchor_missed: Literal["use_target", "block"] = "use_target"
    month_rule: Literal["clamp_end"] = "clamp_end"
    shift: Literal["none", "nearest_open_day", "next_open_day"] = "none"
    grace: Duration = "P0D"
    expires_after: Duration = "P14D"


class EncounterFile(Shape):
    id: Id
    code: Id
    label: Text
    timing: TimingFile
    sampling: bool = True
    required: tuple[Id, ...] = ()
    optional: tuple[Id, ...] = ()


class PointFile(Shape):
    """One draw of the sampling sub-timeline, anchored on the dose."""

    id: Id
    type: Literal["before", "after"]
    value: Duration
    window_lower: Duration
    window_upper: Duration


class SamplingFile(Shape):
    reference: Literal["DOSE"]
    points: tuple[PointFile, ...] = Field(min_length=1)


class ActivityFile(Shape):
    """An assessment. `sites` are scored one by one from 0 to `site_maximum`; `measured_in` lists units of the value as
    measured; `predicted`: a percentage of what an equation predicts; `hb_correction`: may be corrected for it."""

    id: Id
    label: Text
    unit: str
    minimum: float
    maximum: float
    integer: bool = False
    sites: tuple[Id, ...] = ()
    site_maximum: Annotated[int, Field(ge=1)] = 3
    measured_in: tuple[str, ...] = ()
    predicted: bool = False
    hb_correction: bool = False


class ReminderFile(Shape):
    """A mail that becomes due at an instant of the timeline."""

    id: Id
    template: Id
    to: tuple[Id, ...] = Field(min_length=1)
    trigger: str
    type: Literal["before", "after", "at"] = "at"
    value: Duration = "P0D"
    at: LocalTime | None = None
    while_: tuple[str, ...] = Field(alias="while", min_length=1)
    valid_for: Duration
    accept_short_validity: bool = False


class NoticeFile(Shape):
    """A mail that an event calls for, at once."""

    event: str
    template: Id
    to: tuple[Id, ...] = Field(min_length=1)


class DigestFile(Shape):
    at: LocalTime
    to: tuple[Id, ...] = Field(min_length=1)


class LimitsFile(Shape):
    """How long data may be awaited before somebody is told."""

    complete_within: Duration
    results_within: Duration
    attendance_within: Duration


class BandFile(Shape):
    """A reference band of MPA AUC0-12, borrowed from another disease."""

    id: Id
    label: Text
    low_mg_h_l: float | None = None
    high_mg_h_l: float | None = None
    source: str
    flag: bool = False


class ExposureFile(Shape):
    """Which method's AUC0-12 counts: the first of these that gives one, then the others."""

    primary: tuple[Id, ...] = ()


class StudyFile(Shape):
    id: Id
    version: str
    title: Text
    acronym: str
    registry_id: str
    sponsor_id: str
    study_id: str
    subject_pattern: str
    subject_check: Literal["none", "damm"] = "none"


class ProtocolFile(Shape):
    """One protocol version."""

    format: Literal[1]
    study: StudyFile
    encounters: tuple[EncounterFile, ...] = Field(min_length=1)
    sampling: SamplingFile
    activities: tuple[ActivityFile, ...] = ()
    limits: LimitsFile
    exposure: ExposureFile = ExposureFile()
    eligibility: EligibilityFile = EligibilityFile()
    endpoints: EndpointsFile = EndpointsFile()
    bands: tuple[BandFile, ...] = ()
    reminders: tuple[ReminderFile, ...] = ()
    notices: tuple[NoticeFile, ...] = ()
    digest: DigestFile
