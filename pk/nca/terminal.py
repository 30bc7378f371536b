"""The terminal slope (lambda_z): log-linear regression over the last measurable samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pk.values.reason import Reason, short

MAX_LOG = 709.0
"""A little below the logarithm of the largest float."""


@dataclass(frozen=True, slots=True)
class TerminalSettings:
    """How the window of the regression is chosen, and what is asked of the result.

    Attributes
    ----------
    min_points : int
        Fewest samples of a window; 3 or more.
    include_tmax : bool
        Whether a window may reach back to the sample of the maximum (after an intravenous bolus).
    tolerance : float
        Of all windows whose adjusted R² is within this of the best, the one with most samples is used.
    min_adjusted_r2, min_span_ratio, max_extrapolated_percent : float
        Acceptance criteria; the defaults are those of PKNCA 0.12 (min.hl.r.squared,
        min.span.ratio, max.aucinf.pext). `max_extrapolated_percent` concerns areas to infinity.
    enforce : bool
        Whether a criterion that is not met refuses the value; otherwise it is a note.

    Raises
    ------
    ValueError
        If `min_points` is below 3: the adjusted R² of two points does not exist.
    """

    min_points: int = 3
    include_tmax: bool = False
    tolerance: float = 1e-4
    min_adjusted_r2: float = 0.9
    min_span_ratio: float = 2.0
    max_extrapolated_percent: float = 20.0
    enforce: bool = False

    def __post_init__(self) -> None:
        if self.min_points < 3:
            raise ValueError("a terminal slope needs 3 points or more")


@dataclass(frozen=True, slots=True)
class Terminal:
    """The regression ln C = ln C(0) - lambda_z t over the chosen window.

    Attributes
    ----------
    lambda_z_per_h, half_life_h : float
        The slope and ln 2 divided by it.
    clast_predicted_mg_l : float
        The line at the last measurable sample.
    first_h, last_h, points : float, float, int
        The window.
    r2, adjusted_r2 : float
        1 - (1 - R²)(n - 1) / (n - 2).
    span_ratio : float
        Length of the window in half-lives.
    rise_fits_better : bool
        Whether a window that rises has a better adjusted R² than any that declines.
    """

    lambda_z_per_h: float
    half_life_h: float
    clast_predicted_mg_l: float
    first_h: float
    last_h: float
    points: int
    r2: float
    adjusted_r2: float
    span_ratio: float
    rise_fits_better: bool = False


def fit_terminal(
    times: Sequence[float], concs: Sequence[float], settings: TerminalSettings
) -> Terminal | Reason:
    """Return the terminal slope, or why there is none.

    Parameters
    ----------
    times, concs : sequences of one length
        The measurable samples in order of time: hours, and mg/L above 0.
    settings : TerminalSettings
        Every window of `min_points` or more last samples after the (first) maximum is fitted by
        unweighted least squares on ln C; only those that decline are candidates.

    References
    ----------
    Gabrielsson J, Weiner D. Pharmacokinetic and pharmacodynamic data analysis, section on strategies
    for the estimation of lambda_z; the choice by adjusted R² within 1e-4 is that of WinNonlin's best fit
    and of PKNCA.

    Examples
    --------
    >>> fitted = fit_terminal([0, 1, 2, 3], [1, 8, 4, 2], TerminalSettings(include_tmax=True))
    >>> round(fitted.half_life_h, 12), fitted.points
    (1.0, 3)
    >>> fit_terminal([0, 1, 2], [1, 8, 4], TerminalSettings()).text()
    'Measurable samples after the maximum: 1; the terminal slope needs 3 or more.'
    """
    first = (concs.index(max(concs)) if concs else 0) + (0 if settings.include_tmax else 1)
    available = max(len(concs) - first, 0)
    if available < settings.min_points:
        numbers = {"count": available, "min_points": settings.min_points}
        return Reason.of("lambda_z_too_few_points", **numbers)
    logs = [math.log(conc) for conc in concs]
    windows = [
        _fit(times[-n:], logs[-n:]) for n in range(settings.min_points, available + 1) if _varies(logs[-n:])
    ]
    declining = [one for one in windows if one is not None and one.lambda_z_per_h > 0]
    if not declining:
        return Reason.of("lambda_z_no_decline", min_points=settings.min_points)
    best = max(one.adjusted_r2 for one in declining)
    chosen = [one for one in declining if one.adjusted_r2 >= best - settings.tolerance][-1]
    rises = any(one.lambda_z_per_h < 0 and one.adjusted_r2 > best for one in windows if one is not None)
    return replace(chosen, rise_fits_better=True) if rises else chosen


def acceptance(terminal: Terminal, settings: TerminalSettings) -> tuple[Reason, ...]:
    """Return every criterion of the regression that is not met: adjusted R², span."""
    found: list[Reason] = []
    if not terminal.adjusted_r2 >= settings.min_adjusted_r2:
        found.append(
            Reason.of(
                "lambda_z_adjusted_r2_low",
                adjusted_r2=short(terminal.adjusted_r2),
                min_adjusted_r2=short(settings.min_adjusted_r2),
            )
        )
    if not terminal.span_ratio >= settings.min_span_ratio:
        found.append(
            Reason.of(
                "lambda_z_span_short",
                span_ratio=short(terminal.span_ratio),
                min_span_ratio=short(settings.min_span_ratio),
            )
        )
    return tuple(found)


def _varies(logs: Sequence[float]) -> bool:
    return any(log != logs[0] for log in logs)


def _fit(times: Sequence[float], logs: Sequence[float]) -> Terminal | None:
    """Least squares over one window; None where the numbers leave the range of floats."""
    n = len(times)
    # Counted from the last sample, so that shifting the clock does not change the slope.
    x = [time - times[-1] for time in times]
    x_mean, y_mean = sum(x) / n, sum(logs) / n
    dx, dy = [one - x_mean for one in x], [log - y_mean for log in logs]
    sxx, syy = sum(one * one for one in dx), sum(one * one for one in dy)
    sxy = sum(one * other for one, other in zip(dx, dy, strict=True))
    if not (0.0 < sxx < math.inf and syy > 0.0 and sxy / sxx != 0.0):
        return None
    slope = sxy / sxx
    half_life = math.log(2.0) / -slope
    r2 = min(slope * sxy / syy, 1.0)
    at_last = y_mean - slope * x_mean
    return Terminal(
        lambda_z_per_h=-slope,
        half_life_h=half_life,
        clast_predicted_mg_l=math.exp(at_last) if at_last < MAX_LOG else math.inf,
        first_h=times[0],
        last_h=times[-1],
        points=n,
        r2=r2,
        adjusted_r2=1.0 - (1.0 - r2) * (n - 1) / (n - 2),
        span_ratio=(times[-1] - times[0]) / half_life,
    )
