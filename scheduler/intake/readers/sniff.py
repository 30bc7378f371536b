"""Recognises content that is not the study's CSV, so that the refusal can name it."""

from __future__ import annotations

import re

__all__ = ["binary_format", "text_format"]

_BINARY = (
    (b"%PDF-", "PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel 97-2003 (.xls), Word (.doc)"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"{\\rtf", "RTF"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"\x0bMSH", "HL7 v2"),
)
_TEXT = (
    (re.compile(r"(MSH|FHS|BHS)[^A-Za-z0-9\s]"), "HL7 v2"),
    (re.compile(r"H[|~^][~^|\\&]"), "HPRIM Santé"),
    (re.compile(r"[{\[]"), "JSON"),
    (re.compile(r"<(!doctype\s+html|html|table|meta)", re.IGNORECASE), "HTML"),
    (re.compile(r"<"), "XML"),
)
_CLINICAL_DOCUMENT = re.compile(r"<(\w+:)?ClinicalDocument\b")
_HPRIM_MEDECIN = re.compile(r"^\*{4}LAB\*{4}", re.MULTILINE)


def binary_format(content: bytes) -> str | None:
    """The name of a format known by its first bytes."""
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        workbook = b"xl/" in content or b"[Content_Types].xml" in content
        return "Excel (.xlsx)" if workbook else "ZIP"
    return next((name for magic, name in _BINARY if content.startswith(magic)), None)


def text_format(text: str) -> str | None:
    """The name of a text format known by how it begins."""
    head = text[:4096].lstrip()
    if _HPRIM_MEDECIN.search(text[:65536]):
        return "HPRIM Médecin"
    for pattern, name in _TEXT:
        if pattern.match(head):
            return "CDA" if name == "XML" and _CLINICAL_DOCUMENT.search(head) else name
    return None
