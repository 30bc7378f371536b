"""The analysis against published results, to the decimals that were printed, and worked ones exactly."""

import csv
import math

import pytest
from agreement import NONCOMPART, PKNCA, WINNONLIN, Agreement, Method, reference
from nca_cases import analysis, value
from pk_cases import DATA, read_profiles

from pk.nca.blq import Blq, ByPosition
from pk.nca.terminal import TerminalSettings
from pk.nca.trapezoid import Rule

with (DATA / "theoph_reference.csv").open(encoding="utf-8", newline="") as _file:
    PRINTED = list(csv.DictReader(line for line in _file if not line.startswith("#")))
THEOPH = read_profiles("theoph.csv")
INDOMETH = read_profiles("indometh.csv")
# The published Indometh runs are those of an intravenous bolus: the maximum may be used.
INDOMETH_LAMBDA_Z = ["0.158320", "0.302280", "0.421893", "0.455445", "0.252748", "0.353521"]
INDOMETH_HALF_LIFE = ["4.378127", "2.293063", "1.642947", "1.521910", "2.742446", "1.960699"]


@reference(
    Method.NCA,
    "theophylline (R data set Theoph, 12 subjects), linear: Cmax, Tmax, Clast observed and predicted, λz, R², "
    "half-life, AUC and AUMC to the last sample and to infinity, extrapolated share",
    NONCOMPART,
)
@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"subject {row['subject']}")
def test_theophylline_agrees_with_what_noncompart_prints(row: dict[str, str], agreement: Agreement) -> None:
    times, concs = THEOPH[int(row["subject"])]
    found = analysis(times, concs, rule=Rule.LINEAR)
    for name in ("cmax", "tmax", "clast", "tlast", "auc_last", "auc_inf_obs", "auc_inf_pred", "aumc_last",
                 "aumc_inf_obs", "aumc_inf_pred", "lambda_z", "half_life"):  # fmt: skip
        agreement.printed(value(getattr(found, name)), row[name])
    agreement.printed(value(found.auc_extrapolated_percent_obs), row["percent_obs"])
    agreement.printed(value(found.auc_extrapolated_percent_pred), row["percent_pred"])
    assert value(found.auc_all) == value(found.auc_last)
    slope = found.terminal
    assert slope is not None
    assert (slope.points, slope.first_h, slope.last_h) == (
        int(row["points"]),
        float(row["first_h"]),
        times[-1],
    )
    agreement.printed(slope.clast_predicted_mg_l, row["clast_pred"])
    agreement.printed(slope.r2, row["r2"])
    agreement.printed(slope.adjusted_r2, row["adjusted_r2"])


@reference(Method.NCA, "theophylline, linear-up/log-down: AUC to the last sample and to infinity", WINNONLIN)
@pytest.mark.parametrize("row", PRINTED, ids=lambda row: f"subject {row['subject']}")
def test_theophylline_agrees_with_winnonlin_linear_up_log_down(
    row: dict[str, str], agreement: Agreement
) -> None:
    found = analysis(*THEOPH[int(row["subject"])])
    agreement.printed(value(found.auc_last), row["log_auc_last"], cut=True)
    agreement.printed(value(found.auc_inf_obs), row["log_auc_inf_obs"], cut=True)


@reference(Method.NCA, "theophylline, subject 1: AUC 0–12 h and 0–24 h, interpolated, linear", NONCOMPART)
def test_partial_areas_of_theophylline_agree_with_what_noncompart_prints(agreement: Agreement) -> None:
    found = analysis(*THEOPH[1], rule=Rule.LINEAR, intervals=((0.0, 12.0), (0.0, 24.0)))
    for area, printed in zip(found.partial, ("91.7355220", "147.6945866"), strict=True):
        agreement.printed(value(area), printed)


@reference(Method.NCA, "theophylline, subject 1: AUMC to the last sample, linear-up/log-down", NONCOMPART)
def test_the_moment_of_theophylline_agrees_with_what_noncompart_prints_by_the_log_rule(
    agreement: Agreement,
) -> None:
    agreement.printed(value(analysis(*THEOPH[1]).aumc_last), "1499.129085")


@reference(Method.NCA, "indometacin (R data set Indometh, 6 subjects, bolus): λz and half-life", WINNONLIN)
def test_indometacin_agrees_with_winnonlin(agreement: Agreement) -> None:
    settings = TerminalSettings(include_tmax=True)
    found = [analysis(*profile, terminal=settings) for profile in INDOMETH.values()]
    for one, slope, half_life in zip(found, INDOMETH_LAMBDA_Z, INDOMETH_HALF_LIFE, strict=True):
        agreement.printed(value(one.lambda_z), slope)
        agreement.printed(value(one.half_life), half_life)


@reference(Method.NCA, "a profile at steady state: AUC of the interval and average concentration", NONCOMPART)
def test_the_steady_state_fixture_gives_66_and_an_average_of_5_5(agreement: Agreement) -> None:
    found = analysis([0, 1, 2, 4, 8, 12], [2, 6, 10, 8, 4, 2], rule=Rule.LINEAR, tau_h=12.0)
    agreement([value(found.auc_tau), value(found.c_avg)], [66.0, 5.5])


@reference(Method.NCA, "a profile with zeros: AUC to the last sample, of all samples; each BLQ rule", PKNCA)
@pytest.mark.parametrize(
    ("rule", "blq", "auc_last", "auc_all"),
    [
        (Rule.LINEAR, ByPosition(Blq.KEEP, Blq.KEEP, Blq.KEEP), 5.5, 6.0),
        (Rule.LINEAR, ByPosition(), 7.0, 7.5),
        (Rule.LINEAR, ByPosition(last=Blq.DROP), 7.0, 7.0),
        (Rule.LINUP_LOGDOWN, ByPosition(), 1 + 2 / math.log(2) + 1.5 + 1 / math.log(2),
         1 + 2 / math.log(2) + 1.5 + 1 / math.log(2) + 0.5),
    ],
)  # fmt: skip
def test_the_profile_with_zeros_of_pknca(
    rule: Rule, blq: ByPosition, auc_last: float, auc_all: float, agreement: Agreement
) -> None:
    found = analysis([0, 1, 2, 3, 4, 5, 6, 7], [0, 2, 0, 1, 2, 1, 0, 0], rule=rule, blq=blq)
    agreement([value(found.auc_last), value(found.auc_all)], [auc_last, auc_all], rel=1e-15)
    assert (value(found.cmax), value(found.tmax), value(found.clast), value(found.tlast)) == (2, 1, 1, 5)
