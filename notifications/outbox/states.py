"""Where a mail stands on its way out, and how far an attempt got."""

from __future__ import annotations

from enum import StrEnum

from scheduler.store.restored import POSSIBLY_SENT

__all__ = ["OPEN", "Phase", "State"]


class State(StrEnum):
    """The state of one outbox row.

    `pending` waits for its first attempt and `retry` for another; `leased` is in the hands of a sender. The others
    are ends: `uncertain` may or may not have arrived and was tried twice. `possibly_sent` waits for a person: the
    database was restored, and the mail may have left after the backup.
    """

    PENDING = "pending"
    LEASED = "leased"
    RETRY = "retry"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    POSSIBLY_SENT = POSSIBLY_SENT


OPEN = (State.PENDING, State.RETRY)


class Phase(StrEnum):
    """How far an attempt got. From `data` on, the server may have kept the mail."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    REPLIED = "replied"
