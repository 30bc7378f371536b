"""Pictures as files: the same bytes for the same values, and nothing loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_cases import CASES, WORDS, course, curve
from PIL import Image
from pk_cases import ROOT

from pk.pictures.curve import DrawnSample
from pk.pictures.drawing import figure as drawing
from pk.pictures.image import Picture, png, svg


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
sys.path.insert(0, {str(ROOT / "tests" / "pk")!r})
before = "matplotlib" in sys.modules
import hashlib, picture_cases as cases
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
