"""Finds the messages of an HL7 v2 file: each alone, batches counted, every line a segment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scheduler.intake.readers.er7 import Delimiters, Line, Segment, decoded, lines_of, segment_of
from scheduler.intake.readers.reading import FaultError

__all__ = ["Interchange", "Message", "messages_of"]

_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}")
_COUNT = re.compile(r"[0-9]{1,6}")
_HEADERS = (b"MSH", b"FHS", b"BHS")
_TRAILERS = (b"BTS", b"FTS")
_MSH_9, _MSH_18 = 8, 17  # their places when the line is split at MSH-1

# The segments of the two result messages in versions 2.3 to 2.8. A line that begins with another name was wrapped.
_RESULT_SEGMENTS = frozenset(
    {
        "PID", "PD1", "PDA", "NK1", "PV1", "PV2", "ROL", "ACC", "AL1", "DG1", "DRG", "GT1", "IN1", "IN2", "IN3", "ARV",
        "ORC", "OBR", "NTE", "TQ1", "TQ2", "CTD", "CTI", "DSC", "FT1", "BLG", "OBX", "TCD", "SID", "PRT",
        "SPM", "SAC", "INV", "SFT", "UAC", "OH1", "OH2", "OH3", "OH4",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its header, then its segments in order. Nothing of another message is among them."""

    header: Segment
    segments: tuple[Segment, ...]

    @property
    def kind(self) -> tuple[str, str]:
        """Type and event, as ("ORU", "R01")."""
        event = self.header.component(9, 2) or self.header.component(9, 3).partition("_")[2]
        return self.header.component(9), event


@dataclass(frozen=True, slots=True)
class Interchange:
    """The messages of a file. `complete` when a trailer proves that none is missing."""

    messages: tuple[Message, ...]
    charset: str
    complete: bool


def messages_of(content: bytes, results: frozenset[tuple[str, str]]) -> Interchange:
    """The messages of a file; of those that are no `results` only the form of the lines is looked at.

    Raises FaultError for a cut file, a count that does not fit, a line that is no segment.
    """
    lines, charset = lines_of(content)
    batch = _Batch()
    groups: list[list[Line]] = []
    for line in lines:
        name = _name(line, groups)
        if name in _HEADERS[1:] or name in _TRAILERS:
            batch.note(line, name, _delimiters(line) if name in _HEADERS else None)
        elif name == b"MSH":
            batch.message(line)
            groups.append([line])
        elif not groups or batch.is_closed:
            raise FaultError("F-15", row=line[0])
        else:
            groups[-1].append(line)
    batch.finish(lines[-1][0] if lines else 1)
    messages = tuple(_message(group, charset, results) for group in groups)
    first = messages[0].header.charset if messages else charset or "ascii"
    return Interchange(messages, first, batch.is_proof)


def _name(line: Line, groups: list[list[Line]]) -> bytes:
    """The name of the segment that a line is, its separator being that of its message."""
    number, content = line
    name, sign = content[:3], content[3:4]
    if _NAME.fullmatch(name) is None:
        raise FaultError("F-15", row=number)
    if name in _HEADERS:
        return name
    if name in _TRAILERS:
        if sign.isalnum():
            raise FaultError("F-15", row=number)
        return name
    if not sign or not groups or sign != groups[-1][0][1][3:4]:
        raise FaultError("F-15", row=number)
    return name


def _delimiters(line: Line) -> Delimiters:
    number, content = line
    sign = content[3:4].decode("latin-1")
    return Delimiters.declared(number, sign, content[4:].decode("latin-1").partition(sign)[0] if sign else "")


def _message(lines: list[Line], charset: str | None, results: frozenset[tuple[str, str]]) -> Message:
    marks = _delimiters(lines[0])
    fields = lines[0][1].decode("latin-1").split(marks.field)
    named = fields[_MSH_18].partition(marks.repetition)[0].strip() if len(fields) > _MSH_18 else ""
    texts, read_as = decoded(lines, named, charset)
    header, *segments = (segment_of(number, text, marks, read_as) for number, text in texts)
    message = Message(header, tuple(segments))
    if message.kind in results:
        for segment in segments:
            if segment.name not in _RESULT_SEGMENTS and not segment.name.startswith("Z"):
                raise FaultError("F-15", row=segment.line)
    return message


@dataclass(slots=True)
class _Batch:
    """Follows FHS, BHS, BTS and FTS. What they announce binds; what is opened must be closed."""

    opened: list[bytes] = field(default_factory=list)
    separator: str = "|"
    messages: int = 0
    batches: int = 0
    last: bytes = b""
    wrapped: bool = False  # the file began with FHS

    @property
    def is_closed(self) -> bool:
        """Whether the last thing was a trailer or a header of a batch, after which only a message may follow."""
        return self.last != b"MSH"

    @property
    def is_proof(self) -> bool:
        return self.last == (b"FTS" if self.wrapped else b"BTS")

    def message(self, line: Line) -> None:
        if self.last == b"FTS" or (self.last == b"BTS" and not self.opened and not self.wrapped):
            raise FaultError("F-11.after", row=line[0])
        self.messages += 1
        self.last = b"MSH"

    def note(self, line: Line, name: bytes, marks: Delimiters | None) -> None:
        number, content = line
        if self.last == b"FTS":
            raise FaultError("F-11.after", row=number)
        if marks is not None:
            self._open(number, name, marks)
        else:
            self._close(number, name, content)
        self.last = name

    def _open(self, number: int, name: bytes, marks: Delimiters) -> None:
        nested = self.opened[-1:] == [b"BHS"] or (name == b"FHS" and self.last != b"")
        loose = name == b"BHS" and not self.opened and self.last == b"MSH"
        if nested or loose:
            raise FaultError("F-11.batch", row=number, segment=name.decode())
        self.wrapped = self.wrapped or name == b"FHS"
        self.separator = marks.field
        self.opened.append(name)
        if name == b"BHS":
            self.messages = 0

    def _close(self, number: int, name: bytes, content: bytes) -> None:
        if self.opened[-1:] != [b"BHS" if name == b"BTS" else b"FHS"]:
            raise FaultError("F-11.batch", row=number, segment=name.decode())
        self.opened.pop()
        parts = content.decode("latin-1").split(self.separator)
        said = parts[1].strip() if len(parts) > 1 else ""
        found = self.messages if name == b"BTS" else self.batches or 1
        if said and (not _COUNT.fullmatch(said) or int(said) != found):
            raise FaultError("F-11.count", row=number, said=said[:24], found=found)
        self.batches += name == b"BTS"

    def finish(self, last_line: int) -> None:
        if self.opened:
            segment = self.opened[-1].replace(b"HS", b"TS").decode()
            raise FaultError("F-11.open", row=last_line, segment=segment)
