"""The workbook we hand to the laboratory: filled in, it is read; as it is, it holds no result."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import pytest
from intake_cases import THREE, a_study, context
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner
from workbook_cases import code_of, put, reading_of, saved

from config.language import Language, catalogue
from main import app
from scheduler.intake.layout.columns import COLUMNS
from scheduler.intake.readers.xlsx import HELP_SHEET, LIST_SHEET
from scheduler.intake.rules.validate import validate
from scheduler.intake.template import COLUMN_HELP, ENTRY_ROWS, template_workbook


def template() -> Workbook:
    return load_workbook(io.BytesIO(template_workbook(a_study())))


def results(book: Workbook) -> Worksheet:
    return cast("Worksheet", book.worksheets[0])


@pytest.mark.parametrize("typed", [True, False])
def test_filled_in_it_is_accepted(typed: bool) -> None:
    book = template()
    for no, row in enumerate(THREE, ENTRY_ROWS.start):
        for place, column in enumerate(COLUMNS, 1):
            if column in row:
                put(results(book), no, place, column, row[column], typed)
    found = reading_of(saved(book))
    verdict = validate(found, context())
    assert [(row.row, row.entry.timepoint, str(row.entry.conc_mg_l)) for row in verdict.rows] == [
        (3, "H0", "1.85"),
        (4, "H30", "14.2"),
        (5, "H2", "6.40"),
    ]
    assert (verdict.verdict.value, found.unknown_columns) == ("accepted", ())
    assert [note.code for note in verdict.notes] == ["F-17.example"]


def test_as_it_is_it_holds_no_result() -> None:
    assert code_of(template_workbook(a_study())) == "F-03.rows"


def test_the_example_is_no_result_even_for_the_right_patient() -> None:
    """Every other cell of it would be accepted."""
    book = template()
    example = {column: results(book).cell(2, place).value for place, column in enumerate(COLUMNS, 1)}
    assert (
        validate(reading_of(filled(book, {**example, "study_id": "MPA-AUC"})), context()).verdict.value
        == "accepted"
    )
    assert code_of(saved(template())) == "F-03.rows"


def filled(book: Workbook, row: dict[str, object]) -> bytes:
    for place, column in enumerate(COLUMNS, 1):
        if row[column]:
            results(book).cell(3, place).value = row[column]  # type: ignore[assignment]
    return saved(book)


def test_only_the_cells_of_results_can_be_changed() -> None:
    sheet = results(template())
    assert sheet.protection.sheet
    assert not sheet.protection.password
    for place in range(1, len(COLUMNS) + 1):
        locked = [
            sheet.cell(row, place).protection.locked for row in (1, 2, ENTRY_ROWS.start, ENTRY_ROWS.stop - 1)
        ]
        assert locked == [True, True, False, False]


def test_no_cell_changes_what_is_typed() -> None:
    sheet = results(template())
    for place, column in enumerate(COLUMNS, 1):
        expected = "dd/mm/yyyy hh:mm" if column.endswith("_at") else "@"
        assert sheet.cell(ENTRY_ROWS.start, place).number_format == expected


def test_the_words_to_choose_from_are_those_that_are_understood() -> None:
    book = template()
    lists = book[LIST_SHEET]
    assert lists.sheet_state == "hidden"
    columns = [column for column in lists.iter_cols(values_only=True) if column[0]]
    offered = {column[0]: [one for one in column[1:] if one] for column in columns}
    assert offered["visit"] == ["V1", "V2", "V3", "V4", "V5"]
    assert offered["timepoint"] == ["H0", "H30", "H2"]
    assert {"timepoint", "unit", "status", "method", "matrix", "specimen_quality", "laboratory"} <= set(
        offered
    )
    checks = {str(one.sqref): one for one in results(book).data_validations.dataValidation}
    assert len(checks) == len(COLUMNS)
    lettered = {one.formula1 for one in checks.values() if one.type == "list"}
    assert len(lettered) == len(offered)


def test_headers_and_help_are_in_both_languages() -> None:
    book = template()
    headers = [results(book).cell(1, place).value for place in range(1, len(COLUMNS) + 1)]
    assert headers == [f"{names[0]} / {column}" for column, names in COLUMNS.items()]
    text = " ".join(str(cell) for row in book[HELP_SHEET].iter_rows(values_only=True) for cell in row if cell)
    french = catalogue(Language.FR)
    assert set(COLUMN_HELP) == set(COLUMNS)
    for sentence in COLUMN_HELP.values():
        assert sentence in text
        assert french[sentence] in text


def test_the_command_writes_it(tmp_path: Path) -> None:
    out = tmp_path / "modele.xlsx"
    done = CliRunner().invoke(app, ["lab", "template", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert code_of(out.read_bytes()) == "F-03.rows"
    refused = CliRunner().invoke(app, ["lab", "template", "--out", str(tmp_path / "no" / "a.xlsx")])
    assert refused.exit_code == 2
