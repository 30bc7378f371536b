"""A defect of a file that an operator wrote, and the error that carries all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ConfigError", "ConfigurationInvalidError", "Defect"]


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
