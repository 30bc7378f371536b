"""How a mail leaves: one burst of mails over one connection, each with its own outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from notifications.outbox.verdict import Outcome

__all__ = ["BeforeData", "Burst", "Depot", "Parcel", "Transport"]

BeforeData = Callable[[], Awaitable[bool]]
"""Awaited just before the mail is handed over; when it gives False, the mail is not handed over."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail ready to leave, for one recipient."""

    sender: str
    recipient: str
    message_id: str
    body: bytes


class Burst(Protocol):
    """A connection in use."""

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        """What became of the mail. Troubles of mail and connection are outcomes, not exceptions."""
        ...


class Transport(Protocol):
    """A way out."""

    def burst(self) -> AbstractAsyncContextManager[Burst]:
        """A burst of mails; the connection is made with the first of them and closed at the end."""
        ...


class Depot(ABC):
    """A way out without doubt: a mail handed over twice is there once, and afterwards one can look whether it is.

    Whole batches go there between two commits. On any other way each mail has its own commits before and after it,
    so that a stop leaves one mail at most of which nobody knows whether it left.
    """

    @abstractmethod
    async def send_all(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """What became of the mails, in their order, up to the first that was not taken."""

    @abstractmethod
    def has(self, recipient: str, message_id: str) -> bool:
        """Whether the mail is there."""
