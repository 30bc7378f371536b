"""The daemon as it runs in a hospital: a real process, a real mail server, a laboratory file as Excel writes it."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from mailbox import Maildir
from pathlib import Path
from random import Random

import pytest
from acceptance_cases import Installation, wait_until
from acceptance_hospital import PAWINSKI, SUBJECT, Records, drop, ended, french_file, sampling_morning, today
from acceptance_peer import SmtpPeer, certificate_authority
from PIL import Image

from scheduler.store.tables import (
    AuditRow,
    DeliveryRow,
    ExposureRow,
    LabFileRow,
    LabResultVersionRow,
    OutboxRow,
)

pytestmark = [pytest.mark.process, pytest.mark.timeout(240)]


@pytest.fixture
def records(hospital: Installation) -> Iterator[Records]:
    with closing(Records(hospital)) as found:
        yield found


@pytest.fixture
def peer() -> Iterator[SmtpPeer]:
    made = SmtpPeer()
    yield made
    made.end()


def test_a_day_at_the_hospital(hospital: Installation, peer: SmtpPeer, tmp_path: Path) -> None:
    """From the enrolment to the AUC by mail, through an outage of the mail server, to an orderly end."""
    settings = {
        **hospital.settings,
        "MPA_MAIL__TRANSPORT": "smtp",
        "MPA_MAIL__HOST": "localhost",
        "MPA_MAIL__PORT": str(peer.port),
        "MPA_MAIL__CA_FILE": str(certificate_authority(tmp_path)),
        "MPA_MAIL__SENDER": "MPA <mpa@cochin.example>",
    }
    at = replace(hospital, settings=settings)
    began = datetime.now(UTC)
    with at.daemon() as daemon, closing(Records(at)) as records:
        wait_until(lambda: records.breathing(began), 30, "the daemon is at work")
        second = at("run")
        assert second.code == 1
        assert f"process {daemon.pid}" in second.err
        assert "Traceback" not in second.err

        sampling_morning(at)
        drop(at, "résultats MPA.csv", french_file(at))
        wait_until(lambda: records.rows(ExposureRow), 30, "the AUC is there")
        assert not peer.kept
        assert {row.state for row in records.rows(OutboxRow)} <= {"pending", "retry", "leased"}
        wait_until(  # there may be more mails between two looks
            lambda: at("status", "--json").json["mails"]["waiting"] == len(records.rows(OutboxRow)),
            30,
            "the status counts all of them as waiting",
        )

        peer.up()  # the mail server was down so far
        wait_until(lambda: set(records.states()) <= {"sent", "cancelled"}, 60, "all mails are sent")
        status = at.ok("status", "--json").json
        assert status["healthy"] is True
        assert {one["service"] for one in status["services"]} == {
            "intake",
            "reconcile",
            "digest",
            "delivery",
            "housekeeping",
        }
        assert status["mails"]["waiting"] == 0

        everything_arrived_once(peer, records)
        the_mails_are_as_promised(peer)
        the_laboratory_has_its_receipt(at)
        every_method_is_shown(at)
        the_mail_shows_the_curve(peer)

        daemon.send_signal(signal.SIGTERM)
        ended(daemon, 20)
        assert daemon.returncode == 0
        assert records.rows(AuditRow)[-1].action == "daemon_stopped"
    assert at.ok("audit", "verify", "--json").json["intact"] is True


def everything_arrived_once(peer: SmtpPeer, records: Records) -> None:
    rows = records.rows(OutboxRow)
    assert {row.template for row in rows if row.state == "cancelled"} <= {
        "sampling_day"
    }  # overtaken by the day
    sent = [row.message_id for row in rows if row.state == "sent"]
    assert sorted(str(one["Message-ID"]) for one in peer.mails) == sorted(sent)
    assert len(set(sent)) == len(sent)
    by_template = Counter((row.template, row.staff_id) for row in rows)
    for staff in ("coordinator-1", "coordinator-2"):
        assert by_template["visit_booked", staff] == 1
    for staff in ("pharmacist-1", "investigator-1"):
        assert by_template["auc_available", staff] == 1


def the_mails_are_as_promised(peer: SmtpPeer) -> None:
    for sender, recipients, _, encrypted in peer.kept:
        assert encrypted
        assert sender == "mpa@cochin.example"
        assert len(recipients) == 1
    for mail in peer.mails:
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["From"] == "MPA <mpa@cochin.example>"
        assert mail["Date"].datetime - datetime.now(UTC) < timedelta(minutes=5)
        assert mail.get_body(("plain",)) is not None
        assert mail.get_body(("html",)) is not None
    booked = [one for one in peer.mails if _calendar(one) is not None]
    assert {one["To"] for one in booked} == {"coordinator-1@cochin.example", "coordinator-2@cochin.example"}
    calendar = _calendar(booked[0])
    assert calendar is not None and "METHOD:REQUEST" in calendar and SUBJECT in calendar
    of_subject = [one for one in peer.mails if SUBJECT in str(one["Subject"])]
    assert len({str(one["References"]) for one in of_subject}) == 1  # one thread for the visit
    texts = {str(one["To"]): one.get_body(("plain",)).get_content() for one in of_subject}  # type: ignore[union-attr]
    assert "rendez-vous" in texts["coordinator-1@cochin.example"]
    assert "not a medical device" in texts["coordinator-2@cochin.example"]


def every_method_is_shown(at: Installation) -> None:
    """Regression, the models, their average and the partial area; the value that counts first."""
    rows = at.ok("auc", SUBJECT, "V1", "--json").json
    primary, *others = rows
    assert (primary["method"], primary["primary"]) == ("pawinski_2002", True)
    assert primary["value"] == pytest.approx(PAWINSKI, abs=0.01)
    assert primary["auc_0_24"] == pytest.approx(2 * PAWINSKI, abs=0.01)
    assert primary["disagreement"]["ratio"] > 1
    found = {one["method"] for one in others if one["value"] is not None}
    assert {"average", "map_mizaki_2023", "map_yu_2017", "partial_auc_0_2_linup_logdown"} <= found
    average = next(one for one in others if one["method"] == "average")
    assert average["bounds"] == "interval_90" and average["low"] < average["value"] < average["high"]
    assert sum(average["weights"].values()) == pytest.approx(1)
    for language, disagreement in (
        ("en", "The methods differ: AUC0-12 from"),
        ("fr", "Les méthodes divergent"),
    ):
        shown = at.ok("--language", language, "auc", SUBJECT, "INCLUSION").out
        for known in ("Pawinski 2002", "Mizaki 2023 (MAP)", disagreement):
            assert known in shown
    assert "V9" in at.refused("auc", SUBJECT, "V9")


def the_mail_shows_the_curve(peer: SmtpPeer) -> None:
    mails = [one for one in peer.mails if "auc" in str(one["Subject"]).lower()]
    assert {one["To"] for one in mails} == {"pharmacist-1@cochin.example", "investigator-1@cochin.example"}
    for mail in mails:
        (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        with Image.open(BytesIO(image.get_content())) as picture:
            assert picture.format == "PNG" and picture.width == 720
        html, plain = mail.get_body(("html",)), mail.get_body(("plain",))
        assert html is not None and plain is not None
        assert f'src="cid:{str(image["Content-ID"]).strip("<>")}"' in html.get_content()
        assert "Les méthodes divergent" in plain.get_content() or "The methods differ" in plain.get_content()
        assert f"{PAWINSKI:.1f}".replace(".", ",") not in plain.get_content()


def _calendar(mail: EmailMessage) -> str | None:
    found = [part.get_content() for part in mail.walk() if part.get_content_type() == "text/calendar"]
    return str(found[0]) if found else None


def the_laboratory_has_its_receipt(at: Installation) -> None:
    lab = at.home / "lab"
    receipts = list((lab / "receipts").glob("*.receipt.csv"))
    assert len(receipts) == 1
    assert len(list((lab / "archive").iterdir())) == 1
    for room in ("in", "work", "quarantine", "duplicates"):
        assert not list((lab / room).iterdir()), room


def test_killed_right_after_its_start_again_and_again_it_loses_nothing_and_doubles_nothing(
    hospital: Installation, records: Records
) -> None:
    """A due mail and a laboratory file are under way at every start."""
    random, kills = Random(11), 0
    sampling_morning(hospital)
    for number in range(10):
        day = today(hospital) + timedelta(days=number)
        if number:
            hospital.ok(
                "move", SUBJECT, "W6", "--at", f"{day + timedelta(days=40)} 09:00", "--reason", "again"
            )
        else:
            hospital.ok("book", SUBJECT, "W6", "--at", f"{day + timedelta(days=40)} 09:00")
            drop(hospital, "results.csv", french_file(hospital), marker=False)
        drop(
            hospital,
            f"note {number}.csv",
            f"rien;à;lire;{number}\r\n".encode("cp1252"),
            marker=number % 2 == 0,
        )
        kills += hospital.killed_after(random.uniform(0.4, 1.4), "run") is None
    assert kills == 10
    began = datetime.now(UTC)
    with hospital.daemon() as daemon:
        wait_until(lambda: records.breathing(began), 30, "the daemon is at work")
        wait_until(lambda: len(records.rows(LabFileRow)) == 11, 30, "every file is recorded")
        wait_until(
            lambda: not records.states()["pending"] and not records.states()["leased"], 30, "mails left"
        )
        for row in records.rows(OutboxRow):
            if row.state in ("retry", "uncertain"):  # in flight at a kill: a person need not wait 15 minutes
                hospital.ok("outbox", "retry", str(row.id))
        wait_until(lambda: set(records.states()) <= {"sent", "cancelled"}, 30, "all mails are sent")
        wait_until(lambda: all(row.archived_as for row in records.rows(LabFileRow)), 30, "all is put away")
        daemon.send_signal(signal.SIGTERM)
        ended(daemon, 20)
        assert daemon.returncode == 0
    nothing_lost_nothing_double(hospital, records)


def nothing_lost_nothing_double(at: Installation, records: Records) -> None:
    rows = records.rows(OutboxRow)
    sent = {row.message_id for row in rows if row.state == "sent"}
    perhaps = {
        row.message_id for row in rows if row.uncertain
    }  # in flight at a kill, then overtaken by a new date
    boxes = [Maildir(folder, create=False) for folder in (at.home / "mail").iterdir()]
    arrived = Counter(str(mail["Message-ID"]) for box in boxes for mail in box)
    assert set(arrived.values()) == {1}
    assert sent <= set(arrived) <= sent | perhaps
    lab = at.home / "lab"
    put_away = [path.name for room in ("archive", "quarantine") for path in (lab / room).glob("*.csv")]
    assert len(put_away) == 11
    for room in ("in", "work", "duplicates"):
        assert not list((lab / room).iterdir()), room
    assert len(records.rows(LabResultVersionRow)) == 3
    assert {row.version for row in records.rows(ExposureRow)} == {1}
    assert at.ok("audit", "verify", "--json").json["intact"] is True


def test_two_daemons_share_a_postgresql_database_and_nothing_is_done_twice(
    hospital: Installation, postgresql_url: str
) -> None:
    """The same commands by changing one URL; on PostgreSQL the second daemon is welcome."""
    at = replace(hospital, settings={**hospital.settings, "MPA_DATABASE": postgresql_url})
    at.ok("init")
    began = datetime.now(UTC)
    with closing(Records(at)) as records, at.daemon() as one, at.daemon() as other:
        wait_until(lambda: records.breathing(began), 30, "a daemon is at work")
        sampling_morning(at)
        drop(at, "results.csv", french_file(at))
        wait_until(lambda: records.rows(ExposureRow), 30, "the AUC is there")
        drop(at, "again.csv", french_file(at))  # the same content
        wait_until(lambda: list((at.home / "lab" / "duplicates").iterdir()), 30, "the second copy is known")
        wait_until(lambda: set(records.states()) <= {"sent", "cancelled"}, 40, "all mails are sent")
        assert at.ok("status", "--json").json["healthy"] is True
        for daemon in (one, other):
            daemon.send_signal(signal.SIGTERM)
        for daemon in (one, other):
            ended(daemon, 20)
            assert daemon.returncode == 0
        handed_over = Counter(
            row.outbox_id for row in records.rows(DeliveryRow) if row.phase in ("data", "replied")
        )
        assert set(handed_over.values()) == {1}
        assert len(records.rows(LabResultVersionRow)) == 3
        assert {row.version for row in records.rows(ExposureRow)} == {1}
    primary = next(
        row for row in at.ok("auc", SUBJECT, "--json").json if row["method"].startswith("pawinski")
    )
    assert primary["value"] == pytest.approx(PAWINSKI, abs=0.01)
    for command in ("board", "flags", "results", "outbox list", "lab files", "audit verify"):
        assert at.ok(*command.split(), "--json").json is not None
    done = at("rebuild", "--json")
    assert (done.code, done.json["differences"]) == (0, {})
    assert "is already enrolled" in at.refused("enrol", SUBJECT, "--inclusion", str(today(at)))
