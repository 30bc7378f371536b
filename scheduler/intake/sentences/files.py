"""What is wrong with a file as a whole, in English, in the order of the rules."""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {
    "F-01.stale": (
        "The file {name} has had the name of a temporary file or a marker for more than 24 hours. Upload "
        "it again, or remove it."
    ),
    "F-02": "{name} is not an ordinary file and was not opened. Send an ordinary file, without links.",
    "F-03": "The file is empty. Export it again and send it.",
    "F-03.results": "The file holds no result (OBX, Observation). Export it again and send it.",
    "F-03.rows": "The file has a header and no rows. Export it again and send it.",
    "F-03.sheet": "The workbook has no visible sheet that holds something. Fill it in and send it again.",
    "F-04": "The file is larger than {limit} MB and was not read. Send only the results of the study.",
    "F-04.columns": (
        "Row {row}: there is text right of column {limit}. Delete what does not belong to the table."
    ),
    "F-04.lines": "The file has more than {limit} lines; it was not read further. Send it in parts.",
    "F-04.repetitions": "Line {row} repeats a field more than {limit} times. Export the file again.",
    "F-04.results": "The file has more than {limit} results; at most that many are read. Send it in parts.",
    "F-04.rows": "The file has {rows} rows; at most {limit} are read. Send it in parts.",
    "F-04.shared": (
        "What stands at row {row} belongs to so many results that reading it for each of them takes too "
        "long. Export only the results of the study, and send them again."
    ),
    "F-04.sheet": (
        "The sheet goes on to row {row}, or holds too much text; at most {limit} rows are looked at. "
        "Delete what does not belong to the table, or send it in parts."
    ),
    "F-05": "This file was already received on {at}; nothing was recorded again.",
    "F-06": (
        "The format is not recognised: no column of the study's layout was found in the first line. Send "
        "CSV or Excel (.xlsx) in the study layout."
    ),
    "F-06.header": (
        "The column names stand in line {row}, not in the first line. Delete what stands above them, and "
        "send the file again."
    ),
    "F-07": (
        "By its content, whatever its name, the file is {format}, which is not read. Send CSV or Excel "
        "(.xlsx) in the study layout."
    ),
    "F-07.bundle": 'A FHIR bundle of the type "{text}" is not read. Send one of: {known}.',
    "F-07.password": (
        "The workbook is protected by a password and cannot be read. Save it without a password for "
        "opening, or as CSV."
    ),
    "F-07.unset": (
        "{format} messages are not set up here: no laboratory file has the table {table}. Send CSV in the "
        "study layout, or ask the data manager for it."
    ),
    "F-07.version": (
        'Line {row}: the version "{text}" is not read. Send HL7 2.3 to 2.8, HPRIM Santé 2.1 to 2.4, or CSV.'
    ),
    "F-08": (
        "The file has characters that cannot be read. Save it as CSV (Windows), CSV UTF-8, or Unicode "
        "text, and send it again."
    ),
    "F-08.charset": (
        'The character set "{text}" (MSH-18) is not read. Send UNICODE UTF-8, 8859/1, 8859/15 or ASCII.'
    ),
    "F-08.declared": (
        "The characters of the file are not of the set that its header names (MSH-18). Correct one of them."
    ),
    "F-08.json": "The file is not in UTF-8, as JSON must be. Export it again.",
    "F-09": "Columns missing or not recognised: {columns}. Use the header of the study layout.",
    "F-09.twice": "Columns present more than once: {columns}. Keep one of each.",
    "F-10": "Fields in row {row}: {found}; the header has {expected}. Check separators and quotes.",
    "F-10.beyond": (
        "Row {row}: the column {letters} holds something and has no header. Delete it, or give it a header."
    ),
    "F-10.quote": (
        "Near row {row} a quotation mark is not closed, or a cell is too long. Export the file again."
    ),
    "F-11": (
        'The last line (row {row}) announces "{said}" rows; {found} are there. The file is incomplete or '
        "altered: send it again whole."
    ),
    "F-11.after": "There is text after the last line (row {row}). Send the file again as it was exported.",
    "F-11.batch": (
        "Line {row}: {segment} where none can stand. Each FHS has its FTS, each BHS its BTS. Export the "
        "file again."
    ),
    "F-11.count": (
        'Line {row} announces "{said}" messages or batches; {found} are there. The file is incomplete or '
        "altered: send it again whole."
    ),
    "F-11.frame": (
        "A transmission frame (MLLP) begins and does not end: the file was cut. Send it again whole."
    ),
    "F-11.json": "The JSON ends too early, near line {row}: the file was cut. Send it again whole.",
    "F-11.marker": "The file is not the one that its marker (.ok) announces. Send both again.",
    "F-11.open": (
        "Near line {row} the segment {segment} is missing that would end the file or message. Send it "
        "again whole."
    ),
    "F-11.package": "The workbook is incomplete or damaged. Save it again and send it again whole.",
    "F-11.page": (
        "The bundle is one page of a search, others follow. Results read: {rows}; nothing proves that these "
        "are all."
    ),
    "F-11.reference": "Results that a report names and the file does not hold: {count}. Send them too.",
    "F-11.segment": (
        "The file stops in the middle of line {row}: the last segment has no end. Send it again whole."
    ),
    "F-11.unbatched": (
        "The file has no batch trailer (BTS, FTS). Results read: {rows}; nothing proves that these are all."
    ),
    "F-11.unproven": "The file has no last line #FIN. Rows read: {rows}; nothing proves that these are all.",
    "F-11.unsettled": "The file {name} has been changing for more than 6 hours. Check the transfer.",
    "F-11.unterminated": (
        "The file stops in the middle of row {row}. End it with a line break, or with a last line "
        "#FIN;<rows>, and send it again whole."
    ),
    "F-12": (
        "Decimal comma (row {comma}) and decimal dot (row {dot}) in one file. Use one of them throughout."
    ),
    "F-12.comma": (
        "Row {row} has a decimal comma although commas separate the columns. Use semicolons between the "
        "columns."
    ),
    "F-13.cost": (
        "The file was refused for safety: reading it takes too much time or memory. Export only the "
        "results of the study, and send them again."
    ),
    "F-13.depth": "The file was refused for safety: its JSON is nested too deeply. Export it again.",
    "F-13.macros": (
        "The workbook has macros and was not opened. Save it as an Excel workbook (.xlsx) without macros."
    ),
    "F-13.parts": (
        "The workbook was refused for safety: it has more than {limit} parts, or parts twice. Copy the "
        "table into a new workbook."
    ),
    "F-13.size": (
        "The workbook was refused for safety: it unpacks to far more than it holds (limit {limit} MB). "
        "Copy the table into a new workbook."
    ),
    "F-13.time": (
        "The workbook was refused for safety: opening it takes too much time or memory. Copy the table "
        "into a new workbook."
    ),
    "F-13.xml": (
        "The workbook was refused for safety: a part of it declares a document type or is in UTF-16, which "
        "no office program does. Copy the table into a new workbook."
    ),
    "F-14": 'Row {row}, column "{column}": a formula. Send values only.',
    "F-14.column": "The column {letters} is hidden. Show it or delete it, and save again.",
    "F-14.date": (
        'Row {row}, column "{column}": the spreadsheet made a date ({text}) of what was typed. Format the '
        "column as text, type it again, and save."
    ),
    "F-14.error": (
        'Row {row}, column "{column}": "{text}" is what a spreadsheet shows instead of the content. Widen '
        "the column or correct the cell, and save again."
    ),
    "F-14.hidden": "Row {row} is hidden, perhaps by a filter. Show or delete hidden rows, and save again.",
    "F-14.merged": "The cells {cells} are merged. Undo it, fill each cell, and save again.",
    "F-14.rounded": (
        'Row {row}, column "{column}": "{text}" is a number that a spreadsheet rounded. Format the column '
        "as text, enter the number again, and save again."
    ),
    "F-14.serial": (
        'Row {row}, column "{column}": {text} is a number and not a date. Format the column as date and '
        "time (dd/mm/yyyy hh:mm), and save again."
    ),
    "F-14.sheets": (
        "Several sheets hold something: {sheets}. Keep the one with the results, and send it again."
    ),
    "F-14.shown": (
        'Row {row}, column "{column}": the cell shows something other than the number in it (percent, '
        "words, thousands). Format the column as text, type it again, and save."
    ),
    "F-14.unread": "Hidden sheets were not read: {sheets}.",
    "F-15": (
        "Line {row} is not a segment. An editor or a transfer may have wrapped the lines: send the file as "
        "it was exported."
    ),
    "F-15.constant": "{text} is no number in JSON. Leave the value out and say why in dataAbsentReason.",
    "F-15.delimiters": (
        "Line {row}: the header does not declare delimiters that can be told apart. Export the file again."
    ),
    "F-15.entry": "Row {row}: an entry of the bundle is not a FHIR resource. Export it again.",
    "F-15.fhir": "{column} is not as FHIR defines it. Export the file again.",
    "F-15.json": "Line {row}, character {column}: this is not JSON. Send the file as it was exported.",
    "F-15.order": (
        "Line {row}: the segment {segment} stands before its {before}, so that it is not clear which "
        "result it belongs to. Correct the order of the segments."
    ),
    "F-15.shape": "Row {row}: {column} is not as FHIR defines it. Correct the export.",
    "F-15.twice": (
        'The name "{text}" stands twice in one JSON object, so that it is not clear what is meant. Correct '
        "the export."
    ),
    "F-15.workbook": (
        "The workbook is not as Excel writes it and cannot be read. Save it again with Excel, or send CSV."
    ),
    "F-16": "The file holds no laboratory result ({kind}); expected: {expected}. Nothing was recorded.",
    "F-16.deletions": (
        "Entries that ask to delete something, which is not done here: {count}. To withdraw a result send it "
        "with the status entered-in-error."
    ),
    "F-16.some": "Messages that are not results ({kind}), passed over: {count}.",
    "F-17": "No row is for this study. Rows of the study have {expected} in the column of the study.",
    "F-17.analyte": "No row is about mycophenolic acid (MPA); nothing was recorded.",
    "F-17.example": "Row {row} is the example of the template and was passed over.",
    "F-17.mixed": (
        "Row {row} is not for this study, others are. Send a file with rows of the study {expected} only."
    ),
    "F-17.patient": "No patient of the file has a code of the study in {where}; nothing was recorded.",
    "F-18": 'Line {row}: {column} is "{text}". Only production messages (P) are read; test messages are not.',
    "F-18.fhir": '{column} has the label "{text}". Only results of patients are read; tests are not.',
    "F-19": (
        "{unknown} of {subjects} subjects are unknown: the whole file is doubtful. Check the subject codes."
    ),
    "F-19.shifted": (
        'Subject codes stand in the column "{column}" and not in "{expected}". Check that no column has '
        "slipped."
    ),
    "F-20": (
        "The file is of the laboratory {lab} and lies in the folder of another one; nothing was recorded. "
        "Put it into {folder}."
    ),
    "D-01": (
        "Columns that seem to identify persons were received and not recorded: {columns}. Remove them from "
        "the export."
    ),
    "D-01.field": (
        "Row {row}: where the number of a tube or version or a time should be stands what may be a name, a "
        "birth date or a national number; it was not recorded. Send the row with the number or time."
    ),
    "D-01.number": (
        "Row {row} seems to hold a national identification number; it was not recorded. Remove it from the "
        "export."
    ),
    "E-POISON": "The file could not be processed twice in a row ({error}). Tell the data manager.",
}
