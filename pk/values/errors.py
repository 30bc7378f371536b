"""What can be wrong on the caller's side; data problems are reasons, see `pk.values.reason`."""

from pk.values.file_defect import FileDefect


class PkError(Exception):
    """A caller of `pk` gave something no result can describe."""


class UnitError(PkError, ValueError):
    """A concentration or dose that no conversion is known for."""


class FileError(PkError, ValueError):
    """Every defect found in a file of equations or models, each with its key and remedy.

    Attributes
    ----------
    defects : tuple of FileDefect
        The message has one line per defect, `key: what is wrong; what would be right`.
    """

    def __init__(self, defects: tuple[FileDefect, ...]) -> None:
        super().__init__("\n".join(map(str, defects)))
        self.defects = defects


class EquationError(FileError):
    """A limited-sampling equation is not described as it must be."""


class ModelError(FileError):
    """A population model is not described as it must be."""
