"""Writes the rows of the study's layout as FHIR resources, in the ways that laboratory systems bundle them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from intake_cases import a_study, lab_file
from message_cases import DOTTED, notes_of

from scheduler.intake.study import IntakeStudy

Row = Mapping[str, str]
Resource = dict[str, Any]
SUBJECT_SYSTEM, VISIT, POINT = "urn:mpa-auc:subject", "urn:mpa-auc:visit", "urn:mpa-auc:timepoint"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_STATUS = {"P": "preliminary", "F": "final", "C": "corrected", "W": "entered-in-error", "X": "cancelled"}
_SIGNS = (("<", "<"), (">", ">"))


class Exactly(str):
    """A number that is written as it was given, with its zeros."""

    __slots__ = ()


def to_bytes(resource: object, **form: Any) -> bytes:
    """JSON with the zeros of `Exactly` kept."""
    marked = json.dumps(_marked(resource), ensure_ascii=False, **form)
    for text in sorted(_numbers(resource), key=len, reverse=True):
        marked = marked.replace(f'"\\u0001{text}\\u0001"', text)
    return marked.encode()


def _marked(value: object) -> object:
    if isinstance(value, Exactly):
        return f"\x01{value}\x01"
    if isinstance(value, dict):
        return {name: _marked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one) for one in value]
    return value


def _numbers(value: object) -> set[str]:
    if isinstance(value, Exactly):
        return {str(value)}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for one in inner for text in _numbers(one)}


def moment(text: str) -> str:
    """15/01/2026 07:55 in Paris as 2026-01-15T07:55:00+01:00."""
    day, _, clock = text.partition(" ")
    return f"{'-'.join(reversed(day.split('/')))}T{clock}:00+01:00" if text else ""


def quantity(text: str, unit: str) -> dict[str, Any]:
    """`<0.1` or `1.85` as the element of an Observation that holds it; other texts as valueString."""
    sign = next((sign for start, sign in _SIGNS if text.startswith(start)), "")
    number = text.removeprefix(sign)
    if not number.replace(".", "", 1).lstrip("-").isdigit():
        return {"valueString": text} if text else {"dataAbsentReason": {"coding": [{"code": "unknown"}]}}
    value: dict[str, Any] = {"value": Exactly(number)}
    if sign:
        value["comparator"] = sign
    if unit:
        value |= {"unit": unit, "system": UCUM, "code": unit.replace("µ", "u")}
    return {"valueQuantity": value}


def patient(row: Row, no: int = 1) -> Resource:
    return {
        "resourceType": "Patient",
        "id": f"p{no}",
        "identifier": [{"system": SUBJECT_SYSTEM, "value": row["subject_id"]}],
    }


def specimen(row: Row, no: int) -> Resource:
    made: Resource = {
        "resourceType": "Specimen",
        "id": f"s{no}",
        "identifier": [{"value": row["specimen_id"]}],
        "collection": {"collectedDateTime": moment(row["collected_at"])},
    }
    if row["matrix"]:
        made["type"] = {"coding": [{"code": row["matrix"]}]}
    if row.get("received_at"):
        made["receivedTime"] = moment(row["received_at"])
    if row.get("specimen_quality"):
        made["condition"] = [{"coding": [{"code": row["specimen_quality"]}]}]
    return made


def observation(row: Row, no: int, at: Callable[[str], str] = str) -> Resource:
    """`at` makes a reference of the kind and number of a resource, as Specimen/s1."""
    made: Resource = {
        "resourceType": "Observation",
        "id": f"o{no}",
        "status": _STATUS[row["status"]],
        "code": {"coding": [_coding(row["analyte"]), {"system": POINT, "code": row["timepoint"]}]},
        "subject": {"reference": at("Patient/p1")},
        "specimen": {"reference": at(f"Specimen/s{no}")},
        "effectiveDateTime": moment(row["collected_at"]),
        "issued": moment(row["reported_at"]),
        "performer": [{"identifier": {"value": row["laboratory"]}}],
        "encounter": {"identifier": {"system": VISIT, "value": row["visit"]}},
        **quantity(row["value"], row["unit"]),
    }
    if row["method"]:
        made["method"] = {"coding": [{"code": row["method"]}]}
    notes = notes_of(row)
    if notes:
        made["note"] = [{"text": note} for note in notes]
    return made


def _coding(code: str) -> dict[str, str]:
    system = {"system": LOINC} if code[:1].isdigit() else {"system": "urn:local"}
    return {**system, "code": code, "display": "Mycophenolate"}


def bundle(rows: Iterable[Row] = DOTTED, kind: str = "transaction", urn: bool = False) -> Resource:
    """A bundle of patient, specimens and observations; with `urn` its references are those of a transaction."""
    rows = list(rows)
    at = _urn if urn else str
    resources = [patient(rows[0])]
    for no, row in enumerate(rows, 1):
        resources += [specimen(row, no), observation(row, no, at)]
    return bundled(resources, kind, urn)


def bundled(resources: Iterable[Resource], kind: str = "transaction", urn: bool = False) -> Resource:
    entries = []
    for one in resources:
        entry: dict[str, Any] = {"resource": one}
        if urn:
            entry["fullUrl"] = _urn(f"{one['resourceType']}/{one['id']}")
        if kind in ("transaction", "batch"):
            entry["request"] = {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}
        entries.append(entry)
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _urn(reference: str) -> str:
    kind, _, name = reference.partition("/")
    return f"urn:uuid:00000000-0000-4000-8000-{ord(kind[0]):06x}{int(name[1:]):06x}"


def report(rows: Iterable[Row] = DOTTED) -> Resource:
    """One DiagnosticReport that contains everything."""
    rows = list(rows)
    at: Callable[[str], str] = lambda reference: "#" + reference.partition("/")[2]  # noqa: E731
    contained = [patient(rows[0])]
    for no, row in enumerate(rows, 1):
        contained += [specimen(row, no), observation(row, no, at)]
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Pharmacologie"},
        "contained": contained,
        "result": [{"reference": f"#o{no}"} for no in range(1, len(rows) + 1)],
    }


def alone(row: Row) -> Resource:
    """One Observation that contains what it refers to."""
    made = observation(row, 1, lambda reference: "#" + reference.partition("/")[2])
    return {**made, "contained": [patient(row), specimen(row, 1)]}


def fhir_bytes(rows: Iterable[Row] = DOTTED, form: str = "transaction", **style: Any) -> bytes:
    """The rows in one of the forms: a type of bundle, "urn" or "report"."""
    if form == "report":
        return to_bytes(report(rows), **style)
    return to_bytes(bundle(rows, "transaction" if form == "urn" else form, form == "urn"), **style)


# --- one row, changed

ROW = DOTTED[1]


def with_fhir(**changes: Any) -> IntakeStudy:
    own = lab_file().fhir
    assert own is not None
    return a_study(fhir=own.model_copy(update=changes))


def parts(**changes: Any) -> list[Resource]:
    """Patient, specimen and observation of one row; changes by name as Observation_status="final", None to remove."""
    resources = [patient(ROW), specimen(ROW, 1), observation(ROW, 1)]
    for name, value in changes.items():
        kind, _, element = name.partition("_")
        resource = next(one for one in resources if one["resourceType"] == kind)
        if value is None:
            resource.pop(element, None)
        else:
            resource[element] = value
    return resources


def changed(**changes: Any) -> bytes:
    return to_bytes(bundled(parts(**changes)))
