"""Secrets in the settings file: which it holds, and whether others on the machine can read them."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.defects import UNREADABLE, Defect
from config.said import said

__all__ = ["readable_secrets", "secrets_in"]

_WORDS = ("password", "secret", "token", "passphrase")


def secrets_in(path: Path) -> list[str]:
    """The keys of a settings file that hold a secret; none where there is no file, or none that is TOML."""
    try:
        return list(_secret_keys(tomllib.loads(path.read_text("utf-8"))))
    except UNREADABLE:
        return []


def readable_secrets(path: Path) -> list[Defect]:
    """The secrets of a settings file that every account of the machine can read or change."""
    found = secrets_in(path)
    if not found or not path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        return []
    return [
        Defect(
            "settings.toml",
            key,
            said("It is a secret, and every account of this machine can read the file."),
            said("Run 'chmod 600 {path}' as its owner, or give it in the environment only.", path=str(path)),
        )
        for key in found
    ]


def _secret_keys(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, value in values.items():
        key = f"{above}{name}"
        if isinstance(value, Mapping):
            yield from _secret_keys(value, f"{key}.")
        elif (
            isinstance(value, str)
            and value
            and (any(word in name for word in _WORDS) or _has_password(value))
        ):
            yield key


def _has_password(text: str) -> bool:
    """Whether a text is an address with a password in it, as that of a database may be."""
    try:
        return urlsplit(text).password is not None
    except ValueError:
        return False
