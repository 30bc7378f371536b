"""The words of the pictures in the reader's language: `pk.pictures` draws, this says what stands around it."""

from __future__ import annotations

from typing import NamedTuple

from config.language import Language
from pk.pictures.course import CourseWords, ReferenceBand
from pk.pictures.curve import CurveWords
from scheduler.domain.protocol import Band
from scheduler.domain.reason import Reason
from scheduler.domain.speech import Speaker

__all__ = ["TitledAuc", "course_words", "curve_words", "decimal_sign", "range_of", "reference_bands"]

_NBSP = "\u00a0"


def decimal_sign(speaker: Speaker) -> str:
    """The sign before decimals in the reader's language."""
    return "," if speaker.language is Language.FR else "."


def range_of(speaker: Speaker, low: float, high: float, digits: int = 1) -> str:
    """Two limits as a range that is not broken over two lines."""
    return f"{speaker.number(low, digits)}{_NBSP}–{_NBSP}{speaker.number(high, digits)}"


class TitledAuc(NamedTuple):
    """An AUC0-12 in mg·h/L with its 90 % interval, as a title says it: by which method, and what is to be known."""

    method: Reason | None
    value: float
    interval: tuple[float, float] | None
    remark: Reason | None = None


def curve_words(
    speaker: Speaker, subject: str, visit: str, auc: TitledAuc, drawn: TitledAuc | None = None
) -> CurveWords:
    """The words of one visit's curve; the title says whose it is, when, and the AUC0-12 with its 90 % interval.

    `drawn` is the estimate whose curve it is, where that is not the one that counts.
    """
    lines = [
        f"{subject} · {speaker.name(visit)}",
        speaker.text("AUC0-12 {value} mg·h/L", value=speaker.number(auc.value)),
    ]
    if auc.interval is not None:
        lines.append(speaker.text("90% interval: {limits} mg·h/L", limits=range_of(speaker, *auc.interval)))
    if auc.method is not None:
        lines.append(speaker.say(auc.method))
    if drawn is not None and drawn.method is not None:
        lines.append(_curve_line(speaker, drawn, drawn.method))
    remarks = [speaker.say(auc.remark)] if auc.remark is not None else []
    return CurveWords(
        title="\n".join(lines),
        time=speaker.text("Time after the dose (h)"),
        concentration=speaker.text("MPA (mg/L)"),
        individual=speaker.text("The subject's curve, estimated"),
        band=speaker.text("Its 90% interval"),
        population=speaker.text("Expected without the samples"),
        sample=speaker.text("Sample, at its actual time"),
        limit=speaker.text("Below the limit of quantification"),
        window=speaker.text("Planned time of a sample"),
        dose=speaker.text("Dose"),
        beyond=speaker.text("The interval reaches {value} mg/L, beyond the picture.", value="{value}"),
        remark="\n".join([*remarks, speaker.text("Research use; not a medical device.")]),
        decimal=decimal_sign(speaker),
    )


def _curve_line(speaker: Speaker, drawn: TitledAuc, method: Reason) -> str:
    value = speaker.number(drawn.value)
    if drawn.interval is None:
        return speaker.text("Curve: {method}, {value} mg·h/L", method=method, value=value)
    words = "Curve: {method}, {value} [{limits}] mg·h/L"
    return speaker.text(words, method=method, value=value, limits=range_of(speaker, *drawn.interval))


def course_words(speaker: Speaker, subject: str) -> CourseWords:
    """The words of the AUCs over the visits."""
    return CourseWords(
        title=f"{subject}\n{speaker.text('AUC0-12 of MPA over the visits')}",
        auc=speaker.text("AUC0-12 (mg·h/L)"),
        beyond=speaker.text("An interval reaches {value} mg·h/L, beyond the picture.", value="{value}"),
        remark=speaker.text(
            "No target of the AUC is known in this disease: the bands are borrowed from others."
        ),
        decimal=decimal_sign(speaker),
    )


def reference_bands(speaker: Speaker, bands: tuple[Band, ...]) -> tuple[ReferenceBand, ...]:
    """The protocol's borrowed bands, their limits in their labels."""
    return tuple(
        ReferenceBand(
            speaker.text("{name}: {limits}", name=one.label[speaker.language], limits=_limits(speaker, one)),
            one.low_mg_h_l,
            one.high_mg_h_l,
        )
        for one in bands
    )


def _limits(speaker: Speaker, band: Band) -> str:
    limits = [one for one in (band.low_mg_h_l, band.high_mg_h_l) if one is not None]
    return range_of(speaker, limits[0], limits[1], 0) if len(limits) == 2 else speaker.number(limits[0], 0)
