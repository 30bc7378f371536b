"""Book, move and cancel an appointment, or a visit; which mails follow is shown before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scheduler.console.entry import Entry, Matter, form_page
from scheduler.console.page import CLINICAL, Asked
from scheduler.console.sheet import Field, Group, Kind, Sheet
from scheduler.domain.facts import VisitBooked, VisitCancelled, VisitMoved, What
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.status import view_visit

__all__ = ["PAGES"]


def _book(_: Asked, matter: Matter) -> Entry:
    return _moved(matter) if matter.visit.booking else _booked(matter)


def _booked(matter: Matter) -> Entry:
    say, visit = matter.speaker, matter.visit

    def whats(sheet: Sheet) -> Sequence[What]:
        at = sheet.local("at")
        return [VisitBooked(visit.id, at)] if at is not None else []

    return Entry(
        title=say.text("Book a date"),
        button=say.text("Book it"),
        groups=[Group((_when(matter, None),))],
        whats=whats,
        intro=_window(matter),
        closed=_took_place(matter),
        previewed=True,
    )


def _moved(matter: Matter) -> Entry:
    say, visit = matter.speaker, matter.visit
    assert visit.booking is not None

    def whats(sheet: Sheet) -> Sequence[What]:
        at, reason = sheet.local("at"), sheet.words("reason")
        return [VisitMoved(visit.id, at, reason)] if at is not None and reason is not None else []

    words = "Booked for {at}."
    return Entry(
        title=say.text("Move the appointment"),
        button=say.text("Move it"),
        groups=[Group((_when(matter, visit.booking.starts_at), _why(matter)))],
        whats=whats,
        intro=f"{say.text(words, at=visit.booking.starts_at)} {_window(matter)}",
        closed=_took_place(matter),
        previewed=True,
    )


def _cancelled(asked: Asked, matter: Matter) -> Entry:
    """An appointment is cancelled, and the visit with it if so ticked; where none can still be kept, the visit."""
    visit = matter.visit
    status = view_visit(matter.timeline, visit, asked.now).status
    if visit.booking is None or status in (VisitStatus.OVERDUE, VisitStatus.MISSED):
        return _visit_cancelled(matter)
    return _appointment_cancelled(matter)


def _visit_cancelled(matter: Matter) -> Entry:
    say, visit = matter.speaker, matter.visit

    def whats(sheet: Sheet) -> Sequence[What]:
        reason = sheet.words("reason")
        return [VisitCancelled(visit.id, reason, final=True)] if reason is not None else []

    words = "The visit will then not take place at all. If it can take place on another day, book that day instead."
    return Entry(
        title=say.text("Cancel the visit"),
        button=say.text("Cancel this visit"),
        groups=[Group((_why(matter),))],
        whats=whats,
        intro=say.text(words),
        closed=_took_place(matter),
        previewed=True,
    )


def _appointment_cancelled(matter: Matter) -> Entry:
    say, visit = matter.speaker, matter.visit

    def whats(sheet: Sheet) -> Sequence[What]:
        reason = sheet.words("reason")
        return [VisitCancelled(visit.id, reason, sheet.raw("final") == "yes")] if reason is not None else []

    words = "The visit will not take place at all; otherwise it stays due, and another date can be booked"
    final = Field("final", say.text(words), Kind.CHECK, required=False)
    return Entry(
        title=say.text("Cancel the appointment"),
        button=say.text("Cancel it"),
        groups=[Group((_why(matter), final))],
        whats=whats,
        closed=_took_place(matter),
        previewed=True,
    )


def _when(matter: Matter, at: datetime | None) -> Field:
    say = matter.speaker
    local = at.astimezone(say.zone) if at is not None else None
    value = local.strftime("%Y-%m-%dT%H:%M") if local is not None else ""
    return Field("at", say.text("Date and time"), Kind.MOMENT, value)


def _why(matter: Matter) -> Field:
    return Field("reason", matter.speaker.text("Reason"), Kind.AREA)


def _window(matter: Matter) -> str:
    planned = matter.visit.planned
    words = "Target: {target}; the window is from {first} to {last}."
    return matter.speaker.text(words, target=planned.target, first=planned.first, last=planned.last)


def _took_place(matter: Matter) -> str | None:
    at = matter.visit.attended_at
    return matter.speaker.text("This visit took place on {at}.", at=at) if at is not None else None


PAGES = (
    form_page("/subjects/{subject}/visits/{visit}/book", CLINICAL, _book),
    form_page("/subjects/{subject}/visits/{visit}/cancel", CLINICAL, _cancelled),
)
