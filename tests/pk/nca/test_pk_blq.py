"""What samples below quantification count as."""

import math

import pytest
from nca_cases import HALVES, LN2, TIMES, analysis, points, value
from pk_cases import codes

from pk.nca.analysis import Settings, analyse
from pk.nca.blq import Blq, ByPosition, ByTmax, Point, treat
from pk.values.reason import Reason

BLQ_TIMES = [0, 1, 2, 3, 4, 5, 6]


BLQ_CONCS = [0, 0, 8, 0, 4, 0, 0]


@pytest.mark.parametrize(
    ("rules", "times", "concs"),
    [
        (ByPosition(), [0, 1, 2, 4, 5, 6], [0, 0, 8, 4, 0, 0]),
        (ByPosition(Blq.DROP, Blq.KEEP, Blq.DROP), [2, 3, 4], [8, 0, 4]),
        (ByPosition(0.1, 0.2, 0.3), BLQ_TIMES, [0.1, 0.1, 8, 0.2, 4, 0.3, 0.3]),
        (ByTmax(), BLQ_TIMES, BLQ_CONCS),
        (ByTmax(Blq.DROP, 0.5), [2, 3, 4, 5, 6], [8, 0.5, 4, 0.5, 0.5]),
        (ByTmax(0.5, Blq.DROP), [0, 1, 2, 4], [0.5, 0.5, 8, 4]),
    ],
)
def test_each_rule_treats_each_part_of_the_profile(rules: object, times: list, concs: list) -> None:
    treated = treat(points(BLQ_TIMES, BLQ_CONCS), rules)  # type: ignore[arg-type]
    assert not isinstance(treated, Reason)
    assert (list(treated.times), list(treated.concs)) == (times, concs)
    assert [conc for conc, one in zip(treated.concs, treated.measured, strict=True) if one] == [8, 4]


@pytest.mark.parametrize(
    ("point", "measured"),
    [
        (Point(0, 0.0), None),
        (Point(0, 0.3, 0.4), None),
        (Point(0, 0.4, 0.4), 0.4),
        (Point(0, None, 0.4), None),
        (Point(0, 0.3), 0.3),
    ],
)
def test_what_counts_as_below_quantification(point: Point, measured: float | None) -> None:
    assert point.measured_mg_l == measured and not point.missing


@pytest.mark.parametrize("limit", [0.0, -1.0, math.inf, math.nan])
def test_a_limit_is_a_positive_number(limit: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Point(0.0, None, limit)


def test_a_number_in_place_of_a_sample_is_not_measured() -> None:
    found = analysis(TIMES, HALVES, blq=ByPosition(first=0.5, last=0.5))
    tail = analysis([*TIMES, 6.0], [*HALVES, 0.0], blq=ByPosition(first=0.5, last=0.5))
    assert (tail.tlast, tail.lambda_z, tail.auc_last) == (found.tlast, found.lambda_z, found.auc_last)
    assert value(tail.auc_all) == pytest.approx(value(found.auc_all) + 0.5 / LN2, rel=1e-14)


@pytest.mark.parametrize(("number", "limit"), [(1.5, None), (0.6, 0.5)])
def test_a_number_may_not_exceed_the_limit_or_what_was_measured(number: float, limit: float | None) -> None:
    found = analyse([*points(TIMES, HALVES), Point(6.0, None, limit) if limit else Point(6.0, 0.0)],
                    Settings(blq=ByPosition(last=number)))  # fmt: skip
    assert isinstance(found, tuple) and codes(found) == ["blq_number_too_high"]


def test_what_was_done_to_samples_below_quantification_is_counted() -> None:
    found = analysis(BLQ_TIMES, BLQ_CONCS, blq=ByPosition(Blq.KEEP, Blq.DROP, 0.2))
    assert Reason.of("blq_handled", zero=2, dropped=1, number=2) in found.notes
