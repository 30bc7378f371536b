"""Pictures of an exposure as SVG or PNG: the curve of one visit, the AUCs of all visits or subjects.

Nothing is computed and nothing is translated here: the numbers and the words come from the caller, the words
in the reader's language. matplotlib is loaded by the first picture, not by the import of this module.
"""

from typing import TypeAlias

from pk.pictures.cohort import ExposureCohort
from pk.pictures.course import ExposureCourse
from pk.pictures.curve import ConcentrationCurve

WIDTH_PX = 360
"""Width in CSS pixels: that of a phone. Letters are 12 px high at every width."""

Picture: TypeAlias = ConcentrationCurve | ExposureCourse | ExposureCohort


def svg(picture: Picture, *, name: str = "p", width_px: int = WIDTH_PX) -> bytes:
    """Return the picture as one `<svg>` element in UTF-8, a document by itself and fit to stand in HTML.

    Parameters
    ----------
    picture : ConcentrationCurve, ExposureCourse or ExposureCohort
        What is drawn.
    name : str
        Stands before every id, so that several pictures can stand in one page: a letter, then letters and digits.
    width_px : int
        Width in CSS pixels; the height follows from the words.

    Returns
    -------
    bytes
        The same for the same arguments: no date, no random id. It names no font and loads nothing.
    """
    from pk.pictures.drawing import figure as drawing

    return drawing.as_svg(drawing.figure_of(picture, width_px), picture.words.title, name)


def png(picture: Picture, *, width_px: int = WIDTH_PX, scale: float = 2.0) -> bytes:
    """Return the picture as PNG of `scale` times `width_px` pixels; the same bytes for the same arguments."""
    from pk.pictures.drawing import figure as drawing

    return drawing.as_png(drawing.figure_of(picture, width_px), scale)
