"""What an HL7 message says, field by field, and the same results in every form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import H30, OTHER, SUBJECT, Bench, a_study, context, csv_text, known, lab_file
from message_cases import (
    DOTTED,
    Writer,
    batch,
    fault_of,
    hl7_bytes,
    hl7_lines,
    hprim_bytes,
    oul_lines,
    read_message,
    reading_of,
    rows,
    seen,
    usual_study,
)

from config.schema import Hl7File
from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import FileVerdict, State, Verdict
from scheduler.intake.readers import Candidate, read
from scheduler.intake.receipts import receipt_csv, receipt_of, speakers
from scheduler.intake.rules.validate import validate
from scheduler.intake.study import IntakeStudy

LINES = hl7_lines(DOTTED, Writer())


def verdict_of(content: bytes, study: IntakeStudy | None = None, **visit: Any) -> FileVerdict:
    study = study or usual_study()
    return validate(read_message(content, study), context(known(**visit), study))


def message(**replaced: str) -> bytes:
    """The message of one row, with fields set as OBX_5="..."; a name without number is a further segment."""
    lines = hl7_lines([DOTTED[1]], Writer())
    for place, text in replaced.items():
        name, _, number = place.partition("_")
        if not number:
            lines.append(text)
            continue
        at = next(i for i, line in enumerate(lines) if line.startswith(name))
        fields = lines[at].split("|")
        index = int(number) - (name == "MSH")
        fields += [""] * (index + 1 - len(fields))
        fields[index] = text
        lines[at] = "|".join(fields)
    return "\r".join([*lines, ""]).encode()


def only(content: bytes, study: IntakeStudy | None = None) -> Candidate:
    (one,) = reading_of(content, study).candidates
    return one


def findings(content: bytes, study: IntakeStudy | None = None) -> list[str]:
    (row,) = verdict_of(content, study).rows
    return [one.reason.code for one in row.findings]


def with_hl7(**changes: Any) -> IntakeStudy:
    own = lab_file().hl7
    assert own is not None
    return a_study(hl7=own.model_copy(update=changes))


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


# --- status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *[(one, ResultStatus.FINAL) for one in "FUABV"],
        *[(one, ResultStatus.PRELIMINARY) for one in "PRSION"],
        ("C", ResultStatus.CORRECTED),
        *[(one, ResultStatus.WITHDRAWN) for one in "DW"],
        ("X", ResultStatus.NOT_OBTAINED),
        *[(one, None) for one in ("", "Q", "FF", '""')],
    ],
)
def test_OBX11_code_by_code(code: str, status: ResultStatus | None) -> None:
    (row,) = verdict_of(message(OBX_11=code)).rows
    assert row.entry.status is status
    assert ("R-41" in [f.reason.code for f in row.findings]) == (status is None)


@pytest.mark.parametrize("order", ["", *"OISAPCRFXYZMNWDQ"])
@pytest.mark.parametrize("own", list("FCUABVPRSIONXDW"))
def test_an_order_that_says_less_than_its_result_holds_it(own: str, order: str) -> None:
    held = "R-41.order" in findings(message(OBX_11=own, OBR_25=order))
    if order in "WD" and order:
        assert held == (own not in "WD")
    elif order == "X":
        assert held == (own not in "XWD")
    else:
        assert held == (bool(order) and order in "PRSIOMNYZ" and own in "FCUABV")


def test_U_is_final_with_its_value_and_held_without_it() -> None:
    """A preliminary value is never taken over as a final one."""
    assert findings(message(OBX_11="U")) == []
    assert findings(message(OBX_11="U", OBX_5=""))[0] == "R-11.unsent"
    assert "R-11.unsent" not in findings(message(OBX_11="F", OBX_5=""))


# --- value and unit


@pytest.mark.parametrize(
    ("kind", "value", "text", "doubt"),
    [
        ("NM", "14.20", "14.20", False),
        ("NM", "+14", "+14", False),
        ("NM", "<0.1", "<0.1", True),
        ("NM", "1,85", "1,85", True),
        ("NM", "1e5", "1e5", True),
        ("NM", "", "", False),
        ("NM", '""', "", False),
        ("SN", "<^0.1", "<0.1", False),
        ("SN", "^14.2", "14.2", False),
        ("SN", "=^14.2", "14.2", False),
        ("SN", ">=^15", ">=15", False),
        ("SN", "^1^-^2", "^1^-^2", False),
        ("SN", "<^a", "<^a", False),
        ("ST", "1,85", "1,85", False),
        ("ST", "< 3.0", "< 3.0", False),
        ("ST", r"\T\lt", "&lt", False),
        ("TX", "ND", "ND", False),
        ("CWE", "QNS^Quantité insuffisante^L", "QNS", False),
        ("CE", "^Non détecté", "Non détecté", False),
        ("NM", "1.85~2.1", "1.85~2.1", True),
        ("", "1.85", "1.85", True),
        ("ED", "^application^pdf^Base64^AAAA", "^application^pdf^Base64^AAAA", True),
    ],
)
def test_values_by_their_type(kind: str, value: str, text: str, doubt: bool) -> None:
    content = message(OBX_2=kind, OBX_5=value)
    assert only(content).text("value") == text
    assert ("R-10.type" in findings(content)) == doubt


@pytest.mark.parametrize("value", ["^1^-^2", "<^a", "^1^:^128"])
def test_ranges_and_ratios_are_held(value: str) -> None:
    assert "R-10" in findings(message(OBX_2="SN", OBX_5=value))


def test_nothing_is_put_in_for_what_is_missing() -> None:
    assert "R-15" in findings(message(OBX_6=""))
    assert "R-15" in findings(message(OBX_6='""'))
    assert {"R-04.missing", "R-05"} <= set(findings(message(OBR_13="")))
    assert "R-41" in findings(message(OBX_11=""))
    assert "R-08" in findings(message(SPM_4=""))
    assert "R-09.method" in findings(message(OBX_17=""))
    assert "R-09.specimen" in findings(message(SPM_2="", OBR_3=""))
    assert "R-30.missing" in findings(message(SPM_17="", OBR_7=""))


# --- code


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("23905-3^MPA^LN", []),
        ("MPA^Acide mycophénolique^L", []),
        ("A0163^MPA^ANABIO^23905-3^Mycophenolate^LN", []),
        ("A0163^MPA^ANABIO", ["R-06.unknown"]),
        ("", ["R-06.unknown"]),
        ("23905-3^Acide mycophénolique glucuronide^LN", ["R-07"]),
        ("23905-3^MPA^LN^A9^MPAG^L", ["R-07"]),
        ("MPA^MPA^L^23906-1^x^LN", ["R-07.codes"]),
        ("MPA^MPA^L^2160-0^Creatinine^LN", ["R-07.codes"]),
        ("23906-1^MPA^LN", ["R-06"]),
        ("2160-0^Creatinine^LN", ["R-06"]),
        ("A9^Créatinine^L^2160-0^Creatinine^LN", ["R-06"]),
        ("55806-4^MPA^LN", ["R-08.blood"]),
    ],
)
def test_the_code_in_either_place(field: str, codes: list[str]) -> None:
    found = findings(message(OBX_3=field))
    assert [one for one in found if one.startswith(("R-06", "R-07", "R-08"))] == codes


def test_a_local_code_may_end_with_the_sampling_time() -> None:
    study = with_hl7(code_suffixes={"-H30": "H30", "-30": "H2"})
    content = message(OBX_3="MPA-H30^MPA 30 min^L", OBR_13="V2")
    assert (only(content, study).text("analyte"), only(content, study).text("timepoint")) == ("MPA", "H30")
    assert findings(content, study) == []
    assert findings(message(OBX_3="MPA-H30^MPA^L", OBR_13="V2 H2"), study) == ["R-09.differ"]
    assert findings(message(OBX_3="MPA-H30^MPA^L", OBR_13="V2 T30"), study) == []


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
    assert findings(message(NTE="NTE|1||T30")) == []
    assert findings(message(NTE="NTE|1||H2")) == ["R-09.differ"]
    assert findings(message(NTE="NTE|1||V3 H30")) == ["R-09.differ"]
    assert findings(message(OBX_17="EMIT", NTE="NTE|1||technique: LCMSMS")) == ["R-09.differ"]


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
    ("identifiers", "subject", "codes"),
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
    identifiers: str, subject: str, codes: list[str]
) -> None:
    content = message(PID_3=identifiers)
    (row,) = verdict_of(content).rows
    assert row.entry.subject == subject
    assert sorted(findings(content)) == codes


@pytest.mark.parametrize("place", ["PID_2", "PID_4"])
def test_a_subject_in_another_field_is_held(place: str) -> None:
    replaced = {place: SUBJECT, "PID_3": "8001^^^APHP"}
    assert "R-09.authority" in findings(message(**replaced))


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
    assert findings(message(SPM="SPM|2|^another||PLASMA_EDTA")) == ["R-09.specimens"]


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
    assert findings(content, study) == []
    assert set(findings(content)) == {"R-08", "R-09.method"}


@pytest.mark.parametrize(
    ("spm", "obr", "obx", "text", "codes"),
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
def test_the_time_of_collection(spm: str, obr: str, obx: str, text: str, codes: list[str]) -> None:
    content = message(SPM_17=spm, OBR_7=obr, OBX_14=obx)
    assert only(content).text("collected_at") == text
    assert findings(content) == codes


def test_the_time_of_the_version() -> None:
    assert only(message(OBX_19="202601151500")).text("reported_at") == "2026-01-15T15:00"
    assert only(message(OBR_22="202601151500")).text("reported_at") == "2026-01-15T15:00"
    assert only(message(OBR_22="", OBX_19="")).text("reported_at") == "2026-01-15T14:30:00"
    assert only(message(OBR_14="202601150900")).text("received_at") == "2026-01-15T09:00"


def test_the_hour_that_clocks_repeat_needs_its_offset() -> None:
    assert "R-30.repeated" in findings(message(SPM_17="202510260230", OBR_7=""))
    assert "R-30.repeated" not in findings(message(SPM_17="202510260230+0100", OBR_7=""))


# --- whole messages


def test_the_sender_is_looked_up() -> None:
    assert "R-09.laboratory" in findings(message(MSH_4="AILLEURS"))
    assert "R-09.laboratory" in findings(message(MSH_3="AUTRE"))
    assert findings(message(MSH_4="x^CCH-PHARMACO^DNS")) == []
    assert findings(message(MSH_3="AUTRE"), with_hl7(sending_application="")) == []


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
    assert "R-33" in findings(message(NTE="NTE|1||Ne pas tenir compte"))
    lines = hl7_lines([DOTTED[1]], Writer())
    lines.insert(4, "NTE|1||inversion~possible")
    assert "R-33" in findings("\r".join([*lines, ""]).encode())


@pytest.mark.parametrize("field", ["OBX-5", "PV1", "pv1-3", "PV1-0", "PID-5"])
def test_the_visit_field_is_one_of_a_visit_order_or_specimen(field: str) -> None:
    own: Mapping[str, Any] = {"sending_facility": "x", "subject_authority": "y", "visit_field": field}
    with pytest.raises(ValueError, match="visit_field"):
        Hl7File(**own)
