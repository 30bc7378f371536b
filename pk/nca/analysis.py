"""Non-compartmental analysis of one concentration-time profile."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pk.nca.blq import BlqRules, ByPosition, Point, Profile, treat
from pk.nca.curve import Curve, Extrapolation, curve_of, interval, to_end, to_infinity, to_last
from pk.nca.terminal import Terminal, TerminalSettings
from pk.nca.trapezoid import Rule, point_problems
from pk.values.estimate import UNIT_AUC
from pk.values.quantity import Quantity
from pk.values.reading import IMPLAUSIBLE_MG_L
from pk.values.reason import Reason, short


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules of an analysis; intervals and tau in hours after the dose."""

    rule: Rule = Rule.LINUP_LOGDOWN
    blq: BlqRules = field(default_factory=ByPosition)
    terminal: TerminalSettings = field(default_factory=TerminalSettings)
    tau_h: float | None = None
    intervals: tuple[tuple[float, float], ...] = ()
    extrapolation: Extrapolation = Extrapolation.OBSERVED


DEFAULTS = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What one profile gives; every quantity is a value or its reasons.

    `partial` follows `Settings.intervals`; `terminal` is the regression behind `lambda_z`, whose notes
    hold for everything derived from it; `notes` concern the profile as a whole.
    """

    cmax: Quantity
    tmax: Quantity
    clast: Quantity
    tlast: Quantity
    auc_last: Quantity
    auc_all: Quantity
    auc_inf_obs: Quantity
    auc_inf_pred: Quantity
    auc_extrapolated_percent_obs: Quantity
    auc_extrapolated_percent_pred: Quantity
    aumc_last: Quantity
    aumc_inf_obs: Quantity
    aumc_inf_pred: Quantity
    lambda_z: Quantity
    half_life: Quantity
    auc_tau: Quantity
    c_avg: Quantity
    partial: tuple[Quantity, ...]
    terminal: Terminal | None
    notes: tuple[Reason, ...]


def analyse(points: Sequence[Point], settings: Settings = DEFAULTS) -> Analysis | tuple[Reason, ...]:
    """Return the analysis of a profile, or why it is no profile.

    Parameters
    ----------
    points : sequence of Point
        Hours after the dose, strictly increasing; mg/L, 0 or more. The last sample before the dose
        stands for the dose unless there is one at 0. Missing results are left out.
    settings : Settings
        Method, treatment of samples below quantification, terminal slope, intervals.

    Returns
    -------
    Analysis or tuple of Reason
        AUClast and AUMClast reach from the first sample to the last measurable one, AUCall to the last
        sample; nothing is assumed before the first. To infinity and over intervals: `pk.nca.curve`.

    References
    ----------
    Gabrielsson J, Weiner D. Pharmacokinetic and pharmacodynamic data analysis: non-compartmental analysis.

    Examples
    --------
    >>> from pk.nca.blq import Point
    >>> concs = zip([0, 1, 2, 4, 8, 12], [2, 6, 10, 8, 4, 2])
    >>> steady = analyse([Point(t, c) for t, c in concs], Settings(Rule.LINEAR, tau_h=12.0))
    >>> steady.auc_tau.value, steady.c_avg.value, steady.tmax.value
    (66.0, 5.5, 2)
    """
    given = [point for point in points if not point.missing]
    problems = point_problems(
        [float(point.time_h) for point in points],
        [float(point.conc_mg_l or 0.0) for point in points],
        least_points=0,
    )
    if problems or not given:
        return problems or (Reason.of("too_few_points", count=0),)
    placed, notes = _from_dose(given)
    profile = treat(placed, settings.blq)
    if isinstance(profile, Reason):
        return (profile,)
    if len(given) < len(points):
        notes = (Reason.of("samples_missing", count=len(points) - len(given)), *notes)
    return _analysis(profile, settings, (*notes, *_plausibility(given), *profile.notes))


def _from_dose(given: Sequence[Point]) -> tuple[list[Point], tuple[Reason, ...]]:
    """The samples from the dose on, the last one before it moved to it, and what that means."""
    before = [point for point in given if point.time_h < 0]
    placed = [point for point in given if point.time_h >= 0]
    notes: list[Reason] = []
    if before and not (placed and placed[0].time_h == 0):
        moved = before.pop()
        placed.insert(0, replace(moved, time_h=0.0))
        notes.append(Reason.of("predose_moved", time_h=short(moved.time_h)))
    if before:
        notes.append(Reason.of("predose_left_out", count=len(before)))
    if placed[0].time_h > 0:
        notes.append(Reason.of("starts_after_dose", first_h=short(placed[0].time_h)))
    return placed, tuple(notes)


def _plausibility(given: Sequence[Point]) -> tuple[Reason, ...]:
    return tuple(
        Reason.of(
            "conc_implausible",
            time_h=short(point.time_h),
            conc_mg_l=short(point.conc_mg_l),
            limit_mg_l=short(IMPLAUSIBLE_MG_L),
        )
        for point in given
        if point.conc_mg_l is not None and point.conc_mg_l > IMPLAUSIBLE_MG_L
    )


def _analysis(profile: Profile, settings: Settings, notes: tuple[Reason, ...]) -> Analysis:
    curve = curve_of(profile, settings.rule, settings.terminal)
    cmax, tmax, clast, tlast = _landmarks(profile)
    auc_last, aumc_last = to_last(curve)
    observed = to_infinity(curve, settings.terminal, predicted=False)
    predicted = to_infinity(curve, settings.terminal, predicted=True)
    auc_tau = _tau(curve, settings)
    lambda_z, half_life = _slope(curve)
    return Analysis(
        cmax=cmax,
        tmax=tmax,
        clast=clast,
        tlast=tlast,
        auc_last=auc_last,
        auc_all=to_end(curve),
        auc_inf_obs=observed[0],
        auc_inf_pred=predicted[0],
        auc_extrapolated_percent_obs=observed[2],
        auc_extrapolated_percent_pred=predicted[2],
        aumc_last=aumc_last,
        aumc_inf_obs=observed[1],
        aumc_inf_pred=predicted[1],
        lambda_z=lambda_z,
        half_life=half_life,
        auc_tau=auc_tau,
        c_avg=_average(auc_tau, settings.tau_h),
        partial=tuple(interval(curve, settings.extrapolation, *ends) for ends in settings.intervals),
        terminal=curve.terminal,
        notes=notes,
    )


def _landmarks(profile: Profile) -> tuple[Quantity, Quantity, Quantity, Quantity]:
    """Cmax, its first time, the last measurable concentration and its time."""
    found = [
        (conc, time)
        for time, conc, one in zip(profile.times, profile.concs, profile.measured, strict=True)
        if one
    ]
    if not found:
        nothing = (Reason.of("nothing_measurable"),)
        none = Quantity("mg/L", reasons=nothing), Quantity("h", reasons=nothing)
        return Quantity("mg/L", 0.0, notes=(Reason.of("all_below_lloq"),)), none[1], *none
    (cmax, tmax), (clast, tlast) = max(found, key=lambda one: one[0]), found[-1]
    return Quantity("mg/L", cmax), Quantity("h", tmax), Quantity("mg/L", clast), Quantity("h", tlast)


def _slope(curve: Curve) -> tuple[Quantity, Quantity]:
    """lambda_z with its reasons or notes, and the half-life that follows from it."""
    if curve.terminal is None:
        return Quantity("/h", reasons=curve.no_slope), Quantity("h", reasons=(Reason.of("lambda_z_needed"),))
    slope = curve.terminal
    return Quantity.of("/h", slope.lambda_z_per_h, curve.slope_notes), Quantity.of("h", slope.half_life_h)


def _tau(curve: Curve, settings: Settings) -> Quantity:
    if settings.tau_h is None:
        return Quantity(UNIT_AUC, reasons=(Reason.of("tau_not_given"),))
    return interval(curve, settings.extrapolation, 0.0, settings.tau_h)


def _average(auc_tau: Quantity, tau_h: float | None) -> Quantity:
    if auc_tau.value is None or tau_h is None:
        return Quantity("mg/L", reasons=auc_tau.reasons)
    return Quantity.of("mg/L", auc_tau.value / tau_h, auc_tau.notes)
