"""The address of the console: what it must be made of, so that every link to a page of it holds."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from config.shape_errors import refused

__all__ = ["LOOPBACK", "console_address"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PLACE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?")


def console_address(text: str) -> str:
    """Scheme, host and port of the console, without a slash at the end. Raises PydanticCustomError when the text says
    anything else, or names another machine without TLS.

    >>> console_address("https://console.hospital.example:8443/")
    'https://console.hospital.example:8443'
    """
    try:
        parts = urlsplit(text.rstrip("/"))
        port = parts.port
    except ValueError:  # brackets that hold no address, a port that is no number
        raise refused("no_bare_address") from None
    address = f"{parts.scheme}://{parts.netloc}"
    is_whole = address.lower() == text.rstrip("/").lower()
    if not (is_whole and parts.scheme in ("http", "https") and _PLACE.fullmatch(parts.netloc) and port != 0):
        raise refused("no_bare_address")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise refused("console_in_the_clear")
    return address
