"""A real SMTP server in a thread of its own, which demands STARTTLS, and can go away and come back."""

from __future__ import annotations

import asyncio
import ssl
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

_PEM = Path(__file__).parent.parent / "notifications" / "data" / "peer-for-tests-only.pem"


def certificate_authority(folder: Path) -> Path:
    """The certificate that vouches for the peer, without its key."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    text = _PEM.read_text("ascii")
    path = folder / "ca.pem"
    path.write_text(text[text.index(begin) : text.index(end) + len(end)] + "\n", "ascii")
    return path


class SmtpPeer:
    """Keeps what it is given: sender, recipients, bytes, and whether the connection was encrypted."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str], bytes, bool]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = None
        self._connections: set[SMTP] = set()
        self.port = 0
        self.up()
        self.down()  # from now on the port is known, and nobody listens

    @property
    def mails(self) -> list[EmailMessage]:
        parsed = [message_from_bytes(content, policy=policy.default) for _, _, content, _ in list(self.kept)]
        return [one for one in parsed if isinstance(one, EmailMessage)]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert envelope.mail_from is not None and isinstance(envelope.content, bytes)
        encrypted = session.ssl is not None
        self.kept.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content, encrypted))
        return "250 2.0.0 kept"

    def up(self) -> None:
        self._call(self._listen())

    def down(self) -> None:
        self._call(self._close())

    def end(self) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_PEM)

        def connected() -> SMTP:
            made = SMTP(
                self, hostname="peer.example", loop=self._loop, tls_context=context, require_starttls=True
            )
            self._connections.add(made)
            return made

        self._server = await self._loop.create_server(connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is None:
            return
        self._server.close()
        await self._server.wait_closed()
        self._server = None
        for one in self._connections:
            if one.transport is not None:
                one.transport.abort()
        self._connections.clear()
        await asyncio.sleep(0)
