"""Laboratory rows as values: what was understood of a row, and what is on record already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from scheduler.domain.results import ResultStatus, laboratory_order

__all__ = [
    "Entry",
    "Key",
    "KnownResult",
    "KnownSubject",
    "KnownVersion",
    "KnownVisit",
    "Measured",
    "Place",
    "Records",
    "measured",
]

ANALYTE = "MPA"

Key = tuple[str, str, str]  # laboratory, specimen, analyte
Place = tuple[str, str, str]  # subject, visit, timepoint
Measured = tuple[str | None, ...]  # what was measured, apart from what its status is and when it was said


@dataclass(frozen=True, slots=True)
class Entry:
    """What was understood of one row: canonical words where they are known, else the text as received."""

    subject: str
    visit: str
    timepoint: str
    lab: str
    specimen: str
    status: ResultStatus | None
    value_raw: str
    unit_raw: str
    method: str
    matrix: str
    analyte: str = ANALYTE
    result_key: str | None = None
    replaces: str | None = None
    comparator: str | None = None
    conc_mg_l: Decimal | None = None
    lloq_mg_l: Decimal | None = None
    uloq_mg_l: Decimal | None = None
    below_lloq: bool = False
    above_uloq: bool = False
    quality: str | None = None
    blocking: str | None = None
    collected_at: datetime | None = None
    received_at: datetime | None = None
    reported_at: datetime | None = None

    @property
    def key(self) -> Key:
        """The natural key: one analyte in one specimen of one laboratory."""
        return self.lab, self.specimen, self.analyte

    @property
    def place(self) -> Place:
        return self.subject, self.visit, self.timepoint

    @property
    def measured(self) -> Measured:
        """What was measured, whatever its status and whenever it was said."""
        return measured(
            self.comparator,
            self.value_raw,
            self.unit_raw,
            (self.conc_mg_l, self.lloq_mg_l, self.uloq_mg_l),
            self.quality,
            self.method,
            self.matrix,
            self.collected_at,
        )

    @property
    def content_hash(self) -> str:
        """The same for the same content in any form: separators, decimal sign, trailing zeros, time zone."""
        parts = (*self.place, *self.key, self.status, *self.measured, _instant(self.reported_at))
        return sha256("\x1f".join(part or "" for part in parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KnownVisit:
    """What is on record of a visit's days."""

    target: date
    first: date
    last: date
    booked: date | None = None
    attended_at: datetime | None = None
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class KnownSubject:
    active: bool
    visits: Mapping[str, KnownVisit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownVersion:
    status: ResultStatus
    reported_at: datetime
    content_hash: str
    result_key: str | None
    measured: Measured

    @classmethod
    def of(cls, entry: Entry) -> KnownVersion:
        """The version that an entry with status and time is once it is accepted."""
        assert entry.status is not None and entry.reported_at is not None
        return cls(entry.status, entry.reported_at, entry.content_hash, entry.result_key, entry.measured)

    @property
    def order(self) -> tuple[bool, datetime, int]:
        return laboratory_order(self.status, self.reported_at)


@dataclass(frozen=True, slots=True)
class KnownResult:
    """A logical result on record with its accepted versions."""

    key: Key
    place: Place
    versions: tuple[KnownVersion, ...]


@dataclass(frozen=True, slots=True)
class Records:
    """What is on record about the subjects and specimens that a file speaks of."""

    subjects: Mapping[str, KnownSubject] = field(default_factory=dict)
    results: tuple[KnownResult, ...] = ()
    tubes: Mapping[str, str] = field(default_factory=dict)
    """Of the specimens that the site recorded as drawn, whose they are."""


def measured(
    comparator: str | None,
    value_raw: str,
    unit_raw: str,
    numbers: tuple[Decimal | None, Decimal | None, Decimal | None],
    quality: str | None,
    method: str,
    matrix: str,
    collected_at: datetime | None,
) -> Measured:
    """What was measured, equal for equal content in any form. `numbers`: concentration and limits in mg/L."""
    understood = numbers[0] is not None or comparator is not None
    return (
        comparator,
        None if understood else value_raw.replace(",", "."),
        None if understood else unit_raw,
        *(_plain(number) for number in numbers),
        quality,
        method,
        matrix,
        _instant(collected_at),
    )


def _plain(number: Decimal | None) -> str | None:
    if number is None:
        return None
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instant(instant: datetime | None) -> str | None:
    return str(int(instant.timestamp() * 1000)) if instant is not None else None
