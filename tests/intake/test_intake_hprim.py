"""HPRIM Santé: delimiters of every kind, continued lines, the last segment."""

from __future__ import annotations

from typing import Any

import pytest
from intake_cases import SUBJECT, a_study, lab_file
from message_cases import DOTTED, hprim_bytes
from reading_cases import fault_of, read_message, reading_of, verdict_of

from scheduler.intake.findings import Verdict
from scheduler.intake.readers import Fault
from scheduler.intake.study import IntakeStudy

# As a French laboratory sends it: French labels, a limit with a blank, a line that goes on in A.
TYPICAL = """\
H|~^\\&|0001.HPR||CCH-PHARMACO~Pharmacologie||ORU|||CCH~Cochin||P|H2.2~C|202601151430
P|1|MPA-0042-7|L26-0815||DUPONT~JEAN||19700101|M
OBR|1|26015-00871-1|~L26-1|MPA~Acide mycophénolique~L|R||202601150755||||||||PLASMA_EDTA|||||||202601151425
OBX|1|ST|MPA~Acide mycophénolique~L||< 0,1|mg/L|||||F||||||LCM
A|SMS
C|1|L|Visite : V2; Temps : H0
C|2|L|lq_inf: 0,1
L|1
""".replace("\n", "\r\n")


def with_hprim(**changes: Any) -> IntakeStudy:
    own = lab_file().hprim
    assert own is not None
    return a_study(hprim=own.model_copy(update=changes))


def test_a_typical_file_is_understood() -> None:
    verdict = verdict_of(TYPICAL.encode("cp1252"))
    (row,) = verdict.rows
    assert verdict.verdict is Verdict.ACCEPTED
    assert (row.entry.subject, row.entry.visit, row.entry.timepoint) == (SUBJECT, "W6", "H0")
    assert (row.entry.comparator, str(row.entry.lloq_mg_l), row.entry.method) == ("<", "0.1", "LCMSMS")
    assert row.row == 4
    assert [note.code for note in verdict.notes] == ["D-01"]
    assert verdict.notes[0].get("columns") == "P-4, P-6, P-8"


@pytest.mark.parametrize("marks", ["|~^\\&", "|^~\\&", "|^~&\\"])
@pytest.mark.parametrize("newline", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("version", ["H2.1~C", "H2.2~C", "H2.3~L", "H2.4~C", "2.1"])
def test_delimiters_are_those_that_the_header_declares(marks: str, newline: str, version: str) -> None:
    found = reading_of(hprim_bytes(marks=marks, newline=newline, version=version))
    assert found.complete
    assert [one.text("value") for one in found.candidates] == [row["value"] for row in DOTTED]


def test_delimiters_that_nobody_declares_are_not_taken_for_HPRIM() -> None:
    assert fault_of(hprim_bytes(marks="|!*?%")).reason.code == "F-06"


@pytest.mark.parametrize("width", [30, 60, 80, 220])
def test_lines_go_on_in_segments_A(width: int) -> None:
    cells = [one.cells for one in reading_of(hprim_bytes(width=width)).candidates]
    assert cells == [one.cells for one in reading_of(hprim_bytes()).candidates]


@pytest.mark.parametrize("newline", ["\r", "\n"])
def test_a_file_cut_at_any_byte_is_refused(newline: str) -> None:
    whole = hprim_bytes(newline=newline)
    for cut in range(len(whole)):
        assert isinstance(read_message(whole[:cut]), Fault), cut


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (lambda t: t.replace("L|1\r\n", ""), "F-11.open"),
        (lambda t: t + t.replace("L|1\r\n", ""), "F-11.open"),
        (lambda t: t.replace("L|1\r\n", "") + t, "F-11.open"),
        (lambda t: t + "OBX|1\r\n", "F-15"),
        (lambda t: t.replace("C|1|", "CC|1|"), "F-15"),
        (lambda t: t.replace("C|1|L|", "suite "), "F-15"),
        (lambda t: t.replace("C|1|", "C~1|"), "F-15"),
        (lambda t: t.replace("|~^\\&|", "|~~\\&|"), "F-15.delimiters"),
        (lambda t: t.replace("|~^\\&|", "|~^|"), "F-15.delimiters"),
        (lambda t: t.replace("|ORU|", "|ADM|"), "F-16"),
        (lambda t: t.replace("H2.2", "H3.0"), "F-07.version"),
        (lambda t: t.replace("|P|H2", "|T|H2"), "F-18"),
        (lambda t: t.replace("OBX|1|", "C|9|"), "F-03.results"),
    ],
)
def test_what_refuses_the_file(changed: Any, code: str) -> None:
    assert fault_of(changed(TYPICAL).encode("cp1252")).reason.code == code


def test_test_messages_where_they_are_wanted() -> None:
    content = TYPICAL.replace("|P|H2", "|T|H2").encode()
    assert verdict_of(content, with_hprim(accept_test_messages=True)).verdict is Verdict.ACCEPTED


def test_two_files_in_one_do_not_mix() -> None:
    other = TYPICAL.replace("26015-00871-1", "other").replace("Temps : H0", "Temps : H2")
    rows = reading_of((TYPICAL + other).encode("cp1252")).candidates
    assert [one.text("specimen_id") for one in rows] == ["26015-00871-1", "other"]
    assert [one.text("timepoint") for one in rows] == ["H0", "H2"]


def test_the_subject_stands_in_P3_or_P4() -> None:
    swapped = TYPICAL.replace("|MPA-0042-7|L26-0815|", "|L26-0815|MPA-0042-7|")
    assert verdict_of(swapped.encode()).rows[0].entry.subject == SUBJECT
    both = TYPICAL.replace("|L26-0815|", "|MPA-0001-3|")
    assert "R-09.subjects" in [f.reason.code for f in verdict_of(both.encode()).rows[0].findings]
    nobody = verdict_of(TYPICAL.replace("|MPA-0042-7|", "|0042|").encode())
    assert nobody.reason is not None
    assert (nobody.verdict, nobody.reason.code, nobody.rows) == (Verdict.IGNORED, "F-17.patient", ())


def test_an_unknown_sender_is_held_and_no_configuration_refused() -> None:
    (row,) = verdict_of(TYPICAL.replace("|CCH-PHARMACO~", "|AILLEURS~").encode()).rows
    assert next(f.reason.code for f in row.findings) == "R-09.laboratory"
    assert fault_of(TYPICAL.encode(), a_study(hprim=None)).reason.code == "F-07.unset"


def test_of_two_repetitions_of_the_collection_the_first_is_the_beginning() -> None:
    content = TYPICAL.replace("|202601150755|", "|202601150755^202601150757|").encode()
    assert reading_of(content).candidates[0].text("collected_at") == "2026-01-15T07:55"
