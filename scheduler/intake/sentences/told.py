"""What else is said of a file: in receipts, of the drop folder, of a file judged again. In English."""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {
    "verdict.accepted": "Accepted.",
    "verdict.held": "Rows are held, as said below; those without a fault were accepted.",
    "verdict.ignored": "Nothing was recorded.",
    "verdict.quarantined": "The file was refused as a whole; nothing was recorded.",
    "note.counts": "{accepted} accepted, {held} held, {ignored} ignored.",
    "note.columns": "Columns that the study does not use: {columns}.",
    "note.quarantined": "The file {name} could not be used. What is wrong:",
    "note.what_to_do": (
        "What to do: correct the file and send it again. The layout is described in docs/lab-files.md."
    ),
    "settled.accepted": "Row {row}: accepted since; it was held when the file came.",
    "settled.moved": "Row {row}: accepted as {timepoint} of {visit}, as the study site decided.",
    "settled.rejected": "Row {row}: the study site decided that this result is not used.",
    "quality.HEM": "haemolysed",
    "quality.LIP": "lipaemic",
    "quality.ICT": "icteric",
    "quality.COAG": "clotted",
    "quality.QNS": "not enough material",
    "quality.NR": "not received",
    "quality.IDENT": "identity in doubt",
    "folder.unreadable": "The file {name} cannot be opened. Check its permissions.",
    "folder.trouble": "The file {name} cannot be taken, read or put away ({why}); it is tried again.",
    "folder.unfinished": "The receipts of the file {name} cannot be written ({why}); it is tried again.",
    "folder.away": "The folder cannot be looked at ({why}). Check the disk or share; it is tried again.",
    "folder.unknown": (
        "The sub-folder {name} belongs to no laboratory, and nothing in it is read. Name it in the file of "
        "its laboratory (folder), or remove it."
    ),
    "folder.full": "The disk of the drop folder is nearly full; no file is taken until there is space.",
    "folder.lost": (
        "The file {name} was recorded and is no longer where it was put. Look for it in the backup."
    ),
    "replay.unknown": "There is no file No. {file}; 'lab files' lists them.",
    "replay.accepted": (
        "File No. {file} ({name}) was not refused as a whole; only refused files are judged again."
    ),
    "replay.done": "File No. {file} was judged again already, as No. {later}.",
    "replay.unfinished": "File No. {file} is not put away yet; the service does that first.",
    "replay.gone": "The original of {name} is not in its place any more, or not as it was.",
    "replay.large": "The file {name} is larger than {limit} MB and is not read.",
}
