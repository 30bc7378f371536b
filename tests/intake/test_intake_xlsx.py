"""What a workbook says, cell by cell, and the same results as in a CSV."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from intake_cases import H0, THREE, Bench, context, csv_bytes, csv_text
from message_cases import DOTTED, hl7_bytes, rows
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet
from reading_cases import seen
from workbook_cases import (
    SHEET,
    as_excel_writes,
    changed,
    code_of,
    part_of,
    reading_of,
    saved,
    sheet_of,
    with_parts,
    workbook_bytes,
)

from scheduler.intake.readers import Fault, read
from scheduler.intake.readers.xlsx import column_letters, shown_number, shows_plainly
from scheduler.intake.rules.validate import validate

GOOD = workbook_bytes(THREE)
TYPED = workbook_bytes(THREE, typed=True)
COLUMNS = list(THREE[0])
moment = datetime.fromisoformat


def place(column: str) -> int:
    return COLUMNS.index(column) + 1


def with_cell(column: str, value: object, form: str = "General", row: int = 2) -> bytes:
    def change(sheet: Worksheet) -> None:
        cell = sheet.cell(row, place(column))
        cell.value, cell.number_format = value, form

    return changed(TYPED, change)


def text_of(content: bytes, column: str) -> str:
    return reading_of(content).candidates[0].text(column)


# --- the same results


@settings(deadline=None, max_examples=12)
@given(rows())
def test_the_same_results_as_csv_and_as_workbook_are_the_same(three: list[dict[str, str]]) -> None:
    table = validate(read(csv_text(three, decimal=".").encode()), context())
    for typed in (True, False):
        assert seen(validate(read(workbook_bytes(three, typed=typed)), context())) == seen(table)


@pytest.mark.parametrize(
    "content", [GOOD, TYPED, as_excel_writes(TYPED), workbook_bytes(THREE, french=False)]
)
def test_a_workbook_in_the_layout_is_accepted(content: bytes) -> None:
    found = reading_of(content)
    verdict = validate(found, context())
    assert [(row.entry.timepoint, str(row.entry.conc_mg_l)) for row in verdict.rows] == [
        ("H0", "1.85"),
        ("H30", "14.2"),
        ("H2", "6.40"),
    ]
    assert (verdict.verdict.value, found.complete, found.encoding, verdict.notes) == (
        "accepted",
        True,
        "xlsx",
        (),
    )


def test_the_stored_versions_do_not_depend_on_the_form(bench: Bench) -> None:
    for name, content in (
        ("a.xlsx", workbook_bytes(DOTTED, typed=True)),
        ("b.hl7", hl7_bytes()),
        ("c.csv", csv_bytes(DOTTED)),
    ):
        bench.drop(name, content)
        bench.step()
    assert [(file.verdict, file.code) for file in bench.files()] == [
        ("accepted", None),
        ("ignored", "R-42"),
        ("ignored", "R-42"),
    ]
    assert len(bench.versions()) == 3


# --- numbers


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (14.2, "General", "14.2"),
        (0.1 + 0.2, "General", "0.3"),
        (6.4, "0.00", "6.40"),
        (6.4444, "0.0", "6.4444"),
        (6.4, "#,##0.00", "6.40"),
        (0.05, "0.00E+00", "0.05"),
        (7, "General", "7"),
        (7, "0.0", "7.0"),
        (-1.5, "0.00;[Red]-0.00", "-1.50"),
        (1e-7, "General", "0.0000001"),
    ],
)
def test_a_number_keeps_its_digits_and_gets_the_zeros_of_its_format(
    value: float, form: str, text: str
) -> None:
    assert text_of(with_cell("value", value, form), "value") == text


@pytest.mark.parametrize(
    "form", ["0%", '"<"0.0', '0.0" mg/L"', "0.0,", '[<0.1]"<0,1";0.0', '0.00 "€"', "# ?/?"]
)
def test_F14_a_number_that_shows_as_something_else_is_refused(form: str) -> None:
    assert code_of(with_cell("value", 0.1, form)) == "F-14.shown"


@pytest.mark.parametrize(
    "form", ["General", "0", "0.00", "#,##0.0", "@", "_-* #,##0.00_-;-* #,##0.00_-", "0.00_);(0.00)"]
)
def test_formats_that_show_the_number_itself(form: str) -> None:
    assert shows_plainly(form)


def test_numbers_and_texts_may_mix_signs_because_a_number_has_none() -> None:
    """A French Excel shows 14,2 for the number; the limit beside it is text."""
    found = validate(reading_of(with_cell("value", "<0,1", "@")), context())
    assert [(row.entry.value_raw, row.state.value) for row in found.rows] == [
        ("<0,1", "accepted"),
        ("14.2", "accepted"),
        ("6.40", "accepted"),
    ]


def test_F12_texts_with_both_signs_are_refused() -> None:
    rows = [{**THREE[0], "value": "1,85"}, {**THREE[1], "value": "14.2"}]
    assert code_of(workbook_bytes(rows)) == "F-12"


def test_codes_typed_as_numbers_keep_the_zeros_that_are_shown() -> None:
    assert text_of(with_cell("specimen_id", 871, "00000"), "specimen_id") == "00871"
    assert text_of(with_cell("specimen_id", 260150087101234, "0"), "specimen_id") == "260150087101234"
    assert code_of(with_cell("specimen_id", 2601500871012345, "0")) == "F-14.rounded"
    assert code_of(with_cell("specimen_id", 871, '"26015-"00000')) == "F-14.shown"


def test_numbers_in_columns_of_words_are_their_digits() -> None:
    assert text_of(with_cell("visit", 2), "visit") == "2"
    assert shown_number("5", "000") == "005"
    assert shown_number("-5", "000") == "-5"


# --- dates


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (moment("2026-01-15T07:55"), "dd/mm/yyyy hh:mm", "15/01/2026 07:55"),
        (moment("2026-01-15T07:55"), "dd/mm/yyyy", "15/01/2026 07:55"),
        (moment("2026-01-15T07:55:30"), "[$-40C]d mmm yyyy hh:mm", "15/01/2026 07:55:30"),
        (moment("2026-01-15"), "dd/mm/yyyy hh:mm", "15/01/2026 00:00"),
        (moment("2026-01-15"), "dd/mm/yyyy", "15/01/2026"),
        (time(7, 55), "hh:mm", "07:55:00"),
        (46037.32986111111, "dd/mm/yyyy hh:mm", "15/01/2026 07:55"),
        ("15/01/2026 07:55", "@", "15/01/2026 07:55"),
        ("2026-01-15T07:55+01:00", "@", "2026-01-15T07:55+01:00"),
    ],
)
def test_a_date_is_what_is_stored_not_what_its_format_leaves(value: object, form: str, text: str) -> None:
    assert text_of(with_cell("collected_at", value, form), "collected_at") == text


def test_a_day_without_a_time_holds_the_row() -> None:
    verdict = validate(reading_of(with_cell("collected_at", moment("2026-01-15"), "dd/mm/yyyy")), context())
    assert [one.reason.code for one in verdict.rows[0].findings] == ["R-30"]


def test_the_calendar_of_old_macintoshes_is_known() -> None:
    book = sheet_of(THREE, typed=True)
    book.epoch = CALENDAR_MAC_1904
    assert text_of(saved(book), "collected_at") == "15/01/2026 07:55"


def test_F14_a_date_without_a_date_format_is_refused() -> None:
    assert code_of(with_cell("collected_at", 46037.329861)) == "F-14.serial"


@pytest.mark.parametrize("column", ["value", "specimen_id", "timepoint", "visit", "subject_id"])
def test_F14_what_the_spreadsheet_turned_into_a_date_is_refused(column: str) -> None:
    """A French Excel makes January 1985 of 1.85."""
    assert code_of(with_cell(column, moment("1985-01-01"), "mmm-yy")) == "F-14.date"


# --- other cells


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("value", "=1+1", "F-14"),
        ("comment", "=A1", "F-14"),
        ("value", "#N/A", "F-14.error"),
        ("specimen_id", "#REF!", "F-14.error"),
    ],
)
def test_F14_formulas_and_errors_are_refused(column: str, value: str, code: str) -> None:
    book = sheet_of([{**row, "comment": "ok"} for row in THREE])
    sheet = book.worksheets[0]
    sheet.cell(3, [*COLUMNS, "comment"].index(column) + 1).value = value
    found = read(saved(book))
    assert isinstance(found, Fault)
    assert (found.reason.code, found.reason.get("row")) == (code, 3)


def test_a_formula_in_a_column_that_is_not_used_does_not_matter() -> None:
    book = sheet_of([{**row, "remarque interne": "x"} for row in THREE])
    book.worksheets[0].cell(2, len(COLUMNS) + 1).value = "=1+1"
    assert code_of(saved(book)) == "read"


def test_a_truth_value_is_no_number() -> None:
    verdict = validate(reading_of(with_cell("value", True)), context())
    assert [one.reason.code for one in verdict.rows[0].findings] == ["R-10"]


def hide_row(sheet: Worksheet) -> None:
    sheet.row_dimensions[3].hidden = True


def hide_column(sheet: Worksheet) -> None:
    sheet.column_dimensions["C"].hidden = True


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (hide_row, "F-14.hidden"),
        (hide_column, "F-14.column"),
        (lambda sheet: sheet.merge_cells("A2:A3"), "F-14.merged"),
        (lambda sheet: sheet.cell(2, 30, "note"), "F-10.beyond"),
        (lambda sheet: sheet.cell(20000, 1, "note"), "F-04.sheet"),
        (lambda sheet: sheet.cell(2, 65, "note"), "F-04.columns"),
        (lambda sheet: sheet.parent.create_sheet("Février").append(["x"]), "F-14.sheets"),
        (lambda sheet: sheet.parent.create_sheet("vide"), "read"),
        (lambda sheet: sheet.cell(40, 3, "   "), "read"),
        (lambda sheet: sheet.insert_rows(1, 3), "read"),
        (lambda sheet: sheet.append(["#FIN", 3]), "read"),
        (lambda sheet: sheet.append(["#FIN;3"]), "read"),
        (lambda sheet: sheet.append(["#FIN", 4]), "F-11"),
        (lambda sheet: sheet.delete_rows(2, 9), "F-03.rows"),
        (lambda sheet: sheet.delete_rows(1, 9), "F-03.sheet"),
        (lambda sheet: sheet.delete_rows(1), "F-06"),
        (lambda sheet: (sheet.insert_rows(1), sheet.cell(1, 1, "Février 2026")), "F-06.header"),
        (lambda sheet: sheet.delete_cols(2), "F-09"),
    ],
)
def test_the_shape_of_the_sheet(change: Callable[[Worksheet], Any], code: str) -> None:
    assert code_of(changed(GOOD, change)) == code


def test_F14_a_row_without_height_is_hidden() -> None:
    sheet = part_of(GOOD, SHEET).replace(b'<row r="3"', b'<row r="3" ht="0" customHeight="1"')
    assert code_of(with_parts(GOOD, {SHEET: sheet})) == "F-14.hidden"


def test_hidden_sheets_are_not_read_and_said() -> None:
    def change(sheet: Worksheet) -> None:
        other = sheet.parent.create_sheet("Brouillon")
        other.append(["x"])
        other.sheet_state = "hidden"

    found = reading_of(changed(GOOD, change))
    assert [note.code for note in found.notes] == ["F-14.unread"]
    assert found.notes[0].get("sheets") == "Brouillon"


def test_a_header_may_stand_in_both_languages() -> None:
    book = sheet_of(THREE)
    for cell, english in zip(book.worksheets[0][1], COLUMNS, strict=True):
        cell.value = f"{cell.value} / {english}"
    assert code_of(saved(book)) == "read"
    book.worksheets[0]["A1"] = "visite / timepoint"
    assert code_of(saved(book)) == "F-09"


def test_a_row_of_the_example_is_passed_over_in_every_table() -> None:
    rows = [{**H0, "study_id": "Exemple - Example"}, *THREE]
    for content in (workbook_bytes(rows), csv_text(rows, trailer=None).encode()):
        found = reading_of(content)
        assert [one.row for one in found.candidates] == [3, 4, 5]
        assert "F-17.example" in [note.code for note in found.notes]


def test_identifying_columns_are_noticed() -> None:
    found = reading_of(workbook_bytes([{**row, "nom": "DUPONT"} for row in THREE]))
    assert [note.code for note in found.notes] == ["D-01"]


def test_the_letters_of_columns() -> None:
    assert [column_letters(no) for no in (1, 26, 27, 64, 703, 16384)] == ["A", "Z", "AA", "BL", "AAA", "XFD"]
