"""What the shapes of all files are made of: texts that have a form, words in two languages, no unknown key."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from config.shape_errors import refused

__all__ = ["FORMS", "VISIT_FIELD", "Address", "Duration", "FolderName", "Id", "LocalTime", "Shape", "Text"]


def _some_length(text: str) -> str:
    if text.endswith(("P", "T")):
        raise refused("no_length_of_time", text=text)
    return text


_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")


def _unreserved_name(text: str) -> str:
    if _RESERVED.fullmatch(text):
        raise refused("device_name", text=text)
    return text


_ID = r"^[A-Za-z][A-Za-z0-9_-]{0,39}$"
_DURATION = r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?)?$"
_ADDRESS = r"^[^@\s<>\",;:()]+@[^@\s<>\",;:()]+$"
_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"
# Lower case, so that two names differ on every kind of share; none that a share's own system reserves.
_FOLDER = r"^[a-z][a-z0-9_-]{0,39}$"
VISIT_FIELD = r"^(PV1|ORC|OBR|SPM)-[1-9][0-9]?$"

FORMS = {
    _ID: "Use letters, digits, - and _, a letter first, 40 characters at most.",
    _DURATION: "Write a length of time such as P7D or PT30M.",
    _ADDRESS: "Write one mail address without a name, such as marie@hospital.example.",
    _TIME: "Write a time of day from 00:00 to 23:59, such as 08:30.",
    _FOLDER: "Use lower-case letters, digits, - and _, a letter first, 40 characters at most.",
    VISIT_FIELD: "Name a field of PV1, ORC, OBR or SPM, such as PV1-19.",
}
"""What is written where a text has a form, by its pattern."""

Id = Annotated[str, StringConstraints(pattern=_ID)]
Duration = Annotated[str, StringConstraints(pattern=_DURATION), AfterValidator(_some_length)]
Address = Annotated[str, StringConstraints(pattern=_ADDRESS)]
LocalTime = Annotated[str, StringConstraints(pattern=_TIME)]
FolderName = Annotated[str, StringConstraints(pattern=_FOLDER), AfterValidator(_unreserved_name)]


class Shape(BaseModel):
    """A file or a table of it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Text(Shape):
    """The same words in both languages."""

    en: str = Field(min_length=1)
    fr: str = Field(min_length=1)
