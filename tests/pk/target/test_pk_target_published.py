"""Published numbers through the report's path, and published formulas."""

import math

import numpy as np
import pytest
from agreement import Agreement, Method, reference
from target_cases import asked, spread_of

from pk.target.cut.max_selected import lausen_schumacher_p
from pk.target.planning.power import (
    area_power,
    area_sample_size,
    correlation_sample_size,
    hanley_mcneil_se,
    obuchowski_power,
)
from pk.target.statistics.binormal import binormal_cuts
from pk.target.statistics.exact import correlation_p, rank_sum_p
from pk.target.statistics.proportions import newcombe, proportion

WOILLARD = "Woillard et al. 2014, child SLE, n = 36: tables rebuilt from the published Se, Sp and odds ratio"
NEPHRITIS = (
    "a study of childhood lupus nephritis, n = 25, Pediatr Nephrol 2021: responders by exposure, as published"
)
PROC = "R package pROC, as printed in its documentation and tests (data set aSAH)"
CUTPOINTR = "R package cutpointr, as printed in its documentation (data set suicide)"
MAXSTAT = "R package maxstat, as printed in its documentation (DLBCL, hohnloser)"
HANLEY = "Hanley J, McNeil B. Radiology 1982;143:29–36, worked with the formulas in scalar form"
NEWCOMBE = "Newcombe R. Stat Med 1998;17:873–890, example (a), method 10"
ZAHR = "Zahr et al. Arthritis Rheum 2010, means and SDs; cuts worked by hand from two normal densities"
FISHER_Z = "Fisher's z worked by hand"
COUNTING = "the number of choices, 2/C(n, n₁), and of orders, 2/n!"


def odds_ratio(cut: dict[str, int]) -> float:
    return cut["tp"] * cut["tn"] / (cut["fp"] * cut["fn"])


@reference(Method.TARGET, "tables, odds ratios and Fisher's p at published cuts", WOILLARD)
@pytest.mark.parametrize(
    ("table", "cut", "expected"),
    [((17, 1, 8, 10), 44.0, (0.94, 0.56, 21.25)), ((14, 4, 1, 17), 0.06, (0.78, 0.94, 59.5))],
)
def test_the_tables_of_woillard_2014_give_their_odds_ratios(
    table: tuple[int, int, int, int],
    cut: float,
    expected: tuple[float, float, float],
    agreement: Agreement,
) -> None:
    exposure, outcome = spread_of(table, 1.5 * cut, 0.5 * cut)  # active disease lies below the cut
    found = asked(exposure, outcome, direction="lower", cuts=(cut,))
    (at,) = found["prespecified_cuts"]
    assert (at["tp"], at["fn"], at["fp"], at["tn"]) == table
    agreement([at["sensitivity"], at["specificity"]], expected[:2], within=0.006)
    agreement(odds_ratio(at), expected[2], rel=1e-12)
    assert found["tier"] == 3 and found["n"] == 36 and found["n_responders"] == 18


@reference(Method.TARGET, "tables, odds ratios and Fisher's p at published cuts", WOILLARD)
def test_the_table_of_woillard_2014_gives_its_fisher_p(agreement: Agreement) -> None:
    exposure, outcome = spread_of((17, 1, 8, 10), 60.0, 30.0)
    agreement.printed(
        asked(exposure, outcome, direction="lower", cuts=(44.0,))["prespecified_cuts"][0]["fisher_p"],
        "0.0027",
    )


@reference(Method.TARGET, "grouped ROC area with DeLong's limits; Se and Sp at two cuts; trend", NEPHRITIS)
def test_childhood_lupus_nephritis_gives_its_area_limits_and_trend(agreement: Agreement) -> None:
    groups = [(60.0, 8, 1), (40.0, 6, 4), (20.0, 0, 6)]
    exposure = [x for x, yes, no in groups for _ in range(yes + no)]
    outcome = [1.0 if i < yes else 0.0 for _, yes, no in groups for i in range(yes + no)]
    found = asked(exposure, outcome, cuts=(30.0, 45.0))
    agreement.printed(found["roc"]["area"], "0.857")
    for limit, printed in zip(found["roc"]["ci_delong"], ("0.715", "0.999"), strict=True):
        agreement.printed(limit, printed)
    low, high = found["prespecified_cuts"]
    for at, se, sp in ((low, "1.00", "0.545"), (high, "0.571", "0.909")):
        agreement.printed(at["sensitivity"], se)
        agreement.printed(at["specificity"], sp)
    # the Cochran-Armitage trend over equally spaced groups is √n times the linear correlation
    agreement.printed(found["association"]["pearson"]["r"] * math.sqrt(25), "3.328")
    assert found["tier"] == 2 and found["cutpoint"] is None
    best = asked(exposure, outcome, unlock_tier=True)["cutpoint"]
    assert best["value"] == 30.0, "the authors' 45 is not the Youden choice of their own table"
    agreement.printed(best["sensitivity"] + best["specificity"] - 1, "0.545")


@reference(Method.TARGET, "Youden's cut, midway between two values, of a table as printed", CUTPOINTR)
def test_youdens_cut_of_the_suicide_data_is_cutpointrs(agreement: Agreement) -> None:
    found = asked(*spread_of((32, 4, 68, 428), 1.0, 2.0))["cutpoint"]
    agreement.printed(found["sensitivity"], "0.8889")
    agreement.printed(found["specificity"], "0.8629")
    assert found["value"] == 1.5 and found["table"] == {"tp": 32, "fp": 68, "fn": 4, "tn": 428}


@reference(Method.TARGET, "Youden's cut, midway between two values, of a table as printed", PROC)
def test_youdens_cut_of_s100b_is_procs(agreement: Agreement) -> None:
    found = asked(*spread_of((26, 15, 14, 58), 0.20, 0.21))
    agreement(found["cutpoint"]["value"], 0.205, rel=1e-12)
    agreement(
        [found["cutpoint"][one] for one in ("sensitivity", "specificity")], [26 / 41, 58 / 72], rel=1e-12
    )
    assert found["tier"] == 4


@reference(Method.TARGET, "p of the maximally selected statistic by Lausen and Schumacher", MAXSTAT)
def test_the_approximate_p_of_any_cut_is_maxstats(agreement: Agreement) -> None:
    agreement.printed(lausen_schumacher_p(3.171), "0.03611")
    agreement.printed(lausen_schumacher_p(3.5691), "0.01065")


@reference(Method.TARGET, "power of one ROC area by Obuchowski", PROC)
def test_the_power_by_obuchowski_is_procs(agreement: Agreement) -> None:
    agreement.printed(obuchowski_power(0.73, 41, 72), "0.9897453")


@reference(Method.TARGET, "sample sizes, power and standard error of an ROC area", HANLEY)
def test_sizes_and_power_by_hanley_and_mcneil_are_as_worked_by_hand(agreement: Agreement) -> None:
    areas = (0.65, 0.70, 0.75, 0.80, 0.85)
    for share, sizes in ((0.4, (120, 67, 42, 28, 20)), (0.25, (155, 86, 54, 37, 27))):
        agreement([area_sample_size(area, share) for area in areas], sizes)
    agreement.printed(area_power(0.70, 20, 30), "0.67")
    agreement.printed(area_power(0.75, 20, 30), "0.88")
    agreement(1.959964 * hanley_mcneil_se(0.70, 20, 30), 0.15, within=0.005)


@reference(Method.TARGET, "sample sizes of a correlation", FISHER_Z)
def test_sizes_of_a_correlation_are_as_worked_by_hand(agreement: Agreement) -> None:
    agreement([correlation_sample_size(r) for r in (0.3, 0.4, 0.5)], [85, 47, 30])


@reference(Method.TARGET, "binormal cut from means and SDs, normal and log-normal", ZAHR)
def test_the_binormal_cut_of_zahr_2010_is_as_worked_by_hand(agreement: Agreement) -> None:
    mean, sd = np.array([46.5, 26.8]), np.array([16.3, 13.6])
    one = np.ones(1)
    agreement.printed(float(binormal_cuts(mean[0] * one, sd[0] * one, mean[1] * one, sd[1] * one)[0]), "37.8")
    log_sd = np.sqrt(np.log1p((sd / mean) ** 2))
    log_mean = np.log(mean) - log_sd**2 / 2
    log_cut = binormal_cuts(log_mean[0] * one, log_sd[0] * one, log_mean[1] * one, log_sd[1] * one)
    agreement.printed(math.exp(float(log_cut[0])), "31.2")


@reference(Method.TARGET, "Newcombe's limits of a difference of proportions", NEWCOMBE)
def test_the_limits_of_a_difference_are_those_of_newcombes_example(agreement: Agreement) -> None:
    found = newcombe(56, 70, 48, 80)
    assert found is not None
    for value, printed in zip((found[0], *found[1]), ("0.2000", "0.0524", "0.3339"), strict=True):
        agreement.printed(value, printed)


@reference(Method.TARGET, "smallest attainable two-sided p", COUNTING)
@pytest.mark.parametrize(("n1", "n0"), [(1, 1), (2, 2), (3, 3), (3, 4), (3, 5), (4, 4), (2, 8)])
def test_the_smallest_p_of_two_groups_is_two_over_the_number_of_choices(
    n1: int, n0: int, agreement: Agreement
) -> None:
    found = rank_sum_p(2 * np.arange(1, n1 + n0 + 1), np.arange(n1 + n0) < n1)
    assert found is not None
    agreement([found.smallest, found.p], [2 / math.comb(n1 + n0, n1)] * 2, rel=1e-12)


@reference(Method.TARGET, "smallest attainable two-sided p", COUNTING)
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_the_smallest_p_of_a_correlation_is_two_over_the_number_of_orders(
    n: int, agreement: Agreement
) -> None:
    ranks = 2 * np.arange(1, n + 1)
    agreement(correlation_p(ranks, ranks[::-1]).smallest, 2 / math.factorial(n), rel=1e-12)


def test_without_a_success_the_exact_upper_limit_is_84_percent_of_two_and_31_of_ten() -> None:
    for total, upper in ((2, 84), (10, 31)):
        limits = proportion(0, total).ci
        assert limits is not None and limits[0] == 0 and round(100 * limits[1]) == upper
