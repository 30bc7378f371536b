"""The calendar entry of an appointment (iCalendar, iMIP): one entry per subject visit, replaced at every change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress, vText

__all__ = ["Appointment", "InviteError", "Method", "invitation", "uid_of"]

_DURATION = timedelta(hours=3)


class Method(StrEnum):
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


class InviteError(ValueError):
    """The calendar entry that was written does not read back as it was meant."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """An appointment as the entry shows it: a local time at the site and no name of a subject."""

    uid: str
    sequence: int
    local: datetime
    zone: ZoneInfo
    summary: str
    description: str
    location: str
    organizer: str
    attendee: str
    written_at: datetime


def uid_of(subject: str, visit: str, domain: str) -> str:
    """The name of the entry: the same for all changes of one visit, telling nothing."""
    return f"{sha256(f'visit|{subject}|{visit}'.encode()).hexdigest()[:32]}@{domain}"


def invitation(appointment: Appointment, method: Method) -> str:
    """The text of the entry. The same appointment gives the same bytes. Raises InviteError when it is not sound."""
    calendar = Calendar()
    calendar.add("prodid", "-//mpa-monitor//visit scheduler//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    calendar.add_component(_event(appointment, method))
    text: str = calendar.to_ical().decode("utf-8")
    _check(text, appointment, method)
    zones = [_zone(name, appointment.local.year) for name in sorted(calendar.get_missing_tzids())]
    return text.replace(_BEGINS, "".join(zones) + _BEGINS, 1)


_BEGINS = "BEGIN:VEVENT\r\n"


@lru_cache(64)
def _zone(name: str, year: int) -> str:
    """The clock changes of a zone around a year, which are the same in many entries and costly to find."""
    rules = Timezone.from_tzid(name, first_date=date(year - 1, 1, 1), last_date=date(year + 2, 1, 1))
    text: str = rules.to_ical().decode("utf-8")
    return text


def _event(appointment: Appointment, method: Method) -> Event:
    starts = appointment.local.replace(tzinfo=appointment.zone)
    ends = (starts.astimezone(UTC) + _DURATION).astimezone(appointment.zone)
    event = Event()
    event.add("uid", appointment.uid)
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", appointment.written_at.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", starts)
    event.add("dtend", ends)
    event.add("summary", appointment.summary)
    event.add("description", appointment.description)
    event.add("location", appointment.location)
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")  # every coordinator gets it; it blocks nobody's day
    event.add("status", "CANCELLED" if method is Method.CANCEL else "CONFIRMED")
    event["organizer"] = vCalAddress(f"mailto:{appointment.organizer}")
    attendee = vCalAddress(f"mailto:{appointment.attendee}")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
    attendee.params["RSVP"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    return event


def _check(text: str, wanted: Appointment, method: Method) -> None:
    read = Calendar.from_ical(text)
    events = read.walk("VEVENT")
    if str(read.get("method")) != method or len(events) != 1:
        raise InviteError(f"expected one entry with method {method}")
    event = events[0]
    starts = event.decoded("dtstart")
    if starts.replace(tzinfo=None) != wanted.local or event.decoded("sequence") != wanted.sequence:
        raise InviteError("the entry reads back with another time or sequence")
    if str(event.get("uid")) != wanted.uid:
        raise InviteError("the entry reads back with another UID")
