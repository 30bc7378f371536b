"""A life within this process: a database that stops for good at a commit, and a mail server that does what it is told.

Faster than a real process by far, so that thousands of courses can be tried; the real ones are in the other modules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

from sqlmodel import Session

from notifications.delivery.transport import BeforeData, Burst, Parcel
from notifications.outbox.states import Phase
from notifications.outbox.verdict import Ending, Outcome
from scheduler.store.database import Database

__all__ = ["FATES", "Killed", "Mortal", "Post"]


class Killed(BaseException):
    """The process is gone; what was not committed never was."""


class Mortal(Database):
    """A database whose process dies at a commit when it is doomed; until it is born again nothing is written."""

    def __init__(self, url: str) -> None:
        super().__init__(url, writer_thread=False, durable=False)
        self.dead, self._left, self._after = False, 0, False
        self.commits = 0

    def doom(self, commits: int, *, after: bool) -> None:
        """Die at this commit from now on (1: the next), before or right after it."""
        self._left, self._after = commits, after

    def live(self) -> None:
        self.dead, self._left = False, 0

    def die(self) -> None:
        self.dead = True
        raise Killed

    def transact(self, step: Callable[[Session], Any]) -> Any:
        if self.dead:
            raise Killed
        self.commits += 1
        self._left -= 1
        if self._left != 0:
            return super().transact(step)
        if self._after:
            super().transact(step)
            self.die()

        def in_vain(session: Session) -> None:
            step(session)
            session.flush()
            self.die()

        return super().transact(in_vain)


FATES = (
    "ok",
    "unreachable",
    "later",
    "full",
    "refused",
    "lost",
    "kept and lost",
    "killed",
    "kept and killed",
)
_REPLIES = {
    "later": Outcome(Phase.RCPT, Ending.REPLIED, 451, "4.7.1 greylisted"),
    "full": Outcome(Phase.REPLIED, Ending.REPLIED, 452, "4.2.2 full"),
    "refused": Outcome(Phase.RCPT, Ending.REPLIED, 550, "5.1.1 unknown"),
    "unreachable": Outcome(Phase.CONNECT, Ending.UNREACHABLE, text="refused"),
}


class Post:
    """Keeps what it is given, and meets each of the coming mails with a fate; all others with "ok"."""

    def __init__(self, db: Mortal) -> None:
        self._db = db
        self.kept: list[dict[str, Any]] = []
        self.coming: list[str] = []

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        yield self

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        fate = self.coming.pop(0) if self.coming else "ok"
        if fate in ("unreachable", "later", "refused"):
            return _REPLIES[fate]
        if not await before_data():
            return Outcome(Phase.RCPT, Ending.ABANDONED)
        if fate == "full":
            return _REPLIES[fate]
        if fate == "killed":
            self._db.die()
        if fate == "lost":
            return Outcome(Phase.DATA, Ending.LOST)
        self.keep(parcel.message_id, parcel.recipient, parcel.body)
        if fate == "kept and killed":
            self._db.die()
        if fate == "kept and lost":
            return Outcome(Phase.DATA, Ending.LOST)
        return Outcome(Phase.REPLIED, Ending.REPLIED, 250, "2.0.0 kept")

    def keep(self, message_id: str, recipient: str, body: bytes) -> None:
        self.kept.append({"id": message_id, "to": [recipient], "sha": sha256(body).hexdigest()})
