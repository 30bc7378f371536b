"""The rules about the file as a whole: format, characters, columns, widths, last line, decimal sign."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import H0, ROW, THREE, context, csv_bytes, csv_text, lab_file

from scheduler.intake.layout.columns import COLUMNS, REQUIRED, lab_aliases, looks_identifying
from scheduler.intake.readers import Fault, Reading, read
from scheduler.intake.rules.validate import validate


def code_of(content: bytes) -> str:
    found = read(content)
    return found.reason.code if isinstance(found, Fault) else "read"


def reading_of(content: bytes) -> Reading:
    found = read(content)
    assert isinstance(found, Reading), found
    return found


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"%PDF-1.7\n...", "PDF"),
        (b"PK\x03\x04....notes.txt", "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "Office 97-2003"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        ("\n".join(["x"] * 12 + ["****LAB****", "RES|"]).encode(), "HPRIM Médecin"),
        (b'{"results": []}', "JSON"),
        (b"[1]", "JSON"),
        (b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3">', "CDA"),
        (b"<?xml version='1.0'?><!DOCTYPE x>", "XML"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
        (b"<html><table>", "HTML"),
    ],
)
def test_F07_a_known_other_format_is_named(content: bytes, name: str) -> None:
    found = read(content)
    assert isinstance(found, Fault)
    assert (found.reason.code, found.reason.get("format")) == ("F-07", name)


@pytest.mark.parametrize(
    "content", [b"bonjour", b"a;b;c\r\n1;2;3\r\n", b"\r\n\r\n", b"   ", b";;;\r\n", b"#FIN;0\r\n"]
)
def test_F06_a_file_without_any_known_column_has_an_unknown_format(content: bytes) -> None:
    assert code_of(content) == "F-06"


@pytest.mark.parametrize("title", ["Résultats MPA-AUC, février", "Résultats;;;", "CCH\tPharmaco\r\n\r\n;"])
def test_F06_a_title_above_the_column_names_is_what_is_told(title: str) -> None:
    found = read(f"{title}\r\n\r\n".encode() + csv_bytes())
    assert isinstance(found, Fault)
    assert (found.reason.code, found.reason.get("row")) == ("F-06.header", title.count("\n") + 3)
    assert code_of(b"titre\r\n" * 400 + csv_bytes()) == "F-06"


def test_F03_an_empty_file_and_one_without_rows_are_refused() -> None:
    assert code_of(b"") == "F-03"
    header = csv_text().splitlines()[0]
    assert code_of(f"{header}\r\n".encode()) == "F-03.rows"
    assert code_of(f"{header}\r\n#FIN;0\r\n".encode()) == "F-03.rows"


def test_F04_more_than_5000_rows_are_not_read() -> None:
    assert code_of(csv_bytes([ROW] * 5001)) == "F-04.rows"
    assert len(reading_of(csv_bytes([ROW] * 5000)).candidates) == 5000


@pytest.mark.parametrize(
    "content",
    [
        csv_bytes().replace(b"1,85", b"1\x0085"),
        csv_bytes().replace(b"1,85", b"1\x8185"),
        csv_text().encode("utf-16-le"),
        csv_text().replace("1,85", "1\ufffd85").encode(),
        b"\xff\xfe" + csv_text().encode("utf-16-le") + b"x",
        b"\xef\xbb\xbf" + "étude".encode("cp1252"),
        csv_bytes().replace(b"1,85", b"1\x1b85"),
    ],
)
def test_F08_unreadable_characters_refuse_the_file(content: bytes) -> None:
    assert code_of(content) == "F-08"


@pytest.mark.parametrize("column", REQUIRED)
def test_F09_each_required_column_is_required(column: str) -> None:
    row = {name: text for name, text in ROW.items() if name != column}
    found = read(csv_bytes([row]))
    assert isinstance(found, Fault)
    assert found.reason.code == "F-09"
    assert column in str(found.reason.get("columns"))


def test_F09_a_column_under_two_names_is_refused() -> None:
    content = csv_text([{**ROW, "T": "H0"}]).encode()
    assert code_of(content) == "F-09.twice"


@pytest.mark.parametrize("name", [name for names in COLUMNS.values() for name in names])
def test_F09_every_french_name_and_alias_is_recognised(name: str) -> None:
    column = next(column for column, names in COLUMNS.items() if name in names)
    row = {**ROW, column: ROW.get(column, "")}
    text = csv_text([{name if key == column else key: value for key, value in row.items()}], french=False)
    reading = reading_of(text.encode())
    assert reading.header(column) == name
    assert reading.unknown_columns == ()


def test_F09_headers_match_whatever_their_case_accents_and_punctuation() -> None:
    text = csv_text([{**ROW, "comment": ""}])
    header, rest = text.split("\r\n", 1)
    written = header.replace("etude", " ÉTUDE ").replace("unite", "Unité").replace("numero_e", "Numéro d'é")
    written = written.replace("numéro d'échantillon", "Numéro échantillon").replace("d'", "")
    assert isinstance(read(f"{written}\r\n{rest}".encode()), Reading)


def test_a_laboratory_may_have_further_header_names() -> None:
    lab = lab_file().model_copy(update={"column_aliases": {"value": ("Concentration (mg/L)",)}})
    content = csv_text().replace("resultat", "Concentration (mg/L)").encode()
    assert isinstance(read(content), Fault)
    assert isinstance(read(content, lab_aliases([lab])), Reading)


def test_F10_a_row_of_another_width_is_refused() -> None:
    lines = csv_text(trailer=False).splitlines()
    for wrong in (lines[2] + ";x", lines[2].rpartition(";")[0]):
        found = read("\r\n".join([*lines[:2], wrong, *lines[3:], ""]).encode())
        assert isinstance(found, Fault)
        assert (found.reason.code, found.reason.get("row")) == ("F-10", 3)


def test_F10_an_unclosed_quote_is_refused() -> None:
    assert code_of(csv_bytes().replace(b"1,85", b'"1,85')) == "F-10.quote"
    assert code_of(csv_bytes([{**ROW, "comment": "x" * 140_000}])) == "F-10.quote"


def test_F10_empty_cells_that_a_spreadsheet_adds_are_nothing() -> None:
    lines = csv_text().splitlines()
    padded = "\r\n".join(
        [line + ";" * (3 if line.startswith("#") else 2) for line in lines] + [";;;;", "", ""]
    )
    reading = reading_of(padded.encode())
    assert len(reading.candidates) == 3
    assert reading.complete


@pytest.mark.parametrize(
    "trailer", ["#FIN;2", "#FIN;4", "#FIN", "#FIN;", "#FIN;x", "#FIN;-3", "#FIN;3;1", "#END;03x"]
)
def test_F11_a_last_line_binds(trailer: str) -> None:
    assert code_of((csv_text(trailer=False) + trailer + "\r\n").encode()) == "F-11"


@pytest.mark.parametrize("trailer", ["#FIN;3", '"#FIN;3";;', "#END;3", "#fin;3", "#FIN;3;;;;", "#FIN ; 3"])
def test_F11_a_last_line_may_be_written_as_a_spreadsheet_does(trailer: str) -> None:
    assert reading_of((csv_text(trailer=False) + trailer).encode()).complete


def test_F11_nothing_may_follow_the_last_line() -> None:
    line = csv_text().splitlines()[1]
    assert code_of((csv_text() + line + "\r\n").encode()) == "F-11.after"


def test_F11_without_a_last_line_the_end_must_be_the_end_of_a_line() -> None:
    text = csv_text(trailer=False)
    assert not reading_of(text.encode()).complete
    assert [note.code for note in reading_of(text.encode()).notes] == ["F-11.unproven"]
    assert code_of(text.rstrip().encode()) == "F-11.unterminated"


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig"])
def test_F11_a_file_cut_anywhere_is_never_accepted_as_complete(encoding: str) -> None:
    whole = csv_bytes([*THREE, {**H0, "specimen_id": "é"}] * 3, encoding=encoding)
    end = len(whole) - len("\r\n")
    for cut in range(end):
        found = read(whole[:cut])
        if isinstance(found, Reading):
            assert not found.complete, cut
            assert whole[:cut].endswith((b"\r", b"\n")), cut
    assert reading_of(whole[:end]).complete


def test_F12_one_decimal_sign_for_the_whole_file() -> None:
    assert code_of(csv_bytes([H0, {**H0, "value": "1.85"}])) == "F-12"
    assert code_of(csv_bytes([{**H0, "value": "<0,1", "lloq": "0.1"}])) == "F-12"
    assert code_of(csv_bytes([{**H0, "value": "1.85"}])) == "read"


def test_F12_commas_between_columns_go_with_decimal_dots_only() -> None:
    assert code_of(csv_bytes(delimiter=",", decimal=".")) == "read"
    assert code_of(csv_bytes(delimiter=",")) == "F-10"
    assert code_of(csv_text([{**H0, "value": '"1,85"'}], delimiter=",").encode()) == "F-12.comma"


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("value", "=1+1", "F-14"),
        ("specimen_id", '"=""00123"""', "F-14"),
        ("collected_at", "########", "F-14.error"),
        ("value", "#N/A", "F-14.error"),
        ("value", "#VALEUR!", "F-14.error"),
        ("value", "#DIV/0!", "F-14.error"),
        ("specimen_id", "2,60150087E+12", "F-14.rounded"),
        ("comment", "=HYPERLINK(1)", "read"),
    ],
)
def test_F14_what_a_spreadsheet_shows_instead_of_the_content_is_refused(
    column: str, text: str, code: str
) -> None:
    assert code_of(csv_text([{**ROW, column: text}]).encode()) == code


def test_D01_identifying_columns_are_reported_and_not_kept() -> None:
    text = csv_text(
        [{**ROW, "Nom": "DUPONT", "Prénom": "Anne", "Date de naissance": "01/01/1970", "libre": "x"}]
    )
    reading = reading_of(text.encode("cp1252"))
    assert reading.notes[0].code == "D-01"
    assert reading.notes[0].get("columns") == "Nom, Prénom, Date de naissance"
    verdict = validate(reading, context())
    assert "DUPONT" not in repr(verdict)


@pytest.mark.parametrize(
    "header",
    [
        "NOM",
        "prenom",
        "Nom usuel",
        "nom de naissance",
        "NIR",
        "INS",
        "IPP",
        "Date naissance",
        "birth_date",
        "DDN",
        "name",
    ],
)
def test_D01_names_numbers_and_birth_dates_are_recognised_by_their_header(header: str) -> None:
    assert looks_identifying(header)


@pytest.mark.parametrize(
    "header", ["nombre", "nomenclature", "service", "automate", "dilution", "inspecteur"]
)
def test_D01_other_headers_are_left_alone(header: str) -> None:
    assert not looks_identifying(header)


@pytest.mark.parametrize("text", ["1 70 01 75 056 001 23", "170017505600123", "2700175056001"])
def test_D01_a_national_number_in_a_comment_is_noticed(text: str) -> None:
    reading = reading_of(csv_text([{**ROW, "comment": text}]).encode())
    assert "D-01.number" in [note.code for note in reading.notes]


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    lines = csv_text().splitlines()
    text = "\r\n".join([lines[0], "", *lines[1:], ""])
    assert [one.row for one in reading_of(text.encode()).candidates] == [3, 4, 5]


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(content: bytes) -> None:
    found = read(content)
    assert validate(found, context()).verdict


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_never_raises(data: st.DataObject) -> None:
    content = bytearray(csv_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    verdict = validate(read(bytes(content)), context())
    assert verdict.verdict in ("accepted", "held", "ignored", "quarantined")
