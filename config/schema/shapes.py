"""What the shapes of all files are made of: texts that have a form, words in two languages, no unknown key."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["Address", "Duration", "FolderName", "Id", "LocalTime", "Shape", "Text"]


def _some_length(text: str) -> str:
    if text.endswith(("P", "T")):
        raise ValueError(f"'{text}' names no length of time; write P7D or PT30M")
    return text


_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def _unreserved_name(text: str) -> str:
    if _RESERVED.fullmatch(text):
        raise ValueError(f"'{text}' is a device and no folder on Windows shares")
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Duration = Annotated[
    str,
    StringConstraints(pattern=r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?)?$"),
    AfterValidator(_some_length),
]
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s<>\",;:()]+@[^@\s<>\",;:()]+$")]
LocalTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
# Lower case, so that two names differ on every kind of share; none that a share's own system reserves.
FolderName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$"), AfterValidator(_unreserved_name)
]


class Shape(BaseModel):
    """A file or a table of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Text(Shape):
    """The same words in both languages."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)
