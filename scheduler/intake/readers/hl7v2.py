"""Reads HL7 v2.3 to 2.8 result messages, ORU^R01 and OUL^R22: each observation becomes a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from config.schema import Hl7File, LabFile
from scheduler.domain.reason import because
from scheduler.intake.readers.er7 import Delimiters, Segment
from scheduler.intake.readers.messages import Interchange, Message, messages_of
from scheduler.intake.readers.observation import Observation
from scheduler.intake.readers.orders import Order, Result, orders_of, specimen_orders_of
from scheduler.intake.readers.reading import Candidate, Fault, FaultError, Reading, Setting
from scheduler.intake.readers.results import NO_QUALITY, QUALITIES, Found, check_header, reading_of
from scheduler.intake.shown import shorten

__all__ = ["read_hl7", "sender_of"]

NAMES = {
    "study_id": "PID-3",
    "subject_id": "PID-3",
    "visit": "OBR-13, NTE-3",
    "timepoint": "OBR-13, NTE-3",
    "specimen_id": "SPM-2, OBR-3",
    "collected_at": "SPM-17, OBR-7, OBX-14",
    "received_at": "SPM-18, OBR-14",
    "reported_at": "OBX-19, OBR-22, MSH-7",
    "analyte": "OBX-3",
    "value": "OBX-5",
    "unit": "OBX-6",
    "status": "OBX-11",
    "specimen_quality": "SPM-24, SPM-21",
    "lloq": "NTE-3",
    "uloq": "NTE-3",
    "method": "OBX-17",
    "matrix": "SPM-4, OBR-15",
    "replaces": "NTE-3",
    "laboratory": "MSH-3, MSH-4",
    "comment": "NTE-3",
}
_RESULTS = frozenset({("ORU", "R01"), ("OUL", "R22")})
_VERSION = re.compile(r"2\.(3(\.1)?|4|5(\.1)?|6|7(\.1)?|8(\.[12])?)")
# PID fields that say who somebody is; PID-2 and PID-4 are other numbers of the patient.
_IDENTIFYING = (2, 4, 5, 6, 7, 9, 11, 13, 14, 19, 20)


def read_hl7(content: bytes, setting: Setting) -> Reading | Fault:
    """The observations of every result message of a file, or why it is of no use; never raises."""
    if not any(lab.hl7 is not None for lab in setting.labs):
        return Fault(because("F-07.unset", format="HL7 v2", table="[hl7]"))
    try:
        return _read(messages_of(content, _RESULTS), setting)
    except FaultError as error:
        return error.fault


def _read(interchange: Interchange, setting: Setting) -> Reading | Fault:
    results = [message for message in interchange.messages if message.kind in _RESULTS]
    others = [message for message in interchange.messages if message.kind not in _RESULTS]
    kinds = ", ".join(sorted({shorten("^".join(message.kind), 16) for message in others}))
    if not results:
        expected = "ORU^R01, OUL^R22"
        return Fault(because("F-16", kind=kinds or "-", expected=expected), is_foreign=True)
    found = Found()
    if others:
        found.notes.append(because("F-16.some", kind=kinds, count=len(others)))
    for message in results:
        lab = sender_of(message.header, setting)
        accepts_tests = lab is not None and lab.hl7 is not None and lab.hl7.accept_test_messages
        check_header(message.header, _VERSION, message.header.component(11).upper(), "MSH-11", accepts_tests)
        _read_message(message, lab, setting, found)
    where = f"PID-3 ({', '.join(sorted(_authorities(setting)))})"
    delimiter = results[0].header.marks.field
    return reading_of(found, NAMES, interchange.charset, delimiter, where, interchange.complete)


def sender_of(header: Segment, setting: Setting) -> LabFile | None:
    """The laboratory whose application and facility the header names."""
    for lab in setting.labs:
        if lab.hl7 is None:
            continue
        application = lab.hl7.sending_application
        if lab.hl7.sending_facility in _parts(header, 4) and (
            not application or application in _parts(header, 3)
        ):
            return lab
    return None


def _parts(segment: Segment, number: int) -> tuple[str, str]:
    """The two names that a field of type HD may go by."""
    return segment.component(number), segment.component(number, 2)


def _read_message(message: Message, lab: LabFile | None, setting: Setting, found: Found) -> None:
    authorities = _authorities(setting)
    for segment in message.segments:
        if segment.name == "PID":
            found.persons |= set(_identifying(segment, authorities))
        elif segment.name in ("NK1", "GT1", "IN1", "IN2"):
            found.persons.add(segment.name)
    orders = orders_of if message.kind[0] == "ORU" else specimen_orders_of
    for order in orders(message.segments):
        found.begin(order)
        for result in order.results:
            found.add(_candidate(message, order, result, lab, setting))


def _authorities(setting: Setting) -> set[str]:
    return {lab.hl7.subject_authority for lab in setting.labs if lab.hl7 is not None}


def _identifying(patient: Segment, authorities: set[str]) -> Iterator[str]:
    yield from (f"PID-{number}" for number in _IDENTIFYING if patient.whole(number).strip("^~& "))
    if any(authorities.isdisjoint(_authority(patient, one)) for one in patient.repetitions(3)):
        yield "PID-3"


def _authority(patient: Segment, identifier: str) -> set[str]:
    """The assigning authority of an identifier by its name and its universal identifier, as far as given."""
    marks = patient.marks
    components = identifier.split(marks.component)
    parts = components[3].split(marks.subcomponent or "\0")[:2] if len(components) > 3 else []
    return {part for part in parts if part and part != '""'}


def _candidate(
    message: Message, order: Order, result: Result, lab: LabFile | None, setting: Setting
) -> Candidate:
    row = Observation(result.segment, NAMES, lab, setting)
    own = lab.hl7 if lab is not None else None
    _put_subject(row, order.patient.segment, setting)
    facility, application = message.header.component(4), message.header.component(3)
    row.put("laboratory", "MSH-4", lab.code if lab is not None else f"{application} {facility}")
    row.put_code(own.code_suffixes if own is not None else {})
    row.put_value()
    row.put_unit()
    row.put_status(order.segment)
    _put_specimen(row, order, own)
    _put_times(row, message.header, order)
    _put_notes(row, order, result, own)
    return row.candidate()


def _put_subject(row: Observation, patient: Segment | None, setting: Setting) -> None:
    """The subject by the identifier of the study's authority. A subject's code anywhere else is not enough."""
    if patient is None:
        return
    authorities = _authorities(setting)
    identifiers = _identifiers(patient.raw(3), patient.marks, patient.charset)
    codes = {code for authority, code in identifiers if authority & authorities and code}
    elsewhere = [code for authority, code in identifiers if not authority]
    elsewhere += [patient.component(2).strip(), patient.component(4).strip()]
    unproven = [code for code in elsewhere if setting.is_subject(code)]
    if codes:
        row.cells["study_id"] = setting.study_id
        row.cells["subject_id"] = min(codes)
        if len(codes) > 1:
            row.doubt("R-09.subjects", column="PID-3")
    elif unproven:
        row.cells["study_id"] = setting.study_id
        row.cells["subject_id"] = unproven[0]
        row.doubt("R-09.authority", column="PID-3", expected=", ".join(sorted(authorities)))


@lru_cache(maxsize=8)
def _identifiers(raw: str, marks: Delimiters, charset: str) -> tuple[tuple[frozenset[str], str], ...]:
    """The identifiers of PID-3 with their authorities; looked at once for all results of a patient."""
    patient = Segment(0, "PID", ["", "", "", raw], marks, charset)
    given = patient.repetitions(3)
    return tuple((frozenset(_authority(patient, one)), patient.part(one, 1).strip()) for one in given)


def _put_specimen(row: Observation, order: Order, own: Hl7File | None) -> None:
    obr = order.segment
    if len(order.specimens) > 1:
        row.doubt("R-09.specimens", count=len(order.specimens))
    spm = order.specimens[0] if order.specimens else None
    types = own.specimen_types if own is not None else {}
    methods = own.methods if own is not None else {}
    number = (spm.component(2, 2) or spm.component(2)) if spm is not None else ""
    row.put("specimen_id", "SPM-2", number or (obr.component(3) if obr is not None else ""))
    if spm is not None:
        row.put("matrix", "SPM-4", types.get(spm.component(4), spm.component(4)))
        for field in (24, 21):
            for one in spm.repetitions(field):
                code = spm.part(one, 1).strip()
                if code not in NO_QUALITY:
                    row.put("specimen_quality", f"SPM-{field}", QUALITIES.get(code, code))
    elif obr is not None:
        row.put("matrix", "OBR-15", types.get(obr.component(15), obr.component(15)))
    method = row.segment.component(17)
    row.put("method", "OBX-17", methods.get(method, method))


def _put_times(row: Observation, header: Segment, order: Order) -> None:
    def given(*places: tuple[Segment | None, str, int]) -> list[tuple[str, str]]:
        return [
            (f"{name}-{no}", segment.component(no)) for segment, name, no in places if segment is not None
        ]

    obx, obr = row.segment, order.segment
    spm = order.specimens[0] if order.specimens else None
    row.put_collected(given((spm, "SPM", 17), (obr, "OBR", 7), (obx, "OBX", 14)))
    row.put_time("received_at", given((spm, "SPM", 18), (obr, "OBR", 14)))
    row.put_time("reported_at", given((obx, "OBX", 19), (obr, "OBR", 22), (header, "MSH", 7)))


def _put_notes(row: Observation, order: Order, result: Result, own: Hl7File | None) -> None:
    """Visit and sampling time from where they are named; every other word of the notes is comment."""
    if own is not None and own.visit_field is not None:
        row.put("visit", own.visit_field, _visit_text(order, own.visit_field))
    notes = [("OBR-13", order.segment.component(13))] if order.segment is not None else []
    for segment in (*order.patient.notes, *order.notes, *result.notes):
        notes += [("NTE-3", segment.part(one, 1)) for one in segment.repetitions(3)]
    row.put_notes(notes)


def _visit_text(order: Order, place: str) -> str:
    name, _, number = place.partition("-")
    segments = {
        "PV1": order.patient.visit,
        "ORC": order.common,
        "OBR": order.segment,
        "SPM": order.specimens[0] if order.specimens else None,
    }
    segment = segments[name]
    return segment.component(int(number)) if segment is not None else ""
