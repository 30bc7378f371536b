"""Thresholds of the literature, from the data file that is part of the program (config/thresholds.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.language import Language
from config.settings import DEFAULT_DIR

__all__ = ["Literature", "Threshold", "literature"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One study: `low` and `high` are equal for a threshold, the ends of a range otherwise; mg·h/L or mg/L.

    quantity: "auc" or "c0". kind: "data", "prespecified" or "consensus". n is None for an opinion.
    """

    study: str
    source: str
    disease: str
    remark: str
    quantity: str
    kind: str
    low: float
    high: float
    n: int | None


@dataclass(frozen=True, slots=True)
class Literature:
    """What is drawn, and what is not with the reason: (study, source, why)."""

    thresholds: tuple[Threshold, ...]
    left_out: tuple[tuple[str, str, str], ...]


@cache
def literature(language: Language) -> Literature:
    """The thresholds in the order of the file, their words in one language."""
    found = tomllib.loads((DEFAULT_DIR / "thresholds.toml").read_text("utf-8"))
    left_out = tuple((one["study"], one["source"], one["why"][language]) for one in found["left_out"])
    return Literature(tuple(_threshold(one, language) for one in found["threshold"]), left_out)


def _threshold(one: Mapping[str, Any], language: Language) -> Threshold:
    low, high = (one["value"], one["value"]) if "value" in one else (one["low"], one["high"])
    return Threshold(
        one["study"],
        one.get("source", ""),
        one["disease"][language],
        one["remark"][language] if "remark" in one else "",
        one["quantity"],
        one["kind"],
        float(low),
        float(high),
        one.get("n"),
    )
