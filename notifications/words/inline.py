"""The picture inside a mail: what it is drawn from, who may get it, and that it is drawn outside any transaction."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from sqlmodel import Session

from config.logs import log
from pk.pictures.image import WIDTH_PX, Picture, png
from scheduler.domain.protocol import Event
from scheduler.domain.speech import Speaker
from scheduler.store.tables import OutboxRow

__all__ = ["ABOUT_AN_AUC", "Album", "CurveOf", "InlinePicture", "Sketch", "may_carry_a_picture"]

ABOUT_AN_AUC = (Event.AUC_AVAILABLE, Event.AUC_AMENDED)
_WITH_A_PICTURE = (*ABOUT_AN_AUC, Event.EXPOSURE_MONTH)
_MOST_KEPT = 128  # of some 60 kB; more than a batch has mails


class Sketch(Protocol):
    """What a picture is drawn from, read from the database; equal sketches give the same picture."""

    def __hash__(self) -> int: ...

    def picture(self) -> Picture | None:
        """What to draw; None when there is nothing. It needs no database."""


CurveOf = Callable[[Session, OutboxRow, Speaker], Sketch | None]
"""What the picture in a mail is drawn from, in the reader's words; None when there is none to show."""


@dataclass(frozen=True, slots=True)
class InlinePicture:
    """A PNG with its Content-ID (without brackets), what it says to those who cannot see it, and its width."""

    content: bytes
    cid: str
    alt: str
    width_px: int = WIDTH_PX


def may_carry_a_picture(row: OutboxRow) -> bool:
    """Whether a mail is about AUCs in force and goes to staff who read AUCs: never to the laboratory alone."""
    return row.facts.get("event") in _WITH_A_PICTURE and row.facts.get("roles") != ["laboratory"]


class Album:
    """The pictures drawn lately, by what they were drawn from. One that could not be drawn is remembered too."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[Sketch, InlinePicture | None] = OrderedDict()

    def __contains__(self, sketch: Sketch) -> bool:
        return sketch in self._pictures

    def get(self, sketch: Sketch) -> InlinePicture | None:
        """The picture; None when it was not drawn or could not be."""
        return self._pictures.get(sketch)

    def draw(self, sketches: Iterable[Sketch], domain: str) -> None:
        """Draw what is not there yet; takes a fraction of a second each. A mail goes without what fails."""
        for sketch in sketches:
            if sketch in self._pictures:
                continue
            try:
                drawn = sketch.picture()
                self._pictures[sketch] = _picture(drawn, domain) if drawn is not None else None
            except Exception as error:  # noqa: BLE001
                log.error("picture_not_drawn", error=type(error).__name__)
                self._pictures[sketch] = None
            if len(self._pictures) > _MOST_KEPT:
                self._pictures.popitem(last=False)


def _picture(drawn: Picture, domain: str) -> InlinePicture:
    """The picture in bytes; its Content-ID is the hash of its bytes, so that readers of one draft share it."""
    content = png(drawn)
    alt = " · ".join(line.strip() for line in drawn.words.title.splitlines())
    return InlinePicture(content, f"{sha256(content).hexdigest()[:32]}@{domain}", alt)
