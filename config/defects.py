"""A defect of a file that an operator wrote, how pydantic's findings become defects, and the error that carries all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["ConfigError", "ConfigurationInvalidError", "Defect", "shape_defects"]

_REMEDIES = {
    "extra_forbidden": "Remove the key or correct its spelling.",
    "missing": "Add it.",
    "string_pattern_mismatch": "Write it in the form that the documentation of the file gives.",
    "literal_error": "Use one of the words listed.",
    "value_error": "Correct the value.",
}


@dataclass(frozen=True, slots=True, order=True)
class Defect:
    """One thing wrong in one file: where it is, what is wrong, what would be right."""

    file: str
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.problem} {self.remedy}".strip()


class ConfigError(Exception):
    """Base of what goes wrong with settings and files."""


class ConfigurationInvalidError(ConfigError, ValueError):
    """The settings or files cannot be used."""

    def __init__(self, defects: list[Defect]) -> None:
        self.defects = sorted(defects)
        super().__init__("\n".join(map(str, self.defects)) or self.__doc__)


def shape_defects(name: str, error: ValidationError) -> list[Defect]:
    """The defects that pydantic found in one file, as file, key, problem, remedy."""
    found = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"]) or "file"
        remedy = _REMEDIES.get(item["type"], "Correct the value.")
        found.append(Defect(name, key, item["msg"].rstrip(".") + ".", remedy))
    return found
