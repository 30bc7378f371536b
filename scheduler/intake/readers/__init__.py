"""Readers: bytes to rows. Each format is one module with one function of the shape `Reader`."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler.domain.reason import because
from scheduler.intake.readers.canonical_csv import read_csv
from scheduler.intake.readers.reading import Candidate, Fault, Reader, Reading
from scheduler.intake.readers.sniff import binary_format

__all__ = ["Candidate", "Fault", "Reader", "Reading", "read"]

_NO_ALIASES: Mapping[str, str] = {}


def read(content: bytes, aliases: Mapping[str, str] = _NO_ALIASES) -> Reading | Fault:
    """What a file says, whatever it is; never raises."""
    if not content:
        return Fault(because("F-03"))
    found = binary_format(content)
    if found is not None:
        return Fault(because("F-07", format=found))
    return read_csv(content, aliases)
