"""A profile as a JSON object, and what the analysis found as one; the schemas are in `pk/schemas`."""

import dataclasses
import math
from dataclasses import asdict

from pk.command.fields import Fields
from pk.command.jsonlines import error, reason_object
from pk.nca.analysis import Analysis, Settings, analyse
from pk.nca.blq import Blq, BlqRules, ByPosition, ByTmax, Point, Treatment
from pk.nca.curve import Extrapolation
from pk.nca.terminal import TerminalSettings
from pk.nca.trapezoid import Rule
from pk.values.jsontypes import Json, JsonObject
from pk.values.quantity import Quantity

INPUT_FIELDS = (
    "id",
    "times_h",
    "conc_mg_l",
    "lloq_mg_l",
    "method",
    "blq",
    "lambda_z",
    "tau_h",
    "partial",
    "extrapolation",
)
QUANTITIES = tuple(one.name for one in dataclasses.fields(Analysis) if one.type is Quantity)
_FIELD_AT_FAULT = {
    "too_few_points": "conc_mg_l",
    "times_repeated": "times_h",
    "times_not_increasing": "times_h",
    "concentrations_negative": "conc_mg_l",
    "blq_number_too_high": "blq",
}


def analysed(record: JsonObject) -> JsonObject:
    """Return the result of one record: the quantities of the profile, or what is wrong with the input.

    >>> out = analysed({"id": 7, "times_h": [0, 1, 3], "conc_mg_l": [0, 4, 2], "method": "linear"})
    >>> out["auc_last"], out["lambda_z"], out["status"]
    (8.0, None, 'ok')
    """
    fields = Fields(record)
    fields.allow(INPUT_FIELDS)
    record_id = fields.identifier()
    points, settings = _points(fields), _settings(fields)
    if fields.problems:
        return error(record_id, fields.problems)
    found = analyse(points, settings)
    if isinstance(found, Analysis):
        return _result(record_id, settings, found)
    return error(record_id, found, _FIELD_AT_FAULT)


def _points(fields: Fields) -> list[Point]:
    times, concs = fields.items("times_h", required=True), fields.items("conc_mg_l", required=True)
    if len(times) != len(concs) and fields.has("times_h") and fields.has("conc_mg_l"):
        fields.note("field_wrong_length", "conc_mg_l", count=len(concs), expected=len(times))
        return []
    lloq = fields.number("lloq_mg_l", above=0.0)
    points = []
    for i, (time, conc) in enumerate(zip(times, concs, strict=False)):
        time_h = fields.as_number(time, f"times_h[{i}]")
        point = _point(fields, f"conc_mg_l[{i}]", time_h or 0.0, conc, lloq)
        if time_h is not None and point is not None:
            points.append(point)
    return points


def _point(fields: Fields, name: str, time_h: float, conc: Json, lloq_mg_l: float | None) -> Point | None:
    """A number, null for a missing result, or the limit below which the result is."""
    if conc is None:
        return Point(time_h, None)
    if isinstance(conc, dict):
        below = Fields(conc, f"{fields.path}{name}.", fields.problems)
        below.allow(("below_lloq_mg_l",))
        limit = below.number("below_lloq_mg_l", above=0.0)
        if limit is None and not below.has("below_lloq_mg_l"):
            below.note("field_missing", "below_lloq_mg_l")
        return None if limit is None else Point(time_h, None, limit)
    number = fields.as_number(conc, name)
    if number is not None and number < 0:
        fields.note("field_too_small", name, value=number, least=0)
        return None
    return None if number is None else Point(time_h, number, lloq_mg_l)


def _settings(fields: Fields) -> Settings:
    return Settings(
        rule=fields.choice("method", Rule.LINUP_LOGDOWN),
        blq=_blq(fields),
        terminal=_terminal(fields),
        tau_h=fields.number("tau_h", above=0.0),
        intervals=_intervals(fields),
        extrapolation=fields.choice("extrapolation", Extrapolation.OBSERVED),
    )


def _blq(fields: Fields) -> BlqRules:
    """One treatment for all, or an object by position or by the maximum."""
    if not isinstance(fields.content.get("blq"), dict):
        if not fields.has("blq"):
            return ByPosition()
        one = _treatment(fields, "blq", Blq.KEEP)
        return ByPosition(one, one, one)
    given = fields.child("blq") or Fields({})
    by_tmax = [name for name in ("before_tmax", "after_tmax") if given.has(name)]
    by_position = [name for name in ("first", "middle", "last") if given.has(name)]
    given.allow(("first", "middle", "last", "before_tmax", "after_tmax"))
    if by_tmax and by_position:
        given.note("fields_exclusive", by_tmax[0], other=given.path + by_position[0])
    if by_tmax:
        usual = ByTmax()
        before = _treatment(given, "before_tmax", usual.before_tmax)
        return ByTmax(before, _treatment(given, "after_tmax", usual.after_tmax))
    default = ByPosition()
    return ByPosition(
        _treatment(given, "first", default.first),
        _treatment(given, "middle", default.middle),
        _treatment(given, "last", default.last),
    )


def _treatment(fields: Fields, name: str, default: Treatment) -> Treatment:
    value = fields.content.get(name)
    if isinstance(value, str):
        return fields.choice(name, Blq.KEEP)
    found = fields.number(name, least=0.0)
    return default if found is None else found


def _terminal(fields: Fields) -> TerminalSettings:
    given, usual = fields.child("lambda_z"), TerminalSettings()
    if given is None:
        return usual
    given.allow(asdict(usual))
    return TerminalSettings(
        min_points=given.whole("min_points", usual.min_points, least=3),
        include_tmax=given.flag("include_tmax", usual.include_tmax),
        tolerance=given.number_or("tolerance", usual.tolerance, least=0.0, most=1.0),
        min_adjusted_r2=given.number_or("min_adjusted_r2", usual.min_adjusted_r2, most=1.0),
        min_span_ratio=given.number_or("min_span_ratio", usual.min_span_ratio, least=0.0),
        max_extrapolated_percent=given.number_or(
            "max_extrapolated_percent", usual.max_extrapolated_percent, least=0.0, most=100.0
        ),
        enforce=given.flag("enforce", usual.enforce),
    )


def _intervals(fields: Fields) -> tuple[tuple[float, float], ...]:
    found = []
    for i, item in enumerate(fields.items("partial")):
        name = f"partial[{i}]"
        if not isinstance(item, list):
            fields.wrong_kind(item, name, "array")
        elif len(item) != 2:
            fields.note("field_wrong_length", name, count=len(item), expected=2)
        else:
            start, end = (fields.as_number(item[k], f"{name}[{k}]") for k in (0, 1))
            found.append((start or 0.0, end or 0.0))
    return tuple(found)


def _result(record_id: Json, settings: Settings, found: Analysis) -> JsonObject:
    """Numbers under their names; a null has its reasons, and any number may have notes, by field."""
    result: JsonObject = {"id": record_id, "status": "ok", "method": settings.rule.value}
    reasons: list[Json] = []
    notes: list[Json] = [reason_object(note) for note in found.notes]
    for name in QUANTITIES:
        _explain(getattr(found, name), name, reasons, notes)
        result[name] = getattr(found, name).value
    result["terminal"] = None if found.terminal is None else _finite(asdict(found.terminal))
    areas: list[Json] = []
    for i, (ends, area) in enumerate(zip(settings.intervals, found.partial, strict=True)):
        _explain(area, f"partial[{i}]", reasons, notes)
        areas.append({"start_h": ends[0], "end_h": ends[1], "auc": area.value})
    return result | {"partial": areas, "reasons": reasons, "notes": notes}


def _finite(numbers: JsonObject) -> JsonObject:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in numbers.items()
    }


def _explain(quantity: Quantity, name: str, reasons: list[Json], notes: list[Json]) -> None:
    reasons += [reason_object(reason, name) for reason in quantity.reasons]
    notes += [reason_object(note, name) for note in quantity.notes]
