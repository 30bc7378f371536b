"""What the readers of workbooks and of FHIR say, in English, by the code of the reason."""

from __future__ import annotations

__all__ = ["SENTENCES"]

_WORKBOOK: dict[str, str] = {
    "F-03.sheet": "The workbook has no visible sheet that holds something. Fill it in and send it again.",
    "F-04.sheet": (
        "The sheet goes on to row {row}, or holds too much text; at most {limit} rows are looked at. Delete what"
        " does not belong to the table, or send it in parts."
    ),
    "F-04.columns": "Row {row}: there is text right of column {limit}. Delete what does not belong to the table.",
    "F-07.password": (
        "The workbook is protected by a password and cannot be read. Save it without a password for opening, or as CSV."
    ),
    "F-10.beyond": "Row {row}: the column {letters} holds something and has no header. Delete it, or give it a header.",
    "F-11.package": "The workbook is incomplete or damaged. Save it again and send it again whole.",
    "F-13.macros": "The workbook has macros and was not opened. Save it as an Excel workbook (.xlsx) without macros.",
    "F-13.parts": (
        "The workbook was refused for safety: it has more than {limit} parts, or parts twice. Copy the table into"
        " a new workbook."
    ),
    "F-13.size": (
        "The workbook was refused for safety: it unpacks to far more than it holds (limit {limit} MB). Copy the "
        "table into a new workbook."
    ),
    "F-13.time": (
        "The workbook was refused for safety: opening it takes too much time or memory. Copy the table into a "
        "new workbook."
    ),
    "F-13.xml": (
        "The workbook was refused for safety: a part of it declares a document type or is in UTF-16, which no "
        "office program does. Copy the table into a new workbook."
    ),
    "F-14.column": "The column {letters} is hidden. Show it or delete it, and save again.",
    "F-14.date": (
        'Row {row}, column "{column}": the spreadsheet made a date ({text}) of what was typed. Format the column '
        "as text, type it again, and save."
    ),
    "F-14.hidden": "Row {row} is hidden, perhaps by a filter. Show or delete hidden rows, and save again.",
    "F-14.merged": "The cells {cells} are merged. Undo it, fill each cell, and save again.",
    "F-14.serial": (
        'Row {row}, column "{column}": {text} is a number and not a date. Format the column as date and time '
        "(dd/mm/yyyy hh:mm), and save again."
    ),
    "F-14.sheets": "Several sheets hold something: {sheets}. Keep the one with the results, and send it again.",
    "F-14.shown": (
        'Row {row}, column "{column}": the cell shows something other than the number in it (percent, words, '
        "thousands). Format the column as text, type it again, and save."
    ),
    "F-14.unread": "Hidden sheets were not read: {sheets}.",
    "F-15.workbook": (
        "The workbook is not as Excel writes it and cannot be read. Save it again with Excel, or send CSV."
    ),
    "F-17.example": "Row {row} is the example of the template and was passed over.",
}

_FHIR: dict[str, str] = {
    "F-04.shared": (
        "What stands at row {row} belongs to so many results that reading it for each of them takes too long. "
        "Export only the results of the study, and send them again."
    ),
    "F-07.bundle": 'A FHIR bundle of the type "{text}" is not read. Send one of: {known}.',
    "F-08.json": "The file is not in UTF-8, as JSON must be. Export it again.",
    "F-11.json": "The JSON ends too early, near line {row}: the file was cut. Send it again whole.",
    "F-11.page": (
        "The bundle is one page of a search, others follow: {rows} result(s) were read, and nothing proves that "
        "these are all."
    ),
    "F-11.reference": "{count} result(s) that a report names are not in the file. Send them too.",
    "F-13.cost": (
        "The file was refused for safety: reading it takes too much time or memory. Export only the results of the "
        "study, and send them again."
    ),
    "F-13.depth": "The file was refused for safety: its JSON is nested too deeply. Export it again.",
    "F-15.constant": "{text} is no number in JSON. Leave the value out and say why in dataAbsentReason.",
    "F-15.entry": "Row {row}: an entry of the bundle is not a FHIR resource. Export it again.",
    "F-15.fhir": "{column} is not as FHIR defines it. Export the file again.",
    "F-15.json": "Line {row}, character {column}: this is not JSON. Send the file as it was exported.",
    "F-15.shape": "Row {row}: {column} is not as FHIR defines it. Correct the export.",
    "F-15.twice": (
        'The name "{text}" stands twice in one JSON object, so that it is not clear what is meant. Correct the export.'
    ),
    "F-16.deletions": (
        "{count} entry(ies) ask to delete something, which is not done here. To withdraw a result send it with "
        "the status entered-in-error."
    ),
    "F-18.fhir": '{column} has the label "{text}". Only results of patients are read; tests are not.',
    "R-09.identifiers": (
        "Row {row}: {column} has {count} different numbers. Send one, or have the right system set up "
        "(specimen_system)."
    ),
    "R-09.modifier": (
        "Row {row}: {column} changes the meaning of the result and is not understood here. Send the result without it."
    ),
    "R-09.reference": 'Row {row}: {column} refers to "{text}", which is not in the file. Send it in the same bundle.',
    "R-10.comparator": 'Row {row}: {column} is "{text}". Right are <, <=, > and >=.',
    "R-10.kind": "Row {row}: {column} is not read. Send valueQuantity, or valueString.",
    "R-10.values": "Row {row}: {column} has more than one value ({kinds}). Send one.",
    "R-12.absent": "Row {row}: there is a value, and {column} says why there is none. Correct one of them.",
    "R-16.ucum": 'Row {row}: {column} is "{text}", which means something else in UCUM. Write mg/L or ug/mL.',
    "R-21.status": 'Row {row}: {column} is "{text}", and nothing says what is wrong with the specimen.',
    "R-30.date": (
        'Row {row}, column "{column}": "{text}" does not tell the minute. Send it as 2026-01-15T08:31:00+01:00.'
    ),
    "R-30.period": "Row {row}: {column} is not one moment. Send the time at which the specimen was collected.",
    "R-41.report": (
        'Row {row}, column "{column}": the result is "{text}" and its report "{report}". Correct one of them.'
    ),
}

SENTENCES: dict[str, str] = {**_WORKBOOK, **_FHIR}
