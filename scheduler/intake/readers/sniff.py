"""Recognises content that is not the study's CSV, so that the refusal can name it."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE

__all__ = ["binary_format", "is_json", "is_package", "message_format", "text_format", "wide_text_format"]

_BINARY = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"{\\rtf", "RTF"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
)
# Pictures as telephones and Windows write them, by what stands a little further on.
_FURTHER_ON = (
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "WebP"),
    (re.compile(rb".{4}ftyp(heic|heix|hevc|mif1|msf1|avif)", re.DOTALL), "HEIC"),
    (re.compile(rb"BM.{4}\0{4}.{3}\0", re.DOTALL), "BMP"),
)
# The old office format, which also wraps a workbook under a password, by the names of the streams in it.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STREAMS = (
    ("EncryptedPackage", "Excel (.xlsx, password)"),
    ("Workbook", "Excel 97-2003 (.xls)"),
    ("Book", "Excel 97-2003 (.xls)"),
    ("WordDocument", "Word (.doc)"),
)
_MESSAGES = (
    (re.compile(r"(MSH|FHS|BHS)[^A-Za-z0-9\s]"), "HL7 v2"),
    (re.compile(r"H[|~^][~^|\\&]"), "HPRIM Santé"),
)
_TEXT = (
    (re.compile(r"<(!doctype\s+html|html|table|meta)", re.IGNORECASE), "HTML"),
    (re.compile(r"<"), "XML"),
)
_CLINICAL_DOCUMENT = re.compile(r"<(\w+:)?ClinicalDocument\b")
_BEFORE_MESSAGES = BOM_UTF8.decode("latin-1") + "\ufeff\x0b \t\r\n"
_HPRIM_MEDECIN = re.compile(r"^\*{4}LAB\*{4}", re.MULTILINE)


def binary_format(content: bytes) -> str | None:
    """The name of a format known by its first bytes."""
    if content.startswith(_COMPOUND):
        streams = ((name.encode("utf-16-le"), kind) for name, kind in _STREAMS)
        return next((kind for name, kind in streams if name in content), "Office 97-2003")
    found = next((name for magic, name in _BINARY if content.startswith(magic)), None)
    return found or next((name for pattern, name in _FURTHER_ON if pattern.match(content)), None)


def is_package(content: bytes) -> bool:
    """Whether the content is a ZIP archive, as a workbook is."""
    return content.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def is_json(content: bytes) -> bool:
    """Whether the content begins as an object or array of JSON."""
    return content.removeprefix(BOM_UTF8).lstrip(b" \t\r\n")[:1] in (b"{", b"[")


def message_format(content: bytes) -> str | None:
    """The kind of messages that a file begins with, whatever mark or frame stands before them."""
    wide = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    head = content[:256].decode("utf-16" if wide else "latin-1", errors="ignore").lstrip(_BEFORE_MESSAGES)
    return next((name for pattern, name in _MESSAGES if pattern.match(head)), None)


def wide_text_format(content: bytes) -> str | None:
    """The name of a text format in UTF-16 without its mark, which only tells what is refused."""
    for first, second, encoding in (
        (slice(0, 64, 2), slice(1, 64, 2), "utf-16-be"),
        (slice(1, 64, 2), slice(0, 64, 2), "utf-16-le"),
    ):
        if content[first].strip(b"\0") == b"" and b"\0" not in content[second]:
            return text_format(content[:131_072].decode(encoding, errors="ignore"))
    return None


def text_format(text: str) -> str | None:
    """The name of a text format known by how it begins."""
    head = text[:4096].lstrip()
    if _HPRIM_MEDECIN.search(text[:65536]):
        return "HPRIM Médecin"
    for pattern, name in _TEXT:
        if pattern.match(head):
            return "CDA" if name == "XML" and _CLINICAL_DOCUMENT.search(head) else name
    return None
