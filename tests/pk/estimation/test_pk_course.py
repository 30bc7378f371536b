"""The curve of one visit: the subject's own, its band, and what the model foresees."""

import numpy as np
import pytest
from pk_cases import STEADY, codes, h0, h2, h30, occasion

from pk.estimation.course import PredictedCourse, course, times
from pk.exposure import estimates
from pk.models.shipped import shipped_models
from pk.pictures.curve import ConcentrationCurve, CurveWords
from pk.values.profile import Dosing, Formulation

MODELS = shipped_models()


@pytest.mark.parametrize("model", MODELS[:2], ids=lambda one: str(one.id))
def test_the_curve_lies_in_its_band_and_ends_as_it_began(model: object) -> None:
    found = course(occasion(), model, times(12.0))  # type: ignore[arg-type]
    assert isinstance(found, PredictedCourse)
    low, own, high = (np.array(line) for line in (found.low, found.individual, found.high))
    assert (low <= own).all() and (own <= high).all() and (low >= 0).all()
    assert own[0] == pytest.approx(own[-1], rel=0.02) and found.population[0] == pytest.approx(
        found.population[-1], rel=1e-9
    )


def test_the_area_under_the_curve_is_the_estimate() -> None:
    found = course(occasion(), MODELS[0], tuple(i / 50 for i in range(601)))
    assert isinstance(found, PredictedCourse)
    one = estimates(occasion(), (), MODELS[:1])[0]
    assert one.value_mg_h_l is not None and one.interval_90 is not None
    # The median of curves is no curve of one individual: it only comes close.
    area = np.trapezoid(found.individual, found.times_h)
    assert one.interval_90[0] < area < one.interval_90[1]
    assert np.trapezoid(found.population, found.times_h) == pytest.approx(1000 / 13.15, rel=1e-3)


def test_more_samples_make_a_narrower_band() -> None:
    wide, narrow = (
        course(occasion(*some), MODELS[0], times(12.0)) for some in ((h2(),), (h0(), h30(), h2()))
    )
    assert isinstance(wide, PredictedCourse) and isinstance(narrow, PredictedCourse)
    spread = [sum(h - low for h, low in zip(one.high, one.low, strict=True)) for one in (wide, narrow)]
    assert spread[1] < spread[0]


def test_it_fills_a_picture() -> None:
    found = course(occasion(), MODELS[0], times(12.0))
    assert isinstance(found, PredictedCourse)
    words = CurveWords(
        title="", time="", concentration="", individual="", band="", population="", sample="", limit="",
        window="", dose="", beyond="",
    )  # fmt: skip
    picture = ConcentrationCurve(
        times_h=found.times_h,
        individual_mg_l=found.individual,
        band_mg_l=(found.low, found.high),
        population_mg_l=found.population,
        interval_h=12.0,
        words=words,
    )
    assert picture.highest_mg_l > 5


def test_without_an_estimate_there_are_reasons() -> None:
    found = course(occasion(dosing=Dosing(Formulation.EC_MPS, 720.0, 12.0, 30.0)), MODELS[0], times(12.0))
    assert isinstance(found, tuple) and codes(found) == ["model_not_for_formulation"]
    assert STEADY.formulation is Formulation.MMF


@pytest.mark.parametrize("end", [0.3, 3.0, 8.0, 12.0, 24.0])
def test_times_increase_to_the_end(end: float) -> None:
    found = times(end)
    assert found[0] == 0.0 and found[-1] == end and list(found) == sorted(set(found))
