"""The cookie of a sign-in. Its name says to the browser by which rules it is kept."""

from __future__ import annotations

import re
from hashlib import sha256

from starlette.responses import Response

__all__ = ["clear", "cookie_name", "csrf_of", "is_token", "keep"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def cookie_name(*, secure: bool) -> str:
    """Browsers take a `__Host-` cookie only by TLS, of the host itself; without TLS (this machine) they take none."""
    return "__Host-mpa" if secure else "mpa-loopback"


def keep(response: Response, token: str, *, secure: bool) -> None:
    """Give the browser the token, until it is closed."""
    response.set_cookie(
        cookie_name(secure=secure), token, path="/", secure=secure, httponly=True, samesite="strict"
    )


def clear(response: Response, *, secure: bool) -> None:
    response.delete_cookie(
        cookie_name(secure=secure), path="/", secure=secure, httponly=True, samesite="strict"
    )


def is_token(text: str | None) -> bool:
    """Whether it has the form of a token."""
    return text is not None and _TOKEN.fullmatch(text) is not None


def csrf_of(token: str) -> str:
    """What the forms of a sign-in carry: it cannot be known without the token, nor the token from it."""
    return sha256(b"csrf:" + token.encode()).hexdigest()
