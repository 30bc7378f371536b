"""Draws the values of `pk.pictures` with matplotlib, which only `pk.pictures.drawing` loads.

What tells things apart is form first (line style, marker, hatching), lightness second, colour never alone: the
pictures are printed in black and white. Figures and canvases are made directly: no pyplot, no global setting.
"""

import re
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import assert_never

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from pk.pictures.cohort import ExposureCohort
from pk.pictures.course import ExposureCourse
from pk.pictures.curve import ConcentrationCurve
from pk.pictures.drawing.cohort import draw_cohort
from pk.pictures.drawing.course import draw_course
from pk.pictures.drawing.curve import draw_curve
from pk.pictures.drawing.style import (
    CSS_DPI,
    GREY,
    INK,
    SMALL_PT,
    TEXT_PT,
    TITLE_PT,
    Drawn,
    font,
    measure,
    plain,
    said,
    wrapped,
)
from pk.pictures.image import Picture

_MARGIN, _AXES, _GAP = 6.0, 240.0, 7.0  # CSS pixels
_ABOVE = 14.0  # between title and axes: the name of a sample at the peak
_KEY = 40.0  # what a legend's sign takes beside its words
_LINE = 1.32  # height of a line, in letters
_COLOURS = 64


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines of one size, and the height that they take."""

    lines: tuple[str, ...]
    size_pt: float
    bold: bool = False

    @property
    def step_px(self) -> float:
        return self.size_pt * CSS_DPI / 72 * _LINE

    @property
    def height_px(self) -> float:
        return len(self.lines) * self.step_px


def figure_of(picture: Picture, width_px: int) -> Figure:
    """The picture as a figure of this width in CSS pixels; its height is what title, axes, legend and notes take."""
    figure = Figure(figsize=(width_px / CSS_DPI, 4), dpi=CSS_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.15, 0.2, 0.8, 0.7))
    drawn = _drawn(axes, picture, 0.8 * width_px)
    _dress(axes, picture.words.decimal)
    inside = width_px - 2 * _MARGIN
    title = _Block(wrapped(picture.words.title, TITLE_PT, inside, bold=True), TITLE_PT, True)
    notes = "\n".join([*drawn.notes, picture.words.remark])
    _lay_out(figure, axes, drawn, title, _Block(wrapped(notes, SMALL_PT, inside), SMALL_PT))
    return figure


def _drawn(axes: Axes, picture: Picture, room_px: float) -> Drawn:
    match picture:
        case ConcentrationCurve():
            return draw_curve(axes, picture)
        case ExposureCourse():
            return draw_course(axes, picture, room_px)
        case ExposureCohort():
            return draw_cohort(axes, picture)
    assert_never(picture)


def as_png(figure: Figure, scale: float) -> bytes:
    """The figure as PNG of few colours, a third of the size, without text chunks."""
    figure.set_dpi(CSS_DPI * scale)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba(), "raw", "RGBA", 0, 1)
    out = BytesIO()
    few = image.convert("RGB").quantize(
        _COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )  # a quarter of the time of the default, and no larger
    palette, paper = few.getpalette() or [], few.tobytes()[0]
    palette[3 * paper : 3 * paper + 3] = [255, 255, 255]  # which it makes nearly white
    few.putpalette(palette)
    few.save(out, format="PNG", compress_level=6)
    return out.getvalue()


_ID = re.compile(r'\b(id="|href="#|url\(#)([^")]+)')


def as_svg(figure: Figure, title: str, name: str) -> bytes:
    """The figure as one `<svg>` element whose ids are `name` and a number, titled for those who cannot see it."""
    out = BytesIO()
    FigureCanvasSVG(figure)
    figure.savefig(out, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    text = out.getvalue().decode("utf-8")
    text = re.sub(r"<!--.*?-->|\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    known: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        return found[1] + known.setdefault(found[2], f"{name}{len(known)}")

    text = _ID.sub(renamed, text)  # matplotlib's are the same in every picture, or random
    spoken = escape(" ".join(title.split()))
    text = text.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title" ', 1).replace(
        ">", f'>\n <title id="{name}-title">{spoken}</title>', 1
    )
    return re.sub(r"\n\s*\n+", "\n", text).encode("utf-8")


def _dress(axes: Axes, decimal: str) -> None:
    """Thin axes, quiet lines across, numbers as the reader writes them."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set(color=INK, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=GREY, linewidth=0.5)
    numbers = FuncFormatter(lambda value, _: said(value, decimal))
    axes.yaxis.set_major_formatter(numbers)
    if not axes.xaxis.get_majorticklabels() or axes.get_xlabel():
        axes.xaxis.set_major_formatter(numbers)
    axes.tick_params(width=0.8, length=3, color=INK, labelcolor=INK)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_fontfamily(font(TEXT_PT).get_family())
    axes.tick_params(axis="y", labelsize=TEXT_PT)
    if axes.get_xlabel():
        axes.tick_params(axis="x", labelsize=TEXT_PT)


def _lay_out(figure: Figure, axes: Axes, drawn: Drawn, title: _Block, notes: _Block) -> None:
    """Title above, legend and notes below, all from the left edge: nothing overlaps at any width."""
    width = figure.get_figwidth() * CSS_DPI
    left, below = _beside(axes)
    entries = [(one, wrapped(label, TEXT_PT, width - 2 * _MARGIN - _KEY)) for one, label in drawn.legend]
    line = _Block((), TEXT_PT).step_px
    legend_px = sum(len(lines) * line for _, lines in entries)
    top = _MARGIN + title.height_px + _ABOVE
    bottom = below + _GAP + legend_px + _GAP + notes.height_px + _MARGIN
    height = top + _AXES + bottom
    figure.set_size_inches(width / CSS_DPI, height / CSS_DPI)
    start = left + _MARGIN
    axes.set_position((start / width, bottom / height, (width - start - 2 * _MARGIN) / width, _AXES / height))
    _write(figure, title, height - _MARGIN)
    if entries:
        figure.legend(
            [one for one, _ in entries], [plain("\n".join(lines)) for _, lines in entries], loc="upper left",
            bbox_to_anchor=(_MARGIN / width, (bottom - below - _GAP) / height), prop=font(TEXT_PT), frameon=False,
            borderpad=0, borderaxespad=0, handlelength=2.4, handletextpad=0.7, labelspacing=0.3, labelcolor=INK,
        )  # fmt: skip
    _write(figure, notes, _MARGIN + notes.height_px)


def _beside(axes: Axes) -> tuple[float, float]:
    """The pixels that numbers and words take to the left of the axes and below them."""
    inner = axes.get_window_extent()
    left, below = axes.yaxis.get_tightbbox(measure()), axes.xaxis.get_tightbbox(measure())
    assert left is not None and below is not None  # None is for axes that are not shown
    return float(inner.x0 - left.x0), float(inner.y0 - below.y0)


def _write(figure: Figure, block: _Block, y_px: float) -> None:
    """Write lines downwards from `y_px` above the lower edge."""
    width, height = (float(side) * CSS_DPI for side in figure.get_size_inches())
    for line in block.lines:
        figure.text(
            _MARGIN / width, y_px / height, plain(line), fontproperties=font(block.size_pt, bold=block.bold),
            color=INK, va="top", ha="left",
        )  # fmt: skip
        y_px -= block.step_px
