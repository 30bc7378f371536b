"""What the intake says, in English, by the code of the reason. French is in templates/locale/fr/lab.po.

Every sentence says what is wrong and what would be right. The part of a code before the dot is the rule.
"""

from __future__ import annotations

from scheduler.domain import subject_code
from scheduler.intake import held_sentences as of_held
from scheduler.intake.readers import sentences as of_readers

__all__ = ["SENTENCES"]

_FILE: dict[str, str] = {
    "F-01.stale": (
        "The file {name} has had the name of a temporary file or a marker for more than 24 hours. "
        "Upload it again, or remove it."
    ),
    "F-02": "{name} is not an ordinary file and was not opened. Send an ordinary file, without links.",
    "F-03": "The file is empty. Export it again and send it.",
    "F-03.rows": "The file has a header and no rows. Export it again and send it.",
    "F-04": "The file is larger than {limit} MB and was not read. Send only the results of the study.",
    "F-04.rows": "The file has {rows} rows; at most {limit} are read. Send it in parts.",
    "F-04.lines": "The file has more than {limit} lines; it was not read further. Send it in parts.",
    "F-04.repetitions": "Line {row} repeats a field more than {limit} times. Export the file again.",
    "F-05": "This file was already received on {at}; nothing was recorded again.",
    "F-06": (
        "The format is not recognised: no column of the study's layout was found in the first line. "
        "Send CSV or Excel (.xlsx) in the study layout."
    ),
    "F-06.header": (
        "The column names stand in line {row}, not in the first line. Delete what stands above them, "
        "and send the file again."
    ),
    "F-07": (
        "By its content, whatever its name, the file is {format}, which is not read. "
        "Send CSV or Excel (.xlsx) in the study layout."
    ),
    "F-08": (
        "The file has characters that cannot be read. Save it as CSV (Windows), CSV UTF-8, or Unicode text, "
        "and send it again."
    ),
    "F-09": "Columns missing or not recognised: {columns}. Use the header of the study layout.",
    "F-09.twice": "Columns present more than once: {columns}. Keep one of each.",
    "F-10": "Row {row} has {found} fields; the header has {expected}. Check separators and quotes.",
    "F-10.quote": "Near row {row} a quotation mark is not closed, or a cell is too long. Export the file again.",
    "F-11": (
        'The last line (row {row}) announces "{said}" rows; {found} are there. '
        "The file is incomplete or altered: send it again whole."
    ),
    "F-11.after": "There is text after the last line (row {row}). Send the file again as it was exported.",
    "F-11.unterminated": (
        "The file stops in the middle of row {row}. End it with a line break, or with a last line #FIN;<rows>, "
        "and send it again whole."
    ),
    "F-11.marker": "The file is not the one that its marker (.ok) announces. Send both again.",
    "F-11.unproven": (
        "The file has no last line #FIN: {rows} row(s) were read, and nothing proves that these are all."
    ),
    "F-11.unsettled": "The file {name} has been changing for more than 6 hours. Check the transfer.",
    "F-12": "Decimal comma (row {comma}) and decimal dot (row {dot}) in one file. Use one of them throughout.",
    "F-12.comma": (
        "Row {row} has a decimal comma although commas separate the columns. Use semicolons between the columns."
    ),
    "F-14": 'Row {row}, column "{column}": a formula. Send values only.',
    "F-14.error": 'Row {row}, column "{column}": "{text}" is what a spreadsheet shows instead of the content. '
    "Widen the column or correct the cell, and save again.",
    "F-14.rounded": 'Row {row}, column "{column}": "{text}" is a number that a spreadsheet rounded. '
    "Format the column as text, enter the number again, and save again.",
    "F-17": "No row is for this study. Rows of the study have {expected} in the column of the study.",
    "F-17.mixed": (
        "Row {row} is not for this study, others are. Send a file with rows of the study {expected} only."
    ),
    "F-17.analyte": "No row is about mycophenolic acid (MPA); nothing was recorded.",
    "F-19": "{unknown} of {subjects} subjects are unknown: the whole file is doubtful. Check the subject codes.",
    "F-19.shifted": (
        'Subject codes stand in the column "{column}" and not in "{expected}". Check that no column has slipped.'
    ),
    "F-03.results": "The file holds no result (OBX, Observation). Export it again and send it.",
    "F-04.results": "The file has more than {limit} results; at most that many are read. Send it in parts.",
    "F-07.unset": (
        "{format} messages are not set up here: no laboratory file has the table {table}. Send CSV in the "
        "study layout, or ask the data manager for it."
    ),
    "F-07.version": (
        'Line {row}: the version "{text}" is not read. Send HL7 2.3 to 2.8, HPRIM Santé 2.1 to 2.4, or CSV.'
    ),
    "F-08.charset": 'The character set "{text}" (MSH-18) is not read. Send UNICODE UTF-8, 8859/1, 8859/15 or ASCII.',
    "F-08.declared": (
        "The characters of the file are not of the set that its header names (MSH-18). Correct one of them."
    ),
    "F-11.segment": "The file stops in the middle of line {row}: the last segment has no end. Send it again whole.",
    "F-11.frame": "A transmission frame (MLLP) begins and does not end: the file was cut. Send it again whole.",
    "F-11.batch": (
        "Line {row}: {segment} where none can stand. Each FHS has its FTS, each BHS its BTS. Export the file "
        "again."
    ),
    "F-11.open": (
        "Near line {row} the segment {segment} is missing that would end the file or message. Send it again "
        "whole."
    ),
    "F-11.count": (
        'Line {row} announces "{said}" messages or batches; {found} are there. The file is incomplete or '
        "altered: send it again whole."
    ),
    "F-11.unbatched": (
        "The file has no batch trailer (BTS, FTS): {rows} result(s) were read, and nothing proves that these "
        "are all."
    ),
    "F-15": (
        "Line {row} is not a segment. An editor or a transfer may have wrapped the lines: send the file as it"
        " was exported."
    ),
    "F-15.delimiters": (
        "Line {row}: the header does not declare delimiters that can be told apart. Export the file again."
    ),
    "F-15.order": (
        "Line {row}: the segment {segment} stands before its {before}, so that it is not clear which result "
        "it belongs to. Correct the order of the segments."
    ),
    "F-16": "The file holds no laboratory result ({kind}); expected: {expected}. Nothing was recorded.",
    "F-16.some": "{count} message(s) that are not results ({kind}) were passed over.",
    "F-17.patient": "No patient of the file has a code of the study in {where}; nothing was recorded.",
    "F-18": 'Line {row}: {column} is "{text}". Only production messages (P) are read; test messages are not.',
    "F-20": (
        "The file is of the laboratory {lab} and lies in the folder of another one; nothing was recorded. "
        "Put it into {folder}."
    ),
    "replay.unknown": "There is no file No. {file}; 'lab files' lists them.",
    "replay.accepted": "File No. {file} ({name}) was not refused as a whole; only refused files are judged again.",
    "replay.done": "File No. {file} was judged again already, as No. {later}.",
    "replay.unfinished": "File No. {file} is not put away yet; the service does that first.",
    "replay.gone": "The original of {name} is not in its place any more, or not as it was.",
    "replay.large": "The file {name} is larger than {limit} MB and is not read.",
    "E-POISON": "The file could not be processed twice in a row ({error}). Tell the data manager.",
    "D-01": (
        "Columns that seem to identify persons were received and not recorded: {columns}. Remove them from the export."
    ),
    "D-01.number": (
        "Row {row} seems to hold a national identification number; it was not recorded. Remove it from the export."
    ),
    "D-01.field": (
        "Row {row}: where the number of a tube or version or a time should be stands what may be a name, a birth date "
        "or a national number; it was not recorded. Send the row with the number or time."
    ),
    "folder.unreadable": "The file {name} cannot be opened. Check its permissions.",
    "folder.trouble": "The file {name} cannot be taken, read or put away ({why}); it is tried again.",
    "folder.unfinished": "The receipts of the file {name} cannot be written ({why}); it is tried again.",
    "folder.away": "The folder cannot be looked at ({why}). Check the disk or share; it is tried again.",
    "folder.unknown": (
        "The sub-folder {name} belongs to no laboratory, and nothing in it is read. Name it in the file of its "
        "laboratory (folder), or remove it."
    ),
    "folder.full": "The disk of the drop folder is nearly full; no file is taken until there is space.",
    "folder.lost": "The file {name} was recorded and is no longer where it was put. Look for it in the backup.",
}

_ROW: dict[str, str] = {
    "R-01": "Row {row}: the subject {subject} is not known. Check the code; the row is looked at again for 14 days.",
    "R-01.form": 'Row {row}, column "{column}": not a subject code of the form {pattern}. Send the row again.',
    "R-02": 'Row {row}, column "{column}": {text} is mistyped, its last digit does not fit. Send the row again.',
    "R-03": "Row {row}: the subject {subject} is no longer in the study. The data manager decides.",
    "R-04": 'Row {row}, column "{column}": the visit "{text}" is not known. Right are: {known}.',
    "R-04.missing": (
        'Row {row}, column "{column}": no visit is named, and no visit with samples is on record for that day. '
        "Name the visit; the row is looked at again for 14 days."
    ),
    "R-04.derived": "Row {row}: no visit was named; {visit} is the only one of that day.",
    "R-04.unsampled": 'Row {row}, column "{column}": no samples are taken at the visit "{text}".',
    "R-04.cancelled": "Row {row}: the visit {visit} of {subject} was cancelled. Check the visit.",
    "R-05": 'Row {row}, column "{column}": the sampling time "{text}" is not known. Right are: {known}.',
    "R-05.trough": 'Row {row}, column "{column}": the code of the analyte is for a trough, the sample is {text}.',
    "R-05.peak": "Row {row}: the code of the analyte is for a peak; the sampling time {text} was taken as given.",
    "R-06": 'Row {row}: "{text}" is another analyte; the row was not recorded.',
    "R-06.unknown": (
        'Row {row}, column "{column}": the code "{text}" is not in the list of this laboratory. '
        "Write MPA or 23905-3, or have the code added."
    ),
    "R-07": (
        'Row {row}, column "{column}": the code "{text}" is for MPA, the label speaks of its glucuronide. '
        "Send the row again with the right code."
    ),
    "R-08": 'Row {row}, column "{column}": the specimen is "{text}"; expected: {known}.',
    "R-08.blood": 'Row {row}, column "{column}": the code "{text}" may be for whole blood. Confirm plasma on EDTA.',
    "R-09.laboratory": 'Row {row}, column "{column}": the laboratory "{text}" is not known. Known: {known}.',
    "R-09.specimen": 'Row {row}, column "{column}": the specimen number is missing.',
    "R-09.method": 'Row {row}, column "{column}": the method "{text}" is not one of {known}.',
    "R-09.quality": 'Row {row}, column "{column}": "{text}" is not one of {known}.',
    "R-10": (
        'Row {row}, column "{column}": "{text}" is not understood. '
        "Write only a number such as 1,85, or <0,1: no unit, no thousands."
    ),
    "R-11": 'Row {row}, column "{column}": no value although the status is {status}. '
    "Send the value, or the status X with what is wrong with the specimen.",
    "R-11.pending": 'Row {row}, column "{column}": still being measured although the status is {status}. '
    "Send the status P, or the value.",
    "R-11.unsent": (
        'Row {row}, column "{column}": the status U makes a preliminary result final without its value. '
        "Send the value with it, or with the status F."
    ),
    "R-12": 'Row {row}, column "{column}": a value although the status is {status}. Correct one of them.',
    "R-12.quality": 'Row {row}, column "{column}": a value although the specimen is marked {quality} (not received).',
    "R-13": 'Row {row}, column "{column}": "{text}" is not a possible concentration.',
    "R-14": 'Row {row}, column "{column}": above {limit} mg/L, which is implausible. '
    "Check the unit, and that it is not the glucuronide.",
    "R-14.trough": "Row {row}: above {limit} mg/L before the dose, which is unusual. Check the tube.",
    "R-14.identical": "Row {row}: all {count} samples of this visit have the same value, which is unusual. Check them.",
    "R-15": 'Row {row}, column "{column}": the unit is missing. Write mg/L.',
    "R-16": 'Row {row}, column "{column}": the unit "{text}" is not accepted. Write mg/L or µg/mL.',
    "R-16.disabled": 'Row {row}, column "{column}": the unit "{text}" is not enabled for this laboratory. Write mg/L.',
    "R-17": "Row {row}: converted from {text} to mg/L (factor {factor}).",
    "R-18": 'Row {row}, column "{column}": the code of the analyte expects {expected}, the unit is "{text}".',
    "R-19": "Row {row}: below the limit of quantification; no number is computed from it.",
    "R-19.dose": (
        "Row {row}: below the limit of quantification after the dose; no AUC from this visit. Was the dose taken?"
    ),
    "R-19.above": (
        "Row {row}: above the upper limit of quantification; no AUC until it is measured again diluted."
    ),
    "R-20": "Row {row}: a limit is given with the value, and the column {column_name} is empty.",
    "R-20.differs": "Row {row}: the limit given with the value is not the one of the column {column_name}.",
    "R-21": "Row {row}: the specimen is marked {quality}; the value is kept.",
    "R-21.blocks": "Row {row}: the specimen is marked {quality}; the value is kept and no AUC computed from it.",
    "R-22": "Row {row}: no result: {why}.",
    "R-22.plain": "Row {row}: no result will come for this specimen.",
    "R-30": (
        'Row {row}, column "{column}": "{text}" is not a date and time. '
        "Write day, month and year of four digits, as in 15/01/2026 08:31."
    ),
    "R-30.missing": 'Row {row}, column "{column}": date and time are missing. Write 15/01/2026 08:31.',
    "R-30.skipped": (
        'Row {row}, column "{column}": "{text}" does not exist, clocks were put forward. Check the time.'
    ),
    "R-30.repeated": 'Row {row}, column "{column}": "{text}" exists twice, clocks were put back. '
    "Write it with its offset, as 2026-10-25T02:30+01:00.",
    "R-31": 'Row {row}, column "{column}": {text} is before the collection ({collected}). Check both.',
    "R-31.future": 'Row {row}, column "{column}": {text} is in the future. Check the date.',
    "R-32": "Row {row}: collected on {collected}; the visit {visit} is on {first}. Check visit and date.",
    "R-32.window": (
        "Row {row}: collected on {collected}; the visit {visit} is due from {first} to {last}. Check visit and date."
    ),
    "R-33": 'Row {row}, column "{column}": the comment needs to be read by a person.',
    "R-40": "Row {row}: preliminary; the final result is awaited.",
    "R-41": 'Row {row}, column "{column}": the status "{text}" is not known. Write P, F, C, W or X.',
    "R-42": "Row {row}: already known; nothing was recorded again.",
    "R-42.unchanged": "Row {row}: the result that is known already, reported at another time; nothing changes.",
    "R-43": "Row {row}: the result of specimen {specimen} changed without the status of a correction. "
    "If it is a correction, send it with status C.",
    "R-43.order": "Row {row}: specimen {specimen} has another result that was reported at the same time or later. "
    "Send the right one with status C and a later time.",
    "R-43.file": "Row {row}: the file has two different final results of specimen {specimen}. Send the right one.",
    "R-44": "Row {row}: corrects or withdraws a result of specimen {specimen} that never arrived. Send the original.",
    "R-44.version": "Row {row}: corrects the version {replaces}, which never arrived. Send it.",
    "R-45": "Row {row}: an earlier result was corrected or withdrawn; what was computed from it is looked at again.",
    "R-46": "Row {row}: an older version than the one known; it is kept and not used.",
    "R-47": "Row {row}: replaces {replaces}, which belongs to another specimen than {specimen}. Check the number.",
    "R-47.place": "Row {row}: corrects specimen {specimen}, which belongs to another subject, "
    "visit or sampling time ({visit}, {timepoint}). Withdraw it, then send it new.",
    "R-07.codes": (
        'Row {row}, column "{column}": {text} is MPA and {other} is not. Send the row again with codes that '
        "agree."
    ),
    "R-09.differ": 'Row {row}: {column} says "{text}" and {other} says "{second}". Correct one of them.',
    "R-09.subjects": "Row {row}: {column} has two different subject codes. Send the row again with the right one.",
    "R-09.authority": (
        "Row {row}: a subject code stands in the message, but not in {column} with the assigning authority "
        "{expected}. Send it there."
    ),
    "R-09.specimens": (
        "Row {row}: the order has {count} specimens, so that it is not clear which one was measured. Send one"
        " order per tube."
    ),
    "R-10.type": (
        'Row {row}, column "{column}": "{text}" is no value of the type "{kind}". Send NM with a number, SN, '
        "or ST."
    ),
    "R-30.coarse": 'Row {row}, column "{column}": "{text}" does not tell the minute. Send it as yyyymmddhhmm.',
    "R-41.order": (
        'Row {row}, column "{column}": the result is "{text}" and its order (OBR-25) "{order}". Correct one '
        "of them."
    ),
    "S-01": "Row {row}: {timepoint} already has a result of another specimen ({other}, this one {specimen}). "
    "Withdraw the wrong one.",
    "S-01.file": "Row {row}: the file has results of two specimens for {timepoint}. Send the right one.",
    "S-04": "Row {row}: the times of {timepoint} and {other} are in the reverse order. Check tubes and times; no AUC "
    "until then.",
    "S-05": "Row {row}: {timepoint}, before the dose, is higher than {other} after it. Check that no tubes were "
    "exchanged.",
    "S-06": "Row {row}: the specimen {specimen} is in the file for two sampling times or subjects. Check the tubes.",
    "S-06.known": "Row {row}: the specimen {specimen} is known for another subject, visit or sampling time "
    "({visit}, {timepoint}). Check the tubes.",
    "S-06.tube": "Row {row}: the site recorded the specimen {specimen} for another subject. Check the tube and the "
    "subject code; the row is looked at again for 14 days.",
    "S-07": "Row {row}: the samples of this visit were measured by different methods ({known}). Check the method.",
}

_WORDS: dict[str, str] = {
    "quality.HEM": "haemolysed",
    "quality.LIP": "lipaemic",
    "quality.ICT": "icteric",
    "quality.COAG": "clotted",
    "quality.QNS": "not enough material",
    "quality.NR": "not received",
    "quality.IDENT": "identity in doubt",
    "verdict.accepted": "Accepted.",
    "verdict.held": "Rows are held, as said below; those without a fault were accepted.",
    "verdict.ignored": "Nothing was recorded.",
    "verdict.quarantined": "The file was refused as a whole; nothing was recorded.",
    "note.counts": "{accepted} accepted, {held} held, {ignored} ignored.",
    "note.columns": "Columns that the study does not use: {columns}.",
    "note.quarantined": "The file {name} could not be used. What is wrong:",
    "settled.accepted": "Row {row}: accepted since; it was held when the file came.",
    "settled.moved": "Row {row}: accepted as {timepoint} of {visit}, as the study site decided.",
    "settled.rejected": "Row {row}: the study site decided that this result is not used.",
    "note.what_to_do": "What to do: correct the file and send it again. The layout is described in docs/lab-files.md.",
}

SENTENCES: dict[str, str] = {
    **subject_code.SENTENCES,
    **of_readers.SENTENCES,
    **of_held.SENTENCES,
    **_FILE,
    **_ROW,
    **_WORDS,
}
