"""From baseline to one year: which measurements count, and how far each measure changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from scheduler.domain.civil import add_period
from scheduler.domain.reason import Reason, because
from scheduler.domain.trial.definitions import Measure
from scheduler.domain.trial.measurements import Measurement
from scheduler.domain.trial.settings import ChangeUnit, EndpointSettings, EventKind, Strategy

__all__ = ["Change", "Happened", "Window", "change_of", "window_of"]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event and the day on which it happened."""

    kind: EventKind
    on: date


@dataclass(frozen=True, slots=True)
class Window:
    """When the endpoint is due: the target and the days on which a measurement counts."""

    target: date
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Change:
    """How far a measure changed, or why that cannot be said.

    `absolute` is in the measure's own units, `relative` in percent of the baseline, `litres` for FVC. `event` is the
    first event before the measurement at one year, or before the end of its window where there is none.
    """

    measure: Measure
    baseline: Measurement | None
    after: Measurement | None
    absolute: Fraction | None
    relative: Fraction | None
    litres: Fraction | None
    why: tuple[Reason, ...]
    flags: tuple[Reason, ...]
    events: tuple[Happened, ...] = ()

    def in_unit(self, unit: ChangeUnit) -> Fraction | None:
        match unit:
            case ChangeUnit.REL:
                return self.relative
            case ChangeUnit.ABS:
                return self.absolute
            case ChangeUnit.LITRES:
                return self.litres


def window_of(anchor: date, settings: EndpointSettings) -> Window:
    """The days around one year after the anchor."""
    target, width = add_period(anchor, settings.at), timedelta(days=settings.window_days)
    return Window(target, target - width, target + width)


def change_of(
    measure: Measure,
    found: Iterable[Measurement],
    baseline_visit: str,
    window: Window,
    happened: Sequence[Happened],
    settings: EndpointSettings,
) -> Change:
    """The change of a measure from the baseline visit to the closest measurement in the window, the earlier of two."""
    own = [one for one in found if one.measure is measure]
    baseline = next((one for one in own if one.visit == baseline_visit), None)
    later = [one for one in own if one.visit != baseline_visit]
    after = _closest(later, window)
    until = after.on if after is not None else window.last
    events = tuple(sorted((one for one in happened if one.on < until), key=lambda one: one.on))
    stops = [one.on for one in events if settings.strategies[one.kind] is Strategy.WHILE_ON_TREATMENT]
    if stops:
        after = max((one for one in later if one.on <= stops[0]), key=lambda one: one.on, default=None)
    return _change(measure, baseline, after, window, events)


def _closest(later: Iterable[Measurement], window: Window) -> Measurement | None:
    inside = [one for one in later if window.first <= one.on <= window.last]
    return min(inside, key=lambda one: (abs((one.on - window.target).days), one.on), default=None)


def _change(
    measure: Measure,
    baseline: Measurement | None,
    after: Measurement | None,
    window: Window,
    events: tuple[Happened, ...],
) -> Change:
    why: list[Reason] = []
    if baseline is None:
        why.append(because("endpoint_no_baseline", item=measure.value))
    if after is None:
        why.append(because("endpoint_no_value", item=measure.value, first=window.first, last=window.last))
    why += [reason for one in (baseline, after) if one is not None for reason in one.why]
    if baseline is None or after is None:
        return Change(measure, baseline, after, None, None, None, tuple(why), (), events)
    flags = [*baseline.flags, *after.flags, *_assessors(measure, baseline, after)]
    litres = _minus(after.litres, baseline.litres)
    absolute, relative = _minus(after.value, baseline.value), None
    unlike = _unlike(measure, baseline, after)
    if unlike:
        why += unlike
        absolute = None
    elif absolute is not None and baseline.value:
        relative = 100 * absolute / baseline.value
    if measure is not Measure.MRSS and None in (baseline.equation, after.equation):
        flags.append(because("endpoint_equation_unknown", item=measure.value))
    return Change(measure, baseline, after, absolute, relative, litres, tuple(why), tuple(flags), events)


def _minus(after: Fraction | None, before: Fraction | None) -> Fraction | None:
    return after - before if after is not None and before is not None else None


def _unlike(measure: Measure, baseline: Measurement, after: Measurement) -> list[Reason]:
    """Why two values cannot be subtracted: other units, or percentages of values that two equations predict."""
    if baseline.unit != after.unit:
        return [because("endpoint_units_differ", item=measure.value, one=baseline.unit, other=after.unit)]
    one, other = baseline.equation, after.equation
    if measure is Measure.MRSS or one is None or other is None or one.casefold() == other.casefold():
        return []
    return [because("endpoint_equations_differ", item=measure.value, one=one, other=other)]


def _assessors(measure: Measure, baseline: Measurement, after: Measurement) -> list[Reason]:
    if measure is not Measure.MRSS:
        return []
    one, other = baseline.assessor, after.assessor
    if one is None or other is None:
        return [because("endpoint_assessor_unknown")]
    return [because("endpoint_assessors_differ", one=one, other=other)] if one != other else []
