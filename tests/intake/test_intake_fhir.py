"""FHIR files: the same results in every form, what a file may hold, and what is not exactly one JSON document."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fhir_cases import (
    ROW,
    Exactly,
    Resource,
    alone,
    bundle,
    bundled,
    changed,
    fhir_bytes,
    parts,
    patient,
    report,
    to_bytes,
    with_fhir,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import OTHER, Bench, a_study, context, csv_text
from message_cases import DOTTED, batch, hl7_bytes, hprim_bytes, rows
from reading_cases import codes, fault_of, read_message, reading_of, seen, verdict_of
from workbook_cases import workbook_bytes

from scheduler.intake.findings import State, Verdict
from scheduler.intake.readers import Fault, read
from scheduler.intake.rules.validate import validate

FORMS = ("transaction", "batch", "collection", "document", "message", "searchset", "urn", "report")


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
