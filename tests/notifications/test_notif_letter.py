"""The mail as bytes: headers, parts, calendar entry, and what never stands in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import notif_cases as cases
import pytest
from letter_cases import mail, part, written
from sqlmodel import Session

from notifications.delivery.writing import Batch, make_ready, write
from notifications.outbox import queue
from notifications.words.context import Memo
from notifications.words.letter import Letterhead
from scheduler.domain.events import DomainEvent, MailFailed
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because, to_json
from scheduler.store.tables import (
    ExposureRow,
    FlagRow,
    LabFileRow,
    LabResultVersionRow,
    SamplingRow,
    VisitRow,
)

MOVED = cases.BOOKED + timedelta(days=1)


def words(message: EmailMessage) -> str:
    return "\n".join([str(message["Subject"]), part(message, "text/plain"), part(message, "text/html")])


def test_the_headers_say_that_a_program_wrote_it_and_for_whom(desk: cases.Study) -> None:
    message = mail(desk, cases.reminder())
    assert message["From"] == "SCLERAMAC <mpa@study.example>"
    assert message["Reply-To"] == "team@study.example"
    assert message["To"] == "coordinator-en@cochin.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["List-Id"] == "<scleramac.study.example>"
    assert message["Precedence"] is None
    assert message["Date"].datetime == cases.NOW
    assert message["Subject"] == "[SCLERAMAC] MPA-0042-7 · 6 weeks · visit in 3 days"


def test_the_same_mail_has_the_same_bytes(desk: cases.Study) -> None:
    desk.tell(cases.rebooked())
    row = desk.mail()
    first, second = (desk.do(lambda session: write(session, row, cases.room(), cases.NOW)) for _ in range(2))
    assert first == second
    assert first.isascii()
    assert max(len(line) for line in first.split(b"\r\n")) <= 998


def test_all_mails_about_a_visit_hang_on_one_thread_with_one_stem(desk: cases.Study) -> None:
    first, second = mail(desk, cases.rebooked()), mail(desk, cases.reminder())
    assert first["References"] == first["In-Reply-To"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]
    stems = {str(one["Subject"]).rsplit(" · ", 1)[0] for one in (first, second)}
    assert stems == {"[SCLERAMAC] MPA-0042-7 · 6 weeks"}


def test_the_message_id_tells_nothing(desk: cases.Study) -> None:
    message = mail(desk, cases.reminder())
    assert re.fullmatch(r"<[0-9a-f]{32}@study\.example>", message["Message-ID"])


def test_a_line_break_cannot_get_into_a_header(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    row = desk.mail()
    row.address = "a@b.example\r\nBcc: x@y.example"
    with pytest.raises(ValueError, match=r"(?i)header|linefeed|newline"):
        written(desk, row)


def test_the_envelope_sender_is_the_bounce_address_when_there_is_one() -> None:
    assert cases.HEAD.bounces_to == "mpa@study.example"
    assert (
        Letterhead("a@x.example", "b@x.example", "x.example", "bounces@x.example").bounces_to
        == "bounces@x.example"
    )


# --- every mail from real rows --------------------------------------------------------------------------------

RULES = [one.id for one in cases.protocol().reminders]
NOTICES: list[DomainEvent] = [
    cases.rebooked(),
    cases.rebooked(Event.VISIT_MOVED, 1, cases.BOOKED, MOVED),
    cases.rebooked(Event.VISIT_CANCELLED, 1, cases.BOOKED, None),
    *(cases.exposure(event) for event in (Event.AUC_AVAILABLE, Event.AUC_AMENDED, Event.AUC_WITHDRAWN)),
    *(cases.troubled(event) for event in (Event.FILE_QUARANTINED, Event.ROWS_HELD)),
    cases.exposure_month(),
]
SECRETS = ("Dupont", "Marie", "12/03/1961", "12,7", "12.7", "3.14", "3,14", "41.5", "41,5", "below", "Durand")


def _load_with_secrets(session: Session) -> None:
    """Everything a mail must keep to itself, wherever a person or a laboratory could have put it."""
    visit = session.get(VisitRow, (cases.SUBJECT, cases.VISIT))
    assert visit is not None
    lost = because("missing_draw_lost", item="H2", why="Mme Dupont Marie, née le 12/03/1961")
    visit.missing = [
        to_json(lost),
        to_json(because("missing_dose", item="DOSE")),
        to_json(because("missing_draw", item="H30")),
    ]
    visit.reason = to_json(because("status_cancelled", why="Mme Dupont"))
    for point in ("H0", "H30", "H2"):
        row = session.get(SamplingRow, (cases.SUBJECT, cases.VISIT, point))
        assert row is not None
        row.drawn_at, row.tube = row.window_from, f"26-00{point[1:]}"
        row.not_drawn = "Marie Dupont"
    finding = {
        "rule": "R-10",
        "severity": "hold",
        "reason": to_json(because("R-10", row=3, column="valeur", text="12,7")),
    }
    session.add(_held_row(3, [finding]))
    session.add(
        ExposureRow(
            subject=cases.SUBJECT, visit=cases.VISIT, version=1, method="regression", value=41.5, unit="mg·h/L",
            reasons=[], notes=[], computed_at=cases.NOW,
        )
    )  # fmt: skip
    for number, (code, reason) in enumerate(
        {
            "auc_outside_band": because(
                "flag_auc_below_band", value=41.5, low=30, band=because("band_transplant")
            ),
            "auc_not_computable": because("flag_auc_not_computable", why=(because("pk_x", conc=3.14),)),
            "visit_incomplete": because("status_incomplete", missing=(lost,)),
            "rows_held": because(
                "flag_rows_held", count=1, name="f.csv", why=because("R-10", text="12,7", row=3)
            ),
            "subject_parked": because("flag_subject_parked", why="Durand 3.14"),
        }.items()
    ):
        session.add(
            FlagRow(
                key=f"k{number}", code=code, site_id="cochin", subject=cases.SUBJECT, visit=cases.VISIT, severity=1,
                reason=to_json(reason), since=cases.NOW, opened_at=cases.NOW,
            )
        )  # fmt: skip


@pytest.mark.parametrize("event", [*map(cases.reminder, RULES), *NOTICES], ids=lambda event: event.key)
def test_no_mail_tells_a_name_a_value_or_a_free_text(desk: cases.Study, event: DomainEvent) -> None:
    desk.do(_load_with_secrets)
    desk.tell(event)
    assert desk.mails() != []
    for row in desk.mails():
        message = written(desk, row)
        parts = words(message) + str(message.items())
        assert [one for one in SECRETS if one in parts] == []
        assert "mg·h/L" not in parts


def test_the_digest_tells_no_name_no_value_and_no_free_text(desk: cases.Study) -> None:
    from notifications.words.digest import digest_step

    desk.do(_load_with_secrets)
    sites = {"cochin": cases.site()}
    desk.do(lambda session: digest_step(session, sites, cases.protocol(), cases.DOMAIN, cases.NOW))
    for row in desk.mails():
        parts = words(written(desk, row))
        assert [one for one in SECRETS if one in parts] == []
        assert "mpa-monitor auc MPA-0042-7" in parts


def test_a_notice_of_failure_names_the_mail_and_its_person(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    number = desk.mail().id or 0
    message = mail(desk, MailFailed(Event.MAIL_FAILED, "cochin", number, "mail_failed|x"), "data-manager")
    assert "coordinator-en" in part(message, "text/plain")
    assert f"mpa-monitor outbox retry {number}" in part(message, "text/plain")


def test_a_sampling_reminder_gives_the_window_in_the_sites_time(desk: cases.Study) -> None:
    text = part(mail(desk, cases.reminder("h30_due")), "text/plain")
    assert text.startswith("Draw H30 of MPA-0042-7 at 09:30.")
    assert "from 09:20 to 09:40" in text


def test_the_laboratory_and_the_coordinator_read_different_sheets(desk: cases.Study) -> None:
    desk.tell(cases.reminder("sampling_day"))
    laboratory = part(written(desk, desk.mail("laboratory")), "text/plain")
    coordinator = part(written(desk, desk.mail("coordinator-en")), "text/plain")
    assert "mpa-monitor draw MPA-0042-7 W6 H30" in coordinator
    assert "To be done by" in coordinator
    assert "mpa-monitor" not in laboratory
    assert "À faire au plus tard" not in laboratory  # results may take days


def test_instructions_before_the_visit_come_from_the_protocol(desk: cases.Study) -> None:
    text = part(mail(desk, cases.reminder("visit_soon")), "text/plain")
    for words_ in ("no mycophenolate", "bring the MMF tablets", "in the 60 min before", "from 20 to 40 min after",
                   "from 110 to 130 min after", "EDTA", "real clock time"):  # fmt: skip
        assert words_ in text


def test_an_incomplete_visit_names_what_is_missing_and_the_commands_for_it(desk: cases.Study) -> None:
    desk.do(_load_with_secrets)
    text = part(mail(desk, cases.reminder("incomplete")), "text/plain")
    assert "- sample H2 (not drawn)" in text
    assert "- time of the MMF dose" in text
    assert "mpa-monitor dose MPA-0042-7 W6" in text
    assert "draw MPA-0042-7 W6 H30" in text
    assert "draw MPA-0042-7 W6 H2" not in text


def _lacks(*missing: Reason) -> Callable[[Session], None]:
    def change(session: Session) -> None:
        visit = session.get(VisitRow, (cases.SUBJECT, cases.VISIT))
        assert visit is not None
        visit.missing = [to_json(one) for one in missing]
        session.add(visit)

    return change


def test_what_can_no_longer_be_had_is_to_be_acknowledged_and_not_completed(desk: cases.Study) -> None:
    desk.do(_lacks(because("missing_draw_lost", item="H30", why="x")))
    text = part(mail(desk, cases.reminder("incomplete")), "text/plain")
    assert text.startswith(
        "Acknowledge that the record of the visit “6 weeks” of MPA-0042-7 stays incomplete."
    )
    assert "mpa-monitor acknowledge NUMBER" in text
    assert "Results come from the laboratory" not in text


def test_a_result_that_will_still_come_asks_for_nothing_else(desk: cases.Study) -> None:
    desk.do(_lacks(because("missing_dose", item="DOSE"), because("missing_result", item="H30")))
    text = part(mail(desk, cases.reminder("incomplete")), "text/plain")
    assert text.startswith("Complete the record")
    assert "Results come from the laboratory" in text
    assert "acknowledge" not in text


def test_a_window_of_one_day_is_that_day(desk: cases.Study) -> None:
    def close_at_once(session: Session) -> None:
        visit = session.get(VisitRow, (cases.SUBJECT, cases.VISIT))
        assert visit is not None
        visit.last = visit.first
        session.add(visit)

    desk.do(close_at_once)
    text = part(mail(desk, cases.reminder("book_visit")), "text/plain")
    assert "\nWindow: Thursday 26 February 2026\n" in text.replace("\r", "")


def test_of_a_file_with_many_held_rows_it_is_said_how_many_are_not_listed(desk: cases.Study) -> None:
    def hold(session: Session) -> None:
        file = session.get(LabFileRow, 7)
        assert file is not None
        file.held = 25
        session.add(file)
        for number in range(25):
            session.add(_held_row(number, []))

    desk.do(hold)
    text = part(mail(desk, cases.troubled(Event.ROWS_HELD), "data-manager"), "text/plain")
    assert text.startswith("Settle 25 held rows")
    assert text.count("\n- ") == 20
    assert "5 more are not listed here." in text
    assert "mpa-monitor lab held" in text


def _held_row(number: int, findings: list[dict[str, Any]]) -> LabResultVersionRow:
    return LabResultVersionRow(
        file_id=7, row_no=number, state="held", subject="Dupont Marie", visit="12/03/1961", timepoint="Marie", lab="L",
        specimen="Marie Dupont", analyte="MPA", value_raw="12,7", unit_raw="mg/L", conc_mg_l="12.7", method="HPLC",
        matrix="PLASMA_EDTA", recorded_at=cases.NOW, findings=findings, content_hash=f"x{number}",
    )  # fmt: skip


def test_bytes_once_kept_are_what_the_hash_says(desk: cases.Study) -> None:
    desk.tell(cases.reminder())
    room = cases.room()

    def keep(session: Session) -> Batch:
        claim = queue.claim(session, cases.NOW, "owner", room.calm, 1)
        return make_ready(session, room, claim, cases.NOW, Memo())

    (letter,) = desk.do(keep).letters
    (row,) = desk.mails(id=letter.mail.id)
    assert row.body == letter.parcel.body
    assert row.body_sha256 == sha256(row.body).hexdigest()
