"""A defect of a file that an operator wrote, in either language, and the error that carries all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from config.language import Language, translator
from config.said import Said, said

__all__ = ["PLACES", "UNREADABLE", "ConfigError", "ConfigurationInvalidError", "Defect", "unreadable"]

PLACES = ("environment", "settings", "file", "folder")
"""What stands for the name of a file or key where there is none."""
UNREADABLE = (OSError, ValueError, RecursionError)
"""What `unreadable` makes a defect of."""
_PLACED = re.compile(r"(?P<detail>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong in one file: where it is, what is wrong, what would be right."""

    file: str
    key: str
    problem: Said
    remedy: Said

    def __str__(self) -> str:
        return self.line(Language.EN)

    def line(self, language: Language) -> str:
        """File, key, problem and remedy for a reader of `language`."""
        translate = translator(language)
        whole = self.key == "file" or self.file.endswith("/")
        return translate("{file}: {key}: {problem} {remedy}").format(
            file=translate(self.file) if self.file in PLACES else self.file,
            key=translate(self.key) if whole and self.key in PLACES else self.key,
            problem=self.problem.by(translate),
            remedy=self.remedy.by(translate),
        )

    def to_json(self) -> str:
        """The defect as a text that `from_json` reads, to be kept and shown to readers of either language."""
        kept = {"problem": self.problem.to_json(), "remedy": self.remedy.to_json()}
        return json.dumps({"file": self.file, "key": self.key, **kept}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Defect:
        """The defect that `to_json` wrote."""
        data = json.loads(text)
        return cls(data["file"], data["key"], Said.from_json(data["problem"]), Said.from_json(data["remedy"]))


class ConfigError(Exception):
    """Base of what goes wrong with settings and files."""


class ConfigurationInvalidError(ConfigError, ValueError):
    """The settings or files cannot be used."""

    def __init__(self, defects: Iterable[Defect]) -> None:
        self.defects = sorted(defects, key=lambda one: (one.file, one.key, str(one)))
        super().__init__(self.told(Language.EN) or self.__doc__)

    def told(self, language: Language) -> str:
        """Every defect on a line of its own, for a reader of `language`."""
        return "\n".join(one.line(language) for one in self.defects)


def unreadable(name: str, error: OSError | ValueError | RecursionError) -> Defect:
    """The defect of a file that cannot be read, is no text, or no TOML: what system and parser say stays English."""
    if isinstance(error, OSError):
        problem = said("It cannot be read: {detail}.", detail=error.strerror or type(error).__name__)
        return Defect(
            name, "file", problem, said("Check that it is a file and that this account may read it.")
        )
    if isinstance(error, UnicodeDecodeError):
        return Defect(name, "file", said("The file is not UTF-8 text."), said("Save it as UTF-8."))
    if isinstance(error, RecursionError):
        problem = said("The file is nested too deeply.")
        return Defect(name, "file", problem, said("Write its lists and tables with fewer levels."))
    problem = said("Not valid TOML: {detail}.", detail=str(error))
    if found := _PLACED.fullmatch(str(error)):
        problem = said("Not valid TOML: {detail} (at line {line}, column {column}).", **found.groupdict())
    return Defect(name, "file", problem, said("Correct the line."))
