"""Whose sample a FHIR Observation is of, which, and when: visit, subject, specimen, times, laboratory."""

from __future__ import annotations

from typing import Any

import pytest
from fhir_cases import (
    LOINC,
    ROW,
    SUBJECT_SYSTEM,
    VISIT,
    Resource,
    bundle,
    bundled,
    changed,
    parts,
    report,
    to_bytes,
    with_fhir,
)
from intake_cases import OTHER, context
from reading_cases import codes, fault_of, only, reading_of, usual_study, verdict_of

from scheduler.intake.findings import State, Verdict
from scheduler.intake.receipts import receipt_csv, receipt_of, speakers

# --- visit and sampling time


EXTENSIONS = [
    {"valueString": "V2"},
    {"valueCode": "V2"},
    {"valueCoding": {"code": "V2"}},
    {"valueCodeableConcept": {"coding": [{"code": "V2"}]}},
    {"valueIdentifier": {"value": "V2"}},
]


@pytest.mark.parametrize("value", EXTENSIONS)
def test_visit_in_an_extension(value: dict[str, Any]) -> None:
    content = changed(
        Observation_encounter=None, Observation_extension=[{"url": VISIT, **value}, {"url": "urn:x"}]
    )
    assert verdict_of(content).verdict is Verdict.ACCEPTED


def test_visit_in_the_encounter_or_in_a_note() -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "identifier": [{"system": "x", "value": "8"}, {"system": VISIT, "value": "V2"}],
    }
    for resources in (
        [*parts(Observation_encounter={"reference": "Encounter/e1"}), encounter],
        parts(Observation_encounter=None, Observation_note=[{"text": "V2 H30"}]),
        parts(Observation_encounter=None, Observation_note=[{"text": "visite: V2; temps: H30"}]),
    ):
        assert verdict_of(to_bytes(bundled(resources))).verdict is Verdict.ACCEPTED


def test_places_that_disagree_hold_the_row() -> None:
    assert codes(changed(Observation_note=[{"text": "V3"}])) == ["R-09.differ"]
    assert codes(changed(Observation_note=[{"text": "H2"}])) == ["R-09.differ"]


def test_nothing_is_put_in_for_what_is_missing() -> None:
    found = only(changed(
        Observation_encounter=None, Observation_code={"coding": [{"system": LOINC, "code": "23905-3"}]},
        Observation_method=None, Specimen_type=None, Specimen_identifier=None, Observation_status=None,
        Observation_valueQuantity=None, Observation_performer=None,
    ))  # fmt: skip
    named = ("visit", "timepoint", "method", "matrix", "specimen_id", "status", "value", "unit", "laboratory")
    assert [found.text(column) for column in named] == [""] * len(named)


# --- subject


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        ({"identifier": {"system": SUBJECT_SYSTEM, "value": "MPA-0042-7"}}, None),
        ({"reference": f"Patient?identifier={SUBJECT_SYSTEM}|MPA-0042-7"}, None),
        ({"reference": "Patient?identifier=urn%3Ampa-auc%3Asubject%7CMPA-0042-7"}, None),
        (
            {"reference": "Patient/p1", "identifier": {"system": SUBJECT_SYSTEM, "value": OTHER}},
            "R-09.subjects",
        ),
        ({"identifier": {"value": "MPA-0042-7"}}, "R-09.authority"),
    ],
)
def test_the_subject_is_what_an_identifier_of_the_studys_system_says(
    subject: dict[str, Any], code: str | None
) -> None:
    found = codes(changed(Observation_subject=subject))
    assert (code in found) if code else found == []


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/p9"},
        {"reference": "http://other/fhir/Patient/p1"},
        {"reference": "#p1"},
        {"reference": "Group/p1"},
        {"display": "MPA-0042-7"},
        {},
    ],
)
def test_a_subject_that_is_not_in_the_file_holds_its_row_beside_good_ones(subject: dict[str, Any]) -> None:
    made = bundle()
    made["entry"][2]["resource"]["subject"] = subject
    verdict = verdict_of(to_bytes(made))
    assert [row.state for row in verdict.rows] == [State.HELD, State.ACCEPTED, State.ACCEPTED]
    assert verdict.rows[0].findings[0].reason.code == "R-09.reference"
    assert verdict.rows[0].entry.subject == ""


def test_alone_a_subject_that_cannot_be_found_is_nobody_of_the_study() -> None:
    fault = fault_of(changed(Observation_subject={"reference": "Patient/p9"}))
    assert (fault.reason.code, fault.is_foreign) == ("F-17.patient", True)


@pytest.mark.parametrize(
    "identifier", [[{"system": "urn:oid:1.2.250.1", "value": "8001234567"}], [{"value": "8001234567"}]]
)
def test_other_patients_are_not_for_us_and_nothing_of_them_is_kept(identifier: list[dict[str, str]]) -> None:
    content = changed(Patient_identifier=identifier)
    assert fault_of(content).reason.code == "F-17.patient"
    assert (verdict_of(content).verdict, verdict_of(content).rows) == (Verdict.IGNORED, ())


def test_ours_among_others_refuses_the_file() -> None:
    other = {"resourceType": "Patient", "id": "p9", "identifier": [{"system": "urn:x", "value": "8"}]}
    made = bundle()
    made["entry"].append({"resource": other})
    made["entry"][2]["resource"]["subject"] = {"reference": "Patient/p9"}
    assert verdict_of(to_bytes(made)).reason is not None
    assert verdict_of(to_bytes(made)).reason.code == "F-17.mixed"  # type: ignore[union-attr]


def test_persons_are_noticed_and_not_kept() -> None:
    content = changed(
        Patient_name=[{"family": "DUPONT", "given": ["Anne"]}], Patient_birthDate="1970-01-01",
        Patient_text={"div": "<div>DUPONT Anne</div>"},
        Patient_identifier=[
            {"system": SUBJECT_SYSTEM, "value": "MPA-0042-7"}, {"system": "urn:nir", "value": "270017500100100"}
        ],
        Observation_subject={"reference": "Patient/p1", "display": "DUPONT Anne"},
    )  # fmt: skip
    found = reading_of(content)
    (note,) = found.notes
    assert note.code == "D-01"
    assert (
        note.get("columns")
        == "Observation.subject.display, Patient.birthDate, Patient.identifier, Patient.name, Patient.text"
    )
    verdict = verdict_of(content)
    assert verdict.verdict is Verdict.ACCEPTED
    receipt = receipt_csv(
        receipt_of("x", "0" * 64, context().now, found, verdict), speakers(usual_study().home_zone)
    )
    kept = repr(found) + repr(verdict) + receipt.decode("utf-8-sig")
    assert not [word for word in ("DUPONT", "Anne", "1970", "270017500100100") if word in kept]


# --- specimen


@pytest.mark.parametrize(
    ("changes", "study", "number", "code"),
    [
        ({}, {}, "26015-00871-2", None),
        ({"Specimen_identifier": None, "Specimen_accessionIdentifier": {"value": "A1"}}, {}, "A1", None),
        ({"Specimen_accessionIdentifier": {"value": "A1"}}, {}, "A1", None),
        ({"Specimen_identifier": [{"value": "a"}, {"value": "b"}]}, {}, "", "R-09.identifiers"),
        (
            {"Specimen_identifier": [{"value": "a"}, {"value": "b", "system": "urn:tube"}]},
            {"specimen_system": "urn:tube"},
            "b",
            None,
        ),
        ({"Observation_specimen": {"identifier": {"value": "T1"}}}, {}, "T1", None),
        (
            {"Observation_specimen": {"reference": "Specimen/s1", "identifier": {"value": "T1"}}},
            {},
            "26015-00871-2",
            "R-09.differ",
        ),
        ({"Observation_specimen": {"reference": "Specimen/s9"}}, {}, "", "R-09.reference"),
        ({"Observation_specimen": None}, {}, "", "R-09.specimen"),
    ],
)
def test_the_number_of_the_tube(
    changes: dict[str, Any], study: dict[str, str], number: str, code: str | None
) -> None:
    content, known = changed(**changes), with_fhir(**study)
    assert only(content, known).text("specimen_id") == number
    assert code is None or code in codes(content, known)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Specimen_condition": [{"coding": [{"code": "HEM"}]}]}, "R-21.blocks"),
        ({"Specimen_condition": [{"coding": [{"code": "CLOT"}]}]}, "R-21.blocks"),
        ({"Specimen_condition": [{"coding": [{"code": "COOL"}]}]}, None),
        ({"Specimen_condition": [{"text": "bizarre"}]}, "R-09.quality"),
        ({"Specimen_status": "available"}, None),
        ({"Specimen_status": "unsatisfactory"}, "R-21.status"),
        ({"Specimen_status": "entered-in-error"}, "R-21.status"),
        ({"Specimen_status": "unavailable"}, "R-12.quality"),
        (
            {"Specimen_status": "unsatisfactory", "Specimen_condition": [{"coding": [{"code": "HEM"}]}]},
            "R-21.blocks",
        ),
    ],
)
def test_the_state_of_the_specimen(changes: dict[str, Any], code: str | None) -> None:
    found = codes(changed(**changes))
    assert (code in found) if code else found == []


def test_configured_words_for_specimens_and_methods() -> None:
    study = with_fhir(specimen_types={"119297000": "PLASMA_EDTA"}, methods={"LC": "LCMSMS"})
    content = changed(
        Specimen_type={"coding": [{"code": "x"}, {"code": "119297000"}]}, Observation_method={"text": "LC"}
    )
    assert codes(content, study) == []
    assert codes(content) == ["R-09.method", "R-08"]


def test_one_specimen_of_the_report_serves_its_results_and_several_do_not() -> None:
    made = report([ROW])
    made["contained"][-1].pop("specimen")
    made["specimen"] = [{"reference": "#s1"}]
    assert codes(to_bytes(made)) == []
    made["specimen"].append({"reference": "#s2"})
    assert "R-09.specimens" in codes(to_bytes(made))


# --- times


EXACT, LATER = "2026-01-15T08:31:00+01:00", "2026-01-15T09:31:00+01:00"


@pytest.mark.parametrize(
    ("collection", "effective", "text", "found"),
    [
        ({"collectedDateTime": EXACT}, {}, EXACT, []),
        ({"collectedDateTime": EXACT}, {"DateTime": "2026-01-15T07:31:40Z"}, EXACT, []),
        ({}, {"Instant": "2026-01-15T08:31:00.1234567+01:00"}, "2026-01-15T08:31:00.123456+01:00", []),
        ({}, {"DateTime": "2026-01-15T08:31:00"}, "2026-01-15T08:31:00", []),
        ({"collectedDateTime": "2026-01-15"}, {"DateTime": EXACT}, EXACT, []),
        ({"collectedDateTime": EXACT}, {"DateTime": LATER}, EXACT, ["R-09.differ"]),
        ({"collectedDateTime": "2026-01-15"}, {}, "2026-01-15", ["R-30.date", "R-30"]),
        ({"collectedPeriod": {"start": EXACT, "end": "2026-01-15T08:31:20+01:00"}}, {}, EXACT, []),
        ({"collectedPeriod": {"start": EXACT, "end": LATER}}, {}, EXACT, ["R-30.period"]),
        ({}, {"Timing": {"event": []}}, "", ["R-30.period", "R-30.missing"]),
        ({}, {}, "", ["R-30.missing"]),
    ],
)
def test_the_time_of_collection(collection: Any, effective: Any, text: str, found: list[str]) -> None:
    given = {"Observation_effectiveDateTime": None, "Specimen_collection": collection or None}
    content = changed(**given | {f"Observation_effective{name}": value for name, value in effective.items()})
    assert only(content).text("collected_at") == text
    assert codes(content) == found


def test_the_time_of_the_version_is_issued_else_last_updated() -> None:
    meta = {"lastUpdated": "2026-01-15T20:00:00Z"}
    assert only(changed(Observation_meta=meta)).text("reported_at") == "2026-01-15T14:25:00+01:00"
    assert (
        only(changed(Observation_meta=meta, Observation_issued=None)).text("reported_at")
        == "2026-01-15T20:00:00Z"
    )


# --- laboratory


ORGANISATION = {
    "resourceType": "Organization",
    "id": "l1",
    "name": "Pharmacologie",
    "identifier": [{"value": "CCH-PHARMACO"}],
}


@pytest.mark.parametrize(
    ("resources", "performer"),
    [
        ([], [{"display": "CCH-PHARMACO"}]),
        ([ORGANISATION], [{"reference": "Organization/l1"}]),
        ([ORGANISATION], [{"display": "Dr X"}, {"reference": "Organization/l1"}]),
        ([{"resourceType": "MessageHeader", "source": {"name": "CCH-PHARMACO"}}], None),
        (
            [
                {
                    "resourceType": "MessageHeader",
                    "source": {"endpoint": "urn:x"},
                    "sender": {"reference": "Organization/l1"},
                },
                ORGANISATION,
            ],
            None,
        ),
        ([{"resourceType": "Composition", "author": [{"reference": "Organization/l1"}]}, ORGANISATION], None),
    ],
)
def test_the_laboratory_is_the_configured_performer(resources: list[Resource], performer: Any) -> None:
    made = bundled([*resources, *parts(Observation_performer=performer)], "message")
    for no, entry in enumerate(made["entry"]):
        entry["resource"].setdefault("id", f"x{no}")
    assert verdict_of(to_bytes(made)).verdict is Verdict.ACCEPTED


def test_another_laboratory_is_held() -> None:
    content = changed(Observation_performer=[{"display": "AUTRE"}])
    assert "R-09.laboratory" in codes(content)
    assert only(content).text("laboratory") == "AUTRE"
