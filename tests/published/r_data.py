"""Reads the data sets of an installed R package (lazy-load database, serialization format 2 or 3, XDR)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SYMBOL, _PAIRS, _CHARS, _LOGICALS, _INTEGERS, _REALS, _STRINGS, _LIST = 1, 2, 9, 10, 13, 14, 16, 19
_NIL, _REFERENCE = 254, 255


def data_frames(folder: Path) -> Iterator[dict[str, list[Any]]]:
    """Every data frame of a package's `data` folder, by column; a factor is a list of its labels."""
    content = (folder / "Rdata.rdb").read_bytes()
    while content:
        unpacker = zlib.decompressobj()
        found = _Reader(unpacker.decompress(content[4:]) + unpacker.flush()).whole()
        content = unpacker.unused_data
        if isinstance(found, tuple) and "names" in found[1]:
            values, attributes = found
            yield {name: _column(one) for name, one in zip(attributes["names"], values, strict=True)}


def _column(one: Any) -> list[Any]:
    if not isinstance(one, tuple):
        return list(one)
    values, attributes = one
    labels = attributes.get("levels")
    return [labels[i - 1] for i in values] if labels is not None else list(values)


class _Reader:
    """Values as lists; with attributes, as (value, attributes)."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at, self._symbols = content, 0, list[str]()

    def whole(self) -> Any:
        assert self._content.startswith(b"X\n")
        self._at = 2
        version = self._integers(3)[0]
        if version == 3:
            self._take(self._integers(1)[0])  # the encoding
        return self._item()

    def _take(self, count: int) -> bytes:
        self._at += count
        return self._content[self._at - count : self._at]

    def _integers(self, count: int) -> tuple[int, ...]:
        return struct.unpack(f">{count}i", self._take(4 * count))

    def _item(self) -> Any:
        (flags,) = self._integers(1)
        kind, has_attributes, has_tag = flags & 0xFF, bool(flags & 0x200), bool(flags & 0x400)
        if kind == _NIL:
            return None
        if kind == _REFERENCE:
            return self._symbols[(flags >> 8) - 1]
        if kind == _SYMBOL:
            self._symbols.append(self._item())
            return self._symbols[-1]
        if kind == _PAIRS:
            return self._pairs(has_attributes, has_tag)
        value = self._vector(kind)
        return (value, dict(self._item())) if has_attributes and kind != _CHARS else value

    def _pairs(self, has_attributes: bool, has_tag: bool) -> list[tuple[str, Any]]:
        if has_attributes:
            self._item()
        name = self._item() if has_tag else ""
        value = self._item()
        return [(name, value), *(self._item() or [])]

    def _vector(self, kind: int) -> Any:
        (count,) = self._integers(1)
        if kind == _CHARS:
            return self._take(max(count, 0)).decode("utf-8", "replace")
        if kind in (_INTEGERS, _LOGICALS):
            return list(self._integers(count))
        if kind == _REALS:
            return list(struct.unpack(f">{count}d", self._take(8 * count)))
        assert kind in (_STRINGS, _LIST), f"kind {kind} is not read here"
        return [self._item() for _ in range(count)]
