"""What a FHIR Observation says of a result: status, value, code, and what changes the meaning."""

from __future__ import annotations

from typing import Any

import pytest
from fhir_cases import (
    LOINC,
    POINT,
    ROW,
    Exactly,
    changed,
    quantity,
    report,
    to_bytes,
    with_fhir,
)
from reading_cases import codes, only, verdict_of

from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import State


def without_value(**changes: Any) -> bytes:
    """The observation without valueQuantity, changed."""
    return changed(**{"Observation_valueQuantity": None, **changes})


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
