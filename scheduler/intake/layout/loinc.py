"""LOINC codes of mycophenolic acid (MPA), and those around it that are something else."""

from __future__ import annotations

import re

__all__ = ["BLOOD", "MASS", "OTHERS", "PEAK", "SUBSTANCE", "TROUGH", "is_other_loinc"]

PLASMA, TROUGH, PEAK, BLOOD = "23905-3", "72667-9", "73680-1", "55806-4"
"""Mass concentrations: in serum or plasma, at its trough, at its peak, in whole blood."""
SUBSTANCE = "70211-8"
"""The substance concentration."""
MASS = frozenset({PLASMA, TROUGH, PEAK, BLOOD})
# Glucuronides, panels, AUC, antibodies.
OTHERS = frozenset(
    {
        "23906-1", "55807-2", "80697-6", "87432-1", "115789-0", "72985-5", "72986-3", "73252-9", "73253-7",
    }
)  # fmt: skip
_FORM = re.compile(r"[0-9]{1,7}-[0-9]")


def is_other_loinc(code: str) -> bool:
    """Whether a code has the form of LOINC and is not MPA, as far as is known."""
    return _FORM.fullmatch(code) is not None and code not in MASS | {SUBSTANCE}
