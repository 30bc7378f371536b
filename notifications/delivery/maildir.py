"""Mail put in folders instead of sent: rehearsals, demonstrations, tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from hashlib import sha256
from mailbox import Maildir
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from notifications.delivery.transport import BeforeData, Burst, Depot, Parcel
from notifications.outbox.states import Phase
from notifications.outbox.verdict import Ending, Outcome

__all__ = ["MaildirTransport", "read_maildir"]


class MaildirTransport(Depot):
    """One Maildir per address below `root`. The same mail delivered twice replaces itself.

    Without `durable`, a mail outlives the program that wrote it, not the machine.
    """

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        self.root, self.durable = root, durable

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        yield self

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        if not await before_data():
            return Outcome(Phase.RCPT, Ending.ABANDONED)
        (outcome,) = await self.send_all([parcel])
        return outcome

    async def send_all(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        return await asyncio.to_thread(self._take, parcels)

    def has(self, recipient: str, message_id: str) -> bool:
        folder, name = self._folder(recipient), _name(message_id)
        return (folder / "new" / name).exists() or _read_before(folder, name) is not None

    def _take(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        try:
            self._keep(parcels)
        except OSError as error:
            if len(parcels) == 1:
                return [Outcome(Phase.CONNECT, Ending.UNREACHABLE, text=str(error))]
            for parcel in parcels:  # one of them fails, and those before it need not
                outcomes += self._take([parcel])
                if not outcomes[-1].accepted:
                    break
            return outcomes
        return [_kept_in(self._folder(parcel.recipient)) for parcel in parcels]

    def _keep(self, parcels: Sequence[Parcel]) -> None:
        """All of them are written and safe on the disk before any of them is seen."""
        with ExitStack() as files:
            drafts = []
            for parcel in parcels:
                draft, file = _draft(self._folder(parcel.recipient), _name(parcel.message_id))
                files.enter_context(file).write(parcel.body.replace(b"\r\n", b"\n"))
                drafts.append((draft, file))
            for _, file in drafts:
                file.flush()
                if self.durable:
                    os.fsync(file.fileno())
        for draft, _ in drafts:
            folder = draft.parent.parent
            draft.replace(_read_before(folder, draft.name) or folder / "new" / draft.name)

    def _folder(self, address: str) -> Path:
        return self.root / _folder_name(address)


def _folder_name(address: str) -> str:
    """The name of an address's folder: one step below the root, whatever the address is."""
    name = quote(address, safe=_IN_NAMES)
    return name.replace(".", "%2E") if not name.strip(".") else name


_IN_NAMES = "@+-_."


def _kept_in(folder: Path) -> Outcome:
    return Outcome(Phase.REPLIED, Ending.REPLIED, 250, f"2.0.0 kept in {folder.name}")


def _name(message_id: str) -> str:
    return f"{sha256(message_id.encode()).hexdigest()[:32]}.mpa-monitor"


def _draft(folder: Path, name: str) -> tuple[Path, BinaryIO]:
    draft = folder / "tmp" / name
    try:
        return draft, draft.open("wb")
    except FileNotFoundError:  # the first mail for this address
        _make(folder)
        return draft, draft.open("wb")


def _read_before(folder: Path, name: str) -> Path | None:
    """The place of a mail that somebody has read, whose name then tells so."""
    try:
        return next((one for one in (folder / "cur").iterdir() if one.name.startswith(name)), None)
    except OSError:
        return None


def _make(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    for one in (folder, *(folder / part for part in ("tmp", "new", "cur"))):
        one.mkdir(0o700, exist_ok=True)


def read_maildir(root: Path, address: str) -> Maildir:
    """The mails of one address."""
    return Maildir(root / _folder_name(address), create=False)
