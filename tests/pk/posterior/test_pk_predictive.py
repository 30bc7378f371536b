"""The p-value of a profile is right under its model; what looks wrong is named and left as it is."""

import numpy as np
import pytest
from pk_cases import codes
from posterior_cases import TIMES_H, observed, shipped_prior, simulated, steady_for

from pk.estimation.suspicion import suspicions
from pk.fit.objective import predictions
from pk.kinetics.batch import Observations
from pk.posterior.predictive import Predictive, predictive
from pk.values.arrays import Floats
from pk.values.profile import Sample
from pk.values.reason import Reason

NAMES = ("H0", "H30", "H2")
MODELS = ("mizaki_2023", "yu_2017", "de_winter_2008", "van_hest_2007", "quintairos_2021")
NONE_BELOW = np.zeros(3, np.bool_)
FACTOR_UMOL = 1000.0 / 320.34


def expected_of(model: str, samples: Observations | None = None) -> Predictive:
    design = observed(TIMES_H, [[1.0, 1.0, 1.0]]) if samples is None else samples
    return predictive(shipped_prior(model, 1), steady_for(model, 1), design, 0)


@pytest.fixture(scope="module")
def all_models() -> tuple[Predictive, ...]:
    return tuple(expected_of(model) for model in MODELS)


def typical(model: str = "yu_2017") -> Floats:
    prior = shipped_prior(model, 1)
    eta = np.zeros((1, prior.omega.shape[0]))
    return predictions(prior, steady_for(model, 1), np.array([TIMES_H]), eta)[0]


def told(conc: Floats, models: tuple[Predictive, ...], below: Floats | None = None) -> tuple[Reason, ...]:
    censored = NONE_BELOW if below is None else np.asarray(below, np.bool_)
    samples = [
        Sample(name, time_h, float(c), below_lloq=bool(b))
        for name, time_h, c, b in zip(NAMES, TIMES_H, conc, censored, strict=True)
    ]
    before = conc.copy()
    found = suspicions(samples, conc, censored, models)
    assert np.array_equal(conc, before), "nothing is changed"
    return found


@pytest.mark.parametrize("model", ["van_hest_2007", "quintairos_2021", "yu_2017"])
def test_the_p_value_is_uniform_for_patients_of_the_model(model: str) -> None:
    size = 600
    _, samples = simulated(shipped_prior(model, size), steady_for(model, size), seed=77)
    expected = expected_of(model)
    p = np.array([expected.p_value(*pair) for pair in zip(samples.conc_mg_l, samples.censored, strict=True)])
    for level in (0.01, 0.05, 0.1, 0.5):
        assert abs(np.mean(p <= level) - level) < 4.0 * np.sqrt(level * (1.0 - level) / size)


def test_the_p_value_does_not_depend_on_the_scale() -> None:
    """Doses and concentrations ten times as large are as unusual, where the error is relative."""
    model, conc = "van_hest_2007", np.array([1.0, 30.0, 2.0])
    design = observed(TIMES_H, [conc])
    small = predictive(shipped_prior(model, 1), steady_for(model, 1), design, 0)
    large = predictive(shipped_prior(model, 1), steady_for(model, 1, dose_mg=10_000.0), design, 0)
    assert small.p_value(conc, NONE_BELOW) == large.p_value(10.0 * conc, NONE_BELOW)


def test_equal_input_gives_equal_output() -> None:
    conc = np.array([1.0, 30.0, 2.0])
    first, second = (expected_of("van_hest_2007").p_value(conc, NONE_BELOW) for _ in range(2))
    assert first == second


def test_a_sample_below_quantification_is_in_the_middle_of_its_tail() -> None:
    expected = expected_of("van_hest_2007")
    limit = np.array([np.median(expected.simulated[0]), 8.0, 6.0])
    score = expected.scores(limit, np.array([True, False, False]))
    assert score[0] == pytest.approx(-0.6745, abs=0.01), "half of the profiles are below: their quartile"


def test_one_sample_and_no_sample_have_a_p_value() -> None:
    one = observed((-0.1, 0.5, 2.0), [[2.0, 1.0, 1.0]], present=[[True, False, False]])
    expected = expected_of("van_hest_2007", one)
    assert expected.p_value(np.array([2.0]), np.array([False])) > 0.3
    assert expected.p_value(np.array([40.0]), np.array([False])) < 0.01
    none = observed((-0.1,), [[2.0]], present=[[False]])
    assert expected_of("van_hest_2007", none).p_value(np.empty(0), np.empty(0, np.bool_)) == 1.0
    assert suspicions((), np.empty(0), np.empty(0, np.bool_), (expected,)) == ()


def test_an_ordinary_profile_raises_nothing(all_models: tuple[Predictive, ...]) -> None:
    for model in MODELS:
        assert told(typical(model), all_models) == ()


def test_a_unit_that_was_mistaken_is_named_with_its_factor(all_models: tuple[Predictive, ...]) -> None:
    reasons = told(1000.0 * typical(), all_models)
    assert codes(reasons) == ["profile_unexplained", "profile_unit_suspected"]
    assert dict(reasons[1].params) == {"factor": 0.001, "per": 1000, "unit": "ng/mL"}
    narrow = (expected_of("yu_2017"),)
    reasons = told(1.2 * FACTOR_UMOL * typical(), narrow)
    assert dict(reasons[-1].params) == {"factor": 0.3203, "per": 3.122, "unit": "µmol/L"}
    reasons = told(typical() / 1000.0, narrow)
    assert dict(reasons[-1].params)["factor"] == 1000


def test_exchanged_tubes_are_named_and_left(all_models: tuple[Predictive, ...]) -> None:
    first, second, third = typical()
    reasons = told(np.array([second, first, third]), (expected_of("yu_2017"),))
    assert codes(reasons) == ["predose_highest", "profile_unexplained", "profile_looks_swapped"]
    assert dict(reasons[2].params) == {"first": "H0", "second": "H30"}
    odd = np.array([2.0, 3.0, 16.0])
    reasons = told(odd, (expected_of("yu_2017"),))
    assert codes(reasons) == ["profile_unexplained", "profile_looks_swapped"]
    assert dict(reasons[1].params) == {"first": "H30", "second": "H2"}


def test_a_pre_dose_sample_above_both_others_is_named_even_where_a_model_explains_it(
    all_models: tuple[Predictive, ...],
) -> None:
    assert codes(told(np.array([6.0, 5.5, 5.0]), all_models)) == ["predose_highest"]


def test_a_profile_that_nothing_explains_says_which_samples(all_models: tuple[Predictive, ...]) -> None:
    reasons = told(np.array([2.0, 0.2, 45.0]), all_models)
    assert reasons[0].code == "profile_unexplained"
    assert dict(reasons[0].params)["models"] == len(MODELS)
    high = told(np.array([60.0, 3.0, 2.0]), all_models)
    assert "profile_unexplained" in codes(high)
    said = next(dict(reason.params) for reason in high if reason.code == "profile_unexplained")
    assert str(said["timepoints"]).startswith("H0")


def test_one_model_that_explains_it_is_enough() -> None:
    conc = np.array([6.0, 5.5, 5.0])
    strict, wide = expected_of("yu_2017"), expected_of("quintairos_2021")
    assert strict.p_value(conc, NONE_BELOW) < 0.01 < wide.p_value(conc, NONE_BELOW)
    assert "profile_unexplained" in codes(told(conc, (strict,)))
    assert "profile_unexplained" not in codes(told(conc, (strict, wide)))
