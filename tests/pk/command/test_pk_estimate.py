"""`python -m pk estimate`: the numbers, against the definitions and against published ones."""

import json
from typing import Any

import numpy as np
import pytest
from agreement import TOOL_REFERENCE, Agreement, Method, reference
from estimate_cases import (
    BOLUS,
    INPUT,
    MODELS,
    ONE_COMPARTMENT,
    OUTPUT,
    RECORD,
    STEADY,
    THREE,
    TWO_COMPARTMENT,
    Reference,
    changed,
    result,
    run,
)
from json_schema import problems
from pk_cases import lines
from scipy.optimize import minimize

REGIMENS: dict[str, dict[str, Any]] = {
    "steady": STEADY,
    "every 8 h": {**STEADY, "interval_h": 8},
    "first dose": {"drug": "MMF", "doses": [{"time_h": 0, "dose_mg": 1500}]},
    "irregular": {
        "drug": "MMF",
        "doses": [
            {"time_h": 0, "dose_mg": 1000},
            {"time_h": -10.5, "dose_mg": 500},
            {"time_h": -37, "dose_mg": 1000},
            {"time_h": 9.5, "dose_mg": 750},
        ],
    },
    "raised": {
        "drug": "MMF",
        "doses": [{"time_h": -12, "dose_mg": 500, "every_h": 12}, {"time_h": 0, "dose_mg": 1000}],
    },
    "unequal halves": {
        "drug": "MMF",
        "doses": [
            {"time_h": 0, "dose_mg": 1000, "every_h": 24},
            {"time_h": -12, "dose_mg": 500, "every_h": 24},
        ],
    },
}
SAMPLES = [
    {"time_h": 2.25, "conc_mg_l": 6.0},
    {"time_h": 0.65, "conc_mg_l": 9.0},
    {"time_h": 11.5, "below_lloq_mg_l": 1.0},
]
BEFORE = {"time_h": -0.5, "conc_mg_l": 1.4}
BEYOND = {"time_h": 13.7, "conc_mg_l": 4.0}


def mapped(**changes: object) -> dict[str, Any]:
    found = result(**changes)
    assert problems(found, OUTPUT) == [] and found["status"] == "ok", found
    only: dict[str, Any] = found["methods"]["map"]
    return only


@reference(
    Method.TOOL,
    "inline models of several structures, several regimens: parameters, predictions, objective, AUC0-12",
    TOOL_REFERENCE,
)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("regimen", REGIMENS)
def test_an_inline_model_gives_what_the_definitions_give(
    model: str, regimen: str, agreement: Agreement
) -> None:
    given, doses = MODELS[model], REGIMENS[regimen]
    samples = SAMPLES if regimen == "first dose" else [*SAMPLES, BEFORE, BEYOND]
    record = {"regimen": doses, "model": given, "samples": samples, "interval_draws": 0}
    assert problems({**RECORD, **record}, INPUT) == []
    found = mapped(**record)
    defined = Reference(given, doses)
    individual = defined.parameters(found["eta"])
    assert found["parameters"].keys() == individual.keys()
    agreement([found["parameters"][name] for name in individual], list(individual.values()), rel=1e-12)
    expected = defined.concentrations(individual, [sample["time_h"] for sample in samples])
    agreement(found["predictions"], expected, rel=1e-8)
    agreement(found["objective"], defined.objective(found["eta"], samples), rel=1e-8)
    agreement(found["auc_0_12_mg_h_l"], defined.auc(individual, 12.0), rel=1e-7)


@reference(
    Method.TOOL,
    "the same models: the objective at the estimate is not above any that a search finds",
    f"Powell's method of scipy.optimize.minimize from several points, on {TOOL_REFERENCE}",
)
@pytest.mark.parametrize("model", MODELS)
def test_no_search_by_scipy_finds_a_better_objective(model: str, agreement: Agreement) -> None:
    given = MODELS[model]
    found = mapped(model=given, samples=SAMPLES, interval_draws=0)
    defined, names = Reference(given, STEADY), given["omega"]["parameters"]

    def objective(eta: np.ndarray) -> float:
        return defined.objective(dict(zip(names, eta, strict=True)), SAMPLES)

    for start in (0.0, 0.7):
        best = minimize(objective, np.full(len(names), start), method="Powell")
        agreement.not_above(found["objective"], best.fun, within=1e-6)
    assert found["gradient_norm"] < 1e-6


@reference(
    Method.TOOL,
    "shipped models, a sample that says nothing: AUC0-12",
    "dose / typical clearance of the articles cited in config/models",
)
@pytest.mark.parametrize(
    ("model", "covariates", "auc"),
    [
        ("mizaki_2023", {}, 76.0456),
        ("de_winter_2008", {}, 738.962 / 16),
        ("yu_2017", {}, 54.6448),
        ("van_hest_2007", {}, 50.0),
        (
            "van_hest_2005",
            {
                "ciclosporin_dose_mg_d": 450,
                "creatinine_clearance_ml_min": 48,
                "albumin_g_l": 30,
                "sex": "male",
            },
            30.7692,
        ),
        ("quintairos_2021", {"weight_kg": 70}, 738.962 / 11.8),
    ],
)
def test_samples_that_say_nothing_leave_the_published_typical_auc(
    model: str, covariates: dict[str, object], auc: float, agreement: Agreement
) -> None:
    # Below a limit of 50 mg/L is every concentration there is: the most probable eta stays 0.
    found = mapped(
        model=model, covariates=covariates, samples=[{"time_h": 8, "below_lloq_mg_l": 50}], interval_draws=0
    )
    agreement(found["auc_0_12_mg_h_l"], auc, rel=2e-6)
    assert found["eta"] == pytest.approx(dict.fromkeys(found["eta"], 0.0), abs=1e-4)


def test_at_steady_state_the_auc_is_dose_by_clearance() -> None:
    found = mapped()
    clearance = found["parameters"]["CL"]
    assert found["auc_0_12_mg_h_l"] == pytest.approx(1000 / clearance, rel=1e-12)
    assert found["auc_0_tau_mg_h_l"] == pytest.approx(1000 / clearance, rel=1e-12)
    assert found["auc_0_24_mg_h_l"] == pytest.approx(2000 / clearance, rel=1e-12)
    assert found["auc_0_24_per_g_mg_h_l"] == pytest.approx(1000 / clearance, rel=1e-12)


@pytest.mark.parametrize(
    ("basis", "drug", "amount"),
    [
        ("mg_mmf", "MMF", 1000),
        ("mg_mpa", "MMF", 738.962),
        ("as_given", "MMF", 1000),
        ("mg_mpa", "EC-MPS", 1000),
        ("mg_mmf", "EC-MPS", 1353.25),
        ("as_given", "EC-MPS", 1000),
    ],
)
def test_a_dose_counts_in_the_basis_of_the_model(basis: str, drug: str, amount: float) -> None:
    found = mapped(model=changed(BOLUS, "dose_basis", basis), regimen={**STEADY, "drug": drug})
    assert found["auc_0_12_mg_h_l"] * found["parameters"]["CL"] == pytest.approx(amount, rel=1e-5)


def test_the_interval_holds_the_estimate_and_widens_with_fewer_samples() -> None:
    widths = []
    for samples in (THREE, THREE[1:], THREE[1:2]):
        found = mapped(model="van_hest_2007", samples=samples, interval_draws=1024)
        low, high = found["interval_90"]
        assert 0 < low < found["auc_0_12_mg_h_l"] < high
        widths.append(high / low)
    assert widths == sorted(widths)
    assert "one_sample_only" in [one["code"] for one in found["warnings"]]


@reference(
    Method.TOOL, "an inline model, two samples: both ends of the 90 % interval", f"a grid of {TOOL_REFERENCE}"
)
def test_the_interval_is_that_of_the_posterior_on_a_grid(agreement: Agreement) -> None:
    samples = [{"time_h": 0.65, "conc_mg_l": 9.0}, {"time_h": 2.25, "conc_mg_l": 6.0}]
    omega = {"parameters": ["CL", "V1"], "matrix": [[0.1, 0.05], [0.05, 0.3]]}
    model = {**ONE_COMPARTMENT, "omega": omega}
    found = mapped(model=model, samples=samples, interval_draws=8192)
    defined = Reference(model, STEADY)
    effects = np.linspace(-1.6, 1.6, 65)
    density = np.array(
        [
            [np.exp(-0.5 * defined.objective({"CL": x, "V1": y}, samples)) for y in 1.7 * effects]
            for x in effects
        ]
    ).sum(axis=1)
    share = np.cumsum(density) / density.sum() - 0.5 * density / density.sum()
    low, high = (1000 / (16 * np.exp(np.interp(level, share, effects))) for level in (0.95, 0.05))
    agreement(found["interval_90"], [low, high], rel=0.01)


def test_what_is_asked_of_the_interval_does_not_move_the_estimate() -> None:
    none, some = (mapped(interval_draws=draws) for draws in (0, 128))
    assert none["interval_90"] is None and none["auc_0_12_mg_h_l"] == some["auc_0_12_mg_h_l"]


def test_all_methods_stand_side_by_side() -> None:
    found = result(methods=["average", "nca", "regression", "map"], assay="HPLC")
    assert problems(found, OUTPUT) == []
    entries = found["methods"]
    assert list(entries) == ["average", "nca", "regression", "map"]
    assert entries["regression"]["auc_0_12_mg_h_l"] == pytest.approx(42.91)
    assert entries["regression"]["equation"] == "pawinski_2002"
    assert [one["equation"] for one in entries["regression"]["equations"] if one["reasons"]] == [
        "chaigne_2014",
        "attard_chen_2014",
    ]
    assert entries["nca"]["auc_0_12_mg_h_l"] is None
    assert entries["nca"]["auc_0_2_mg_h_l"] == pytest.approx(0.5 * 6 + 1.5 * 4 / np.log(10 / 6))
    average = entries["average"]
    low, high = average["interval_90"]
    assert low < average["auc_0_12_mg_h_l"] < high
    weights = {one["model"]: one["weight"] for one in average["models"]}
    assert weights["van_hest_2005"] is None  # not defined without ciclosporin
    assert sum(weight for weight in weights.values() if weight is not None) == pytest.approx(1)
    each = {one["model"]: one["auc_0_12_mg_h_l"] for one in average["models"]}
    assert each["mizaki_2023"] == entries["map"]["auc_0_12_mg_h_l"]


def test_the_average_of_one_model_is_that_model() -> None:
    found = result(
        methods=["average", "map"], model="quintairos_2021", samples=THREE[:2], interval_draws=1024
    )
    members = {one["model"]: one for one in found["methods"]["average"]["models"]}
    assert members["quintairos_2021"]["interval_90"] == found["methods"]["map"]["interval_90"]


def test_a_whole_profile_has_an_observed_auc() -> None:
    times, concs = [0, 1, 2, 4, 8, 12], [2, 6, 10, 8, 4, 2]
    samples = [{"time_h": t, "conc_mg_l": c} for t, c in zip(times, concs, strict=True)]
    found = result(methods=["nca"], regimen=..., samples=samples[::-1])
    assert problems(found, OUTPUT) == []
    assert found["methods"]["nca"]["auc_0_12_mg_h_l"] == pytest.approx(
        4 + 8 + 4 / np.log(10 / 8) + 16 / np.log(2) + 8 / np.log(2)
    )


@pytest.mark.parametrize("time", [0.25, 12.0, 12.25, 24.5])
def test_doses_at_steady_state_go_on(time: float) -> None:
    sample = {"time_h": time, "conc_mg_l": 5.0}
    found = mapped(model=TWO_COMPARTMENT, samples=[sample], interval_draws=0)
    defined = Reference(TWO_COMPARTMENT, STEADY)
    expected = defined.concentrations(defined.parameters(found["eta"]), [time])
    assert found["predictions"] == pytest.approx(expected, rel=1e-9)
    assert ("sample_beyond_interval" in {one["code"] for one in found["warnings"]}) == (time > 12)


def test_a_concentration_before_all_doses_is_pointed_at() -> None:
    found = mapped(regimen=REGIMENS["first dose"], samples=[BEFORE, *SAMPLES])
    assert ("samples[0]", "sample_before_all_doses") in [(w["field"], w["code"]) for w in found["warnings"]]


def test_a_history_without_the_dose_of_interest_is_pointed_at() -> None:
    found = mapped(regimen={"drug": "MMF", "doses": [{"time_h": -3, "dose_mg": 1000}]})
    assert ("regimen.doses", "history_without_dose_of_interest") in [
        (w["field"], w["code"]) for w in found["warnings"]
    ]


def test_a_sample_without_a_result_is_left_out_and_keeps_its_place() -> None:
    samples = [THREE[0], {"time_h": 1.0, "conc_mg_l": None}, *THREE[1:]]
    found, without = mapped(samples=samples), mapped()
    assert found["predictions"][1] is None and found["auc_0_12_mg_h_l"] == without["auc_0_12_mg_h_l"]
    assert [found["predictions"][i] for i in (0, 2, 3)] == without["predictions"]


# --- companions -----------------------------------------------------------------------------------------------


def test_a_line_gives_the_same_alone_and_among_others() -> None:
    records = []
    for i, (model, regimen) in enumerate(
        (model, regimen) for model in (*MODELS.values(), "mizaki_2023") for regimen in REGIMENS.values()
    ):
        samples = [{"time_h": 0.7, "conc_mg_l": 4.0 + i / 10}, {"time_h": 3.1, "conc_mg_l": 5.0}][: 1 + i % 2]
        theta = {} if isinstance(model, str) else {"CL": 10 + i}
        varied = model if isinstance(model, str) else {**model, "theta": {**model["theta"], **theta}}
        records.append({"id": i, "regimen": regimen, "samples": samples, "model": varied})
    together = run(lines(*records))
    assert [one["id"] for one in together] == list(range(len(records)))
    for record, one in zip(records, together, strict=True):
        (alone,) = run(lines(record))
        mine, other = one["methods"]["map"], alone["methods"]["map"]
        assert mine["auc_0_12_mg_h_l"] == pytest.approx(other["auc_0_12_mg_h_l"], rel=1e-9)
        assert mine["interval_90"] == pytest.approx(other["interval_90"], rel=1e-9)
        assert mine["objective"] == pytest.approx(other["objective"], rel=1e-9, abs=1e-9)
        assert json.dumps(mine["warnings"]) == json.dumps(other["warnings"])
