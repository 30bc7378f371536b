"""From the texts of value, unit and limits to a concentration in mg/L, with what the rules say of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from config.schema import LabFile
from scheduler.domain.reason import because
from scheduler.domain.results import ResultStatus
from scheduler.domain.sampling import HIGHEST_TROUGH_MG_L
from scheduler.intake.findings import Severity
from scheduler.intake.layout import loinc
from scheduler.intake.layout.codes import NO_RESULT
from scheduler.intake.layout.columns import normalised
from scheduler.intake.layout.units import Quantity, Unit, unit_of
from scheduler.intake.layout.values import Absent, Limit, NoValue, Number, Unreadable, number_of, value_of
from scheduler.intake.rules.row import Row
from scheduler.intake.shown import shorten

__all__ = ["Measured", "measure"]

_MASS, _SUBSTANCE = frozenset(map(normalised, loinc.MASS)), normalised(loinc.SUBSTANCE)
_HIGHEST_MG_L = Decimal(50)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the laboratory measured, in mg/L. A limit is never turned into a value."""

    status: ResultStatus | None
    quality: str | None
    conc_mg_l: Decimal | None = None
    comparator: str | None = None
    lloq_mg_l: Decimal | None = None
    uloq_mg_l: Decimal | None = None
    below_lloq: bool = False
    above_uloq: bool = False


def measure(
    row: Row,
    lab: LabFile,
    status: ResultStatus | None,
    quality: str | None,
    analyte: str,
    before_dose: bool | None,
) -> Measured:
    """What was measured; findings are left with the row. `analyte` is the code without punctuation."""
    value = value_of(row.text("value"))
    match value:
        case Absent():
            return _without_value(row, value, status, quality)
        case Unreadable():
            code = "R-13" if value.impossible else "R-10"
            row.hold(code, "value", text=shorten(row.text("value"), 12))
            return Measured(status, quality)
        case Number() | Limit():
            if status in NO_RESULT:
                row.hold("R-12", "value", status=status.value)
                return Measured(status, quality)
            if quality == "NR":
                row.hold("R-12.quality", "value", quality=quality)
            unit = _unit(row, lab, analyte)
            return _with_value(row, value, unit, status, quality, before_dose)
        case _:
            assert_never(value)


def _without_value(row: Row, value: Absent, status: ResultStatus | None, quality: str | None) -> Measured:
    """No value: final when the laboratory says that the specimen was unusable, else only for X, W and P."""
    if value.quality is not None and quality in (None, "OK"):
        quality = value.quality
    unusable = value.why is NoValue.UNUSABLE or quality not in (None, "OK")
    if status in (ResultStatus.FINAL, ResultStatus.NOT_OBTAINED) and unusable:
        row.find(Severity.WARN, "R-22", why=because(f"quality.{quality or 'NR'}"))
        return Measured(ResultStatus.NOT_OBTAINED, quality)
    if status is ResultStatus.NOT_OBTAINED:
        row.find(Severity.WARN, "R-22.plain")
    elif status is ResultStatus.FINAL or (status is ResultStatus.CORRECTED and not unusable):
        row.hold("R-11.pending" if value.why is NoValue.PENDING else "R-11", "value", status=status.value)
    return Measured(status, quality)


def _unit(row: Row, lab: LabFile, analyte: str) -> Unit | None:
    """The unit, when it may be used for this code at this laboratory."""
    text = row.text("unit")
    if not text:
        row.hold("R-15", "unit")
        return None
    unit = unit_of(text)
    if unit is None:
        row.hold("R-16", "unit", text=shorten(text, 12))
        return None
    is_substance = unit.quantity is Quantity.SUBSTANCE
    if (analyte in _MASS and is_substance) or (analyte == _SUBSTANCE and not is_substance):
        expected = "umol/L" if analyte == _SUBSTANCE else "mg/L"
        row.hold("R-18", "unit", text=shorten(text, 12), expected=expected)
        return None
    enabled = {
        Quantity.MASS: True,
        Quantity.RARE_MASS: lab.accept_mg_per_dl,
        Quantity.SUBSTANCE: lab.substance_units,
    }
    if not enabled[unit.quantity]:
        row.hold("R-16.disabled", "unit", text=shorten(text, 12))
        return None
    if unit.is_converted:
        row.find(Severity.WARN, "R-17", text=shorten(text, 12), factor=format(unit.factor, "f"))
    return unit


def _with_value(
    row: Row,
    value: Number | Limit,
    unit: Unit | None,
    status: ResultStatus | None,
    quality: str | None,
    before_dose: bool | None,
) -> Measured:
    lloq, uloq = _limit(row, "lloq", unit), _limit(row, "uloq", unit)
    if isinstance(value, Number):
        if value.value < 0:
            row.hold("R-13", "value", text=shorten(row.text("value"), 12))
            return Measured(status, quality)
        conc = value.value * unit.factor if unit is not None else None
        comparator = None
        below = conc is not None and lloq is not None and conc < lloq
        above = conc is not None and uloq is not None and conc > uloq
        _plausible(row, conc, before_dose)
    else:
        conc, comparator = None, value.comparator
        below, above = value.is_below, not value.is_below
        lloq, uloq = _stated(row, value, unit, lloq, uloq)
    if below:
        if before_dose is False:
            row.find(Severity.SET, "R-19.dose")
        else:
            row.find(Severity.WARN, "R-19")
    if above:
        row.find(Severity.SET, "R-19.above")
    return Measured(status, quality, conc, comparator, lloq, uloq, below, above)


def _limit(row: Row, column: str, unit: Unit | None) -> Decimal | None:
    text = row.text(column)
    if not text:
        return None
    number = number_of(text)
    if number is None or number < 0:
        row.hold("R-10", column, text=shorten(text, 12))
        return None
    return number * unit.factor if unit is not None else None


def _plausible(row: Row, conc: Decimal | None, before_dose: bool | None) -> None:
    if conc is None:
        return
    if conc > _HIGHEST_MG_L:
        row.hold("R-14", "value", limit=int(_HIGHEST_MG_L))
    elif before_dose and conc > HIGHEST_TROUGH_MG_L:
        row.find(Severity.WARN, "R-14.trough", limit=int(HIGHEST_TROUGH_MG_L))


def _stated(
    row: Row, value: Limit, unit: Unit | None, lloq: Decimal | None, uloq: Decimal | None
) -> tuple[Decimal | None, Decimal | None]:
    """The limits that apply to this measurement: the one beside the sign, else the column's."""
    own = value.limit * unit.factor if value.limit is not None and unit is not None else None
    column = lloq if value.is_below else uloq
    if column is None:
        row.find(Severity.WARN, "R-20", column_name="lloq" if value.is_below else "uloq")
    elif own is not None and own != column:
        row.find(Severity.WARN, "R-20.differs", column_name="lloq" if value.is_below else "uloq")
    if own is None:
        return lloq, uloq
    return (own, uloq) if value.is_below else (lloq, own)
