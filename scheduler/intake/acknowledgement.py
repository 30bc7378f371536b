"""The acknowledgement of an HL7 v2 file: one ACK for each of its messages, for laboratories that want it. Pure.

MSA-1 (HL7 table 0008) is AA (accepted or known), AE (a result is held, or was rejected by a person) or AR (refused).
MSH-16 of a message says which of them it wants (table 0155: AL, NE, ER, SU); when it is empty, all. The commit
acknowledgement for which MSH-15 asks belongs to a connection; of a file there is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.reason import Reason, from_json
from scheduler.domain.speech import Speaker
from scheduler.intake.findings import Severity, State, Verdict, rule_of
from scheduler.intake.readers.er7 import Delimiters, Segment, decoded, segment_of
from scheduler.intake.readers.hl7v2 import sender_of
from scheduler.intake.readers.reading import FaultError
from scheduler.intake.receipts import Speakers
from scheduler.intake.study import IntakeStudy

__all__ = ["acknowledgements"]

_LINES = re.compile(rb"\r\n|\r|\n")
_VERSION = re.compile(r"2\.[3-8](\.[12])?")
_CHARSETS = {"utf-8": "UNICODE UTF-8", "iso8859-1": "8859/1", "iso8859-15": "8859/15", "ascii": "ASCII"}
_WANTED = {"AL": ("AA", "AE", "AR"), "NE": (), "ER": ("AE", "AR"), "SU": ("AA",)}
_MSH_16, _MSH_18 = 16, 17  # the second as a place in the line split at MSH-1
# HL7 table 0357 for the rules that it has a word for.
_SEQUENCE, _REQUIRED, _DATA_TYPE, _NOT_IN_TABLE = (
    f"{code}^HL70357"
    for code in (
        "100^Segment sequence error",
        "101^Required field missing",
        "102^Data type error",
        "103^Table value not found",
    )
)
_CODES = {
    "F-15": _SEQUENCE,
    "F-16": "200^Unsupported message type^HL70357",
    "F-18": "202^Unsupported processing id^HL70357",
    "F-07": "203^Unsupported version id^HL70357",
    "R-01": "204^Unknown key identifier^HL70357",
    "R-11": _REQUIRED,
    "R-15": _REQUIRED,
    "R-10": _DATA_TYPE,
    "R-30": _DATA_TYPE,
    "R-04": _NOT_IN_TABLE,
    "R-05": _NOT_IN_TABLE,
    "R-06": _NOT_IN_TABLE,
    "R-16": _NOT_IN_TABLE,
    "R-41": _NOT_IN_TABLE,
}
_OTHER_CODE = "207^Application internal error^HL70357"  # the table's catch-all
_MOST_TEXT, _MOST_SHORT_TEXT = 250, 80  # ERR-8, MSA-3


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said of one message: MSA-1, the reasons for it, and how many of its held results were settled since."""

    code: str
    reasons: tuple[Reason, ...] = ()
    settled: int = 0


def acknowledgements(
    content: bytes, receipt: Mapping[str, Any], study: IntakeStudy, say: Speakers
) -> bytes | None:
    """The messages that answer a file, from its bytes and its receipt; None when nobody wants any.

    The same file and receipt give the same bytes. A message whose header cannot be read is not answered: nobody could
    tell which one is meant.
    """
    if not any(lab.hl7 is not None and lab.hl7.acknowledge for lab in study.labs.values()):
        return None
    headers = list(_headers(content))
    ends = [header.line for header in headers[1:]]
    made = []
    for no, (header, end) in enumerate(zip_longest(headers, ends), 1):
        lab = sender_of(header, study.setting)
        if lab is None or lab.hl7 is None or not lab.hl7.acknowledge:
            continue
        answer = _answer(header, end, receipt)
        if answer.code in _WANTED.get(header.component(_MSH_16).upper(), _WANTED["AL"]):
            speaker = say.fr if lab.language == "fr" else say.en
            made.append(_ack(header, answer, receipt, no, lab, speaker))
    return b"".join(made) or None


def _headers(content: bytes) -> Iterator[Segment]:
    """The header of every message, also in a file that is refused as a whole."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode()
    for number, framed in enumerate(_LINES.split(content.removeprefix(b"\xef\xbb\xbf")), 1):
        line = framed.lstrip(b"\x0b")
        if not line.startswith(b"MSH") or len(line) < 8:
            continue
        sign = line[3:4].decode("latin-1")
        fields = line.decode("latin-1").split(sign)
        named = fields[_MSH_18].strip() if len(fields) > _MSH_18 else ""
        try:
            marks = Delimiters.declared(number, sign, fields[1])
            texts, charset = decoded([(number, line)], named, None)
        except FaultError:
            continue
        yield segment_of(number, texts[0][1], marks, charset)


def _answer(header: Segment, end: int | None, receipt: Mapping[str, Any]) -> _Answer:
    rows = [row for row in receipt["rows"] if header.line < row["row"] and (end is None or row["row"] < end)]
    reason = from_json(receipt["reason"]) if receipt["reason"] is not None else None
    if receipt["verdict"] == Verdict.QUARANTINED or (not receipt["rows"] and reason is not None):
        return _Answer("AR", (reason,) if reason is not None else ())
    if not rows and header.component(9) not in ("ORU", "OUL"):
        passed_over = (from_json(note) for note in receipt["notes"] if note["code"] == "F-16.some")
        return _Answer("AR", tuple(passed_over))
    told = [
        (row["verdict"], one["severity"], from_json(one["reason"])) for row in rows for one in row["findings"]
    ]
    against = tuple(
        reason
        for verdict, severity, reason in told
        if (verdict == State.HELD and severity == Severity.HOLD) or reason.code == "settled.rejected"
    )
    settled = sum(rule_of(reason) == "settled" for _, _, reason in told)
    return _Answer("AE" if against else "AA", against, settled)


# --- writing


def _ack(
    header: Segment, answer: _Answer, receipt: Mapping[str, Any], no: int, lab: LabFile, speaker: Speaker
) -> bytes:
    """One ACK with the delimiters, version and character set of the message that it answers."""
    marks, version = header.marks, header.component(12)
    version = version if _VERSION.fullmatch(version) else "2.5.1"
    kind = "ACK" if version == "2.3" else marks.component.join(("ACK", header.component(9, 2) or "R01"))
    if version != "2.3":
        kind += f"{marks.component}ACK"  # its structure
    at = datetime.fromisoformat(receipt["received_at"]).astimezone(ZoneInfo(lab.zone))
    number = f"{receipt['sha256'][:12]}-{no}" + (f"-{answer.settled}" if answer.settled else "")
    charset = header.charset if header.charset in _CHARSETS else "utf-8"
    msh = [
        "MSH", header.raw(2), header.raw(5), header.raw(6), header.raw(3), header.raw(4), f"{at:%Y%m%d%H%M%S%z}", "",
        kind, number, header.raw(11) or "P", version, "", "", "", "", "", _CHARSETS[charset],
    ]  # fmt: skip
    msa = ["MSA", answer.code, header.raw(10)]
    errors: list[list[str]] = []
    if tuple(map(int, version.split(".")[:2])) >= (2, 5):
        errors = [_err(reason, marks, speaker) for reason in answer.reasons]
    elif answer.reasons:
        msa.append(_escaped(_sentence(answer.reasons[0], speaker)[:_MOST_SHORT_TEXT], marks))
    lines = (marks.field.join(fields) for fields in (msh, msa, *errors))
    text = "".join(f"{line}\r" for line in lines)
    return _plain(text).encode("ascii", "replace") if charset == "ascii" else text.encode(charset, "replace")


def _err(reason: Reason, marks: Delimiters, speaker: Speaker) -> list[str]:
    """ERR-3 HL7's code, ERR-4 severity, ERR-5 our rule, ERR-8 the sentence."""
    rule = rule_of(reason)
    code = _CODES.get(rule, _OTHER_CODE).replace("^", marks.component)
    sentence = _escaped(_sentence(reason, speaker)[:_MOST_TEXT], marks)
    return ["ERR", "", "", code, "E", _escaped(rule, marks), "", "", sentence]


def _sentence(reason: Reason, speaker: Speaker) -> str:
    return f"{rule_of(reason)}: {speaker.say(reason)}"


def _escaped(text: str, marks: Delimiters) -> str:
    r"""Text with nothing in it that a receiver would take for a delimiter.

    >>> _escaped("a|b^c\\d", Delimiters("|", "^", "~", "\\", "&"))
    'a\\F\\b\\S\\c\\E\\d'
    """
    signs: Sequence[tuple[str, str]] = (
        (marks.field, "F"), (marks.component, "S"), (marks.subcomponent, "T"), (marks.repetition, "R"),
        (marks.escape, "E"), (marks.truncation, "P"),
    )  # fmt: skip
    coded = {sign: f"{marks.escape}{letter}{marks.escape}" for sign, letter in signs if sign}
    return "".join(coded.get(letter, letter if letter.isprintable() else " ") for letter in text)


def _plain(text: str) -> str:
    """The text without accents, for a message in ASCII; its ends of lines stay."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\u202f", " "))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
