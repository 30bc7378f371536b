"""What is drawn: nothing overlaps, everything is said, and it is legible in black and white."""

from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import pytest
from picture_cases import CASES, OWN, WORDS, course, curve
from PIL import Image

from pk.pictures.course import ExposureSeries, ReferenceBand, VisitAuc
from pk.pictures.drawing import figure as drawing
from pk.pictures.drawing.style import CSS_DPI, measure
from pk.pictures.image import Picture, png, svg


@pytest.mark.parametrize("picture", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("width_px", [320, 640])
def test_no_words_overlap_or_leave_the_picture(picture: Picture, width_px: int) -> None:
    figure = drawing.figure_of(picture, width_px)
    figure.canvas.draw()
    width, height = (side * CSS_DPI for side in figure.get_size_inches())
    (axes,) = figure.axes
    legend = figure.legends[0].get_window_extent()
    blocks = [text.get_window_extent(measure()) for text in figure.texts]
    below = axes.xaxis.get_tightbbox(measure())
    assert below is not None
    for box in [*blocks, legend]:
        assert box.x0 >= 0 and box.x1 <= width + 1
        assert box.y0 >= 0 and box.y1 <= height + 1
        assert box.y1 <= below.y0 + 1 or box.y0 >= axes.get_window_extent().y1
    for one, box in enumerate(blocks):
        assert not any(box.overlaps(other) for other in [*blocks[one + 1 :], legend])


def test_letters_are_large_enough_for_a_phone() -> None:
    for picture in CASES.values():
        figure = drawing.figure_of(picture, 320)
        (axes,) = figure.axes
        texts = [*figure.texts, *figure.legends[0].get_texts(), *axes.texts, *axes.get_xticklabels()]
        assert min(one.get_fontsize() for one in texts) * CSS_DPI / 72 >= 10.5


def test_title_and_words_are_those_given() -> None:
    figure = drawing.figure_of(curve(), 360)
    said = [one.get_text() for one in figure.texts]
    assert said[:3] == WORDS.title.split("\n")
    assert said[-1] == WORDS.remark
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == (WORDS.time, WORDS.concentration)
    assert [one.get_text() for one in figure.legends[0].get_texts()] == [
        WORDS.sample, WORDS.individual, WORDS.band, WORDS.population, WORDS.window, WORDS.dose,
    ]  # fmt: skip
    spoken = ElementTree.fromstring(svg(curve()))[0]
    assert spoken.text == " ".join(WORDS.title.split())


def test_samples_stand_at_their_actual_times_before_the_dose_too() -> None:
    axes = drawing.figure_of(curve(), 360).axes[0]
    places = {one.get_text(): one.xy for one in axes.texts}  # type: ignore[attr-defined]
    assert places == {"H0": (-0.9, 1.85), "H30": (0.58, 9.2), "H2": (2.03, 6.4)}
    assert axes.get_xlim()[0] < -0.9


def test_a_censored_sample_is_an_open_triangle_at_the_limit() -> None:
    axes = drawing.figure_of(CASES["H0 below the limit"], 360).axes[0]
    (open_,) = [line for line in axes.lines if line.get_marker() == "v"]
    assert list(zip(*open_.get_data(), strict=True)) == [(-0.9, 0.25)]
    assert open_.get_markerfacecolor() == "white"


def test_a_band_that_leaves_the_picture_is_said_to_and_does_not_flatten_the_curve() -> None:
    figure = drawing.figure_of(CASES["extreme band"], 360)
    top = figure.axes[0].get_ylim()[1]
    assert top <= 2.5 * max(OWN)
    highest = f"{50 * max(OWN):.3g}".replace(".", ",")
    assert f"L'intervalle monte jusqu'à {highest} mg/L." in [one.get_text() for one in figure.texts]
    usual = drawing.figure_of(curve(), 360)
    assert not any("monte" in one.get_text() for one in usual.texts)


def test_numbers_on_the_axes_have_the_readers_decimal_sign() -> None:
    small = curve(individual_mg_l=[c / 50 for c in OWN], band_mg_l=None, population_mg_l=None, samples=())
    for decimal, other in (",.", ".,"):
        axes = drawing.figure_of(replace(small, words=replace(WORDS, decimal=decimal)), 360).axes[0]
        labels = "".join(one.get_text() for one in axes.get_yticklabels())
        assert decimal in labels and other not in labels


def test_no_line_joins_visits_over_one_without_a_value() -> None:
    lines = drawing.figure_of(course(), 360).axes[0].lines
    (line,) = [one for one in lines if one.get_label() == "Pawinski 2002"]
    assert [math.isnan(y) for y in line.get_ydata()] == [False, True, False]


def test_methods_and_bands_differ_without_colour() -> None:
    several = course(
        series=tuple(ExposureSeries(f"method {i}", (VisitAuc(40.0 + i),)) for i in range(5)),
        visits=("W6",),
        bands=tuple(ReferenceBand(f"band {i}", 10.0 * i + 5, 10.0 * i + 12) for i in range(3)),
    )
    figure = drawing.figure_of(several, 360)
    handles = figure.legends[0].legend_handles
    looks = [
        str(one.get_marker() if hasattr(one, "get_marker") else one.get_hatch()) for one in handles if one
    ]  # type: ignore[attr-defined]
    assert len(set(looks)) == len(looks) == 8


def test_in_grey_the_curve_stands_out_from_its_band_and_the_band_from_the_paper() -> None:
    image = Image.open(BytesIO(png(curve(population_mg_l=None)))).convert("L")
    levels = {value for count, value in image.getcolors(65536) or [] if count > 200}
    assert min(levels) < 80
    assert any(190 < level < 225 for level in levels)
    assert 255 in levels
