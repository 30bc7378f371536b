"""Mail put in folders instead of sent: rehearsals, demonstrations, tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from mailbox import Maildir
from pathlib import Path
from urllib.parse import quote

from notifications.states import Phase
from notifications.transport import BeforeData, Burst, Parcel
from notifications.verdict import Ending, Outcome

__all__ = ["MaildirTransport", "read_maildir"]


class MaildirTransport:
    """One Maildir per address below `root`. The same mail delivered twice replaces itself."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        yield self

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        if not await before_data():
            return Outcome(Phase.RCPT, Ending.ABANDONED)
        try:
            place = await asyncio.to_thread(self._keep, parcel)
        except OSError as error:
            return Outcome(Phase.CONNECT, Ending.UNREACHABLE, text=str(error))
        return Outcome(Phase.REPLIED, Ending.REPLIED, 250, f"2.0.0 kept in {place}")

    def _keep(self, parcel: Parcel) -> str:
        folder = self.root / quote(parcel.recipient, safe="@+-_.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        Maildir(folder, create=True)
        name = f"{sha256(parcel.message_id.encode()).hexdigest()[:32]}.mpa-monitor"
        draft = folder / "tmp" / name
        with draft.open("wb") as file:
            file.write(parcel.body.replace(b"\r\n", b"\n"))
            file.flush()
            os.fsync(file.fileno())
        read_before = next(iter((folder / "cur").glob(f"{name}*")), None)
        draft.replace(read_before if read_before is not None else folder / "new" / name)
        return folder.name


def read_maildir(root: Path, address: str) -> Maildir:
    """The mails of one address."""
    return Maildir(root / quote(address, safe="@+-_."), create=False)
