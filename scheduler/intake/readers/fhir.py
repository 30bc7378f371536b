"""Reads FHIR R4, R4B and R5 in JSON: each observation of a resource or bundle becomes a row.

Nothing of a resource is believed for its position alone: a subject, a specimen, a laboratory is what an identifier of
the configured system says, in the resource itself or in the one that it refers to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from config.schema import LabFile
from scheduler.domain.reason import because
from scheduler.intake.readers.fhir_element import Element
from scheduler.intake.readers.fhir_file import Resource, ResourceFile, file_of
from scheduler.intake.readers.fhir_result import NAMES, FhirRow
from scheduler.intake.readers.fhir_source import Source
from scheduler.intake.readers.json_text import parse_json
from scheduler.intake.readers.reading import Fault, FaultError, Reading, Setting
from scheduler.intake.readers.results import Found, reading_of
from scheduler.intake.shown import shorten

__all__ = ["read_fhir"]

_EXPECTED = "Observation, DiagnosticReport, Bundle"
_IDENTIFYING = ("name", "birthDate", "telecom", "address", "photo", "contact", "text")
_TEST = "HTEST"


def read_fhir(content: bytes, setting: Setting) -> Reading | Fault:
    """The observations of a FHIR file, or why it is of no use; never raises."""
    try:
        file = file_of(parse_json(content))
        if not any(lab.fhir is not None for lab in setting.labs):
            return Fault(because("F-07.unset", format="FHIR", table="[fhir]"))
        return _read(file, setting)
    except FaultError as error:
        return error.fault


def _read(file: ResourceFile, setting: Setting) -> Reading | Fault:
    observations = list(file.of_kind("Observation", ""))
    reports = _reports(file)
    if not observations and not reports.named:
        kinds = ", ".join(sorted({shorten(one.kind, 24) for one in file.resources})[:4])
        return Fault(because("F-16", kind=kinds or "-", expected=_EXPECTED), is_foreign=True)
    found = Found(persons=_persons(file, setting))
    rows: list[_Row] = []
    for one in observations:
        source = Source(file, one, reports.of[one], setting)
        for part in _parts(source):
            rows.append(_row(source, part, len(rows) + 1))
            found.charge(source.faults.read + len(source.faults), len(rows))
            source.faults.read = 0
    _refuse_tests(file, [row.lab for row in rows])
    _place_unproven(rows, setting)
    for row in rows:
        found.add(row.candidate())
    if reports.missing:
        found.notes.append(because("F-11.reference", count=reports.missing))
    if file.deletions:
        found.notes.append(because("F-16.deletions", count=file.deletions))
    where = f"Patient.identifier ({', '.join(sorted(_subject_systems(setting)))})"
    reading = reading_of(found, NAMES, "utf-8", "", where, complete=True)
    if isinstance(reading, Reading) and _has_more_pages(file):
        note = because("F-11.page", rows=len(reading.candidates))
        return replace(reading, complete=False, notes=(*reading.notes, note))
    return reading


def _has_more_pages(file: ResourceFile) -> bool:
    return any(link.string("relation") == "next" for link in file.bundle.children("link"))


def _subject_systems(setting: Setting) -> set[str]:
    return {lab.fhir.subject_system for lab in setting.labs if lab.fhir is not None}


# --- the file


@dataclass(slots=True)
class _Reports:
    """Which reports hold which observation, how many results they name, and how many of these are not there."""

    of: dict[Resource, list[Resource]] = field(default_factory=lambda: defaultdict(list))
    named: int = 0
    missing: int = 0


def _reports(file: ResourceFile) -> _Reports:
    found = _Reports()
    contained: dict[Resource, list[Resource]] = defaultdict(list)
    for one in file.of_kind("Observation"):
        if one.container is not None:
            contained[one.container].append(one)
    for report in file.of_kind("DiagnosticReport"):
        members = dict.fromkeys(contained.get(report, ()))
        for result in report.element([]).children("result"):
            found.named += 1
            observation = file.find(result.string("reference"), report)
            if observation is None:
                found.missing += 1
            else:
                members[observation] = None
        for member in members:
            found.of[member].append(report)
    return found


def _persons(file: ResourceFile, setting: Setting) -> set[str]:
    """The fields of the file that say who somebody is."""
    found = {one.kind for one in file.of_kind("RelatedPerson")}
    for patient in file.of_kind("Patient"):
        found |= {f"Patient.{name}" for name in _IDENTIFYING if patient.data.get(name)}
        for identifier in patient.element([]).children("identifier"):
            value, system = identifier.string("value"), identifier.string("system")
            if system not in _subject_systems(setting) and not setting.is_subject(value):
                found.add("Patient.identifier")
    for observation in file.of_kind("Observation"):
        subject = observation.element([]).child("subject")
        if subject.string("display") and not setting.is_subject(subject.string("display")):
            found.add("Observation.subject.display")
    return found


def _refuse_tests(file: ResourceFile, labs: Iterable[LabFile | None]) -> None:
    """Raises FaultError for a file with the mark of a test, unless all its laboratories may send some."""
    if all(lab is not None and lab.fhir is not None and lab.fhir.accept_test_messages for lab in labs):
        return
    for element in (file.bundle, *(one.element([]) for one in file.resources)):
        meta = element.child("meta")
        for mark in (*meta.children("tag"), *meta.children("security")):
            if mark.string("code") == _TEST:
                raise FaultError("F-18.fhir", column=mark.path, text=_TEST)


def _place_unproven(rows: Iterable[_Row], setting: Setting) -> None:
    """Rows of an unknown subject are held when others of the file are of the study; alone they prove nothing."""
    rows = list(rows)
    if any(row.cells.get("study_id") for row in rows):
        for row in rows:
            if row.is_unproven:
                row.cells["study_id"] = setting.study_id


# --- one observation


class _Row(FhirRow):
    """A row, and whether nothing in the file says whose it is."""

    is_unproven = False


def _parts(source: Source) -> Iterator[Element]:
    """What holds a value of its own: the observation, and each of its components."""
    observation = source.element
    components = observation.children("component")
    if not components or any(observation.choice("value")):
        yield observation
    yield from components


def _row(source: Source, part: Element, no: int) -> _Row:
    """The row of an observation or of a component of it, which has a code and a value of its own and nothing else."""
    observation = source.element
    row = _Row(no, NAMES, source.laboratory, source.setting)
    if not source.resource.kind:
        row.is_unproven = True
        row.doubt("F-15.entry")
        return row
    row.refuse_modifiers(observation, *([part] if part.path != observation.path else []))
    _put_subject(row, source)
    _put_laboratory(row, source)
    row.put_code(part.child("code"))
    row.put_extensions(observation)
    _put_encounter(row, source, observation)
    row.put_value(part)
    row.put_status(observation.string("status"), [one.string("status") for one in source.report_elements])
    row.put_method(observation.child("method"))
    specimen = _put_specimen(row, source)
    row.put_collected(
        [*row.moments(specimen.child("collection"), "collected"), *row.moments(observation, "effective")]
    )
    row.put_time("received_at", [(f"{specimen.path}.receivedTime", specimen.string("receivedTime"))])
    meta = observation.child("meta")
    times = [
        ("Observation.issued", observation.string("issued")),
        (f"{meta.path}.lastUpdated", meta.string("lastUpdated")),
    ]
    row.put_time("reported_at", times)
    row.put_notes(_notes(source, part, specimen))
    for path in dict.fromkeys(source.faults):
        row.doubt("F-15.shape", column=path)
    return row


def _notes(source: Source, part: Element, specimen: Element) -> Iterator[tuple[str, str]]:
    for element in (source.element, specimen):
        for note in element.children("note"):
            yield note.path, note.string("text")
    reason = part.child("dataAbsentReason")
    if reason.children("coding"):
        yield reason.path, reason.string("text")
    for report in source.report_elements:
        yield f"{report.path}.conclusion", report.string("conclusion")


def _put_subject(row: _Row, source: Source) -> None:
    """The subject by the identifier of the study's system, in the reference or in the patient."""
    subject = source.own_or_reported("subject")
    patient = next(filter(None, (source.target(subject, "Patient", one) for one in _origins(source))), None)
    identifiers = [
        subject.child("identifier"),
        *(patient.children("identifier") if patient is not None else []),
    ]
    given = [(one.string("system"), one.string("value")) for one in identifiers if one]
    searched = _searched(subject.string("reference"))
    if searched is not None:
        given.append(searched)
    systems = _subject_systems(source.setting)
    codes = {value for system, value in given if system in systems and value}
    unproven = [value for system, value in given if not system and source.setting.is_subject(value)]
    if codes:
        row.cells["study_id"], row.cells["subject_id"] = source.setting.study_id, min(codes)
        if len(codes) > 1:
            row.doubt("R-09.subjects", column="Patient.identifier")
    elif unproven:
        row.cells["study_id"], row.cells["subject_id"] = source.setting.study_id, unproven[0]
        row.doubt("R-09.authority", column="Patient.identifier", expected=", ".join(sorted(systems)))
    elif not given:
        row.is_unproven = True
        row.doubt("R-09.reference", column="Observation.subject", text=shorten(subject.string("reference")))


def _origins(source: Source) -> Iterator[Resource]:
    """Where a reference may start: the observation, or a report that it was taken from."""
    yield source.resource
    yield from source.reports


def _searched(reference: str) -> tuple[str, str] | None:
    """System and value of a reference by search, as `Patient?identifier=urn:x|42`."""
    head, _, query = reference.partition("?identifier=")
    system, sign, value = unquote(query).partition("|")
    return (system, value) if head == "Patient" and sign else None


def _put_specimen(row: _Row, source: Source) -> Element:
    """The specimen, empty when there is none; one that is named and not there holds the row."""
    reference = source.element.child("specimen")
    origin = source.resource
    if not reference:
        shared = [
            (one, ref) for one in source.reports for ref in one.element(source.faults).children("specimen")
        ]
        if len(shared) > 1:
            row.doubt("R-09.specimens", count=len(shared))
        elif shared:
            origin, reference = shared[0]
    specimen = source.target(reference, "Specimen", origin)
    if specimen is not None:
        row.refuse_modifiers(specimen)
        row.put_specimen(specimen)
    elif reference.string("reference"):
        row.doubt("R-09.reference", column=reference.path, text=shorten(reference.string("reference")))
    if reference.child("identifier"):
        row.put_specimen_number([reference.child("identifier")], Element({}, reference.path, source.faults))
    return specimen if specimen is not None else Element({}, "Specimen", source.faults)


def _put_encounter(row: _Row, source: Source, observation: Element) -> None:
    reference = observation.child("encounter")
    encounter = source.target(reference, "Encounter")
    identifiers = encounter.children("identifier") if encounter is not None else []
    row.put_encounter([*filter(None, [reference.child("identifier")]), *identifiers])


def _put_laboratory(row: _Row, source: Source) -> None:
    named = next((name for names in source.performers() for name in names), "")
    row.put("laboratory", row.names["laboratory"], row.lab.code if row.lab is not None else named)
