"""Readers: bytes to rows. Each format is one module with one function: tables are read with the header names that
laboratories add, messages with the setting that says who sends them and what for."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.domain.reason import because
from scheduler.intake.readers.canonical_csv import read_csv
from scheduler.intake.readers.fhir import read_fhir
from scheduler.intake.readers.hl7v2 import read_hl7
from scheduler.intake.readers.hprim import read_hprim
from scheduler.intake.readers.reading import Candidate, Fault, Reading, Setting
from scheduler.intake.readers.sniff import binary_format, is_json, is_package, message_format
from scheduler.intake.readers.xlsx import read_xlsx

__all__ = ["Candidate", "Fault", "Reading", "Setting", "read"]

_NO_ALIASES: Mapping[str, str] = {}
_MESSAGES = {"HL7 v2": read_hl7, "HPRIM Santé": read_hprim}
_NO_SETTING = Setting()


def read(
    content: bytes, aliases: Mapping[str, str] = _NO_ALIASES, setting: Setting = _NO_SETTING
) -> Reading | Fault:
    """What a file says, whatever it is; never raises. Messages are read as the laboratories of `setting` send them."""
    if not content:
        return Fault(because("F-03"))
    messages = message_format(content)
    if messages is not None:
        return _MESSAGES[messages](content, setting)
    found = binary_format(content)
    if found is not None:
        return Fault(because("F-07.password" if "password" in found else "F-07", format=found))
    if is_json(content):
        return read_fhir(content, setting)
    if is_package(content):
        return read_xlsx(content, aliases)
    return read_csv(content, aliases)
