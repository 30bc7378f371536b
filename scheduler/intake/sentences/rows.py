"""What is said of a row, in English, in the order of the rules."""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {
    "R-01": (
        "Row {row}: the subject {subject} is not known. Check the code; the row is looked at again for 14 "
        "days."
    ),
    "R-01.form": (
        'Row {row}, column "{column}": not a subject code of the form {pattern}. Send the row again.'
    ),
    "R-02": (
        'Row {row}, column "{column}": {text} is mistyped, its last digit does not fit. Send the row again.'
    ),
    "R-03": "Row {row}: the subject {subject} is no longer in the study. The data manager decides.",
    "R-04": 'Row {row}, column "{column}": the visit "{text}" is not known. Right are: {known}.',
    "R-04.cancelled": "Row {row}: the visit {visit} of {subject} was cancelled. Check the visit.",
    "R-04.derived": "Row {row}: no visit was named; {visit} is the only one of that day.",
    "R-04.missing": (
        'Row {row}, column "{column}": no visit is named, and no visit with samples is on record for that '
        "day. Name the visit; the row is looked at again for 14 days."
    ),
    "R-04.unsampled": 'Row {row}, column "{column}": no samples are taken at the visit "{text}".',
    "R-05": 'Row {row}, column "{column}": the sampling time "{text}" is not known. Right are: {known}.',
    "R-05.peak": (
        "Row {row}: the code of the analyte is for a peak; the sampling time {text} was taken as given."
    ),
    "R-05.trough": (
        'Row {row}, column "{column}": the code of the analyte is for a trough, the sample is {text}.'
    ),
    "R-06": 'Row {row}: "{text}" is another analyte; the row was not recorded.',
    "R-06.unknown": (
        'Row {row}, column "{column}": the code "{text}" is not in the list of this laboratory. Write MPA '
        "or 23905-3, or have the code added."
    ),
    "R-07": (
        'Row {row}, column "{column}": the code "{text}" is for MPA, the label speaks of its glucuronide. '
        "Send the row again with the right code."
    ),
    "R-07.codes": (
        'Row {row}, column "{column}": {text} is MPA and {other} is not. Send the row again with codes '
        "that agree."
    ),
    "R-08": 'Row {row}, column "{column}": the specimen is "{text}"; expected: {known}.',
    "R-08.blood": (
        'Row {row}, column "{column}": the code "{text}" may be for whole blood. Confirm plasma on EDTA.'
    ),
    "R-09.authority": (
        "Row {row}: a subject code stands in the message, but not in {column} with the assigning authority "
        "{expected}. Send it there."
    ),
    "R-09.differ": 'Row {row}: {column} says "{text}" and {other} says "{second}". Correct one of them.',
    "R-09.identifiers": (
        "Row {row}: {column} has {count} different numbers. Send one, or have the right system set up "
        "(specimen_system)."
    ),
    "R-09.laboratory": 'Row {row}, column "{column}": the laboratory "{text}" is not known. Known: {known}.',
    "R-09.method": 'Row {row}, column "{column}": the method "{text}" is not one of {known}.',
    "R-09.modifier": (
        "Row {row}: {column} changes the meaning of the result and is not understood here. Send the result "
        "without it."
    ),
    "R-09.quality": 'Row {row}, column "{column}": "{text}" is not one of {known}.',
    "R-09.reference": (
        'Row {row}: {column} refers to "{text}", which is not in the file. Send it in the same bundle.'
    ),
    "R-09.specimen": 'Row {row}, column "{column}": the specimen number is missing.',
    "R-09.specimens": (
        "Row {row}: the order has {count} specimens, so that it is not clear which one was measured. Send "
        "one order per tube."
    ),
    "R-09.subjects": (
        "Row {row}: {column} has two different subject codes. Send the row again with the right one."
    ),
    "R-10": (
        'Row {row}, column "{column}": "{text}" is not understood. Write only a number such as 1,85, or '
        "<0,1: no unit, no thousands."
    ),
    "R-10.comparator": 'Row {row}: {column} is "{text}". Right are <, <=, > and >=.',
    "R-10.kind": "Row {row}: {column} is not read. Send valueQuantity, or valueString.",
    "R-10.type": (
        'Row {row}, column "{column}": "{text}" is no value of the type "{kind}". Send NM with a number, '
        "SN, or ST."
    ),
    "R-10.values": "Row {row}: {column} has more than one value ({kinds}). Send one.",
    "R-11": (
        'Row {row}, column "{column}": no value although the status is {status}. Send the value, or the '
        "status X with what is wrong with the specimen."
    ),
    "R-11.pending": (
        'Row {row}, column "{column}": still being measured although the status is {status}. Send the '
        "status P, or the value."
    ),
    "R-11.unsent": (
        'Row {row}, column "{column}": the status U makes a preliminary result final without its value. '
        "Send the value with it, or with the status F."
    ),
    "R-12": 'Row {row}, column "{column}": a value although the status is {status}. Correct one of them.',
    "R-12.absent": "Row {row}: there is a value, and {column} says why there is none. Correct one of them.",
    "R-12.quality": (
        'Row {row}, column "{column}": a value although the specimen is marked {quality} (not received).'
    ),
    "R-13": 'Row {row}, column "{column}": "{text}" is not a possible concentration.',
    "R-14": (
        'Row {row}, column "{column}": above {limit} mg/L, which is implausible. Check the unit, and that '
        "it is not the glucuronide."
    ),
    "R-14.identical": (
        "Row {row}: all {count} samples of this visit have the same value, which is unusual. Check them."
    ),
    "R-14.trough": "Row {row}: above {limit} mg/L before the dose, which is unusual. Check the tube.",
    "R-15": 'Row {row}, column "{column}": the unit is missing. Write mg/L.',
    "R-16": 'Row {row}, column "{column}": the unit "{text}" is not accepted. Write mg/L or µg/mL.',
    "R-16.disabled": (
        'Row {row}, column "{column}": the unit "{text}" is not enabled for this laboratory. Write mg/L.'
    ),
    "R-16.ucum": 'Row {row}: {column} is "{text}", which means something else in UCUM. Write mg/L or ug/mL.',
    "R-17": "Row {row}: converted from {text} to mg/L (factor {factor}).",
    "R-18": 'Row {row}, column "{column}": the code of the analyte expects {expected}, the unit is "{text}".',
    "R-19": "Row {row}: below the limit of quantification; no number is computed from it.",
    "R-19.above": (
        "Row {row}: above the upper limit of quantification; no AUC until it is measured again diluted."
    ),
    "R-19.dose": (
        "Row {row}: below the limit of quantification after the dose; no AUC from this visit. Was the dose "
        "taken?"
    ),
    "R-20": "Row {row}: a limit is given with the value, and the column {column_name} is empty.",
    "R-20.differs": "Row {row}: the limit given with the value is not the one of the column {column_name}.",
    "R-21": "Row {row}: the specimen is marked {quality}; the value is kept.",
    "R-21.blocks": (
        "Row {row}: the specimen is marked {quality}; the value is kept and no AUC computed from it."
    ),
    "R-21.status": 'Row {row}: {column} is "{text}", and nothing says what is wrong with the specimen.',
    "R-22": "Row {row}: no result: {why}.",
    "R-22.plain": "Row {row}: no result will come for this specimen.",
    "R-30": (
        'Row {row}, column "{column}": "{text}" is not a date and time. Write day, month and year of four '
        "digits, as in 15/01/2026 08:31."
    ),
    "R-30.coarse": (
        'Row {row}, column "{column}": "{text}" does not tell the minute. Send it as yyyymmddhhmm.'
    ),
    "R-30.date": (
        'Row {row}, column "{column}": "{text}" does not tell the minute. Send it as '
        "2026-01-15T08:31:00+01:00."
    ),
    "R-30.missing": 'Row {row}, column "{column}": date and time are missing. Write 15/01/2026 08:31.',
    "R-30.period": (
        "Row {row}: {column} is not one moment. Send the time at which the specimen was collected."
    ),
    "R-30.repeated": (
        'Row {row}, column "{column}": "{text}" exists twice, clocks were put back. Write it with its '
        "offset, as 2026-10-25T02:30+01:00."
    ),
    "R-30.skipped": (
        'Row {row}, column "{column}": "{text}" does not exist, clocks were put forward. Check the time.'
    ),
    "R-31": 'Row {row}, column "{column}": {text} is before the collection ({collected}). Check both.',
    "R-31.future": 'Row {row}, column "{column}": {text} is in the future. Check the date.',
    "R-32": "Row {row}: collected on {collected}; the visit {visit} is on {first}. Check visit and date.",
    "R-32.window": (
        "Row {row}: collected on {collected}; the visit {visit} is due from {first} to {last}. Check visit "
        "and date."
    ),
    "R-33": 'Row {row}, column "{column}": the comment needs to be read by a person.',
    "R-40": "Row {row}: preliminary; the final result is awaited.",
    "R-41": 'Row {row}, column "{column}": the status "{text}" is not known. Write P, F, C, W or X.',
    "R-41.order": (
        'Row {row}, column "{column}": the result is "{text}" and its order (OBR-25) "{order}". Correct '
        "one of them."
    ),
    "R-41.report": (
        'Row {row}, column "{column}": the result is "{text}" and its report "{report}". Correct one of them.'
    ),
    "R-42": "Row {row}: already known; nothing was recorded again.",
    "R-42.unchanged": (
        "Row {row}: the result that is known already, reported at another time; nothing changes."
    ),
    "R-43": (
        "Row {row}: the result of specimen {specimen} changed without the status of a correction. If it is "
        "a correction, send it with status C."
    ),
    "R-43.file": (
        "Row {row}: the file has two different final results of specimen {specimen}. Send the right one."
    ),
    "R-43.order": (
        "Row {row}: specimen {specimen} has another result that was reported at the same time or later. "
        "Send the right one with status C and a later time."
    ),
    "R-44": (
        "Row {row}: corrects or withdraws a result of specimen {specimen} that never arrived. Send the "
        "original."
    ),
    "R-44.version": "Row {row}: corrects the version {replaces}, which never arrived. Send it.",
    "R-45": (
        "Row {row}: an earlier result was corrected or withdrawn; what was computed from it is looked at "
        "again."
    ),
    "R-46": "Row {row}: an older version than the one known; it is kept and not used.",
    "R-47": (
        "Row {row}: replaces {replaces}, which belongs to another specimen than {specimen}. Check the number."
    ),
    "R-47.place": (
        "Row {row}: corrects specimen {specimen}, which belongs to another subject, visit or sampling time "
        "({visit}, {timepoint}). Withdraw it, then send it new."
    ),
    "S-01": (
        "Row {row}: {timepoint} already has a result of another specimen ({other}, this one {specimen}). "
        "Withdraw the wrong one."
    ),
    "S-01.file": "Row {row}: the file has results of two specimens for {timepoint}. Send the right one.",
    "S-04": (
        "Row {row}: the times of {timepoint} and {other} are in the reverse order. Check tubes and times; "
        "no AUC until then."
    ),
    "S-05": (
        "Row {row}: {timepoint}, before the dose, is higher than {other} after it. Check that no tubes "
        "were exchanged."
    ),
    "S-06": (
        "Row {row}: the specimen {specimen} is in the file for two sampling times or subjects. Check the "
        "tubes."
    ),
    "S-06.known": (
        "Row {row}: the specimen {specimen} is known for another subject, visit or sampling time ({visit}, "
        "{timepoint}). Check the tubes."
    ),
    "S-06.tube": (
        "Row {row}: the site recorded the specimen {specimen} for another subject. Check the tube and the "
        "subject code; the row is looked at again for 14 days."
    ),
    "S-07": (
        "Row {row}: the samples of this visit were measured by different methods ({known}). Check the method."
    ),
}
