"""One hash of everything that the program is configured with, secrets left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256

from config.settings import Settings

__all__ = ["configuration_hash"]

_SETTINGS = "settings.toml"  # its values count, wherever they come from; the file may hold a secret


def configuration_hash(settings: Settings) -> str:
    """The SHA-256 of the settings that hold and of every TOML file of the configuration directory."""
    made = sha256()
    for name, content in _parts(settings):
        made.update(f"{name}\0{len(content)}\0".encode())
        made.update(content)
    return made.hexdigest()


def _parts(settings: Settings) -> Iterator[tuple[str, bytes]]:
    values = settings.model_dump(mode="json")  # a secret shows as asterisks
    values.pop("database", None)  # may hold a password
    yield "settings", json.dumps(values, sort_keys=True).encode()
    for path in sorted(settings.config.rglob("*.toml")):
        if path.name != _SETTINGS and path.is_file():
            yield path.relative_to(settings.config).as_posix(), path.read_bytes()
