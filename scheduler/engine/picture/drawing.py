"""A small drawing: axes, points, lines and words as SVG text that is the same on every machine.

Form tells things apart first, lightness second, colour never alone: the report is printed in black and white.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

__all__ = ["FILLED", "GREY", "HOLLOW", "INK", "PALE", "Drawing", "Scale", "ticks"]

INK, GREY, PALE = "#1a1a1a", "#6b6b6b", "#e3e3e3"
FILLED, HOLLOW = INK, "#ffffff"
WIDTH, _LETTER = 640.0, 12

Number = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values to pixels; equal ends are widened, so that nothing divides by 0."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return self.start + (value - self.low) / span * (self.end - self.start)


def ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers from low to high, four to nine of them.

    >>> ticks(0, 80)
    (0.0, 20.0, 40.0, 60.0, 80.0)
    """
    span = (high - low) or 1.0
    power: float = 10.0 ** math.floor(math.log10(span))
    step = next(one * power for one in (0.1, 0.2, 0.25, 0.5, 1, 2) if span / (one * power) <= 6)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(float(i * step) for i in range(first, last + 1))


@dataclass(slots=True)
class Drawing:
    """Parts are added in the order in which they lie over each other. `ink` draws whatever has no colour of its own:
    with "currentColor" the picture takes that of the text around it, in the dark as in the light."""

    name: str
    title: str
    described: str
    height: float
    width: float = WIDTH
    ink: str = INK
    parts: list[str] = field(default_factory=list)

    def svg(self) -> Markup:
        """The drawing as SVG markup with title and description for those who cannot see it."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'aria-labelledby="{self.name}-t {self.name}-d" font-family="Arial, Helvetica, sans-serif" '
            f'font-size="{_LETTER}"><title id="{self.name}-t">{escape(self.title)}</title>'
            f'<desc id="{self.name}-d">{escape(self.described)}</desc>'
        )
        return Markup("\n".join([head, *self.parts, "</svg>"]))  # noqa: S704

    def words(
        self,
        x: float,
        y: float,
        text: str,
        *,
        anchor: str = "start",
        colour: str | None = None,
        turned: bool = False,
    ) -> None:
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}'
        self.parts.append(f'<text {where} fill="{colour or self.ink}">{escape(text)}</text>')

    def line(self, points: Sequence[tuple[float, float]], *, dash: str = "", width: float = 1.2) -> None:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<polyline points="{path}" fill="none" stroke="{self.ink}" stroke-width="{width:g}"{dashed}/>'
        )

    def area(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        """A filled shape without an edge."""
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polygon points="{path}" fill="{fill}"/>')

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str,
        *,
        edge: bool = False,
        opacity: float = 1,
    ) -> None:
        stroke = f' stroke="{self.ink}"' if edge else ""
        thin = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        self.parts.append(
            f'<rect x="{min(x, x + width):.1f}" y="{min(y, y + height):.1f}" width="{abs(width):.1f}" '
            f'height="{abs(height):.1f}" fill="{fill}"{thin}{stroke}/>'
        )

    def mark(self, x: float, y: float, form: str, *, fill: str | None = None, size: float = 4.5) -> None:
        """A circle, square, diamond, triangle or cross, filled with ink where no other fill is named."""
        style = f'fill="{fill or self.ink}" stroke="{self.ink}" stroke-width="1.3"'
        s = size
        if form == "circle":
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{s:.1f}" {style}/>')
        elif form == "square":
            self.parts.append(
                f'<rect x="{x - s:.1f}" y="{y - s:.1f}" width="{2 * s:.1f}" height="{2 * s:.1f}" {style}/>'
            )
        elif form == "diamond":
            points = f"{x:.1f},{y - s:.1f} {x + s:.1f},{y:.1f} {x:.1f},{y + s:.1f} {x - s:.1f},{y:.1f}"
            self.parts.append(f'<polygon points="{points}" {style}/>')
        elif form == "triangle":
            points = f"{x:.1f},{y - s:.1f} {x - s:.1f},{y + s:.1f} {x + s:.1f},{y + s:.1f}"
            self.parts.append(f'<polygon points="{points}" {style}/>')
        else:
            path = f"M{x - s:.1f} {y - s:.1f}L{x + s:.1f} {y + s:.1f}M{x - s:.1f} {y + s:.1f}L{x + s:.1f} {y - s:.1f}"
            self.parts.append(f'<path d="{path}" {style}/>')

    def bottom(self, scale: Scale, at: float, label: str, number: Number) -> None:
        """A horizontal axis with its label."""
        self.line([(scale.start, at), (scale.end, at)])
        for one in ticks(scale.low, scale.high):
            x = scale(one)
            self.line([(x, at), (x, at + 4)])
            self.words(x, at + 17, _signed(one, number), anchor="middle")
        self.words((scale.start + scale.end) / 2, at + 34, label, anchor="middle")

    def left(self, scale: Scale, at: float, label: str, number: Number) -> None:
        """A vertical axis with its label."""
        self.line([(at, scale.start), (at, scale.end)])
        for one in ticks(scale.low, scale.high):
            y = scale(one)
            self.line([(at - 4, y), (at, y)])
            self.words(at - 7, y + 4, _signed(one, number), anchor="end")
        self.words(at - 40, (scale.start + scale.end) / 2, label, anchor="middle", turned=True)


def _signed(value: float, number: Number) -> str:
    return f"−{number(-value)}" if value < 0 else number(value)
