"""The terminal slope: which samples it is fitted to, and what is asked of it."""

import pytest
from nca_cases import analysis, value, why
from pk_cases import codes

from pk.nca.terminal import Terminal, TerminalSettings, fit_terminal
from pk.values.reason import Reason


def slope(concs: list[float], times: list[float] | None = None, **settings: object) -> Terminal | Reason:
    return fit_terminal(times or [float(i) for i in range(len(concs))], concs, TerminalSettings(**settings))  # type: ignore[arg-type]


def test_of_windows_that_fit_alike_the_longest_is_used() -> None:
    found = slope([1, 64, 32, 16, 8, 4, 2])
    assert isinstance(found, Terminal) and found.points == 5
    bent = slope([1, 64, 63, 60, 16, 8, 4, 2])
    assert isinstance(bent, Terminal) and bent.points == 4


def test_the_tolerance_prefers_more_points() -> None:
    concs = [1.0, 100.0, 40.0, 24.0, 12.0, 6.0]
    strict, lax = slope(concs, tolerance=0.0), slope(concs, tolerance=0.5)
    assert isinstance(strict, Terminal) and isinstance(lax, Terminal)
    assert strict.points < lax.points == 4 and strict.adjusted_r2 >= lax.adjusted_r2


def test_the_maximum_is_used_only_when_asked_for() -> None:
    concs = [16.0, 8.0, 4.0]
    assert isinstance(slope(concs), Reason)
    found = slope(concs, include_tmax=True)
    assert isinstance(found, Terminal) and found.points == 3 and found.half_life_h == pytest.approx(1.0)


def test_a_rise_that_fits_better_is_left_aside_and_pointed_at() -> None:
    found = analysis([0, 1, 2, 3, 4, 5, 6], [0, 40, 10, 4, 1, 1.1, 1.21])
    assert "lambda_z_rise_fits_better" in codes(found.lambda_z.notes)
    assert found.terminal is not None and found.terminal.points > 3


def test_only_a_rise_gives_no_slope() -> None:
    assert why(analysis([0, 1, 2, 3, 4], [9, 1, 2, 3, 4]).lambda_z) == ["lambda_z_no_decline"]


SPREAD = [0.0, 20.0, 9.0, 9.5, 4.0, 5.5, 3.5]


@pytest.mark.parametrize(
    ("criterion", "code", "field"),
    [
        ({"min_adjusted_r2": 0.999}, "lambda_z_adjusted_r2_low", "lambda_z"),
        ({"min_span_ratio": 50.0}, "lambda_z_span_short", "lambda_z"),
        ({"max_extrapolated_percent": 0.5}, "extrapolated_share_high", "auc_inf_obs"),
    ],
)
def test_a_criterion_that_is_not_met_is_a_note_or_where_enforced_a_refusal(
    criterion: dict[str, float], code: str, field: str
) -> None:
    asked = {"min_adjusted_r2": 0.0, "min_span_ratio": 0.0, "max_extrapolated_percent": 100.0, **criterion}
    times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    noted = analysis(times, SPREAD, terminal=TerminalSettings(**asked))  # type: ignore[arg-type]
    enforced = analysis(times, SPREAD, terminal=TerminalSettings(**asked, enforce=True))  # type: ignore[arg-type]
    assert value(getattr(noted, field)) > 0 and code in codes(getattr(noted, field).notes)
    assert why(getattr(enforced, field)) == [code]
    assert value(enforced.auc_last) == value(noted.auc_last)


def test_a_slope_of_fewer_than_three_points_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="3 points"):
        TerminalSettings(min_points=2)
