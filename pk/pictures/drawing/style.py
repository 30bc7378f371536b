"""What all pictures share: sizes, greys, letters, and lines broken to a width."""

from dataclasses import dataclass
from functools import lru_cache

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

CSS_DPI = 96
TITLE_PT, TEXT_PT, SMALL_PT = 10.0, 9.0, 8.0  # 13, 12 and 11 CSS pixels
INK, MID, GREY = "#1a1a1a", "#6b6b6b", "#d9d9d9"
BLUE = "#1c4587"  # nearly as dark as ink: the same line in black and white
_FAMILY = "DejaVu Sans"  # comes with matplotlib: the same letters on every machine
_ROOM = 1.1
_MOST = 2.2


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a drawing leaves to be laid out: legend entries, and what must be said below."""

    legend: tuple[tuple[Artist, str], ...]
    notes: tuple[str, ...] = ()


def font(size_pt: float, *, bold: bool = False) -> FontProperties:
    """The letters of a size."""
    return FontProperties(family=_FAMILY, size=size_pt, weight="bold" if bold else "normal")


def plain(text: str) -> str:
    """The text as it stands: a dollar sign begins no formula."""
    return text.replace("$", r"\$")


def said(value: float, decimal: str) -> str:
    """A number of an axis or remark, three digits at most where it has decimals."""
    digits = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return digits.replace(".", decimal)


def top_of(own: float, intervals: float) -> float:
    """Where an axis from 0 ends: above all that is the subject's own, and above the intervals unless they would
    press it flat.

    >>> top_of(20.0, 30.0) > 30.0, top_of(20.0, 900.0)
    (True, 44.0)
    """
    return max(_ROOM * own, min(_ROOM * intervals, _MOST * own)) or 1.0


@lru_cache(1)
def measure() -> RendererAgg:
    """What knows how large letters are, in CSS pixels."""
    return RendererAgg(1, 1, CSS_DPI)


@lru_cache(1024)  # the words around pictures are the same in many
def width_of(text: str, size_pt: float, *, bold: bool = False) -> float:
    """The width of a line in CSS pixels and 3 % more: letters are placed anew at each resolution."""
    return 1.03 * float(
        measure().get_text_width_height_descent(plain(text), font(size_pt, bold=bold), False)[0]
    )


def wrapped(text: str, size_pt: float, width_px: float, *, bold: bool = False) -> tuple[str, ...]:
    """The text in lines that fit the width; a word that is wider stands alone. Its own line breaks are kept."""
    lines: list[str] = []
    for paragraph in filter(None, text.split("\n")):
        line = ""
        for word in filter(None, paragraph.split(" ")):
            longer = f"{line} {word}" if line else word
            if line and width_of(longer, size_pt, bold=bold) > width_px:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return tuple(lines)
