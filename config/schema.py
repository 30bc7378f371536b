"""The shape of the TOML files: keys, types, allowed words. What the values mean together is the domain's."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from config.endpoint_schema import EligibilityFile, EndpointsFile

__all__ = [
    "ActivityFile",
    "BandFile",
    "ContactFile",
    "DigestFile",
    "EncounterFile",
    "ExposureFile",
    "FhirFile",
    "Hl7File",
    "HprimFile",
    "LabFile",
    "LimitsFile",
    "NoticeFile",
    "PointFile",
    "ProtocolFile",
    "ReconciliationFile",
    "ReminderFile",
    "SamplingFile",
    "SiteFile",
    "StaffFile",
    "StudyFile",
    "Text",
    "TimingFile",
]


def _some_length(text: str) -> str:
    if text.endswith(("P", "T")):
        raise ValueError(f"'{text}' names no length of time; write P7D or PT30M")
    return text


_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def _unreserved_name(text: str) -> str:
    if _RESERVED.fullmatch(text):
        raise ValueError(f"'{text}' is a device and no folder on Windows shares")
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Duration = Annotated[
    str,
    StringConstraints(pattern=r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?)?$"),
    AfterValidator(_some_length),
]
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s<>\",;:()]+@[^@\s<>\",;:()]+$")]
LocalTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
# Lower case, so that two names differ on every kind of share; none that a share's own system reserves.
FolderName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$"), AfterValidator(_unreserved_name)
]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Text(_File):
    """The same words in both languages."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)


class TimingFile(_File):
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


class EncounterFile(_File):
    id: Id
    code: Id
    label: Text
    timing: TimingFile
    sampling: bool = True
    required: tuple[Id, ...] = ()
    optional: tuple[Id, ...] = ()


class PointFile(_File):
    """One draw of the sampling sub-timeline, anchored on the dose."""

    id: Id
    type: Literal["before", "after"]
    value: Duration
    window_lower: Duration
    window_upper: Duration


class SamplingFile(_File):
    reference: Literal["DOSE"]
    points: tuple[PointFile, ...] = Field(min_length=1)


class ActivityFile(_File):
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


class ReminderFile(_File):
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


class NoticeFile(_File):
    """A mail that an event calls for, at once."""

    event: str
    template: Id
    to: tuple[Id, ...] = Field(min_length=1)


class DigestFile(_File):
    at: LocalTime
    to: tuple[Id, ...] = Field(min_length=1)


class LimitsFile(_File):
    """How long data may be awaited before somebody is told."""

    complete_within: Duration
    results_within: Duration
    attendance_within: Duration


class BandFile(_File):
    """A reference band of MPA AUC0-12, borrowed from another disease."""

    id: Id
    label: Text
    low_mg_h_l: float | None = None
    high_mg_h_l: float | None = None
    source: str
    flag: bool = False


class ExposureFile(_File):
    """Which method's AUC0-12 counts: the first of these that gives one, then the others."""

    primary: tuple[Id, ...] = ()


class StudyFile(_File):
    id: Id
    version: str
    title: Text
    acronym: str
    registry_id: str
    sponsor_id: str
    study_id: str
    subject_pattern: str
    subject_check: Literal["none", "damm"] = "none"


class ProtocolFile(_File):
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


class StaffFile(_File):
    id: Id
    name: str
    email: Address
    language: Literal["fr", "en"]
    roles: tuple[Id, ...] = Field(min_length=1)
    active: bool = True


class SiteFile(_File):
    """A hospital: its zone, when it is open, who works there."""

    format: Literal[1]
    id: Id
    name: str
    zone: str
    open_weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    holidays: str | None = None
    closed: tuple[dt.date, ...] = ()
    quiet_from: LocalTime = "20:00"
    quiet_until: LocalTime = "07:00"
    staff: tuple[StaffFile, ...] = Field(min_length=1)


class _MessagesFile(_File):
    """What the messages of a laboratory may call things; shared by HL7, HPRIM and FHIR."""

    code_suffixes: dict[str, str] = Field(default_factory=dict)
    specimen_types: dict[str, str] = Field(default_factory=dict)
    methods: dict[str, str] = Field(default_factory=dict)
    accept_test_messages: bool = False


class Hl7File(_MessagesFile):
    """How HL7 v2 messages of a laboratory are recognised and where they carry what the study needs."""

    sending_application: str = ""
    sending_facility: str = Field(min_length=1)
    subject_authority: str = Field(min_length=1)
    visit_field: Annotated[str, StringConstraints(pattern=r"^(PV1|ORC|OBR|SPM)-[1-9][0-9]?$")] | None = None
    acknowledge: bool = False


class HprimFile(_MessagesFile):
    """How HPRIM Santé messages of a laboratory are recognised."""

    sender: str = Field(min_length=1)


class FhirFile(_MessagesFile):
    """How FHIR resources of a laboratory are recognised. A system is that of an identifier or of a code, or the
    address of an extension; an empty one is looked for nowhere."""

    performer: str = Field(min_length=1)
    subject_system: str = Field(min_length=1)
    specimen_system: str = ""
    visit_system: str = ""
    timepoint_system: str = ""


class ContactFile(_File):
    """Somebody at a laboratory, or its mailbox, who is written to about its files and results."""

    id: Id
    name: str
    email: Address
    language: Literal["fr", "en"] = "fr"
    active: bool = True


class ReconciliationFile(_File):
    """When the weekly list of a laboratory is sent; on the next open day when the site is closed."""

    weekday: int = Field(default=1, ge=1, le=7)
    at: LocalTime = "08:00"


class LabFile(_File):
    """A laboratory: what its files may call things. Nothing here supplies a value that a file leaves out.

    `folder` is its own sub-folder of `in/` and `receipts/`; a laboratory without one uses those themselves.
    """

    format: Literal[1]
    code: Id
    name: str
    zone: str
    site: Id
    folder: FolderName | None = None
    language: Literal["fr", "en"] = "fr"
    analyte_codes: tuple[str, ...] = Field(min_length=1)
    other_analyte_codes: tuple[str, ...] = ()
    matrices: tuple[str, ...] = Field(min_length=1)
    substance_units: bool = False
    accept_mg_per_dl: bool = False
    blocking_qualities: tuple[str, ...] = ("HEM", "LIP", "ICT", "COAG", "IDENT")
    column_aliases: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    visit_aliases: dict[str, str] = Field(default_factory=dict)
    timepoint_aliases: dict[str, str] = Field(default_factory=dict)
    hl7: Hl7File | None = None
    hprim: HprimFile | None = None
    fhir: FhirFile | None = None
    contacts: tuple[ContactFile, ...] = ()
    reconciliation: ReconciliationFile = ReconciliationFile()
