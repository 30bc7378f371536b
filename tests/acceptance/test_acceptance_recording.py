"""The commands that record: all or nothing, corrected, amended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from acceptance_cases import Installation, stored

pytestmark = pytest.mark.process

SUBJECT = "MPA-0001-3"
TODAY = datetime.now(UTC).date()


def test_enrolling_from_a_file_is_all_or_nothing(hospital: Installation) -> None:
    path = hospital.home / "patients.csv"
    good = "subject;inclusion;treatment_start;formulation;dose_mg;interval_h\r\n"
    good += f"MPA-0001-3;{TODAY:%d/%m/%Y};{TODAY - timedelta(200):%d/%m/%Y};mmf;1000;12\r\n"
    path.write_bytes((good + f"MPA-0002-2;{TODAY};;;;\r\nMPA-0003-7;tomorrow;;;;\r\n").encode("utf-8-sig"))
    before = stored(hospital)
    said = hospital.refused("enrol", "--from", str(path))
    assert "Row 3" in said and "Row 4" in said  # every refusal of every row at once
    assert stored(hospital) == before
    path.write_text(good + f"MPA-0002-1;{TODAY};;;;\n", "utf-8")
    assert hospital.ok("enrol", "--from", str(path)).out == "Subjects enrolled: 2.\n"
    assert {row["subject"] for row in hospital.ok("board", "--json").json} == {"MPA-0001-3", "MPA-0002-1"}
    said = hospital.refused("enrol", "--from", str(path))
    assert "already enrolled" in said


def test_a_waiting_mail_can_be_shown_cancelled_and_sent_again(hospital: Installation) -> None:
    hospital.ok("enrol", SUBJECT, "--inclusion", str(TODAY - timedelta(2)))
    hospital.ok("book", SUBJECT, "W12", "--at", f"{TODAY + timedelta(80)} 09:00")
    number = str(hospital.ok("outbox", "list", "--state", "pending", "--json").json[0]["id"])
    hospital.ok("outbox", "cancel", number)
    assert hospital.ok("outbox", "show", number, "--json").json["state"] == "cancelled"
    hospital.refused("outbox", "cancel", number)
    hospital.ok("outbox", "retry", number)
    assert hospital.ok("outbox", "show", number, "--json").json["state"] == "retry"
    assert hospital.ok("audit", "verify", "--json").json["intact"] is True


def test_a_record_is_corrected_and_explained_with_its_number(hospital: Installation) -> None:
    hospital.ok("enrol", SUBJECT, "--inclusion", str(TODAY - timedelta(2)))
    hospital.ok("attend", SUBJECT, "INCLUSION", "--at", f"{TODAY - timedelta(2)} 08:30")
    records = hospital.ok("explain", SUBJECT, "--json").json["records"]
    number = next(one["number"] for one in records if one["kind"] == "attended")
    said = hospital.refused("correct", SUBJECT, str(number), "--set", "when=08:30", "--reason", "x")
    assert "has no 'when'" in said
    hospital.ok(
        "correct",
        SUBJECT,
        str(number),
        "--set",
        f"at={TODAY - timedelta(2)} 09:30",
        "--reason",
        "wrong clock",
    )
    states = {
        one["number"]: one["state"] for one in hospital.ok("explain", SUBJECT, "--json").json["records"]
    }
    assert states[number] == "corrected"
    row = next(one for one in hospital.ok("visits", SUBJECT, "--json").json if one["visit"] == "INCLUSION")
    attended = datetime.fromisoformat(row["attended"]).astimezone(hospital.zone)
    assert f"{attended:%Y-%m-%d %H:%M}" == f"{TODAY - timedelta(2)} 09:30"
    assert "wrong clock" not in hospital.ok("outbox", "list").out


def test_an_amendment_is_compared_shown_applied_and_explained(hospital: Installation) -> None:
    hospital.ok("enrol", SUBJECT, "--inclusion", str(TODAY - timedelta(2)))
    first = hospital.home / "config" / "protocols" / "sclerosis-mpa-auc.toml"
    text = first.read_text("utf-8").replace('version = "1"', 'version = "2"')
    (first.parent / "second.toml").write_text(text.replace('value = "P12W"', 'value = "P13W"'), "utf-8")
    compared = hospital.ok("protocol", "diff", "1", "2", "--json").json["differences"]
    assert [(one["item"], one["field"]) for one in compared] == [("", "version"), ("W12", "value")]
    assert "84\xa0jours → 91\xa0jours" in hospital.ok("--language", "fr", "protocol", "diff", "1", "2").out
    call = ("protocol", "apply", "2", "--from", str(TODAY), "--reason", "amendment 1")
    before = stored(hospital)
    shown = hospital.ok(*call, "--dry-run", "--json").json
    assert stored(hospital) == before
    assert [one["visit"] for one in shown["subjects"][0]["visits"]] == ["W12"]
    assert "Enregistré" in hospital.ok("--language", "fr", *call).out
    steps = hospital.ok("explain", SUBJECT, "W12", "--json").json["visits"][0]["steps"]
    assert steps[0].startswith("protocol version 2, followed from ")
    assert "already followed under version 2" in hospital.refused(*call)
    assert "no protocol version '9'" in hospital.refused("protocol", "diff", "1", "9")
    assert hospital.ok("audit", "verify", "--json").json["intact"] is True
