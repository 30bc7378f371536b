"""A real SMTP server in the test's own event loop, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from notifications.delivery.smtp import Security, SmtpServer, SmtpTransport

CERTIFICATE = Path(__file__).parent / "data" / "peer-for-tests-only.pem"
DROP = "drop"
TO = "coordinator-en@cochin.example"


class Peer:
    """Keeps mails; `on` holds the next answers to RCPT, MAIL or DATA, `refused` the addresses it does not know."""

    def __init__(self) -> None:
        self.on: dict[str, list[str]] = {"EHLO": [], "MAIL": [], "RCPT": [], "DATA": [], "KEPT": []}
        self.refused: dict[str, str] = {}
        self.kept: list[tuple[list[str], bytes]] = []
        self.connections = 0
        self.port = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answer(server, "MAIL")
        if answer.startswith("2"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.refused.get(address) or self._answer(server, "RCPT")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.on["KEPT"]:  # the mail is kept, the answer is lost
            self._keep(envelope)
            return self._answer(server, "KEPT")
        lost = self.on["DATA"][:1] == [DROP]
        answer = self._answer(server, "DATA")
        if answer.startswith("2") and not lost:
            self._keep(envelope)
        return answer

    def _keep(self, envelope: Envelope) -> None:
        assert isinstance(envelope.content, bytes)
        self.kept.append((list(envelope.rcpt_tos), envelope.content))

    def _answer(self, server: SMTP, verb: str) -> str:
        answer = self.on[verb].pop(0) if self.on[verb] else "250 2.0.0 OK"
        if answer == DROP:
            assert server.transport is not None
            server.transport.abort()
            return "250 2.0.0 OK"
        return answer


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


@asynccontextmanager
async def listening(peer: Peer, **options: Any) -> AsyncIterator[Peer]:
    """The peer behind a port of this machine."""
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        peer.connections += 1
        return SMTP(peer, hostname="peer.example", loop=loop, **options)

    server = await loop.create_server(connected, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def server() -> AsyncIterator[tuple[Peer, SmtpTransport]]:
    """A peer, and the way to it."""
    async with listening(Peer()) as peer:
        yield (
            peer,
            SmtpTransport(SmtpServer("127.0.0.1", peer.port, Security.PLAIN, timeout_s=5, final_timeout_s=5)),
        )


def kept(peer: Peer, address: str = TO) -> list[bytes]:
    """The mails to an address."""
    return [content for to, content in peer.kept if address in to]
