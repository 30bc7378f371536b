"""The shipped models hold the published numbers, and give the concentrations that follow from them."""

import math

import numpy as np
import pytest
from agreement import ARTICLES, Agreement, Method, reference

from pk.kinetics.batch import Doses
from pk.kinetics.dosing import areas, courses
from pk.kinetics.structure import PARAMETERS, ErrorKind, ErrorModel, Structure
from pk.models.covariates import prior_for
from pk.models.population import (
    DoseBasis,
    PopulationModel,
    amount_mg,
    formulation_problem,
    lag_problem,
    loading,
)
from pk.models.shipped import shipped_models
from pk.values.profile import Formulation

MODELS = {model.id: model for model in shipped_models()}
LAGGED, TRANSIT = Structure.TWO_COMPARTMENT_FIRST_ORDER_LAG, Structure.TWO_COMPARTMENT_TRANSIT
MMF, MPA = DoseBasis.MG_MMF, DoseBasis.MG_MPA

# Structure, basis, typical values (CL, V1, Q, V2, ka, tlag or MTT), variances on one occasion, error.
PUBLISHED = {
    "mizaki_2023": (
        TRANSIT, MMF, (13.15, 22.95, 26.44, 336.03, 2.98, 0.45),
        {"CL": 0.09883, "V1": 0.56315, "MTT": 0.29433},
        ErrorModel(ErrorKind.PROPORTIONAL, prop=0.3409),
    ),
    "yu_2017": (
        LAGGED, MMF, (18.3, 27.9, 25.5285, 432.686441, 1.89, 0.0),
        {"CL": 0.1106 + 0.0186, "V1": 0.0444 + 0.0186, "k12": 0.0929, "k21": 1.0662, "ka": 0.2336},
        ErrorModel(ErrorKind.COMBINED, add_mg_l=0.15, prop=0.158),
    ),
    "de_winter_2008": (
        LAGGED, MPA, (16, 40, 22, 518, 4.1, 0.30),
        {"CL": 0.1416, "V1": 0.6931, "Q": 0.4752, "V2": 1.0, "ka": 1.5034, "tlag": 0.0120},
        ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.39),
    ),
    "van_hest_2007": (
        LAGGED, MMF, (20, 111, 49, 388, 3.6, 0.24),
        {"CL": 0.1349 + 0.0560, "V1": 0.8228 + 0.4947, "Q": 0.4752 + 0.4367, "ka": 0.8129 + 0.9312},
        ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.44),
    ),
    "van_hest_2005": (
        LAGGED, MMF, (32.5, 91, 35, 237, 4.1, 0.21),
        {"CL": 0.091 + 0.084, "V1": 0.602 + 0.384, "V2": 0.712, "ka": 0.802 + 0.86},
        ErrorModel(ErrorKind.LOG_ADDITIVE, sigma=0.45),
    ),
    "quintairos_2021": (
        LAGGED, MPA, (11.8, 106, 37.1, 800, 1.79, 0.243),
        {"CL": 0.1218, "V1": 1.7902, "Q": 0.01, "V2": 2.7093, "ka": 0.01, "tlag": 0.01},
        ErrorModel(ErrorKind.PROPORTIONAL, prop=0.553),
    ),
}  # fmt: skip

# 1000 mg MMF every 12 h at steady state, typical values: C0, C0.5, C2, AUC0-12.
GOLDEN = {
    "mizaki_2023": (3.8034, 11.7724, 10.6805, 76.0456),
    "yu_2017": (2.3888, 16.6744, 7.0936, 54.6448),
    "de_winter_2008": (2.0981, 11.3764, 6.9738, 46.1875),
    "van_hest_2007": (2.7272, 7.6809, 6.4737, 50.0),
    "van_hest_2005": (1.0806, 7.7874, 4.8310, 30.7692),
    "quintairos_2021": (3.9429, 6.3305, 7.6790, 62.6237),
}
# The source of these values rounded the factor from MMF to MPA.
AMOUNT = {"de_winter_2008": 739.0, "quintairos_2021": 738.96}
AT_TYPICAL = {"van_hest_2005": {"ciclosporin_dose_mg_d": 450}}


def typical(model: PopulationModel) -> np.ndarray:
    placed = prior_for(model, [AT_TYPICAL.get(model.id, {})])
    assert placed.reasons == ((),)
    return np.exp(placed.prior.log_typical)


def test_six_models_ship_and_mizaki_is_the_default() -> None:
    assert MODELS.keys() == PUBLISHED.keys()
    assert [model.id for model in shipped_models() if model.is_default] == ["mizaki_2023"]
    assert shipped_models()[0].id == "mizaki_2023"


@reference(Method.MODELS, "the shipped models: typical values, variances of the random effects", ARTICLES)
@pytest.mark.parametrize("name", PUBLISHED)
def test_a_model_holds_the_published_numbers(name: str, agreement: Agreement) -> None:
    structure, basis, values, variances, error = PUBLISHED[name]
    model = MODELS[name]
    assert (model.structure, model.dose_basis, model.error) == (structure, basis, error)
    assert model.n_transit == (6 if structure is TRANSIT else 0)
    agreement(typical(model)[0], values, rel=1e-8)
    assert set(model.random) == set(variances)
    # Both sums of two printed numbers that were rounded to four decimals.
    agreement(np.diagonal(model.omega), [variances[one] for one in model.random], within=1.1e-4)


def test_the_published_correlations_are_those_between_individuals() -> None:
    model = MODELS["van_hest_2007"]
    between = {"CL": 0.1349, "V1": 0.8228, "Q": 0.4752}
    at = {name: model.random.index(name) for name in model.random}
    for one, other, r in (("V1", "CL", 0.44), ("V1", "Q", 0.55), ("CL", "Q", 0.56)):
        expected = r * math.sqrt(between[one] * between[other])
        assert model.omega[at[one]][at[other]] == pytest.approx(expected, abs=1e-4)
        assert model.omega[at[other]][at[one]] == model.omega[at[one]][at[other]]
    assert all(model.omega[at["ka"]][at[name]] == 0 for name in between)
    for other_model in MODELS.values():
        matrix = np.array(other_model.omega)
        if other_model is not model:
            assert np.array_equal(matrix, np.diag(np.diagonal(matrix)))
        assert np.all(np.linalg.eigvalsh(matrix) > 0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_model_says_whom_it_describes_and_where_it_comes_from(name: str) -> None:
    model = MODELS[name]
    assert model.population is not None and model.population.n >= 34
    assert model.formulations == (Formulation.MMF,)
    assert name.rsplit("_", 1)[1] in model.citation and len(model.citation) > 100
    assert model.choices


@reference(
    Method.MODELS,
    "the shipped models, typical patient, 1000 mg MMF every 12 h at steady state: C0, C0.5, C2, AUC0-12",
    "calculated before and apart from this program, four decimals kept; typical values as in the articles cited in "
    "config/models",
)
@pytest.mark.parametrize("name", GOLDEN)
def test_the_typical_patient_has_the_published_concentrations(name: str, agreement: Agreement) -> None:
    model = MODELS[name]
    *concentrations, auc = GOLDEN[name]
    placed = prior_for(model, [AT_TYPICAL.get(name, {})])
    amount = AMOUNT.get(name, 1000.0)
    assert amount == pytest.approx(amount_mg(model, 1000.0, Formulation.MMF), rel=1e-4)
    doses = Doses(np.zeros((1, 1)), np.array([[amount]]), np.array([[12.0]]))
    values = np.exp(placed.prior.log_typical)
    found = courses(placed.prior, doses, np.array([[0.0, 0.5, 2.0]]), values).value[:, 0]
    area = areas(placed.prior, doses, np.zeros(1), np.full(1, 12.0), values).value[0, 0]
    assert area == pytest.approx(amount / values[0, 0], rel=1e-9)
    for one, expected in zip([*found, area], [*concentrations, auc], strict=True):
        agreement.printed(one, f"{expected:.4f}")


def test_rate_constants_and_their_random_effects_become_those_of_the_structure() -> None:
    model = MODELS["yu_2017"]
    assert model.parameters == ("CL", "V1", "k12", "k21", "ka", "tlag")
    assert model.random == ("CL", "V1", "k12", "k21", "ka")
    eta = np.array([0.1, -0.2, 0.3, 0.7, -0.4])
    moved = np.log(typical(model)[0][:5]) + (loading(model) @ eta)[:5]
    cl, v1, k12, k21, ka = np.array([18.3, 27.9, 0.915, 0.059, 1.89]) * np.exp(eta)
    assert np.exp(moved) == pytest.approx([cl, v1, k12 * v1, k12 * v1 / k21, ka], rel=1e-12)
    assert np.all(loading(model)[5] == 0)


@pytest.mark.parametrize("name", sorted(PUBLISHED.keys() - {"yu_2017"}))
def test_random_effects_on_the_structures_own_parameters_load_on_nothing_else(name: str) -> None:
    model = MODELS[name]
    at = [PARAMETERS[model.structure].index(parameter) for parameter in model.random]
    assert np.array_equal(loading(model), np.eye(6)[:, at])


def test_a_dose_is_counted_in_the_models_basis() -> None:
    mmf, mpa = MODELS["mizaki_2023"], MODELS["quintairos_2021"]
    assert amount_mg(mmf, 1000.0, Formulation.MMF) == 1000.0
    assert amount_mg(mpa, 1000.0, Formulation.MMF) == 738.962
    assert amount_mg(mpa, 720.0, Formulation.EC_MPS) == 720.0
    assert amount_mg(mmf, 720.0, Formulation.EC_MPS) == pytest.approx(974.34, abs=0.01)


def test_no_shipped_model_describes_ec_mps_and_says_so() -> None:
    for model in MODELS.values():
        assert formulation_problem(model, Formulation.MMF) is None
        problem = formulation_problem(model, Formulation.EC_MPS)
        assert problem is not None
        assert problem.text() == f"{model.name} describes MMF; the subject takes EC-MPS."


def test_a_lag_must_be_shorter_than_the_interval() -> None:
    model = MODELS["de_winter_2008"]
    assert lag_problem(model, 12.0) is None and lag_problem(MODELS["mizaki_2023"], 0.1) is None
    problem = lag_problem(model, 0.3)
    assert problem is not None and problem.code == "model_lag_too_long"
