"""The shape of the TOML files: keys, types, allowed words. What the values mean together is the domain's."""

from __future__ import annotations

from config.schema.endpoints import EligibilityFile, EndpointsFile
from config.schema.laboratory import ContactFile, FhirFile, Hl7File, LabFile
from config.schema.protocol import (
    ActivityFile,
    EncounterFile,
    PointFile,
    ProtocolFile,
    ReminderFile,
    TimingFile,
)
from config.schema.site import SiteFile, StaffFile

__all__ = [
    "ActivityFile",
    "ContactFile",
    "EligibilityFile",
    "EncounterFile",
    "EndpointsFile",
    "FhirFile",
    "Hl7File",
    "LabFile",
    "PointFile",
    "ProtocolFile",
    "ReminderFile",
    "SiteFile",
    "StaffFile",
    "TimingFile",
]
