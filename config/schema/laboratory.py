"""The shape of a laboratory file: what its files and messages may call things, and who is written to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from config.schema.shapes import VISIT_FIELD, Address, FolderName, Id, LocalTime, Shape

__all__ = ["ContactFile", "FhirFile", "Hl7File", "LabFile"]


class _MessagesFile(Shape):
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
    visit_field: Annotated[str, StringConstraints(pattern=VISIT_FIELD)] | None = None
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


class ContactFile(Shape):
    """Somebody at a laboratory, or its mailbox, who is written to about its files and results."""

    id: Id
    name: str
    email: Address
    language: Literal["fr", "en"] = "fr"
    active: bool = True


class ReconciliationFile(Shape):
    """When the weekly list of a laboratory is sent; on the next open day when the site is closed."""

    weekday: int = Field(default=1, ge=1, le=7)
    at: LocalTime = "08:00"


class LabFile(Shape):
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
