"""The daily mail: when it is due, to whom, and what stands in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default
from pathlib import Path

import notif_cases as cases
import pytest
from letter_cases import part, written
from sqlmodel import Session, select

from notifications.delivery.maildir import MaildirTransport, read_maildir
from notifications.delivery.mailroom import Mailroom
from notifications.delivery.step import delivery_step
from notifications.delivery.writing import write
from notifications.outbox.states import State
from notifications.words.digest import digest_context, digest_step, next_digest_at
from scheduler.domain.civil import DayCalendar
from scheduler.domain.reason import because, to_json
from scheduler.store.tables import AcknowledgementRow, FactRow, FlagRow, OutboxRow

MORNING = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)  # 07:30 in Paris, a Monday
SITES = {"cochin": cases.site()}
TODAY = date(2026, 3, 2)


def step(desk: cases.Study, now: datetime) -> int:
    found: int = desk.do(lambda session: digest_step(session, SITES, cases.protocol(), cases.DOMAIN, now))
    return found


def context(desk: cases.Study, now: datetime = cases.NOW) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = desk.do(
        lambda session: digest_context(session, "cochin", TODAY, now)
    )
    return found


def flag(session: Session, key: str, severity: int, days: int = 0, code: str = "visit_overdue") -> None:
    at = cases.NOW - timedelta(days=days)
    session.add(
        FlagRow(
            key=key, code=code, site_id="cochin", subject=cases.SUBJECT, visit=cases.VISIT, severity=severity,
            reason=to_json(because("status_overdue", closed=TODAY)), since=at, opened_at=at,
        )
    )  # fmt: skip


def test_each_person_with_a_digest_role_gets_one_a_day(either: cases.Study) -> None:
    assert step(either, MORNING - timedelta(minutes=1)) == 0
    assert step(either, MORNING) == 3
    assert step(either, MORNING + timedelta(hours=1)) == 0
    assert step(either, MORNING + timedelta(days=1)) == 3
    assert {row.staff_id for row in either.mails()} == {"coordinator-fr", "coordinator-en", "data-manager"}


def test_it_leads_the_laboratory_to_no_page(desk: cases.Study) -> None:
    told = replace(cases.protocol(), digest_roles=("coordinator", "laboratory"))
    desk.do(lambda session: flag(session, "a", 1))
    desk.do(lambda session: digest_step(session, SITES, told, cases.DOMAIN, MORNING))
    head = replace(cases.HEAD, console="https://console.example")
    leads = {
        row.staff_id: "https://console.example/flags/"
        in part(written(desk, row, letterhead=head), "text/plain")
        for row in desk.mails()
    }
    assert leads == {"coordinator-fr": True, "coordinator-en": True, "laboratory": False}


def test_there_is_none_on_a_closed_day(desk: cases.Study) -> None:
    assert step(desk, datetime(2026, 3, 7, 8, 0, tzinfo=UTC)) == 0


def test_one_that_was_missed_is_sent_on_the_same_day_until_the_evening(desk: cases.Study) -> None:
    step(desk, MORNING + timedelta(hours=10))
    assert {row.expires_at for row in desk.mails()} == {datetime(2026, 3, 2, 17, 0, tzinfo=UTC)}


async def test_one_that_was_missed_until_the_evening_is_recorded_as_expired(
    desk: cases.Study, tmp_path: Path
) -> None:
    desk.clock.move_to(datetime(2026, 3, 2, 17, 30, tzinfo=UTC))
    step(desk, desk.clock.now())
    report = await delivery_step(desk.db, MaildirTransport(tmp_path), desk.clock, cases.room())
    assert (report.sent, report.expired) == (0, 3)
    assert {row.state for row in desk.mails()} == {State.EXPIRED}


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (MORNING - timedelta(hours=1), MORNING),
        (MORNING, MORNING + timedelta(days=1)),
        (datetime(2026, 3, 6, 12, 0, tzinfo=UTC), datetime(2026, 3, 9, 6, 30, tzinfo=UTC)),
        (datetime(2026, 3, 27, 12, 0, tzinfo=UTC), datetime(2026, 3, 30, 5, 30, tzinfo=UTC)),
    ],
)
def test_the_next_one_is_on_the_next_working_day_at_the_local_hour(now: datetime, due: datetime) -> None:
    assert next_digest_at(cases.site(), time(7, 30), now) == due


def test_a_site_that_never_opens_has_no_next_one() -> None:
    shut = cases.site(calendar=DayCalendar(cases.PARIS, frozenset(), frozenset()))
    assert next_digest_at(shut, time(7, 30), MORNING) is None


def test_the_worklist_goes_from_severe_to_light_and_from_old_to_new(desk: cases.Study) -> None:
    def fill(session: Session) -> None:
        flag(session, "c", 2, days=9)
        flag(session, "b", 1, days=1)
        flag(session, "a", 1, days=3)

    desk.do(fill)
    found = context(desk)["flags"]
    assert [(one["severity"], one["since"]) for one in found] == [
        (1, cases.NOW - timedelta(days=3)),
        (1, cases.NOW - timedelta(days=1)),
        (2, cases.NOW - timedelta(days=9)),
    ]
    assert found[0]["closes"] == because("closes_visit_overdue")


def test_what_was_acknowledged_is_not_in_it_until_it_opens_anew(desk: cases.Study) -> None:
    def fill(session: Session) -> None:
        for key in ("seen-fact", "seen-row", "anew", "open"):
            flag(session, key, 1, days=0 if key == "anew" else 2)
        at = cases.NOW - timedelta(days=1)
        for key in ("seen-fact", "anew"):
            session.add(
                FactRow(
                    subject=cases.SUBJECT, kind="flag_acknowledged", payload={"flag": key, "reason": "ok"},
                    recorded_at=at, recorded_by="ann", source="cli",
                )
            )  # fmt: skip
        session.add(AcknowledgementRow(flag_key="seen-row", by="ann", reason="ok", at=at))

    desk.do(fill)
    assert len(context(desk)["flags"]) == 2


def test_appointments_and_unbooked_targets_of_the_week_are_in_it(desk: cases.Study) -> None:
    def fill(session: Session) -> None:
        session.add(
            cases.visit_row(visit="W12", status="planned", booked_local=None, target=date(2026, 3, 4))
        )
        session.add(cases.visit_row(visit="M6", status="planned", booked_local=None, target=date(2026, 3, 9)))
        session.add(
            cases.visit_row(visit="Y1", status="complete", target=date(2026, 3, 3), booked_local=None)
        )

    desk.do(fill)
    assert [(one["visit"], one["booked"]) for one in context(desk)["visits"]] == [
        ("W6", cases.BOOKED),
        ("W12", None),
    ]


def test_mails_that_did_not_arrive_are_in_it(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    first = desk.mails()[0].id

    def fail(session: Session) -> None:
        row = session.get(OutboxRow, first)
        assert row is not None
        row.state = State.FAILED

    desk.do(fail)
    late = cases.NOW + timedelta(hours=1)
    assert [one["id"] for one in context(desk, late)["undelivered"]] == [first]
    assert context(desk, late)["waiting"] == 1
    assert not context(desk, late)["empty"]


async def test_an_empty_one_says_so(desk: cases.Study, tmp_path: Path) -> None:
    desk.clock.move_to(MORNING)
    step(desk, MORNING)
    await delivery_step(desk.db, MaildirTransport(tmp_path), desk.clock, cases.room())
    (english,) = read_maildir(tmp_path, "data-manager@cochin.example")
    (french,) = read_maildir(tmp_path, "coordinator-fr@cochin.example")
    assert str(make_header(decode_header(english["Subject"]))).endswith("nothing needs you today")
    text = french.get_payload()[0].get_payload(decode=True).decode()
    assert text.startswith("Rien ne requiert votre attention aujourd'hui.")


def test_with_a_console_each_matter_has_its_link_and_neither_code_nor_command(desk: cases.Study) -> None:
    desk.do(lambda session: flag(session, "held", 1, code="rows_held"))
    step(desk, MORNING)
    head = replace(cases.HEAD, console="https://console.study.example")
    number = desk.do(lambda session: session.exec(select(FlagRow.id)).one())

    def written(session: Session, room: Mailroom) -> str:
        row = session.exec(select(OutboxRow).where(OutboxRow.language == "en")).first()
        assert row is not None
        parts = message_from_bytes(write(session, row, room, MORNING), policy=default).walk()
        return "".join(one.get_content() for one in parts if one.get_content_maintype() == "text")

    linked = desk.do(lambda session: written(session, cases.room(letterhead=head)))
    assert linked.count(f"https://console.study.example/flags/{number}") == 2  # in the text and in the HTML
    assert "    https://console.study.example/" in linked.splitlines()
    assert "mpa-monitor acknowledge" not in linked
    assert "on the page Laboratory" in linked and "lab held" not in linked
    plain = desk.do(lambda session: written(session, cases.room()))
    assert "https://" not in plain and "mpa-monitor acknowledge" in plain and "lab held" in plain
