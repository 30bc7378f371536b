"""A real mail server as a process of its own: what it accepts is on the disk before it says so, and it misbehaves
when told.

Arguments: the log, the certificate, "plain" or "starttls". Reads one JSON order per line and answers each:
{"up": true|false}, {"log": PATH} to begin anew, {"fault": [PHASE, KIND], "times": N}, {"latency_s": …} for every reply.
A line of the log is one mail that was kept: Message-ID, recipient, SHA-256.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import ssl
import sys
import warnings
from email import message_from_bytes, policy
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

PHASES = ("banner", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "dot", "quit")
KINDS = ("later", "refused", "leaves", "lost", "stall", "slow", "garbage", "tls")
REFUSES = ("later", "refused", "leaves")
_SAYS = {"later": "451 4.3.0 later", "refused": "550 5.3.0 no", "leaves": "421 4.3.2 going down"}


class Keeper:
    """Keeps mails, and the faults that are still to happen."""

    def __init__(self, path: Path) -> None:
        self._log = -1
        self.connections: set[Misbehaving] = set()
        self.begin(path)

    def begin(self, path: Path) -> None:
        """From now on another log, and no faults."""
        if self._log >= 0:
            os.close(self._log)
        self._log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.fault: tuple[str, str] | None = None
        self.times, self.latency_s = 0, 0.0

    def takes(self, phase: str) -> str | None:
        """The fault that happens now, if one does."""
        if self.fault is None or self.fault[0] != phase or self.times <= 0:
            return None
        self.times -= 1
        return self.fault[1]

    def coming(self, phase: str) -> str | None:
        return self.fault[1] if self.fault is not None and self.fault[0] == phase and self.times > 0 else None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.coming("dot") not in REFUSES:
            assert isinstance(envelope.content, bytes)
            head = message_from_bytes(envelope.content, policy=policy.default)
            line = {
                "id": str(head["Message-ID"]).strip(),
                "to": envelope.rcpt_tos,
                "sha": sha256(envelope.content).hexdigest(),
            }
            os.write(self._log, json.dumps(line).encode() + b"\n")
            os.fsync(self._log)
        return "250 2.0.0 kept"


class Misbehaving(SMTP):
    """A connection that does its fault at the first reply of a phase."""

    def __init__(self, keeper: Keeper, **options: Any) -> None:
        super().__init__(keeper, hostname="peer.example", **options)
        self.keeper, self._phase, self._mute = keeper, "banner", False
        self._smtp_methods = {verb: self._noted(verb, do) for verb, do in self._smtp_methods.items()}
        keeper.connections.add(self)

    def _noted(self, verb: str, do: Any) -> Any:
        async def noted(argument: Any) -> None:
            self._phase, self._mute = verb.lower(), False
            await do(argument)

        return noted

    async def push(self, status: Any) -> None:
        if self._mute:
            return
        await asyncio.sleep(self.keeper.latency_s)
        phase = self._phase
        if phase == "data":
            self._phase = "dot"
        if phase == "ehlo" and self.keeper.coming("ehlo") == "tls":
            if str(status).startswith("250 "):
                self.keeper.takes("ehlo")
            if "STARTTLS" in str(status):
                return
            await super().push(status)
            return
        kind = self.keeper.takes(phase)
        if kind is None:
            await super().push(status)
            return
        self._mute = kind != "slow"
        await self._misbehave(kind, phase, str(status))

    async def _misbehave(self, kind: str, phase: str, status: str) -> None:
        assert self.transport is not None and self._writer is not None
        if kind in REFUSES:
            await super().push("535 5.7.8 no" if (kind, phase) == ("refused", "auth") else _SAYS[kind])
            if kind == "leaves":
                self.transport.close()
        elif kind == "lost":
            self.transport.abort()
        elif kind == "stall":
            await asyncio.sleep(20)
            self.transport.abort()
        elif kind == "slow":
            for byte in status.encode() + b"\r\n":
                self._writer.write(bytes([byte]))
                await self._writer.drain()
                await asyncio.sleep(0.02)
        elif kind == "garbage":
            self._writer.write(b"\xff\x00\x7f nonsense\r\n")
            await self._writer.drain()
        else:
            await self._break_tls(phase, status)

    async def _break_tls(self, phase: str, status: str) -> None:
        """Plain words where encryption is expected, or the other way round."""
        assert self.transport is not None
        if phase == "starttls":
            await super().push(status)
        descriptor = self.transport.get_extra_info("socket").fileno()
        os.write(descriptor, b"\x16\x03\x01 no TLS\r\n" if phase == "banner" else b"this is no TLS\r\n")
        self.transport.abort()


class House:
    """The server behind its port, which stays the same when it goes away and comes back."""

    def __init__(self, keeper: Keeper, certificate: str, encrypted: bool) -> None:
        self._keeper, self._server, self.port = keeper, None, 0
        self._options: dict[str, Any] = {}
        if encrypted:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._options = {
                "tls_context": context, "require_starttls": True, "auth_required": True,
                "authenticator": lambda *_: AuthResult(success=True), "auth_exclude_mechanism": ["LOGIN"],
            }  # fmt: skip

    async def up(self) -> None:
        loop = asyncio.get_running_loop()
        if self._server is None:
            self._server = await loop.create_server(
                lambda: Misbehaving(self._keeper, loop=loop, **self._options), "127.0.0.1", self.port
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for one in self._keeper.connections:
            if one.transport is not None:
                one.transport.abort()
        self._keeper.connections.clear()


async def serve(log: Path, certificate: str, encrypted: bool) -> None:
    keeper = Keeper(log)
    house = House(keeper, certificate, encrypted)
    await house.up()
    print(json.dumps({"port": house.port}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        if "up" in order:
            await (house.up() if order["up"] else house.down())
        if "log" in order:
            await house.down()
            keeper.begin(Path(order["log"]))
            await house.up()
        keeper.latency_s = order.get("latency_s", keeper.latency_s)
        if "fault" in order:
            keeper.fault, keeper.times = tuple(order["fault"]), order["times"]
        print(json.dumps({"left": keeper.times}), flush=True)
    await house.down()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what it does to its clients is no news
    warnings.simplefilter("ignore", DeprecationWarning)
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "starttls"))
