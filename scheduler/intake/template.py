"""The workbook that a laboratory fills in: bilingual headers, lists to choose from, an example that is never read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from config.language import Language, catalogue
from scheduler.intake.layout.codes import MATRICES, METHODS, QUALITIES
from scheduler.intake.layout.columns import COLUMNS, REQUIRED
from scheduler.intake.layout.units import UNITS
from scheduler.intake.readers.table import EXAMPLE
from scheduler.intake.readers.xlsx import HELP_SHEET, LIST_SHEET
from scheduler.intake.study import IntakeStudy

__all__ = ["COLUMN_HELP", "ENTRY_ROWS", "template_workbook"]

ENTRY_ROWS = range(3, 503)  # below the header and the example
_SHEET = "Résultats - Results"
_TEXT, _MOMENT = "@", "dd/mm/yyyy hh:mm"
_TIMES = ("collected_at", "received_at", "reported_at")
_PROMPT = 255  # characters that a spreadsheet shows beside a cell

# What belongs in each column, in English; French is in templates/locale/fr/lab.po.
COLUMN_HELP: dict[str, str] = {
    "study_id": "Name of the study, the same in every row.",
    "subject_id": "Code of the patient in the study, never a name. The last digit is a check digit.",
    "visit": "Visit, from the list.",
    "timepoint": "Sampling time, from the list.",
    "specimen_id": "Number of the tube, different for each tube.",
    "collected_at": "Date and time at which blood was really drawn: 15/01/2026 08:31.",
    "received_at": "Date and time at which the tube arrived. May be empty.",
    "reported_at": "Date and time of the biological validation.",
    "analyte": "Code of the analysis, from the list.",
    "value": "Number (14,2), limit (<0,1 or >15), or empty when there is no result.",
    "unit": "Unit of the value, from the list.",
    "status": "P preliminary, F final, C corrected, W withdrawn, X no result will come.",
    "specimen_quality": "What is wrong with the specimen, from the list. May be empty.",
    "lloq": "Lower limit of quantification, same unit. May be empty.",
    "uloq": "Upper limit of quantification, same unit. May be empty.",
    "method": "Technique, from the list.",
    "matrix": "Kind of specimen, from the list.",
    "result_id": "Number of the result, different for each version. May be empty.",
    "replaces": "With status C or W: the result_id of the version that is replaced.",
    "laboratory": "Code of the laboratory, from the list.",
    "comment": "Free text, 500 characters at most, no names. May be empty.",
}
_RULES = (
    "One row per tube, from row 3 on. Row 2 is an example and is never read.",
    "Do not add formulas, merged cells, hidden rows or further sheets: the file would be refused.",
    "Cells are formatted so that the spreadsheet changes nothing; paste values only.",
    "Save as .xlsx and drop the file into the folder. The receipt tells what was accepted.",
)


def template_workbook(study: IntakeStudy) -> bytes:
    """The template for the laboratories of a study, as the bytes of an .xlsx file."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = _SHEET
    _fill_results(sheet, study)
    _fill_help(book.create_sheet(HELP_SHEET))
    lists = book.create_sheet(LIST_SHEET)
    lists.sheet_state = "hidden"
    _offer_lists(sheet, lists, _choices(study))
    for one in (sheet, lists):
        one.protection.enable()
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _choices(study: IntakeStudy) -> dict[str, list[str]]:
    """The words to choose from, by column."""
    labs, protocol = study.labs.values(), study.protocol
    substance = any(lab.substance_units for lab in labs)
    return {
        "study_id": [protocol.study_id],
        "visit": [one.code for one in protocol.encounters if one.sampling],
        "timepoint": [point.id for point in protocol.points],
        "analyte": _once(code for lab in labs for code in lab.analyte_codes),
        "unit": ["mg/L", "µg/mL", "ng/mL", "µg/L", *([UNITS["umol/L"].ucum] if substance else [])],
        "status": ["P", "F", "C", "W", "X"],
        "specimen_quality": list(QUALITIES),
        "method": list(METHODS),
        "matrix": [one for one in MATRICES if any(one in lab.matrices for lab in labs)],
        "laboratory": sorted(study.labs),
    }


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _example(study: IntakeStudy) -> dict[str, str]:
    """A row that shows how it is done. Its study is no study, so that it is passed over even when it is kept."""
    choices = _choices(study)
    return {
        **{column: words[0] for column, words in choices.items() if words},
        "study_id": EXAMPLE,
        "subject_id": "MPA-0042-7",
        "specimen_id": "26015-00871-1",
        "collected_at": "15/01/2026 07:55",
        "received_at": "15/01/2026 09:10",
        "reported_at": "15/01/2026 14:25",
        "value": "1,85",
        "status": "F",
        "lloq": "0,1",
    }


def _fill_results(sheet: Worksheet, study: IntakeStudy) -> None:
    example = _example(study)
    header = Font(bold=True, color="FFFFFF")
    open_cell = Protection(locked=False)
    for place, (column, (french, *_)) in enumerate(COLUMNS.items(), 1):
        top = sheet.cell(1, place, f"{french} / {column}")
        top.font, top.alignment = header, Alignment(wrap_text=True, vertical="top")
        top.fill = PatternFill("solid", fgColor="1F4E79" if column in REQUIRED else "7F7F7F")
        shown = sheet.cell(2, place, example.get(column, ""))
        shown.font, shown.number_format = Font(italic=True, color="7F7F7F"), _TEXT
        for row in ENTRY_ROWS:
            cell = sheet.cell(row, place)
            cell.number_format = _MOMENT if column in _TIMES else _TEXT
            cell.protection = open_cell
        sheet.column_dimensions[get_column_letter(place)].width = 20
    sheet.freeze_panes = "C3"
    sheet.protection.formatColumns = False  # columns may be made wider


def _offer_lists(sheet: Worksheet, lists: Worksheet, choices: Mapping[str, list[str]]) -> None:
    """A list to choose from where there is one, and help beside every cell."""
    french = catalogue(Language.FR)
    for place, column in enumerate(COLUMNS, 1):
        letter = get_column_letter(place)
        area = f"{letter}{ENTRY_ROWS.start}:{letter}{ENTRY_ROWS.stop - 1}"
        words = choices.get(column, [])
        if words:
            for row, word in enumerate([column, *words], 1):
                lists.cell(row, place, word).number_format = _TEXT
            source = f"'{LIST_SHEET}'!${letter}$2:${letter}${len(words) + 1}"
            check = DataValidation(type="list", formula1=source, allow_blank=True, showErrorMessage=True)
        else:
            check = DataValidation(allow_blank=True)
        check.promptTitle = column[:32]
        check.prompt = f"{french[COLUMN_HELP[column]]}\n{COLUMN_HELP[column]}"[:_PROMPT]
        check.showInputMessage = True
        check.add(area)
        sheet.add_data_validation(check)


def _fill_help(sheet: Worksheet) -> None:
    french = catalogue(Language.FR)
    bold = Font(bold=True)
    for rule in _RULES:
        sheet.append(["", "", french[rule], rule])
    sheet.append([])
    titles = ("Column", "Required", "Content")
    sheet.append([*(f"{french[one]} / {one}" for one in titles[:2]), french[titles[2]], titles[2]])
    for cell in sheet[sheet.max_row]:
        cell.font = bold
    for column, (name, *_) in COLUMNS.items():
        required = f"{french['yes']} / yes" if column in REQUIRED else ""
        help_text = COLUMN_HELP[column]
        sheet.append([f"{name} / {column}", required, french[help_text], help_text])
    for letter, width in zip("ABCD", (44, 14, 70, 70), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
