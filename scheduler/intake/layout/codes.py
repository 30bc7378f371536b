"""The closed lists of words that a laboratory file may use."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from scheduler.domain.results import ResultStatus
from scheduler.intake.layout.columns import normalised

__all__ = [
    "MATRICES",
    "METHODS",
    "NO_RESULT",
    "QUALITIES",
    "STATUSES",
    "TIMEPOINTS",
    "lookup",
    "status_of",
    "timepoint_of",
]

METHODS = ("LCMSMS", "HPLCUV", "EMIT", "OTHER")
MATRICES = ("PLASMA_EDTA", "SERUM", "BLOOD")
NO_RESULT = (ResultStatus.WITHDRAWN, ResultStatus.NOT_OBTAINED)
"""The statuses of a row that says that there is none, or none any more."""
QUALITIES = ("OK", "HEM", "LIP", "ICT", "COAG", "QNS", "NR", "IDENT")

STATUSES: dict[str, ResultStatus] = {
    "p": ResultStatus.PRELIMINARY,
    "provisoire": ResultStatus.PRELIMINARY,
    "f": ResultStatus.FINAL,
    "valide": ResultStatus.FINAL,
    "definitif": ResultStatus.FINAL,
    "c": ResultStatus.CORRECTED,
    "corrige": ResultStatus.CORRECTED,
    "w": ResultStatus.WITHDRAWN,
    "annule": ResultStatus.WITHDRAWN,
    "errone": ResultStatus.WITHDRAWN,
    "x": ResultStatus.NOT_OBTAINED,
    "nonrealise": ResultStatus.NOT_OBTAINED,
}

TIMEPOINTS = {
    "h0": "H0",
    "t0": "H0",
    "c0": "H0",
    "residuel": "H0",
    "h30": "H30",
    "t30": "H30",
    "c0.5": "H30",
    "c0,5": "H30",
    "30min": "H30",
    "h2": "H2",
    "t120": "H2",
    "c2": "H2",
    "2h": "H2",
}


def status_of(text: str) -> ResultStatus | None:
    """The status that a letter or French word names."""
    return STATUSES.get(normalised(text))


def timepoint_of(text: str, aliases: Mapping[str, str]) -> str | None:
    """The sampling point that a text names; signs count, so that "T-30" is not "T30"."""
    known = {**{_plain(name): point for name, point in aliases.items()}, **TIMEPOINTS}
    return known.get(_plain(text))


def lookup(text: str, words: tuple[str, ...]) -> str | None:
    """The word of a closed list that a text is, whatever the case and punctuation."""
    return {normalised(word): word for word in words}.get(normalised(text))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter) and not letter.isspace())
