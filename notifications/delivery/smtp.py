"""Mail over SMTP. One recipient per transaction; encrypted and verified, except to this machine."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

import aiosmtplib

from notifications.delivery.transport import BeforeData, Burst, Parcel
from notifications.outbox.states import Phase
from notifications.outbox.verdict import Ending, Outcome

__all__ = ["Security", "SmtpServer", "SmtpTransport"]

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_QUIT_WITHIN_S = 5.0


class Security(StrEnum):
    """How the connection is protected; `plain` only to this machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes. Raises ValueError when it would leave this machine in the clear."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    local_hostname: str | None = None
    timeout_s: float = 60.0
    final_timeout_s: float = 600.0

    def __post_init__(self) -> None:
        if self.security is Security.PLAIN and self.host not in _LOCAL:
            raise ValueError(f"mail to {self.host} must be encrypted; plain is for this machine only")

    def __repr__(self) -> str:
        return f"SmtpServer({self.host}:{self.port}, {self.security})"


class SmtpTransport:
    """A way out through a mail server."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server

    @asynccontextmanager
    async def burst(self) -> AsyncIterator[Burst]:
        """One connection, made with the first mail and made anew after it broke."""
        burst = _SmtpBurst(self.server)
        try:
            yield burst
        finally:
            await burst.close()


class _SmtpBurst:
    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.client: aiosmtplib.SMTP | None = None
        self.carried = 0

    async def send(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        """Hand over a mail. A server that ends a connection which has carried mail (it may limit their number) is
        called once more, for it has nothing of this mail yet."""
        used = self.carried > 0
        outcome = await self._attempt(parcel, before_data)
        if used and outcome.code == 421 and outcome.phase in (Phase.MAIL, Phase.RCPT):
            outcome = await self._attempt(parcel, before_data)
        self.carried += outcome.accepted
        return outcome

    async def _attempt(self, parcel: Parcel, before_data: BeforeData) -> Outcome:
        if not (parcel.recipient.isascii() and parcel.sender.isascii()):
            return Outcome(Phase.RCPT, Ending.UNSENDABLE, text="the address has letters outside ASCII")
        phase = Phase.CONNECT
        try:
            client = await self._connected()
            phase = Phase.MAIL
            await client.mail(parcel.sender, timeout=self.server.timeout_s)
            phase = Phase.RCPT
            await client.rcpt(parcel.recipient, timeout=self.server.timeout_s)
            if not await before_data():
                await self._reset()
                return Outcome(Phase.RCPT, Ending.ABANDONED)
            phase = Phase.DATA
            reply = await client.data(parcel.body, timeout=self.server.final_timeout_s)
        except aiosmtplib.SMTPAuthenticationError as error:
            return self._broken(Outcome(phase, Ending.LOGIN_REFUSED, error.code, error.message))
        except aiosmtplib.SMTPResponseException as error:
            if error.code < 200:  # what came back is no SMTP reply
                return self._broken(Outcome(phase, Ending.LOST, text=_words(error)))
            reached = Phase.REPLIED if phase is Phase.DATA else phase
            return await self._refused(Outcome(reached, Ending.REPLIED, error.code, error.message))
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError, TimeoutError) as error:
            return self._broken(Outcome(phase, _ending(error, phase), text=_words(error)))
        except ValueError as error:
            return await self._refused(Outcome(phase, Ending.UNSENDABLE, text=str(error)))
        return Outcome(Phase.REPLIED, Ending.REPLIED, reply.code, reply.message)

    async def close(self) -> None:
        """Say goodbye if the server still listens."""
        client, self.client = self.client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit(timeout=_QUIT_WITHIN_S)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            pass
        finally:
            client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self.client is not None and self.client.is_connected:
            return self.client
        client = self.client = self._new_client()
        self.carried = 0
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        return client

    def _new_client(self) -> aiosmtplib.SMTP:
        server = self.server
        encrypted = server.security is not Security.PLAIN
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=server.local_hostname or "localhost.localdomain",
            timeout=server.timeout_s,
            use_tls=server.security is Security.TLS,
            start_tls=server.security is Security.STARTTLS,
            tls_context=ssl.create_default_context(cafile=server.ca_file) if encrypted else None,
        )

    async def _refused(self, outcome: Outcome) -> Outcome:
        """After a refusal the connection stays in use, unless the server says that it leaves."""
        if outcome.code == 421 or outcome.phase is Phase.CONNECT:
            await self.close()
        else:
            await self._reset()
        return outcome

    def _broken(self, outcome: Outcome) -> Outcome:
        """A connection in doubt is not used again."""
        if self.client is not None:
            self.client.close()
            self.client = None
        return outcome

    async def _reset(self) -> None:
        try:
            if self.client is not None:
                await self.client.rset(timeout=_QUIT_WITHIN_S)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            await self.close()


def _ending(error: Exception, phase: Phase) -> Ending:
    if phase is Phase.CONNECT:
        return Ending.UNTRUSTED if _is_about_trust(error) else Ending.UNREACHABLE
    return Ending.TIMEOUT if isinstance(error, TimeoutError) else Ending.LOST


def _is_about_trust(error: BaseException | None) -> bool:
    """Whether the server offers no encryption, no way to log in, or a certificate that does not hold."""
    if type(error) is aiosmtplib.SMTPException:  # the client's word for a missing extension
        return True
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__
    return False


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
