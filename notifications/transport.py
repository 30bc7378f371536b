"""How a mail leaves: one burst of mails over one connection, each with its own outcome."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from notifications.verdict import Outcome

__all__ = ["BeforeData", "Burst", "Parcel", "Transport"]

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
