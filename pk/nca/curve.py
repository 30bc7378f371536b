"""A treated profile as a curve: its areas to the last sample, to infinity, and over an interval."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from pk.nca.blq import Profile
from pk.nca.terminal import Terminal, TerminalSettings, acceptance, fit_terminal
from pk.nca.trapezoid import Areas, Rule, areas_between, exponential_segments
from pk.values.estimate import UNIT_AUC
from pk.values.quantity import Quantity
from pk.values.reason import Reason, short

UNIT_AUMC = "mg·h²/L"


class Extrapolation(StrEnum):
    """What lies after the last measurable sample, for areas over an interval."""

    NONE = "none"
    """Samples below quantification as treated; nothing beyond the last sample."""
    OBSERVED = "observed"
    """The exponential of the terminal slope from the last measured concentration."""
    PREDICTED = "predicted"
    """The same exponential from the regression's own concentration there."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A treated profile with how its samples are joined and how it ends.

    Attributes
    ----------
    times, concs : tuple of float, length n
        Hours and mg/L, samples below quantification treated.
    exponential : tuple of bool, length n - 1
        How neighbouring samples are joined.
    last : int or None
        Index of the last measurable sample.
    sampled : Areas or None
        From the first sample to the last measurable one, None where that is no interval.
    terminal : Terminal or None
        The terminal slope; `no_slope` says why there is none, `slope_notes` what to know of it.
    """

    times: tuple[float, ...]
    concs: tuple[float, ...]
    exponential: tuple[bool, ...]
    last: int | None
    sampled: Areas | None
    terminal: Terminal | None
    no_slope: tuple[Reason, ...] = ()
    slope_notes: tuple[Reason, ...] = ()

    def auc(self, start_h: float, end_h: float) -> float:
        """Return the AUC between two times within the samples."""
        return areas_between(self.times, self.concs, self.exponential, start_h, end_h).auc


def curve_of(profile: Profile, rule: Rule, asked: TerminalSettings) -> Curve:
    """Return the curve of a profile, its terminal slope fitted to the measurable samples.

    A slope that misses a criterion has a note, or none at all where the criteria are enforced.
    """
    times, concs = profile.times, profile.concs
    measured = [i for i, one in enumerate(profile.measured) if one]
    last = measured[-1] if measured else None
    joined = exponential_segments(concs, rule)
    sampled = areas_between(times, concs, joined, times[0], times[last]) if last else None
    if last is None:
        return Curve(times, concs, joined, None, None, None, (Reason.of("nothing_measurable"),))
    fitted = fit_terminal([times[i] for i in measured], [concs[i] for i in measured], asked)
    if isinstance(fitted, Reason):
        return Curve(times, concs, joined, last, sampled, None, (fitted,))
    missed = acceptance(fitted, asked)
    if asked.enforce and missed:
        return Curve(times, concs, joined, last, sampled, None, missed)
    notes = (Reason.of("lambda_z_rise_fits_better"),) if fitted.rise_fits_better else ()
    return Curve(times, concs, joined, last, sampled, fitted, (), (*notes, *missed))


def _both(areas: Areas, notes: tuple[Reason, ...] = ()) -> tuple[Quantity, Quantity]:
    return Quantity.of(UNIT_AUC, areas.auc, notes), Quantity.of(UNIT_AUMC, areas.aumc, notes)


def to_last(curve: Curve) -> tuple[Quantity, Quantity]:
    """Return AUC and AUMC from the first sample to the last measurable one."""
    if curve.last is None and len(curve.times) > 1:
        return _both(Areas(0.0, 0.0), (Reason.of("all_below_lloq"),))
    if curve.sampled is None:
        why = (Reason.of("too_few_points", count=1 if curve.last == 0 else len(curve.times)),)
        return Quantity(UNIT_AUC, reasons=why), Quantity(UNIT_AUMC, reasons=why)
    return _both(curve.sampled)


def to_end(curve: Curve) -> Quantity:
    """Return the AUC from the first sample to the last."""
    if len(curve.times) < 2:
        return Quantity(UNIT_AUC, reasons=(Reason.of("too_few_points", count=len(curve.times)),))
    if curve.sampled is not None and curve.last == len(curve.times) - 1:
        return Quantity.of(UNIT_AUC, curve.sampled.auc)
    notes = () if curve.last is not None else (Reason.of("all_below_lloq"),)
    return Quantity.of(UNIT_AUC, curve.auc(curve.times[0], curve.times[-1]), notes)


def to_infinity(
    curve: Curve, asked: TerminalSettings, *, predicted: bool
) -> tuple[Quantity, Quantity, Quantity]:
    """Return AUC and AUMC to infinity, and the extrapolated share of the AUC in %.

    With C = Clast, observed or predicted: C / lambda_z after the last measurable sample, and
    Tlast C / lambda_z + C / lambda_z² for the moment.
    """
    units = (UNIT_AUC, UNIT_AUMC, "%")
    if curve.terminal is None or curve.last is None or curve.sampled is None:
        first, second, third = (Quantity(unit, reasons=(Reason.of("lambda_z_needed"),)) for unit in units)
        return first, second, third
    rate, last_h = curve.terminal.lambda_z_per_h, curve.times[curve.last]
    conc = curve.terminal.clast_predicted_mg_l if predicted else curve.concs[curve.last]
    tail = conc / rate
    total = curve.sampled + Areas(tail, last_h * tail + tail / rate)
    percent = 100.0 * (tail / total.auc) if total.auc > 0 else math.nan
    auc, aumc = _both(total)
    if percent > asked.max_extrapolated_percent:
        numbers = {
            "percent": short(percent),
            "max_percent": short(asked.max_extrapolated_percent),
        }
        high = (Reason.of("extrapolated_share_high", **numbers),)
        auc, aumc = (_refused(one, high) if asked.enforce else _noted(one, high) for one in (auc, aumc))
    return auc, aumc, Quantity.of("%", percent)


def _refused(quantity: Quantity, why: tuple[Reason, ...]) -> Quantity:
    return Quantity(quantity.unit, reasons=(*quantity.reasons, *why))


def _noted(quantity: Quantity, notes: tuple[Reason, ...]) -> Quantity:
    return quantity if quantity.value is None else replace(quantity, notes=(*quantity.notes, *notes))


def interval(curve: Curve, extrapolation: Extrapolation, start_h: float, end_h: float) -> Quantity:
    """Return the AUC from one time to another, so that areas of neighbouring intervals add up.

    Up to the last measurable sample the curve as sampled, interpolated as its segments are joined.
    After it, as `extrapolation` says: the terminal exponential, also where there are samples below
    quantification, or the samples as treated. Nothing is extrapolated before the first sample.
    """
    reasons = _problems(curve, extrapolation, start_h, end_h)
    if reasons:
        return Quantity(UNIT_AUC, reasons=reasons)
    last_h = curve.times[-1 if curve.last is None else curve.last]
    if curve.terminal is None or extrapolation is Extrapolation.NONE or end_h <= last_h:
        notes = () if curve.last is not None else (Reason.of("all_below_lloq"),)
        return Quantity.of(UNIT_AUC, curve.auc(start_h, end_h), notes)
    observed = curve.auc(start_h, last_h)
    tail = _tail(
        curve.terminal,
        curve.concs[curve.last or 0],
        extrapolation,
        max(start_h, last_h) - last_h,
        end_h - last_h,
    )
    total = observed + tail
    percent = 100.0 * tail / total if total > 0 else 100.0
    note = Reason.of("interval_extrapolated", percent=short(percent), last_h=short(last_h))
    return Quantity.of(UNIT_AUC, total, (note,))


def _problems(curve: Curve, extrapolation: Extrapolation, start_h: float, end_h: float) -> tuple[Reason, ...]:
    interval = {"start_h": short(start_h), "end_h": short(end_h)}
    if not -math.inf < start_h < end_h < math.inf:
        return (Reason.of("interval_empty", **interval),)
    if len(curve.times) < 2:
        return (Reason.of("too_few_points", count=len(curve.times)),)
    first_h, end_of_samples_h = curve.times[0], curve.times[-1]
    if start_h < first_h:
        return (Reason.of("interval_before_first", start_h=short(start_h), first_h=short(first_h)),)
    if extrapolation is Extrapolation.NONE or curve.last is None:
        if end_h <= end_of_samples_h:
            return ()
        span = {"first_h": short(first_h), "last_h": short(end_of_samples_h)}
        return (Reason.of("interval_not_covered", **interval, **span),)
    last_h = curve.times[curve.last]
    if end_h > last_h and curve.terminal is None:
        return (Reason.of("interval_needs_lambda_z", **interval, last_h=short(last_h)),)
    return ()


def _tail(
    terminal: Terminal, clast_mg_l: float, extrapolation: Extrapolation, from_h: float, to_h: float
) -> float:
    """The area under the terminal exponential between two times after the last measurable sample."""
    rate = terminal.lambda_z_per_h
    conc = terminal.clast_predicted_mg_l if extrapolation is Extrapolation.PREDICTED else clast_mg_l
    return conc * math.exp(-rate * from_h) * (-math.expm1(-rate * (to_h - from_h)) / rate)
