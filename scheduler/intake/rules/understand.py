"""From the texts of a row to what they mean: every rule that the row alone can decide."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.results import ResultStatus
from scheduler.domain.subject_code import is_well_formed
from scheduler.intake.findings import Severity
from scheduler.intake.layout import loinc
from scheduler.intake.layout.codes import (
    MATRICES,
    METHODS,
    NO_RESULT,
    QUALITIES,
    lookup,
    status_of,
    timepoint_of,
)
from scheduler.intake.layout.columns import normalised
from scheduler.intake.layout.times import TimeFault, instant_of
from scheduler.intake.readers import Candidate, Reading
from scheduler.intake.rules.measured import Measured, measure
from scheduler.intake.rules.row import Row
from scheduler.intake.shown import shorten
from scheduler.intake.study import IntakeStudy
from scheduler.store.lab.values import Entry

__all__ = ["understand"]

_CLOCK_SKEW = timedelta(minutes=5)
_KEPT = 60  # characters of a text that is stored as received

_OTHERS = frozenset(map(normalised, loinc.OTHERS))
_BLOOD, _TROUGH, _PEAK, _SUBSTANCE = map(normalised, (loinc.BLOOD, loinc.TROUGH, loinc.PEAK, loinc.SUBSTANCE))
_METABOLITES = ("glucuron", "mpag")
_STOP_WORDS = ("errone", "nepastenircompte", "inversion", "autrepatient", *_METABOLITES)


def understand(
    candidate: Candidate, reading: Reading, study: IntakeStudy, now: datetime
) -> tuple[Entry, Row]:
    """What the row says, and what is wrong with it. A row about another analyte is looked at no further."""
    row = Row(candidate, reading)
    lab = _lab(row, study)
    analyte = normalised(row.text("analyte"))
    if _other_analyte(row, lab, analyte):
        return _entry(row, lab, "", "", "", Measured(None, None)), row
    subject = _subject(row, study)
    visit = _visit(row, study, lab)
    timepoint, before_dose = _timepoint(row, study, lab, analyte)
    status, quality = (
        _status(row),
        _listed(row, "specimen_quality", QUALITIES, "R-09.quality", required=False),
    )
    if lab is None:
        return _entry(row, None, subject, visit, timepoint, Measured(status, quality)), row
    if not row.text("specimen_id"):
        row.hold("R-09.specimen", "specimen_id")
    found = measure(row, lab, status, quality, analyte, before_dose)
    blocking = _blocking(row, lab, found)
    method = _listed(row, "method", METHODS, "R-09.method")
    matrix = _matrix(row, lab)
    times = _times(row, ZoneInfo(lab.zone), found.status, now)
    comment = normalised(row.text("comment"))
    if any(word in comment for word in _STOP_WORDS):
        row.hold("R-33", "comment")
    return _entry(row, lab, subject, visit, timepoint, found, blocking, method or "", matrix, times), row


def _lab(row: Row, study: IntakeStudy) -> LabFile | None:
    lab = study.lab(row.text("laboratory"))
    if lab is None:
        row.hold(
            "R-09.laboratory",
            "laboratory",
            text=shorten(row.text("laboratory")),
            known=", ".join(sorted(study.labs)),
        )
    return lab


def _other_analyte(row: Row, lab: LabFile | None, analyte: str) -> bool:
    """Whether the row is about something else; what is not known at all is held, not passed over."""
    text = shorten(row.text("analyte"))
    own = {normalised(code) for code in lab.analyte_codes} if lab is not None else {"mpa"}
    others = {normalised(code) for code in lab.other_analyte_codes} if lab is not None else set()
    metabolite = any(word in analyte for word in _METABOLITES)
    if metabolite or row.candidate.is_other_analyte or analyte in (_OTHERS | others) - own:
        row.find(Severity.IGNORE, "R-06", text=text)
        return True
    if analyte == _BLOOD and analyte not in own:
        row.hold("R-08.blood", "analyte", text=text)
    elif analyte not in own and analyte != _SUBSTANCE and lab is not None:
        row.hold("R-06.unknown", "analyte", text=text)
    elif any(word in normalised(cell) for cell in row.candidate.extras for word in _METABOLITES):
        row.hold("R-07", "analyte", text=text)
    return False


def _subject(row: Row, study: IntakeStudy) -> str:
    """The subject's code; text of another form is not kept, for it may be a name."""
    code = row.text("subject_id")
    wrong = is_well_formed(study.protocol, code)
    if wrong is None:
        return code
    if wrong.code == "subject_code_check":
        row.hold("R-02", "subject_id", text=code)
        return code
    row.hold("R-01.form", "subject_id", pattern=study.protocol.subject_pattern)
    return ""


def _visit(row: Row, study: IntakeStudy, lab: LabFile | None) -> str:
    text = row.text("visit")
    if not text:
        row.hold("R-04.missing", "visit")
        return ""
    encounter = study.encounter(lab, text)
    if encounter is None:
        known = ", ".join(one.code for one in study.protocol.encounters if one.sampling)
        row.hold("R-04", "visit", text=shorten(text), known=known)
        return text[:_KEPT]
    if not encounter.sampling:
        row.hold("R-04.unsampled", "visit", text=shorten(text))
    return encounter.id


def _timepoint(row: Row, study: IntakeStudy, lab: LabFile | None, analyte: str) -> tuple[str, bool | None]:
    """The sampling point and whether it lies before the dose; None when it is not known."""
    text = row.text("timepoint")
    named = timepoint_of(text, lab.timepoint_aliases if lab is not None else {}) or text
    point = study.protocol.point(named)
    if point is None:
        known = ", ".join(one.id for one in study.protocol.points)
        row.hold("R-05", "timepoint", text=shorten(text, 12), known=known)
        return text[:_KEPT], None
    before_dose = point.nominal_min <= 0
    if analyte == _TROUGH and not before_dose:
        row.hold("R-05.trough", "timepoint", text=point.id)
    elif analyte == _PEAK:
        row.find(Severity.WARN, "R-05.peak", text=point.id)
    return point.id, before_dose


def _status(row: Row) -> ResultStatus | None:
    text = row.text("status")
    status = status_of(text)
    if status is None:
        row.hold("R-41", "status", text=shorten(text, 12))
    elif status is ResultStatus.PRELIMINARY:
        row.find(Severity.INFO, "R-40")
    return status


def _listed(row: Row, column: str, words: tuple[str, ...], code: str, required: bool = True) -> str | None:
    text = row.text(column)
    if not text and not required:
        return None
    word = lookup(text, words)
    if word is None:
        row.hold(code, column, text=shorten(text, 12), known=", ".join(words))
    return word


def _matrix(row: Row, lab: LabFile) -> str:
    text = row.text("matrix")
    word = lookup(text, (*MATRICES, *lab.matrices))
    if word not in lab.matrices:
        row.hold("R-08", "matrix", text=shorten(text, 12), known=", ".join(lab.matrices))
    return word or text[:_KEPT]


def _blocking(row: Row, lab: LabFile, found: Measured) -> str | None:
    """The quality that keeps a measured specimen from being used."""
    quality = found.quality
    if quality in (None, "OK") or found.status is ResultStatus.NOT_OBTAINED:
        return quality if quality != "OK" else None
    has_value = found.conc_mg_l is not None or found.comparator is not None
    blocks = quality in lab.blocking_qualities or not has_value
    severity, code = (Severity.SET, "R-21.blocks") if blocks else (Severity.WARN, "R-21")
    row.find(severity, code, quality=quality or "")
    return quality if blocks else None


def _times(
    row: Row, zone: ZoneInfo, status: ResultStatus | None, now: datetime
) -> tuple[datetime | None, datetime | None, datetime | None]:
    """When the specimen was collected, received and reported; each in order and none in the future."""
    no_specimen = status in NO_RESULT
    collected = _time(row, "collected_at", zone, required=not no_specimen)
    received = _time(row, "received_at", zone, required=False)
    reported = _time(row, "reported_at", zone, required=True)
    for column, instant in (
        ("collected_at", collected),
        ("received_at", received),
        ("reported_at", reported),
    ):
        if instant is not None and instant > now + _CLOCK_SKEW:
            row.hold("R-31.future", column, text=row.text(column))
    for column, instant in (("received_at", received), ("reported_at", reported)):
        if instant is not None and collected is not None and instant < collected:
            row.hold("R-31", column, text=row.text(column), collected=row.text("collected_at"))
    return collected, received, reported


def _time(row: Row, column: str, zone: ZoneInfo, required: bool) -> datetime | None:
    text = row.text(column)
    if not text:
        if required:
            row.hold("R-30.missing", column)
        return None
    try:
        return instant_of(text, zone)
    except TimeFault as fault:
        row.hold(fault.code, column, text=shorten(text))
        return None


def _entry(
    row: Row,
    lab: LabFile | None,
    subject: str,
    visit: str,
    timepoint: str,
    found: Measured,
    blocking: str | None = None,
    method: str = "",
    matrix: str = "",
    times: tuple[datetime | None, datetime | None, datetime | None] = (None, None, None),
) -> Entry:
    return Entry(
        subject=subject,
        visit=visit,
        timepoint=timepoint,
        lab=lab.code if lab is not None else row.text("laboratory")[:_KEPT],
        specimen=row.text("specimen_id")[:_KEPT],
        status=found.status,
        value_raw=row.text("value")[:_KEPT],
        unit_raw=row.text("unit")[:_KEPT],
        method=method,
        matrix=matrix,
        result_key=row.text("result_id")[:_KEPT] or None,
        replaces=row.text("replaces")[:_KEPT] or None,
        comparator=found.comparator,
        conc_mg_l=found.conc_mg_l,
        lloq_mg_l=found.lloq_mg_l,
        uloq_mg_l=found.uloq_mg_l,
        below_lloq=found.below_lloq,
        above_uloq=found.above_uloq,
        quality=found.quality,
        blocking=blocking,
        collected_at=times[0],
        received_at=times[1],
        reported_at=times[2],
    )
