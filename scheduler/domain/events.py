"""What happened that somebody may have to be told. Values only; who is told is the notifications' affair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from scheduler.domain.protocol import Event
from scheduler.domain.timeline import Slot

__all__ = [
    "AuditAnchored",
    "Days",
    "DomainEvent",
    "ExposureChanged",
    "ExposureMonthDue",
    "LabFileTroubled",
    "LabListDue",
    "LabListKind",
    "MailFailed",
    "ReminderDue",
    "VisitRebooked",
    "VisitReplanned",
]


@dataclass(frozen=True, slots=True)
class ReminderDue:
    """A reminder of the timeline became due and still makes sense."""

    subject: str
    visit: str
    slot: Slot
    key: str


@dataclass(frozen=True, slots=True)
class VisitRebooked:
    """An appointment was made, changed or taken back."""

    event: Event
    subject: str
    visit: str
    old_local: datetime | None
    new_local: datetime | None
    sequence: int
    key: str


@dataclass(frozen=True, slots=True)
class Days:
    """The days of a visit: its target and its window."""

    target: date
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class VisitReplanned:
    """Another protocol version puts a visit that is still to come on other days; None: it has no such visit.

    `booked_local` is the appointment, which stays.
    """

    event: Event
    subject: str
    visit: str
    old: Days | None
    new: Days | None
    booked_local: datetime | None
    sequence: int
    key: str

    @property
    def is_booked_outside(self) -> bool:
        """Whether the appointment lies outside the new window."""
        booked, new = self.booked_local, self.new
        return booked is not None and new is not None and not new.first <= booked.date() <= new.last


@dataclass(frozen=True, slots=True)
class ExposureChanged:
    """An AUC became available, changed, or no longer stands. `version` counts the estimates of this visit."""

    event: Event
    subject: str
    visit: str
    version: int
    key: str


@dataclass(frozen=True, slots=True)
class LabFileTroubled:
    """A laboratory file was quarantined, or some of its rows were held.

    `lab` is the laboratory that sent it, when that is known; it is asked for something only if `asks_lab`.
    """

    event: Event
    site: str
    file_id: int
    key: str
    lab: str | None = None
    asks_lab: bool = True


class LabListKind(StrEnum):
    """What a laboratory is sent a list of."""

    OVERDUE = "results_overdue"
    WEEK = "reconciliation"


@dataclass(frozen=True, slots=True)
class LabListDue:
    """A list is due to a laboratory: the results that are overdue, or what was drawn and received from `first`
    to before `until`. `tubes` are the overdue sampling points, each as "subject visit point"."""

    kind: LabListKind
    site: str
    lab: str
    first: datetime
    until: datetime
    expires_at: datetime
    key: str
    tubes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MailFailed:
    """A mail will never reach its recipient."""

    event: Event
    site: str
    outbox_id: int
    key: str


@dataclass(frozen=True, slots=True)
class ExposureMonthDue:
    """The exposures of the study so far are due, once a month at each site.

    `subjects` have `aucs`, of which `new` were computed since the mail before; the newest was `until`.
    """

    event: Event
    site: str
    month: date
    until: datetime
    subjects: int
    aucs: int
    new: int
    expires_at: datetime
    key: str


@dataclass(frozen=True, slots=True)
class AuditAnchored:
    """The head of the audit chain is to leave the house: whoever keeps it can tell whether the chain was cut."""

    site: str
    seq: int
    hash: str
    key: str


DomainEvent = (
    ReminderDue
    | VisitRebooked
    | VisitReplanned
    | ExposureChanged
    | LabFileTroubled
    | LabListDue
    | MailFailed
    | ExposureMonthDue
    | AuditAnchored
)
