"""What every request passes before a page is looked for: host, origin, size; and the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.settings import LOOPBACK, ConsoleSettings

__all__ = ["HEADERS", "Gate", "is_same_origin"]

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_ONE_YEAR = "max-age=31536000"
_METHODS = ("GET", "HEAD", "POST")
_LONGEST_PATH = 2048


class Gate:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings) -> None:
        self.app = app
        self.url = settings.url
        self.max_body = settings.max_body_kb * 1024

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = _ONE_YEAR
            await send(message)

        refusal = self._refusal(scope)
        answer = self.app if refusal is None else PlainTextResponse(refusal[1], refusal[0])
        await answer(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Why a request goes no further: status and words for whoever set the proxy up."""
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            return 405, "Only GET, HEAD and POST."
        if len(scope["path"]) + len(scope["query_string"]) > _LONGEST_PATH:
            return 414, "The address is too long."
        if len(headers.getlist("host")) != 1 or not self._is_ours(scope["scheme"], headers["host"]):
            return 400, "The console is not reached by this address: see 'console.url' in docs/console.md."
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:12]) > self.max_body:
            return 413, "The request is too large."
        return None

    def _is_ours(self, scheme: str, host: str) -> bool:
        """Whether the console is meant: by its public address, or without TLS on this machine."""
        name = _name_of(host)
        if name is None:
            return False
        if name in LOOPBACK:
            return True
        return self.url is not None and f"{scheme}://{host.lower()}" == self.url.lower()


def _name_of(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        return parts.hostname if parts.netloc == host and "@" not in host and parts.port != 0 else None
    except ValueError:
        return None


def is_same_origin(headers: Headers, scheme: str) -> bool:
    """Whether a form was sent from a page of ours, as the browser says.

    With `Referrer-Policy: no-referrer` browsers give the origin of a form as `null`, and say where it comes from in
    `Sec-Fetch-Site`.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is not None and origin != "null" and origin != f"{scheme}://{headers['host']}":
        return False
    if site is not None:
        return site == "same-origin"
    return origin is not None and origin != "null"
