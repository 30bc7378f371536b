"""HL7 messages: the same results in every form, and which messages are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import OTHER, SUBJECT, Bench, a_study, context, csv_text
from message_cases import (
    DOTTED,
    LINES,
    Writer,
    batch,
    hl7_bytes,
    hl7_lines,
    hprim_bytes,
    message,
    oul_lines,
    rows,
    with_hl7,
)
from reading_cases import codes, fault_of, read_message, reading_of, seen, verdict_of

from config.schema import Hl7File
from scheduler.intake.findings import State, Verdict
from scheduler.intake.readers import read
from scheduler.intake.rules.validate import validate

# --- the same results in every form


@settings(deadline=None)
@given(
    rows(),
    st.sampled_from(["\r", "\n", "\r\n"]),
    st.sampled_from(["|^~\\&", "#!*?%"]),
    st.sampled_from([hl7_lines, oul_lines]),
    st.sampled_from(["8859/15", "UNICODE UTF-8", ""]),
)
def test_the_same_results_as_csv_and_as_hl7_are_the_same(
    three: list[dict[str, str]], newline: str, marks: str, lines: Any, charset: str
) -> None:
    table = validate(read(csv_text(three, decimal=".").encode()), context())
    content = hl7_bytes(three, newline=newline, marks=marks, lines=lines, charset=charset)
    assert seen(verdict_of(content)) == seen(table)


@settings(deadline=None)
@given(rows(), st.sampled_from(["|~^\\&", "|^~\\&", "|^~&\\"]), st.sampled_from([None, 80, 220]))
def test_the_same_results_as_csv_and_as_hprim_are_the_same(
    three: list[dict[str, str]], marks: str, width: int | None
) -> None:
    table = validate(read(csv_text(three, decimal=".").encode()), context())
    assert seen(verdict_of(hprim_bytes(three, marks=marks, width=width))) == seen(table)


def test_three_good_tubes_are_accepted_and_understood() -> None:
    verdict = verdict_of(hl7_bytes())
    assert verdict.verdict is Verdict.ACCEPTED
    assert [(r.entry.visit, r.entry.timepoint, str(r.entry.conc_mg_l)) for r in verdict.rows] == [
        ("W6", "H0", "1.85"),
        ("W6", "H30", "14.2"),
        ("W6", "H2", "6.40"),
    ]


def test_the_stored_versions_do_not_depend_on_the_form(bench: Bench) -> None:
    bench.drop("a.hl7", batch([hl7_bytes()]))
    bench.step()
    first = bench.versions()
    for name, content in (("b.hpr", hprim_bytes()), ("c.csv", csv_text(DOTTED, decimal=".").encode())):
        bench.drop(name, content)
        bench.step()
    assert [file.verdict for file in bench.files()] == ["accepted", "ignored", "ignored"]
    assert [file.code for file in bench.files()] == [None, "R-42", "R-42"]
    assert len(first) == len(bench.versions()) == 3


# --- whole messages


def test_the_sender_is_looked_up() -> None:
    assert "R-09.laboratory" in codes(message(MSH_4="AILLEURS"))
    assert "R-09.laboratory" in codes(message(MSH_3="AUTRE"))
    assert codes(message(MSH_4="x^CCH-PHARMACO^DNS")) == []
    assert codes(message(MSH_3="AUTRE"), with_hl7(sending_application="")) == []


@pytest.mark.parametrize("processing", ["T", "D", "", "X", '""'])
def test_F18_a_test_message_is_refused_unless_wanted(processing: str) -> None:
    content = message(MSH_11=processing)
    assert fault_of(content).reason.code == "F-18"
    assert verdict_of(content).verdict is Verdict.QUARANTINED
    wanted = read_message(content, with_hl7(accept_test_messages=True))
    assert hasattr(wanted, "candidates") == (processing in ("T", "D"))


@pytest.mark.parametrize("kind", ["ADT^A01", "ORM^O01", "ORU^R30", "ACK", "", "OUL^R21", "MDM^T02^MDM_T02"])
def test_F16_other_messages_are_not_for_us(kind: str) -> None:
    verdict = verdict_of(message(MSH_9=kind))
    assert verdict.reason is not None
    assert (verdict.verdict, verdict.reason.code) == (Verdict.IGNORED, "F-16")


@pytest.mark.parametrize("kind", ["ORU^R01", "ORU^^ORU_R01", "ORU^R01^ORU_R01"])
def test_the_ways_to_say_that_it_is_a_result(kind: str) -> None:
    assert verdict_of(message(MSH_9=kind)).verdict is Verdict.ACCEPTED


def test_other_messages_among_results_are_passed_over_and_said() -> None:
    reading = reading_of(message() + message(MSH_9="ADT^A08"))
    assert len(reading.candidates) == 1
    assert [(n.code, n.get("count")) for n in reading.notes if n.code == "F-16.some"] == [("F-16.some", 1)]


@pytest.mark.parametrize("version", ["2.2", "2.9", "3.0", "", "2.5.2", "x"])
def test_other_versions_are_refused(version: str) -> None:
    assert fault_of(message(MSH_12=version)).reason.code == "F-07.version"


def test_a_message_without_results_says_so() -> None:
    assert fault_of("\r".join([*LINES[:4], ""]).encode()).reason.code == "F-03.results"


def test_without_configuration_nothing_is_read() -> None:
    assert fault_of(hl7_bytes(), a_study(hl7=None)).reason.code == "F-07.unset"


def test_an_observation_outside_any_order_is_held() -> None:
    lines = [*LINES[:2], LINES[4]]
    (row,) = verdict_of("\r".join([*lines, ""]).encode()).rows
    assert row.state is State.HELD


def test_several_patients_in_one_message_do_not_mix() -> None:
    other = hl7_lines([{**DOTTED[0], "subject_id": OTHER, "specimen_id": "O-1"}], Writer())[1:]
    rows = reading_of("\r".join([*LINES, *other, ""]).encode()).candidates
    assert [one.text("subject_id") for one in rows] == [SUBJECT] * 3 + [OTHER]
    assert rows[3].text("specimen_id") == "O-1"


def test_more_results_than_are_read_at_once_are_refused() -> None:
    lines = [*LINES[:5], *[LINES[4]] * 5000]
    assert fault_of("\r".join([*lines, ""]).encode()).reason.code == "F-04.results"


def test_comments_of_order_and_result_are_looked_at() -> None:
    assert "R-33" in codes(message(NTE="NTE|1||Ne pas tenir compte"))
    lines = hl7_lines([DOTTED[1]], Writer())
    lines.insert(4, "NTE|1||inversion~possible")
    assert "R-33" in codes("\r".join([*lines, ""]).encode())


@pytest.mark.parametrize("field", ["OBX-5", "PV1", "pv1-3", "PV1-0", "PID-5"])
def test_the_visit_field_is_one_of_a_visit_order_or_specimen(field: str) -> None:
    own: Mapping[str, Any] = {"sending_facility": "x", "subject_authority": "y", "visit_field": field}
    with pytest.raises(ValueError, match="visit_field"):
        Hl7File(**own)
