"""Text that came from outside, made fit to be shown or to name a file."""

from __future__ import annotations

import unicodedata

from scheduler.domain.national_number import without_national_number

__all__ = ["safe_name", "shorten"]

_NAME_BYTES = 200
_NOT_IN_NAMES = frozenset('\\/:*?"<>|%')


def shorten(text: str, length: int = 24) -> str:
    """Text from a file, fit to be shown: one line, printable, not long."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def safe_name(name: str) -> str:
    """A file name from outside as harmless data: normal form C, odd characters escaped, at most 200 bytes, and no
    national number.

    >>> safe_name("résultats 1.csv"), safe_name("=cmd|'.csv"), safe_name("a\\nb.csv")
    ('résultats 1.csv', "%3Dcmd%7C'.csv", 'a%0Ab.csv')
    """
    text = without_national_number(unicodedata.normalize("NFC", name))
    safe = "".join(
        _escaped(letter) if _is_odd(letter) or (place == 0 and letter in ".-~=+@ '") else letter
        for place, letter in enumerate(text)
    )
    if len(safe.encode()) <= _NAME_BYTES:
        return safe or "%00"
    stem, dot, suffix = safe.rpartition(".")
    ending = f"{dot}{suffix}" if stem and len(suffix.encode()) <= 10 else ""
    kept = safe.encode()[: _NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    return kept + ending


def _is_odd(letter: str) -> bool:
    return letter in _NOT_IN_NAMES or not letter.isprintable()


def _escaped(letter: str) -> str:
    """The bytes of a letter, each as %XX; a byte of a name that is no UTF-8 comes as a lone surrogate."""
    if "\udc80" <= letter <= "\udcff":
        return f"%{ord(letter) - 0xDC00:02X}"
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogatepass"))
