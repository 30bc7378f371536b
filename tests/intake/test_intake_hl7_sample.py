"""Whose sample an HL7 message is about, which, and when: visit, subject, specimen, times."""

from __future__ import annotations

import pytest
from intake_cases import H30, OTHER, SUBJECT, context
from message_cases import (
    DOTTED,
    LINES,
    Writer,
    hl7_lines,
    message,
    oul_lines,
    with_hl7,
)
from reading_cases import codes, fault_of, only, reading_of, usual_study, verdict_of

from scheduler.intake.findings import Verdict
from scheduler.intake.receipts import receipt_csv, receipt_of, speakers
from scheduler.intake.rules.validate import validate

# --- visit and sampling time


@pytest.mark.parametrize(
    ("note", "visit", "timepoint"),
    [
        ("V2 H30", "V2", "H30"),
        ("h30/w6", "w6", "h30"),
        ("résiduel", "", "résiduel"),
        ("visite: V2; temps: C0.5", "V2", "C0.5"),
        ("Visit=V2 Timepoint=H30", "V2", "H30"),
        ("temps : H30", "", "H30"),
        ("à comparer avec H0", "", ""),
        ("H0 H30", "", ""),
        ("V2 H30 hémolysé", "", ""),
        ("temps: H30; nom: DUPONT", "", ""),
        ("visite: V2; temps", "", ""),
        ("", "", ""),
    ],
)
def test_a_note_names_a_place_only_when_it_says_nothing_else(note: str, visit: str, timepoint: str) -> None:
    for field in ("OBR_13", "NTE"):
        text = Writer().escape(note)
        replaced = {"OBR_13": "", field: text if field == "OBR_13" else f"NTE|1||{text}"}
        one = only(message(**replaced))
        assert (one.text("visit"), one.text("timepoint")) == (visit, timepoint)
        assert one.text("comment") == ("" if visit or timepoint else note)


def test_places_that_disagree_hold_the_row() -> None:
    assert codes(message(NTE="NTE|1||T30")) == []
    assert codes(message(NTE="NTE|1||H2")) == ["R-09.differ"]
    assert codes(message(NTE="NTE|1||V3 H30")) == ["R-09.differ"]
    assert codes(message(OBX_17="EMIT", NTE="NTE|1||technique: LCMSMS")) == ["R-09.differ"]


@pytest.mark.parametrize("field", ["PV1-50", "ORC-20", "OBR-18", "SPM-30"])
def test_the_visit_stands_where_the_laboratory_was_configured_to_put_it(field: str) -> None:
    study, (name, _, number) = with_hl7(visit_field=field), field.partition("-")
    lines = hl7_lines([DOTTED[1]], Writer())
    lines.insert(2, "PV1|1|O")
    lines = [line.replace("V2 H30", "H30") for line in lines]
    at = next(i for i, line in enumerate(lines) if line.startswith(name))
    fields = [*lines[at].split("|"), *[""] * 50]
    fields[int(number)] = "V2"
    lines[at] = "|".join(fields)
    assert only("\r".join([*lines, ""]).encode(), study).text("visit") == "V2"


# --- subject


@pytest.mark.parametrize(
    ("identifiers", "subject", "expected"),
    [
        (f"{SUBJECT}^^^MPA-AUC", SUBJECT, []),
        (f"8001^^^APHP^PI~{SUBJECT}^^^MPA-AUC&1.2.3&ISO", SUBJECT, []),
        (f"{SUBJECT}^^^&MPA-AUC&ISO", SUBJECT, []),
        (f"{SUBJECT}^^^MPA-AUC~{OTHER}^^^MPA-AUC", OTHER, ["R-01", "R-09.subjects"]),
        (SUBJECT, SUBJECT, ["R-09.authority"]),
        ("MPA-0042-8^^^MPA-AUC", "MPA-0042-8", ["R-02"]),
        ("DUPONT^^^MPA-AUC", "", ["R-01.form"]),
    ],
)
def test_the_subject_is_the_one_of_the_studys_authority(
    identifiers: str, subject: str, expected: list[str]
) -> None:
    content = message(PID_3=identifiers)
    (row,) = verdict_of(content).rows
    assert row.entry.subject == subject
    assert sorted(codes(content)) == expected


@pytest.mark.parametrize("place", ["PID_2", "PID_4"])
def test_a_subject_in_another_field_is_held(place: str) -> None:
    replaced = {place: SUBJECT, "PID_3": "8001^^^APHP"}
    assert "R-09.authority" in codes(message(**replaced))


@pytest.mark.parametrize("identifiers", ["", "8001^^^APHP", f"{SUBJECT}^^^APHP", "8001"])
def test_other_patients_are_not_for_us_and_nothing_of_them_is_kept(identifiers: str) -> None:
    found = verdict_of(message(PID_3=identifiers))
    assert (found.verdict, found.rows) == (Verdict.IGNORED, ())
    assert found.reason is not None and found.reason.code == "F-17.patient"


def test_ours_among_others_refuses_the_file() -> None:
    found = verdict_of(message() + message(PID_3="8001^^^APHP"))
    assert found.reason is not None
    assert (found.verdict, found.reason.code) == (Verdict.QUARANTINED, "F-17.mixed")


def test_persons_are_noticed_and_not_kept() -> None:
    content = message(
        PID_3=f"{SUBJECT}^^^MPA-AUC~1700175123456^^^INS",
        PID_5="DUPONT^Jean",
        PID_7="19700101",
        NK1="NK1|1|MARTIN^Anne",
        NTE="NTE|1||NIR 1 70 01 75 123 456 78",
    )
    reading = reading_of(content)
    found = {note.code: note for note in reading.notes}
    assert found["D-01"].get("columns") == "NK1, PID-3, PID-5, PID-7"
    assert "D-01.number" in found
    receipt = receipt_of("x.hl7", "0" * 64, context().now, reading, validate(reading, context()))
    shown = receipt_csv(receipt, speakers(usual_study().home_zone)).decode()
    for secret in ("DUPONT", "Jean", "19700101", "MARTIN", "1700175123456", "123 456"):
        assert secret not in shown
        assert all(secret not in str(row.entry) for row in validate(reading, context()).rows)


def test_a_name_that_is_only_delimiters_or_null_is_none() -> None:
    codes = [note.code for note in reading_of(message(PID_5="^^", PID_7='""')).notes]
    assert codes == ["F-11.unbatched"]


# --- specimen and times


def test_the_specimen_is_the_laboratorys_own_number() -> None:
    assert only(message(SPM_2="ward&x^lab&y")).text("specimen_id") == "lab"
    assert only(message(SPM_2="ward")).text("specimen_id") == "ward"
    assert only(message(SPM_2="")).text("specimen_id") == H30["specimen_id"]
    assert codes(message(SPM="SPM|2|^another||PLASMA_EDTA")) == ["R-09.specimens"]


def test_a_specimen_before_its_order_is_refused() -> None:
    lines = [*LINES[:2], LINES[5], *LINES[2:5]]
    assert fault_of("\r".join([*lines, ""]).encode()).reason.code == "F-15.order"
    outside = [line for line in oul_lines(DOTTED, Writer()) if not line.startswith("SPM")]
    assert fault_of("\r".join([*outside, ""]).encode()).reason.code == "F-15.order"


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("HEM", "HEM"),
        ("CLOT", "COAG"),
        ("SNR", "NR"),
        ("FROZ", ""),
        ("QS", "QNS"),
        ("RI", "IDENT"),
        ("RB", "RB"),
    ],
)
def test_the_state_of_the_specimen(code: str, word: str) -> None:
    assert only(message(SPM_24=code)).text("specimen_quality") == word
    assert only(message(SPM_21=f"{code}^x")).text("specimen_quality") == word


def test_configured_words_for_specimens_and_methods() -> None:
    study = with_hl7(specimen_types={"PLAS": "PLASMA_EDTA"}, methods={"MS2": "LCMSMS"})
    content = message(SPM_4="PLAS^Plasma", OBX_17="MS2^LC-MS/MS")
    assert codes(content, study) == []
    assert set(codes(content)) == {"R-08", "R-09.method"}


@pytest.mark.parametrize(
    ("spm", "obr", "obx", "text", "expected"),
    [
        ("202601150831", "202601150831", "20260115083100", "2026-01-15T08:31", []),
        ("202601150731+0000", "202601150831", "", "2026-01-15T07:31+0000", []),
        ("202601150831+0000", "202601150831", "", "2026-01-15T08:31+0000", ["R-09.differ"]),
        ("202601150831", "202601150832", "", "2026-01-15T08:31", ["R-09.differ"]),
        ("202601150831", "202601150831", "202601150900", "2026-01-15T08:31", ["R-09.differ"]),
        ("20260115", "202601150831", "", "2026-01-15T08:31", []),
        ("", "", "202601150831", "2026-01-15T08:31", []),
        ("20260115", "", "", "20260115", ["R-30.coarse", "R-30"]),
        ("2026011508", "", "", "2026011508", ["R-30.coarse", "R-30"]),
        ("260115", "", "", "260115", ["R-30.coarse", "R-30"]),
        ("hier", "", "", "hier", ["R-30"]),
        ("202613450831", "", "", "2026-13-45T08:31", ["R-30"]),
        ("202601150831^202601150833", "", "", "2026-01-15T08:31", []),
    ],
)
def test_the_time_of_collection(spm: str, obr: str, obx: str, text: str, expected: list[str]) -> None:
    content = message(SPM_17=spm, OBR_7=obr, OBX_14=obx)
    assert only(content).text("collected_at") == text
    assert codes(content) == expected


def test_the_time_of_the_version() -> None:
    assert only(message(OBX_19="202601151500")).text("reported_at") == "2026-01-15T15:00"
    assert only(message(OBR_22="202601151500")).text("reported_at") == "2026-01-15T15:00"
    assert only(message(OBR_22="", OBX_19="")).text("reported_at") == "2026-01-15T14:30:00"
    assert only(message(OBR_14="202601150900")).text("received_at") == "2026-01-15T09:00"


def test_the_hour_that_clocks_repeat_needs_its_offset() -> None:
    assert "R-30.repeated" in codes(message(SPM_17="202510260230", OBR_7=""))
    assert "R-30.repeated" not in codes(message(SPM_17="202510260230+0100", OBR_7=""))
