"""Pictures: the same bytes for the same values, nothing loaded, everything said, and legible in black and white."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pk.pictures.course import CourseWords, ExposureCourse, ExposureSeries, ReferenceBand, VisitAuc
from pk.pictures.curve import ConcentrationCurve, CurveWords, DrawnSample, NominalWindow
from pk.pictures.drawing import figure as drawing
from pk.pictures.drawing.style import CSS_DPI, measure
from pk.pictures.image import Picture, png, svg

ROOT = Path(__file__).parents[2]
TIMES = tuple(np.linspace(0, 12, 97).tolist())
OWN = tuple(2 * math.exp(-0.3 * t) + 30 * (math.exp(-0.4 * t) - math.exp(-2 * t)) for t in TIMES)
WORDS = CurveWords(
    title="MPA-0042-7 · 6 semaines\nAUC0-12 45,2 mg·h/L\nintervalle à 90\u202f%\u202f: 38,1 – 54,0 mg·h/L",
    time="Temps après la prise (h)",
    concentration="MPA (mg/L)",
    individual="Courbe estimée du patient",
    band="Son intervalle",
    population="Courbe attendue sans les prélèvements",
    sample="Prélèvement, à son heure réelle",
    limit="Sous la limite de quantification",
    window="Horaire prévu",
    dose="Prise",
    beyond="L'intervalle monte jusqu'à {value} mg/L.",
    remark="Usage de recherche.",
    decimal=",",
)
COURSE_WORDS = CourseWords(
    title="AUC0-12 over the visits", auc="AUC0-12 (mg·h/L)", beyond="An interval reaches {value} mg·h/L."
)
SAMPLES = (DrawnSample("H0", -0.9, 1.85), DrawnSample("H30", 0.58, 9.2), DrawnSample("H2", 2.03, 6.4))
WINDOWS = (
    NominalWindow("H0", -1, 0),
    NominalWindow("H30", 1 / 3, 2 / 3),
    NominalWindow("H2", 11 / 6, 13 / 6),
)


def curve(**changes: Any) -> ConcentrationCurve:
    usual = ConcentrationCurve(
        times_h=TIMES,
        individual_mg_l=OWN,
        band_mg_l=(tuple(0.8 * c for c in OWN), tuple(1.3 * c for c in OWN)),
        population_mg_l=tuple(0.9 * c for c in OWN),
        samples=SAMPLES,
        windows=WINDOWS,
        interval_h=12.0,
        words=WORDS,
    )
    return replace(usual, **changes)


def course(*aucs: VisitAuc | None, **changes: Any) -> ExposureCourse:
    given = aucs or (VisitAuc(43.5, 36, 52), None, VisitAuc(61.1))
    usual = ExposureCourse(
        visits=tuple(f"{i} weeks" for i in range(len(given))),
        series=(ExposureSeries("Pawinski 2002", given),),
        bands=(ReferenceBand("borrowed: 30 – 60", 30, 60), ReferenceBand("borrowed: 35", 35, None)),
        words=COURSE_WORDS,
    )
    return replace(usual, **changes)


CASES: dict[str, Picture] = {
    "usual": curve(),
    "two samples": curve(samples=SAMPLES[::2]),
    "H0 below the limit": curve(samples=(DrawnSample("H0", -0.9, None, 0.25), *SAMPLES[1:])),
    "very high": curve(
        samples=(*SAMPLES[:1], DrawnSample("H30", 0.5, 180.0)), individual_mg_l=[9 * c for c in OWN]
    ),
    "swapped": curve(samples=(DrawnSample("H0", -0.1, 30.0), DrawnSample("H30", 0.5, 2.0))),
    "no band": curve(band_mg_l=None, population_mg_l=None, windows=()),
    "extreme band": curve(band_mg_l=(tuple(0.0 for _ in OWN), tuple(50 * c for c in OWN))),
    "nothing measurable": curve(individual_mg_l=tuple(0.0 for _ in OWN), band_mg_l=None, samples=()),
    "a day": curve(interval_h=24.0, times_h=tuple(2 * t for t in TIMES)),
    "course": course(),
    "course without a value": course(None, None),
    "extreme interval": course(VisitAuc(43.5, 2, 900)),
    "many visits": course(
        *(VisitAuc(40 + i) for i in range(9)), visits=tuple(f"Consultation {i}" for i in range(9))
    ),
}


@pytest.mark.parametrize("picture", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("width_px", [320, 640])
def test_every_picture_has_its_width_and_loads_nothing(picture: Picture, width_px: int) -> None:
    image = Image.open(BytesIO(png(picture, width_px=width_px)))
    assert image.width == 2 * width_px
    assert image.info.keys() <= {"dpi"}
    text = svg(picture, width_px=width_px).decode("utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox", "").split()[2] == f"{width_px * 0.75:g}"
    assert set(re.findall(r'https?://[^"\s<]+', text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"<(image|script|text|a|metadata)\b|<!", text)


@pytest.mark.parametrize("picture", [curve(), course()], ids=["curve", "course"])
def test_the_same_values_give_the_same_bytes(picture: Picture) -> None:
    assert svg(picture) == svg(picture)
    assert png(picture) == png(picture)


@pytest.mark.process
def test_another_process_gives_the_same_bytes_and_pays_only_when_it_draws() -> None:
    words = f"""
import sys
import pk.pictures.image
sys.path.insert(0, {str(Path(__file__).parent)!r})
before = "matplotlib" in sys.modules
import hashlib, test_pk_picture as cases
print(before, hashlib.sha256(pk.pictures.image.svg(cases.curve()) + pk.pictures.image.png(cases.curve())).hexdigest())
"""
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", sha256(svg(curve()) + png(curve())).hexdigest()]


def test_no_global_setting_is_changed() -> None:
    before = dict(dict.items(mpl.rcParams))  # reading it by key would choose a backend
    svg(curve())
    png(course())
    assert dict(dict.items(mpl.rcParams)) == before
    assert "matplotlib.pyplot" not in sys.modules


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


def test_several_pictures_in_one_page_share_no_id() -> None:
    page = b"<div>" + svg(curve(), name="a") + svg(course(), name="b") + b"</div>"
    ids = [one.get("id") for one in ElementTree.fromstring(page).iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    used = set(re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", page.decode()))
    assert {a or b for a, b in used} <= set(ids)


def test_a_dollar_sign_and_markup_are_only_text() -> None:
    words = replace(WORDS, title="$x^2$ <b>&", remark="$5 and $6")
    text = svg(curve(words=words)).decode("utf-8")
    assert ElementTree.fromstring(text)[0].text == "$x^2$ <b>&"
    shown = [one.get_text() for one in drawing.figure_of(curve(words=words), 360).texts]
    assert shown == [r"\$x^2\$ <b>&", r"\$5 and \$6"]


@settings(max_examples=12, deadline=None)
@given(
    own=st.lists(st.floats(0, 1e6), min_size=2, max_size=12),
    spread=st.floats(1, 1e6),
    at=st.lists(st.tuples(st.floats(-24, 48), st.floats(0, 1e6)), max_size=5),
    width_px=st.integers(280, 900),
)
def test_whatever_the_values_a_picture_comes_out(
    own: list[float], spread: float, at: list[tuple[float, float]], width_px: int
) -> None:
    picture = curve(
        times_h=[12 * i / len(own) for i in range(len(own))],
        individual_mg_l=own,
        band_mg_l=([c / spread for c in own], [c * spread for c in own]),
        population_mg_l=own[::-1],
        samples=tuple(DrawnSample(f"S{i}", t, c) for i, (t, c) in enumerate(at)),
    )
    assert ElementTree.fromstring(svg(picture, width_px=width_px)).get("role") == "img"


@pytest.mark.parametrize(
    "changes",
    [
        {"times_h": (0.0,), "individual_mg_l": (1.0,), "band_mg_l": None, "population_mg_l": None},
        {"individual_mg_l": OWN[:-1]},
        {"times_h": TIMES[::-1]},
        {"times_h": (math.nan, *TIMES[1:])},
        {"individual_mg_l": (math.inf, *OWN[1:])},
        {"individual_mg_l": (-1.0, *OWN[1:])},
        {"band_mg_l": (OWN, tuple(0.0 for _ in OWN))},
        {"population_mg_l": OWN[1:]},
        {"interval_h": 0.0},
    ],
)
def test_a_curve_that_cannot_be_drawn_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"curve|band|interval"):
        curve(**changes)


def test_other_values_that_cannot_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="either"):
        DrawnSample("H0", 0.0, None)
    with pytest.raises(ValueError, match="either"):
        DrawnSample("H0", 0.0, 1.0, 0.1)
    with pytest.raises(ValueError, match="finite"):
        DrawnSample("H0", math.nan, 1.0)
    with pytest.raises(ValueError, match="window"):
        NominalWindow("H0", 1.0, 0.0)
    with pytest.raises(ValueError, match="limits"):
        VisitAuc(40.0, 41.0, 50.0)
    with pytest.raises(ValueError, match="both"):
        VisitAuc(40.0, 30.0)
    with pytest.raises(ValueError, match="band"):
        ReferenceBand("nothing", None, None)
    with pytest.raises(ValueError, match="visit"):
        course(VisitAuc(1.0), visits=("a", "b"))
