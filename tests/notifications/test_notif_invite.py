"""The calendar entry of an appointment: one per visit, replaced at every change."""

# ruff: noqa: DTZ001 (appointments are local times without a zone)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import notif_cases as cases
import pytest
from icalendar import Calendar
from letter_cases import mail

from notifications.words.invite import Appointment, InviteError, Method, invitation, uid_of
from scheduler.domain.events import DomainEvent
from scheduler.domain.protocol import Event

MOVED = cases.BOOKED + timedelta(days=1)


NOTICES = [
    cases.rebooked(),
    cases.rebooked(Event.VISIT_MOVED, 1, cases.BOOKED, MOVED),
    cases.rebooked(Event.VISIT_CANCELLED, 1, cases.BOOKED, None),
]


# --- the calendar entry ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "method", "status", "local"),
    [
        (NOTICES[0], "REQUEST", "CONFIRMED", cases.BOOKED),
        (NOTICES[1], "REQUEST", "CONFIRMED", MOVED),
        (NOTICES[2], "CANCEL", "CANCELLED", cases.BOOKED),
    ],
)
def test_an_appointment_has_its_entry(
    desk: cases.Study, event: DomainEvent, method: str, status: str, local: datetime
) -> None:
    message = mail(desk, event)
    (entry,) = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    assert entry.get_param("method") == method
    calendar = Calendar.from_ical(entry.get_content())
    (found,) = calendar.walk("VEVENT")
    assert (str(calendar["method"]), str(found["status"])) == (method, status)
    assert found.decoded("dtstart").replace(tzinfo=None) == local
    assert found["dtstart"].params["TZID"] == "Europe/Paris"
    assert found.decoded("dtend") - found.decoded("dtstart") == timedelta(hours=3)
    assert str(found["uid"]) == uid_of(cases.SUBJECT, cases.VISIT, cases.DOMAIN)
    assert found.decoded("sequence") == event.sequence  # type: ignore[union-attr]
    assert (str(found["class"]), str(found["transp"])) == ("PRIVATE", "TRANSPARENT")
    assert found["attendee"].params["RSVP"] == "FALSE"
    assert len(calendar.walk("VTIMEZONE")) == 1


def test_other_mails_have_no_entry(desk: cases.Study) -> None:
    kinds = {one.get_content_type() for one in mail(desk, cases.reminder()).walk()}
    assert kinds == {"multipart/alternative", "text/plain", "text/html"}


def appointment(local: datetime, written_at: datetime = cases.NOW) -> Appointment:
    return Appointment(
        "u@x",
        1,
        local,
        cases.PARIS,
        "s",
        "d",
        "Hôpital Cochin, AP-HP",
        "mpa@x.example",
        "a@x.example",
        written_at,
    )


def test_an_entry_is_the_same_whenever_it_is_written() -> None:
    assert invitation(appointment(cases.BOOKED), Method.REQUEST) == invitation(
        appointment(cases.BOOKED), Method.REQUEST
    )


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 29, 1, 30), datetime(2026, 10, 25, 1, 30), datetime(2026, 7, 1, 8, 30)]
)
def test_an_entry_lasts_three_real_hours_also_when_the_clocks_change(day: datetime) -> None:
    (event,) = Calendar.from_ical(invitation(appointment(day), Method.REQUEST)).walk("VEVENT")
    elapsed = event.decoded("dtend").astimezone(UTC) - event.decoded("dtstart").astimezone(UTC)
    assert elapsed == timedelta(hours=3)


def test_an_entry_that_does_not_read_back_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    other = invitation(appointment(MOVED), Method.REQUEST)
    monkeypatch.setattr(Calendar, "to_ical", lambda self: other.encode())
    with pytest.raises(InviteError):
        invitation(appointment(cases.BOOKED), Method.REQUEST)
