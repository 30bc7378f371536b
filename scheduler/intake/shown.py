"""Text that came from outside, made fit to be shown, to name a file, or to stand in a spreadsheet."""

from __future__ import annotations

import unicodedata

__all__ = ["guarded", "safe_name", "shorten"]

_NAME_BYTES = 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NOT_IN_NAMES = frozenset('\\/:*?"<>|%')


def shorten(text: str, length: int = 24) -> str:
    """Text from a file, fit to be shown: one line, printable, not long."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def guarded(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> guarded("=1+1"), guarded("mg/L")
    ("'=1+1", 'mg/L')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def safe_name(name: str) -> str:
    """A file name from outside as harmless data: normal form C, odd characters escaped, at most 200 bytes.

    >>> safe_name("résultats 1.csv"), safe_name("=cmd|'.csv"), safe_name("a\\nb.csv")
    ('résultats 1.csv', "%3Dcmd%7C'.csv", 'a%0Ab.csv')
    """
    text = unicodedata.normalize("NFC", name)
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
