"""What FHIR resources say, element by element, and the same results in every form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fhir_cases import (
    LOINC,
    POINT,
    SUBJECT_SYSTEM,
    VISIT,
    Exactly,
    Resource,
    alone,
    bundle,
    bundled,
    fhir_bytes,
    observation,
    patient,
    quantity,
    report,
    specimen,
    to_bytes,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import OTHER, Bench, a_study, context, csv_text, lab_file
from message_cases import (
    DOTTED,
    batch,
    fault_of,
    hl7_bytes,
    hprim_bytes,
    read_message,
    reading_of,
    rows,
    seen,
    usual_study,
)
from workbook_cases import workbook_bytes

from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import FileVerdict, State, Verdict
from scheduler.intake.readers import Candidate, Fault, read
from scheduler.intake.receipts import receipt_csv, receipt_of, speakers
from scheduler.intake.rules.validate import validate
from scheduler.intake.study import IntakeStudy

ROW = DOTTED[1]
FORMS = ("transaction", "batch", "collection", "document", "message", "searchset", "urn", "report")


def verdict_of(content: bytes, study: IntakeStudy | None = None) -> FileVerdict:
    study = study or usual_study()
    return validate(read_message(content, study), context(study=study))


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


def without_value(**changes: Any) -> bytes:
    """The observation without valueQuantity, changed."""
    return changed(**{"Observation_valueQuantity": None, **changes})


def only(content: bytes, study: IntakeStudy | None = None) -> Candidate:
    (one,) = reading_of(content, study).candidates
    return one


def codes(content: bytes, study: IntakeStudy | None = None) -> list[str]:
    (row,) = verdict_of(content, study).rows
    return [one.reason.code for one in row.findings]


# --- the same results in every form


def measurable(three: list[dict[str, str]]) -> list[dict[str, str]]:
    """FHIR gives a unit only with a number."""
    return [
        {**row, "unit": row["unit"] if row["value"].lstrip("<>-").replace(".", "", 1).isdigit() else ""}
        for row in three
    ]


@settings(deadline=None)
@given(rows().map(measurable), st.sampled_from(FORMS), st.sampled_from([None, 1]))
def test_the_same_results_as_csv_and_as_fhir_are_the_same(
    three: list[dict[str, str]], form: str, indent: int | None
) -> None:
    table = validate(read(csv_text(three, decimal=".").encode()), context())
    assert seen(verdict_of(fhir_bytes(three, form, indent=indent))) == seen(table)


@settings(deadline=None, max_examples=10)
@given(rows().map(measurable))
def test_the_same_results_in_every_format_are_the_same(three: list[dict[str, str]]) -> None:
    forms = (
        csv_text(three, decimal=".").encode(),
        workbook_bytes(three, typed=True),
        hl7_bytes(three),
        hprim_bytes(three),
        fhir_bytes(three),
    )
    first, *others = (seen(verdict_of(content)) for content in forms)
    assert all(other == first for other in others)


def test_the_stored_versions_do_not_depend_on_the_form(bench: Bench) -> None:
    forms = {
        "a.json": fhir_bytes(),
        "b.hl7": batch([hl7_bytes()]),
        "c.hpr": hprim_bytes(),
        "d.xlsx": workbook_bytes(DOTTED, typed=True),
        "e.csv": csv_text(DOTTED, decimal=".").encode(),
    }
    for name, content in forms.items():
        bench.drop(name, content)
        bench.step()
    assert [file.code for file in bench.files()] == [None, "R-42", "R-42", "R-42", "R-42"]
    assert [str(one.conc_mg_l) for one in bench.versions()] == ["1.85", "14.2", "6.40"]


@pytest.mark.parametrize("form", FORMS)
def test_three_good_tubes_are_accepted_in_every_form(form: str) -> None:
    verdict = verdict_of(fhir_bytes(form=form))
    assert (verdict.verdict, verdict.notes) == (Verdict.ACCEPTED, ())
    assert [(r.row, r.entry.visit, r.entry.timepoint, str(r.entry.conc_mg_l)) for r in verdict.rows] == [
        (1, "W6", "H0", "1.85"),
        (2, "W6", "H30", "14.2"),
        (3, "W6", "H2", "6.40"),
    ]


def test_a_single_observation_with_what_it_needs_is_enough() -> None:
    assert verdict_of(to_bytes(alone(ROW))).verdict is Verdict.ACCEPTED


# --- status


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("registered", ResultStatus.PRELIMINARY),
        ("preliminary", ResultStatus.PRELIMINARY),
        ("final", ResultStatus.FINAL),
        ("amended", ResultStatus.CORRECTED),
        ("corrected", ResultStatus.CORRECTED),
        ("cancelled", ResultStatus.NOT_OBTAINED),
        ("entered-in-error", ResultStatus.WITHDRAWN),
        *[(one, None) for one in ("unknown", "Final", "appended", "")],
    ],
)
def test_the_status_code_by_code(word: str, status: ResultStatus | None) -> None:
    content = changed(Observation_status=word)
    (row,) = verdict_of(content).rows
    assert row.entry.status is status
    assert ("R-41" in [one.reason.code for one in row.findings]) == (status is None)


@pytest.mark.parametrize(
    ("own", "of_report", "held"),
    [
        ("final", "final", False),
        ("final", "partial", False),
        ("final", "amended", False),
        ("final", "preliminary", True),
        ("final", "registered", True),
        ("final", "cancelled", True),
        ("final", "entered-in-error", True),
        ("corrected", "preliminary", True),
        ("final", "unknown", True),
        ("preliminary", "preliminary", False),
        ("preliminary", "final", False),
        ("entered-in-error", "entered-in-error", False),
    ],
)
def test_a_report_never_makes_a_result_more_and_holds_it_when_it_says_less(
    own: str, of_report: str, held: bool
) -> None:
    made = report([ROW])
    made["status"] = of_report
    made["contained"][-1]["status"] = own
    assert ("R-41.report" in codes(to_bytes(made))) == held
    assert only(to_bytes(made)).text("status") == {"final": "F", "corrected": "C", "preliminary": "P"}.get(
        own, "W"
    )


# --- value


@pytest.mark.parametrize("text", ["1.850", "0.10", "14", "1.85e1", "1E-1", "0", "-1.5"])
def test_a_decimal_keeps_its_digits(text: str) -> None:
    shown = {"1.85e1": "18.5", "1E-1": "0.1"}.get(text, text)
    value = {"value": Exactly(text), "unit": "mg/L"}
    assert only(changed(Observation_valueQuantity=value)).text("value") == shown


@pytest.mark.parametrize(
    ("sign", "code"),
    [
        ("<", None),
        ("<=", None),
        (">", None),
        (">=", None),
        ("ad", "R-10.comparator"),
        ("~", "R-10.comparator"),
    ],
)
def test_comparators(sign: str, code: str | None) -> None:
    content = changed(Observation_valueQuantity={"value": Exactly("0.1"), "comparator": sign, "unit": "mg/L"})
    assert only(content).text("value") == ("0.1" if code else f"{sign}0.1")
    assert (code in codes(content)) == (code is not None)


@pytest.mark.parametrize(
    ("value", "text", "code"),
    [
        ({"valueString": "ND"}, "ND", None),
        ({"valueString": "14.2"}, "14.2", None),
        ({"valueInteger": Exactly("14")}, "14", None),
        ({"valueCodeableConcept": {"text": "hémolysé"}}, "hémolysé", None),
        ({"valueCodeableConcept": {"coding": [{"code": "QNS"}]}}, "QNS", None),
        ({"valueRange": {"low": {"value": 1}}}, "", "R-10.kind"),
        ({"valueRatio": {}}, "", "R-10.kind"),
        ({"valueBoolean": True}, "", "R-10.kind"),
        ({"valueString": "14.2", "valueInteger": Exactly("14")}, "14", "R-10.values"),
        ({"valueQuantity": {"value": "14.2", "unit": "mg/L"}}, "", "F-15.shape"),
        ({"valueQuantity": [{"value": 14.2}]}, "", "F-15.shape"),
        ({"valueString": Exactly("14.2")}, "", "F-15.shape"),
    ],
)
def test_values_by_their_type(value: dict[str, Any], text: str, code: str | None) -> None:
    content = without_value(**{f"Observation_{name}": one for name, one in value.items()})
    assert only(content).text("value") == text
    assert [one.code for one in only(content).doubts] == ([code] if code else [])


@pytest.mark.parametrize(
    ("reason", "text", "code"),
    [
        ({"coding": [{"code": "unknown"}]}, "", "R-11"),
        ({"coding": [{"code": "temp-unknown"}]}, "en cours", "R-11.pending"),
        ({"coding": [{"code": "not-a-number"}]}, "NaN", "R-13"),
        ({"coding": [{"code": "positive-infinity"}]}, "inf", "R-13"),
        ({"text": "hémolysé"}, "hémolysé", "R-22"),
        ({"text": "jus de fruit"}, "jus de fruit", "R-10"),
        ({"coding": [{"code": "error"}], "text": "ne pas tenir compte"}, "", "R-33"),
    ],
)
def test_the_reason_why_there_is_no_value(reason: dict[str, Any], text: str, code: str) -> None:
    content = without_value(Observation_dataAbsentReason=reason)
    assert only(content).text("value") == text
    assert code in codes(content)


def test_a_value_and_the_reason_for_none_contradict_each_other() -> None:
    assert codes(changed(Observation_dataAbsentReason={"text": "ND"})) == ["R-12.absent"]


@pytest.mark.parametrize(
    ("unit", "code", "system", "found"),
    [
        ("mg/L", "mg/L", "http://unitsofmeasure.org", []),
        ("mg/l", "mg/L", "http://unitsofmeasure.org", []),
        ("µg/mL", "ug/mL", "http://unitsofmeasure.org", []),
        ("", "mg/L", "http://unitsofmeasure.org", []),
        ("mg/L", "", "", []),
        ("mg/L", "ug/L", "http://unitsofmeasure.org", ["R-09.differ"]),
        ("mg/L", "ug/mL", "http://unitsofmeasure.org", ["R-09.differ"]),
        ("milligrammes par litre", "mg/L", "http://unitsofmeasure.org", ["R-09.differ", "R-16"]),
        ("MG/L", "MG/L", "http://unitsofmeasure.org", ["R-16.ucum"]),  # megagauss per litre
        ("MG/L", "MG/L", "urn:local", []),
        ("", "", "", ["R-15"]),
        ("g/L", "g/L", "http://unitsofmeasure.org", ["R-16"]),
    ],
)
def test_unit_and_code_must_agree(unit: str, code: str, system: str, found: list[str]) -> None:
    value = {"value": Exactly("14.2"), "unit": unit, "code": code, "system": system}
    assert codes(changed(Observation_valueQuantity={k: v for k, v in value.items() if v})) == found


# --- code


@pytest.mark.parametrize(
    ("codings", "analyte", "state"),
    [
        ([(LOINC, "23905-3")], "23905-3", "accepted"),
        ([(LOINC, "23906-1")], "23906-1", "ignored"),  # the glucuronide
        ([(LOINC, "115789-0")], "115789-0", "ignored"),  # an AUC
        ([(LOINC, "2160-0")], "2160-0", "ignored"),  # creatinine
        ([(LOINC, "55806-4")], "55806-4", "held"),  # maybe blood
        ([("urn:local", "MPA")], "MPA", "accepted"),
        ([("urn:local", "A0163"), (LOINC, "23905-3")], "23905-3", "accepted"),
        ([("urn:local", "A0163")], "A0163", "held"),
        ([(LOINC, "23905-3"), (LOINC, "23906-1")], "23905-3", "held"),
        ([], "", "held"),
    ],
)
def test_the_code_of_the_analyte(codings: list[tuple[str, str]], analyte: str, state: str) -> None:
    code = {"coding": [{"system": system, "code": code} for system, code in [*codings, (POINT, "H30")]]}
    content = changed(Observation_code=code)
    assert only(content).text("analyte") == analyte
    assert verdict_of(content).rows[0].state.value == state


def test_a_label_that_speaks_of_the_glucuronide_holds() -> None:
    code = {
        "coding": [
            {"system": LOINC, "code": "23905-3", "display": "MPA glucuronide"},
            {"system": POINT, "code": "H30"},
        ]
    }
    assert codes(changed(Observation_code=code)) == ["R-07"]


def test_a_local_code_may_end_with_the_sampling_time() -> None:
    study = with_fhir(code_suffixes={"-H30": "H30"})
    content = changed(Observation_code={"coding": [{"system": "urn:local", "code": "MPA-H30"}]})
    assert (only(content, study).text("analyte"), only(content, study).text("timepoint")) == ("MPA", "H30")


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


# --- what changes the meaning


@pytest.mark.parametrize(
    "changes",
    [
        {"Observation_modifierExtension": [{"url": "urn:not", "valueBoolean": True}]},
        {"Observation_implicitRules": "urn:x"},
        {"Observation_focus": [{"reference": "Patient/p2"}]},
        {"Specimen_modifierExtension": [{"url": "urn:not", "valueBoolean": True}]},
    ],
)
def test_what_changes_the_meaning_holds(changes: dict[str, Any]) -> None:
    assert codes(changed(**changes)) == ["R-09.modifier"]


def test_components_are_results_of_their_own() -> None:
    panel = {"coding": [{"system": LOINC, "code": "87432-1"}, {"system": POINT, "code": "H30"}]}
    components = [
        {"code": {"coding": [{"system": LOINC, "code": code}]}, **quantity(value, "mg/L")}
        for code, value in (("23905-3", "14.2"), ("23906-1", "80"))
    ]
    note = [{"text": "H30"}]
    content = without_value(Observation_code=panel, Observation_component=components, Observation_note=note)
    verdict = verdict_of(content)
    assert [(row.row, row.state.value, row.entry.value_raw) for row in verdict.rows] == [
        (1, "accepted", "14.2"),
        (2, "ignored", "80"),
    ]
    panel_alone = without_value(Observation_code=panel)
    assert verdict_of(panel_alone).rows[0].state is State.IGNORED


# --- the file


@pytest.mark.parametrize(
    "entry", [None, 5, [], "x", {"resource": 5}, {"resource": []}, {"resource": {"id": "x"}}]
)
def test_one_bad_entry_holds_that_entry_and_not_the_bundle(entry: object) -> None:
    made = bundle()
    made["entry"].insert(0, entry)
    verdict = verdict_of(to_bytes(made))
    states = [row.state for row in verdict.rows]
    assert states == [State.HELD, *[State.ACCEPTED] * 3]
    assert verdict.rows[0].findings[0].reason.code == "F-15.entry"


@pytest.mark.parametrize(
    "name",
    [
        "code",
        "subject",
        "specimen",
        "issued",
        "performer",
        "note",
        "method",
        "meta",
        "encounter",
        "component",
        "extension",
    ],
)
@pytest.mark.parametrize("value", [5, True, ["x"]])
def test_an_element_of_the_wrong_kind_holds_its_row_only(name: str, value: object) -> None:
    made = bundle()
    made["entry"][2]["resource"][name] = value
    verdict = verdict_of(to_bytes(made))
    assert [row.state for row in verdict.rows][1:] == [State.ACCEPTED, State.ACCEPTED]
    assert verdict.rows[0].state is State.HELD
    assert "F-15.shape" in [one.reason.code for one in verdict.rows[0].findings]


@pytest.mark.parametrize(
    "kind", ["history", "transaction-response", "batch-response", "subscription-notification", ""]
)
def test_bundles_that_hold_no_results_are_refused(kind: str) -> None:
    assert fault_of(to_bytes(bundle(kind=kind))).reason.code == "F-07.bundle"


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Appointment", "status": "booked"},
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient(ROW)}]},
    ],
)
def test_F16_what_is_no_result_is_not_for_us(resource: Resource) -> None:
    fault = fault_of(to_bytes(resource))
    assert (fault.reason.code, fault.is_foreign) == ("F-16", True)


def test_a_report_whose_results_are_elsewhere_says_so() -> None:
    made = {**report([ROW]), "contained": [], "result": [{"reference": "Observation/1"}]}
    fault = fault_of(to_bytes(made))
    assert (fault.reason.code, [note.code for note in fault.notes]) == ("F-03.results", ["F-11.reference"])


def test_a_page_of_a_search_is_not_the_whole() -> None:
    made = {
        **bundle(kind="searchset"),
        "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}],
    }
    found = reading_of(to_bytes(made))
    assert (found.complete, [note.code for note in found.notes]) == (False, ["F-11.page"])


def test_a_request_to_delete_is_said_and_not_done() -> None:
    made = bundle()
    made["entry"].append({"request": {"method": "DELETE", "url": "Observation/o1"}})
    assert [note.code for note in reading_of(to_bytes(made)).notes] == ["F-16.deletions"]


@pytest.mark.parametrize("place", ["tag", "security"])
@pytest.mark.parametrize("resource", [None, 0, 2])
def test_F18_a_test_is_refused_unless_wanted(place: str, resource: int | None) -> None:
    made = bundle()
    marked = made if resource is None else made["entry"][resource]["resource"]
    marked["meta"] = {
        place: [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]
    }
    assert fault_of(to_bytes(made)).reason.code == "F-18.fhir"
    assert verdict_of(to_bytes(made), with_fhir(accept_test_messages=True)).verdict is Verdict.ACCEPTED


def test_two_resources_of_one_name_are_neither() -> None:
    made = bundle()
    made["entry"].append({"resource": patient({**ROW, "subject_id": OTHER})})
    assert fault_of(to_bytes(made)).reason.code == "F-17.patient"


def test_without_configuration_nothing_is_read() -> None:
    assert fault_of(fhir_bytes(), a_study(fhir=None)).reason.code == "F-07.unset"


def test_more_results_than_are_read_at_once_are_refused() -> None:
    made = bundle()
    made["entry"] += [{"resource": {"resourceType": "Observation"}} for _ in range(5000)]
    assert fault_of(to_bytes(made)).reason.code == "F-04.results"


# --- JSON


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace('"final"', '"final", "status": "entered-in-error"', 1), "F-15.twice"),
        (lambda text: text.replace("14.2", "NaN"), "F-15.constant"),
        (lambda text: text.replace("14.2", "-Infinity"), "F-15.constant"),
        (lambda text: text.replace("14.2", "14,2"), "F-15.json"),
        (lambda text: text.replace("14.2", "014.2"), "F-15.json"),
        (lambda text: text + text, "F-15.json"),
        (lambda text: text + "x", "F-15.json"),
        (lambda text: "[" * 100_000 + text, "F-13.depth"),
        (lambda text: text.replace("14.2", '{"a":' * 100_000), "F-13.depth"),
        (lambda text: "[" + text + "]", "F-07"),
        (lambda text: "{}", "F-07"),
        (lambda text: '{"resourceType": 5}', "F-07"),
        (lambda text: '{"resourceType": "Bundle", "type": "batch", "entry": {}}', "F-15.fhir"),
        (lambda text: text.replace("urn:local", "\t"), "read"),
    ],
)
def test_what_is_not_exactly_one_document_is_refused(change: Callable[[str], str], code: str) -> None:
    found = read_message(change(fhir_bytes().decode()).encode())
    assert (found.reason.code if isinstance(found, Fault) else "read") == code


@pytest.mark.parametrize("number", ["1" * 5000, "1e400", "1e-400", "0.1" + "0" * 5000])
def test_numbers_beyond_reason_hold_their_row(number: str) -> None:
    assert "R-10" in codes(changed(Observation_valueQuantity={"value": Exactly(number), "unit": "mg/L"}))


@pytest.mark.parametrize("text", ["V2\u0000", "\ud800", "V2\u0007"])
def test_characters_that_nobody_can_read_hold_their_row(text: str) -> None:
    content = to_bytes(bundled(parts(Observation_note=[{"text": "x-y-z"}]))).replace(
        b"x-y-z", text.encode("unicode_escape").replace(b"\\x", b"\\u00")
    )
    assert codes(content) == ["F-15.shape"]


def test_the_bytes_must_be_utf8() -> None:
    content = to_bytes(bundled(parts(Observation_note=[{"text": "é"}])))
    assert fault_of(content.replace("é".encode(), "é".encode("latin-1"))).reason.code == "F-08.json"
    assert verdict_of(b"\xef\xbb\xbf" + content).verdict is Verdict.ACCEPTED
