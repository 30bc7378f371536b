"""Values of assessments and results as a reader sees them."""

from __future__ import annotations

from decimal import Decimal

from scheduler.domain.facts import Assessed
from scheduler.domain.pictures import decimal_sign
from scheduler.domain.speech import Speaker

__all__ = ["assessed_text", "plain"]


def assessed_text(one: Assessed, speaker: Speaker) -> str:
    """A value with its unit and how it came about."""
    parts = [
        f"{plain(one.value, speaker)} {speaker.status(one.unit)}".strip() if one.value is not None else "–"
    ]
    if one.measured is not None:
        parts.append(f"{plain(one.measured, speaker)} {one.measured_unit}")
    if one.sites:
        parts.append(", ".join(f"{speaker.status(site)} {score}" for site, score in one.sites))
    if one.assessor is not None:
        parts.append(speaker.text("assessor: {name_id}", name_id=one.assessor))
    if one.equation is not None:
        parts.append(speaker.text("equation: {name_id}", name_id=one.equation))
    if one.hb_corrected is not None:
        parts.append(
            speaker.text("corrected for haemoglobin" if one.hb_corrected else "not corrected for haemoglobin")
        )
    return speaker.listed(parts)


def plain(value: float | Decimal, speaker: Speaker) -> str:
    """A number as it was given, with the reader's decimal sign."""
    digits = f"{value:f}" if isinstance(value, Decimal) else f"{value:g}"
    return digits.replace(".", decimal_sign(speaker))
