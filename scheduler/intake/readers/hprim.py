"""Reads HPRIM Santé 2.1 to 2.4 results (ORU): H, P, OBR, OBX, C, A, L.

HPRIM counts the name of a segment as field 1, so that HPRIM OBX-6 is field 5 of the segment; here fields have the
numbers of the segment, and the names shown to people are HPRIM's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from config.schema import LabFile
from scheduler.domain.reason import because
from scheduler.intake.readers.er7 import Delimiters, Segment, decoded, lines_of, segment_of
from scheduler.intake.readers.observation import Observation
from scheduler.intake.readers.orders import Order, Result, orders_of
from scheduler.intake.readers.reading import Candidate, Fault, FaultError, Reading, Setting
from scheduler.intake.readers.results import Found, check_header, reading_of
from scheduler.intake.shown import shorten

__all__ = ["read_hprim"]

NAMES = {
    "study_id": "P-3, P-4",
    "subject_id": "P-3, P-4",
    "visit": "OBR-14, C-4",
    "timepoint": "OBR-14, C-4",
    "specimen_id": "OBR-3, OBR-4",
    "collected_at": "OBR-8, OBX-15",
    "received_at": "OBR-15",
    "reported_at": "OBR-23, H-14",
    "analyte": "OBX-4",
    "value": "OBX-6",
    "unit": "OBX-7",
    "status": "OBX-12",
    "specimen_quality": "C-4",
    "lloq": "C-4",
    "uloq": "C-4",
    "method": "OBX-18, C-4",
    "matrix": "OBR-16, C-4",
    "replaces": "C-4",
    "laboratory": "H-5",
    "comment": "C-4",
}
_SEGMENTS = frozenset({"H", "P", "AP", "AC", "OBR", "OBX", "C", "A", "L"})
_VERSION = re.compile(r"H?2\.[1-4]")
_IDENTIFYING = (4, 5, 6, 7, 10, 12)  # further number, name, birth name, birth date, address, telephone


def read_hprim(content: bytes, setting: Setting) -> Reading | Fault:
    """The observations of an HPRIM Santé file, or why it is of no use; never raises."""
    if not any(lab.hprim is not None for lab in setting.labs):
        return Fault(because("F-07.unset", format="HPRIM Santé", table="[hprim]"))
    try:
        lines, charset = lines_of(content)
        texts, charset = decoded(lines, "", charset)
        return _read([_message(one, charset) for one in _messages(texts)], charset, setting)
    except FaultError as error:
        return error.fault


def _messages(lines: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """The lines of each message, from its H to its L, continued lines put together."""
    message: list[tuple[int, list[str]]] = []
    for number, text in lines:
        name = re.split(r"[^A-Z]", text, maxsplit=1)[0]
        if name not in _SEGMENTS or (name != "H" and not message):
            raise FaultError("F-15", row=number)
        if name == "H" and message:
            raise FaultError("F-11.open", row=number, segment="L")
        if name == "A":
            message[-1][1].append(text[2:])
            continue
        message.append((number, [text]))
        if name == "L":
            yield [(before, "".join(parts)) for before, parts in message]
            message = []
    if message:
        raise FaultError("F-11.open", row=lines[-1][0], segment="L")


def _message(lines: list[tuple[int, str]], charset: str) -> list[Segment]:
    number, header = lines[0]
    sign = header[1:2]
    marks = Delimiters.declared(number, sign, header[2:].partition(sign)[0] if sign else "")
    segments = []
    for line, text in lines:
        segment = segment_of(line, text, marks, charset)
        if segment.name not in _SEGMENTS:
            raise FaultError("F-15", row=line)
        segments.append(segment)
    return segments


def _read(messages: list[list[Segment]], charset: str, setting: Setting) -> Reading | Fault:
    results = [message for message in messages if message[0].component(6) == "ORU"]
    others = [message for message in messages if message[0].component(6) != "ORU"]
    kinds = ", ".join(sorted({shorten(message[0].component(6), 16) for message in others}))
    if not results:
        return Fault(because("F-16", kind=kinds or "-", expected="ORU"), is_foreign=True)
    found = Found()
    if others:
        found.notes.append(because("F-16.some", kind=kinds, count=len(others)))
    for message in results:
        lab = _sender(message[0], setting)
        accepts_tests = lab is not None and lab.hprim is not None and lab.hprim.accept_test_messages
        check_header(message[0], _VERSION, message[0].component(11).upper(), "H-12", accepts_tests)
        _read_message(message, lab, setting, found)
    return reading_of(found, NAMES, charset, results[0][0].marks.field, "P-3, P-4", complete=True)


def _sender(header: Segment, setting: Setting) -> LabFile | None:
    names = {header.component(4), header.component(4, 2)}
    return next((lab for lab in setting.labs if lab.hprim is not None and lab.hprim.sender in names), None)


def _read_message(message: list[Segment], lab: LabFile | None, setting: Setting, found: Found) -> None:
    for segment in message:
        if segment.name == "P":
            signs = segment.marks.component + segment.marks.repetition + " "
            found.persons |= {f"P-{no + 1}" for no in _IDENTIFYING if segment.whole(no).strip(signs)}
            codes = [segment.component(no).strip() for no in (2, 3)]
            found.persons |= {
                f"P-{no}" for no, code in enumerate(codes, 3) if code and not setting.is_subject(code)
            }
    for order in orders_of(message[1:]):
        found.begin(order)
        for result in order.results:
            found.add(_candidate(message[0], order, result, lab, setting))


def _candidate(
    header: Segment, order: Order, result: Result, lab: LabFile | None, setting: Setting
) -> Candidate:
    row = Observation(result.segment, NAMES, lab, setting)
    own = lab.hprim if lab is not None else None
    types, methods = (own.specimen_types, own.methods) if own is not None else ({}, {})
    _put_subject(row, order.patient.segment)
    row.put(
        "laboratory", "H-5", lab.code if lab is not None else header.component(4) or header.component(4, 2)
    )
    row.put_code(own.code_suffixes if own is not None else {})
    row.put_value()
    row.put_unit()
    row.put_status(order.segment)
    if order.segment is not None:
        row.put("specimen_id", "OBR-3", _number(order.segment, 2) or _number(order.segment, 3))
        row.put("matrix", "OBR-16", types.get(order.segment.component(15), order.segment.component(15)))
    row.put("method", "OBX-18", methods.get(row.segment.component(17), row.segment.component(17)))
    _put_times(row, header, order)
    _put_notes(row, order, result)
    return row.candidate()


def _put_subject(row: Observation, patient: Segment | None) -> None:
    """The subject's code, which HPRIM gives without saying who assigned it: its form must show it."""
    if patient is None:
        return
    codes = [
        code
        for code in (patient.component(2).strip(), patient.component(3).strip())
        if row.setting.is_subject(code)
    ]
    if codes:
        row.cells["study_id"], row.cells["subject_id"] = row.setting.study_id, codes[0]
        if len(set(codes)) > 1:
            row.doubt("R-09.subjects", column="P-3, P-4")


def _number(order: Segment, field: int) -> str:
    return order.component(field).strip() or order.component(field, 2).strip()


def _put_times(row: Observation, header: Segment, order: Order) -> None:
    obx, obr = row.segment, order.segment
    collected = [("OBR-8", obr.component(7))] if obr is not None else []
    row.put_collected([*collected, ("OBX-15", obx.component(14))])
    if obr is not None:
        row.put_time("received_at", [("OBR-15", obr.component(14))])
    reported = [("OBR-23", obr.component(22))] if obr is not None else []
    row.put_time("reported_at", [*reported, ("H-14", header.component(13))])


def _put_notes(row: Observation, order: Order, result: Result) -> None:
    notes = [("OBR-14", order.segment.component(13))] if order.segment is not None else []
    for segment in (*order.patient.notes, *order.notes, *result.notes):
        notes += [("C-4", segment.part(one, 1)) for one in segment.repetitions(3)]
    row.put_notes(notes)
