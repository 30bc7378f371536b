"""What delivery needs besides the database, the way out and the clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from notifications.messages.versions import ProtocolLookup
from notifications.outbox.handlers import Handle
from notifications.outbox.queue import Calm
from notifications.words.inline import Album, CurveOf
from notifications.words.letter import Letterhead
from scheduler.domain.reason import Reason
from scheduler.store.tables import OutboxRow

__all__ = ["Mailroom", "Recheck"]

Recheck = Callable[[Session, OutboxRow, datetime], Reason | None]
"""Why the mail no longer makes sense, looked at again when a batch is made ready to leave."""

Foresee = Callable[[Session, Collection[OutboxRow], datetime], None]
"""Reads for all mails of a batch together what `Recheck` asks about each."""


def _nothing(session: Session, rows: Collection[OutboxRow], now: datetime) -> None:
    """Each mail is asked about when its turn comes."""


@dataclass(frozen=True, slots=True)
class Mailroom:
    """What delivery needs besides the database, the way out and the clock.

    `batch` mails are written and then sent in one go; of urgent ones, which leave first, `urgent_batch`.
    `curve_of` says what the picture in a mail about an AUC is drawn from, `album` keeps the pictures; without
    `curve_of` mails carry none.
    """

    letterhead: Letterhead
    calm: Calm
    protocol_of: ProtocolLookup
    handle: Handle
    recheck: Recheck
    owner: str
    foresee: Foresee = _nothing
    sentences: Mapping[str, str] = field(default_factory=dict)
    curve_of: CurveOf | None = None
    album: Album = field(default_factory=Album)
    batch: int = 20
    urgent_batch: int = 5
