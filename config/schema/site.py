"""The shape of a site file: the hospital and its staff."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from config.schema.shapes import Address, Id, LocalTime, Shape

__all__ = ["SiteFile", "StaffFile"]


class StaffFile(Shape):
    id: Id
    name: str
    email: Address
    language: Literal["fr", "en"]
    roles: tuple[Id, ...] = Field(min_length=1)
    active: bool = True


class SiteFile(Shape):
    """A hospital: its zone, when it is open, who works there."""

    format: Literal[1]
    id: Id
    name: str
    zone: str
    open_weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)
    holidays: str | None = None
    closed: tuple[dt.date, ...] = ()
    quiet_from: LocalTime = "20:00"
    quiet_until: LocalTime = "07:00"
    staff: tuple[StaffFile, ...] = Field(min_length=1)
