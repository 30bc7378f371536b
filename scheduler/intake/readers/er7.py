"""Splits what HL7 v2 and HPRIM Santé write: lines into segments, segments into fields, fields into texts.

Strict where the common libraries are not: every line must be a segment, the delimiters are those that the header
declares and no others, and characters must be what they are said to be.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from functools import lru_cache

from scheduler.intake.readers.reading import FaultError

__all__ = ["MAX_LINES", "Delimiters", "Line", "Segment", "decoded", "lines_of", "segment_of", "unescape"]

Line = tuple[int, bytes]  # number in the file, counted from 1, and content without its end

# The character sets that MSH-18 may name (HL7 table 0211, with one alias in wide use) and Python's names.
_CHARSETS = {
    "ASCII": "ascii",
    "8859/1": "iso8859-1",
    "8859/15": "iso8859-15",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
}
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]")
# A result has some ten lines, so that this is far more than the results that a file may have.
MAX_LINES = 100_000
_MAX_REPETITIONS = 10_000  # of the fields of one segment
_DECLARED = range(3, 6)  # component, repetition, escape; subcomponent; truncation (2.7)
_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The signs that a header declares; one that it does not declare is empty and divides nothing."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str = ""
    truncation: str = ""

    @classmethod
    def declared(cls, line: int, field: str, signs: str) -> Delimiters:
        """The delimiters in the order of the declaration. Raises FaultError when they cannot be told apart."""
        every = field + signs
        usable = all(sign.isprintable() and sign.isascii() and not sign.isalnum() for sign in every)
        if len(signs) not in _DECLARED or len(set(every)) < len(every) or not usable or " " in every:
            raise FaultError("F-15.delimiters", row=line)
        return cls(field, *signs)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. Fields are numbered as HL7 does: 0 is the name; a field that is not there is empty."""

    line: int
    name: str
    fields: list[str]
    marks: Delimiters
    charset: str

    def raw(self, number: int) -> str:
        """A field as it stands; the explicit null `""` is empty."""
        raw = self.fields[number] if number < len(self.fields) else ""
        return "" if raw == '""' else raw

    def whole(self, number: int) -> str:
        """The text of a field that is not divided."""
        return unescape(self.raw(number), self.marks, self.charset)

    def repetitions(self, number: int) -> list[str]:
        """The repetitions of a field as they stand."""
        raw = self.raw(number)
        return raw.split(self.marks.repetition) if raw else []

    def component(self, number: int, component: int = 1) -> str:
        """The text of a component of the first repetition, of its first part when it is divided again."""
        raw = self.raw(number)
        return self.part(raw.partition(self.marks.repetition)[0], component) if raw else ""

    def part(self, raw: str, component: int) -> str:
        """The text of a component of a repetition as it stands."""
        components = raw.split(self.marks.component)
        if component > len(components):
            return ""
        part = components[component - 1]
        if self.marks.subcomponent:
            part = part.partition(self.marks.subcomponent)[0]
        return "" if part == '""' else unescape(part, self.marks, self.charset)


def lines_of(content: bytes) -> tuple[list[Line], str | None]:
    """The lines that hold something, and the character set when a byte order mark decides it.

    Raises FaultError when the last line has no end, or a transport frame is not closed: the file was cut; and when
    there are too many lines to be looked at in reasonable time and memory.
    """
    charset = None
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        content, charset = _from_utf16(content), "utf-8"
    elif content.startswith(BOM_UTF8):
        content, charset = content[len(BOM_UTF8) :], "utf-8"
    framed = content.count(b"\x0b") or content.count(b"\x1c")
    content = content.replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    if content.count(b"\r") > MAX_LINES:
        raise FaultError("F-04.lines", limit=MAX_LINES)
    found = content.split(b"\r")
    if found[-1].strip(b"\x1c"):
        raise FaultError("F-11.segment", row=len(found))
    if framed and content.count(b"\x0b") != content.count(b"\x1c"):
        raise FaultError("F-11.frame")
    lines = [(number, line.lstrip(b"\x0b").rstrip(b"\x1c")) for number, line in enumerate(found, 1)]
    return [(number, line) for number, line in lines if line.strip()], charset


def _from_utf16(content: bytes) -> bytes:
    try:
        return content.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise FaultError("F-08") from error


def decoded(lines: list[Line], named: str, charset: str | None) -> tuple[list[tuple[int, str]], str]:
    """The lines as text, and how they were read: as a byte order mark says, as the message says, else UTF-8 or
    Windows-1252. Raises FaultError when they are not what they are said to be."""
    if charset is None and named:
        charset = _CHARSETS.get(named.upper())
        if charset is None:
            raise FaultError("F-08.charset", text=named[:24])
    joined = b"\r".join(line for _, line in lines)
    for candidate in (charset,) if charset is not None else ("utf-8", "cp1252"):
        try:
            text = joined.decode(candidate)
        except UnicodeDecodeError:
            continue
        if _UNREADABLE.search(text.replace("\r", "")):
            break
        return [(number, part) for (number, _), part in zip(lines, text.split("\r"), strict=True)], candidate
    raise FaultError("F-08.declared" if named else "F-08")


def segment_of(line: int, text: str, marks: Delimiters, charset: str) -> Segment:
    """The segment that a line is; HL7 headers are counted with their first sign as field 1.

    Raises FaultError for more repetitions than any laboratory sends.
    """
    if text.count(marks.repetition) > _MAX_REPETITIONS:
        raise FaultError("F-04.repetitions", row=line, limit=_MAX_REPETITIONS)
    fields = text.split(marks.field)
    if fields[0] in ("MSH", "FHS", "BHS"):
        fields.insert(1, marks.field)
    return Segment(line, fields[0], fields, marks, charset)


def unescape(text: str, marks: Delimiters, charset: str = "utf-8") -> str:
    r"""The text that escape sequences stand for. A sequence that is not known stays as it stands.

    >>> marks = Delimiters("|", "^", "~", "\\", "&")
    >>> unescape(r"mg\T\L\F\ \X41\ a\.br\b", marks)
    'mg&L| A a\nb'
    """
    if marks.escape not in text:
        return text
    pattern, known = _sequences(marks)

    def meaning(match: re.Match[str]) -> str:
        inner = match[1]
        if inner in known:
            return known[inner]
        coded = _HEX.fullmatch(inner)
        if coded is None:
            return match[0]
        try:
            return bytes.fromhex(coded[1]).decode(charset)
        except UnicodeDecodeError:
            return match[0]

    return pattern.sub(meaning, text)


@lru_cache(maxsize=32)
def _sequences(marks: Delimiters) -> tuple[re.Pattern[str], dict[str, str]]:
    sign = re.escape(marks.escape)
    known = {
        "F": marks.field,
        "S": marks.component,
        "T": marks.subcomponent,
        "R": marks.repetition,
        "E": marks.escape,
        "P": marks.truncation,
        "H": "",  # highlighted text begins
        "N": "",  # and ends
        ".br": "\n",
        ".sp": "\n",
    }
    return re.compile(f"{sign}([^{sign}]*){sign}"), known
