"""Forms: the same engine calls as the commands, messages beside the field, nothing lost, nothing recorded twice."""

from __future__ import annotations

import re

from console_cases import MRSS, SUBJECT, Browser, House, hidden_of, text_of
from sqlmodel import select

from scheduler.clock import ManualClock
from scheduler.engine.account.accounts import Role
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.tables import FlagRow, OutboxRow

VISIT = f"/subjects/{SUBJECT}/visits"


def _mails(house: House) -> int:
    return len(house.db.read(lambda session: session.exec(select(OutboxRow)).all()))


def test_booking_shows_the_mails_first_and_records_what_the_command_would(
    desk: tuple[House, Browser],
) -> None:
    house, browser = desk
    before, mails = len(house.facts()), _mails(house)
    shown = browser.send(f"{VISIT}/W12/book", f"{VISIT}/W12/book", at=house.local(days=9))
    assert "What follows" in shown.text and "Mail to Coordinatrice 1" in text_of(shown.text)
    assert len(house.facts()) == before
    assert _mails(house) == mails
    browser.confirm(f"{VISIT}/W12/book", at=house.local(days=9))
    fact = house.facts()[-1]
    assert (fact.kind, fact.recorded_by, fact.source) == ("visit_booked", "marie", "console")
    assert fact.payload["visit"] == "W12"
    assert _mails(house) > mails


def test_what_was_changed_after_the_preview_is_shown_anew(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/W12/book"
    shown = browser.send(path, path, at=house.local(days=9))
    again = browser.post(path, {**hidden_of(shown.text, path), "at": house.local(days=10)})
    assert again.status_code == 200 and "What follows" in again.text
    assert house.facts("visit_booked") == []


def test_moving_and_cancelling_tell_which_mails_are_taken_back(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    browser.confirm(f"{VISIT}/W12/book", at=house.local(days=9))
    moved = browser.confirm(f"{VISIT}/W12/book", at=house.local(days=16), reason="on holiday")
    assert "Taken back, mail to" in moved and "Move the appointment" in moved
    browser.confirm(f"{VISIT}/W12/cancel", reason="moves away", final="yes")
    assert [row.kind for row in house.facts()][-3:] == ["visit_booked", "visit_moved", "visit_cancelled"]
    assert house.facts()[-1].payload["final"] is True


def test_without_an_appointment_the_visit_itself_is_cancelled(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    shown = browser.confirm(f"{VISIT}/W6/cancel", reason="abroad")
    assert "Cancel the visit" in shown and "not take place at all" in shown
    (cancelled,) = house.facts("visit_cancelled")
    assert (cancelled.payload["visit"], cancelled.payload["final"]) == ("W6", True)


def test_an_appointment_alone_is_cancelled_until_the_visit_is_overdue(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/W12/cancel"
    browser.confirm(f"{VISIT}/W12/book", at=house.local(days=9))
    assert "Cancel the appointment" in browser.confirm(path, reason="ill")
    browser.confirm(f"{VISIT}/W12/book", at=house.local(days=10))
    house.later(days=11)
    browser = house.signed_in()
    unconfirmed = browser.get(path).text
    assert "Cancel the appointment" in unconfirmed and 'name="final"' in unconfirmed
    house.later(days=30)
    browser = house.signed_in()
    assert 'name="final"' not in browser.get(path).text
    assert "Cancel the visit" in browser.confirm(path, reason="abroad")
    assert [row.payload["final"] for row in house.facts("visit_cancelled")] == [False, True]


def test_a_form_about_an_appointment_is_shown_anew_when_only_the_visit_is_left(
    desk: tuple[House, Browser],
) -> None:
    """The box that was left empty must not become a visit that is cancelled unseen."""
    house, browser = desk
    path = f"{VISIT}/W12/cancel"
    browser.confirm(f"{VISIT}/W12/book", at=house.local(days=9))
    shown = browser.send(path, path, reason="ill")
    house.later(days=41)
    browser = house.signed_in()
    form = {**hidden_of(shown.text, path), "csrf": browser.csrf(), "reason": "ill"}
    again = browser.post(path, form)
    assert again.status_code == 200 and "Cancel the visit" in again.text
    assert house.facts("visit_cancelled") == []


def test_a_form_sent_twice_is_recorded_once(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/INCLUSION/attend"
    form = {**hidden_of(browser.get(path).text, path), "at": house.local()}
    first, second = browser.post(path, form), browser.post(path, form)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert len(house.facts("attended")) == 1
    assert "recorded (No." in text_of(browser.get(first.headers["location"]).text)


def test_a_form_sent_twice_on_postgresql_is_recorded_once(
    postgresql_url: str, two_sites: Study, furnished: House
) -> None:
    db = Database(postgresql_url)
    house = House(db, two_sites, ManualClock(furnished.clock.now()))
    house.furnish()
    browser = house.signed_in()
    path = f"{VISIT}/INCLUSION/attend"
    form = {**hidden_of(browser.get(path).text, path), "at": house.local()}
    assert [browser.post(path, form).status_code for _ in range(2)] == [303, 303]
    assert len(house.facts("attended")) == 1
    assert "Mail to" in browser.confirm(f"{VISIT}/W12/book", at=house.local(days=9))
    db.close()


def test_of_two_people_on_one_visit_the_second_is_told_and_loses_nothing(desk: tuple[House, Browser]) -> None:
    house, marie = desk
    paul = house.signed_in("paul", roles=[Role.NURSE])
    path = f"{VISIT}/W12/book"
    form = {**hidden_of(marie.get(path).text, path), "at": house.local(days=9)}
    paul.confirm(path, at=house.local(days=8))
    told = marie.post(path, form)
    assert told.status_code == 409
    said = text_of(told.text)
    assert "Somebody recorded something about this meanwhile" in said and "paul" in said
    assert f'value="{form["at"]}"' in told.text
    assert len(house.facts("visit_booked")) == 1
    again = marie.post(path, {**hidden_of(told.text, path), "at": form["at"], "reason": "agreed with paul"})
    assert again.status_code == 200 and "What follows" in again.text


def test_another_visit_of_the_subject_is_nobodys_concern(desk: tuple[House, Browser]) -> None:
    house, marie = desk
    paul = house.signed_in("paul")
    path = f"{VISIT}/INCLUSION/attend"
    form = {**hidden_of(marie.get(path).text, path), "at": house.local()}
    paul.confirm(f"{VISIT}/W12/book", at=house.local(days=9))
    assert marie.post(path, form).status_code == 303


def test_a_problem_stands_beside_its_field_and_nothing_typed_is_lost(desk: tuple[House, Browser]) -> None:
    _, browser = desk
    path = f"/subjects/{SUBJECT}/regimen"
    typed = {
        "formulation": "mmf",
        "dose_mg": "many",
        "interval_h": "12",
        "at": "2025-08-31T08:00",
        "reason": "",
    }
    answer = browser.send(path, path, **typed)
    assert answer.status_code == 422
    assert re.search(
        r'name="dose_mg" value="many"[^>]*aria-describedby="f-dose_mg-wrong[^>]*aria-invalid="true"',
        answer.text,
    )
    assert re.search(r'id="f-dose_mg-wrong">&#39;many&#39; is not a number', answer.text)
    assert re.search(r'id="f-reason-wrong">This is needed', answer.text)
    assert '<option value="mmf" selected>' in answer.text and 'value="2025-08-31T08:00"' in answer.text
    refused = browser.send(path, path, **{**typed, "dose_mg": "9000", "reason": "nausea"})
    assert re.search(r'id="f-dose_mg-wrong">A dose of 9000 mg is impossible', refused.text)


def test_assessments_by_site_add_up_and_keep_how_they_were_made(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=house.local())
    path = f"{VISIT}/INCLUSION/assess"
    typed = {
        "at": house.local(), **MRSS, "mrss.assessor": "dr-a", "fvc": "78,5", "fvc.measured": "2.51", "fvc.unit": "L",
        "fvc.equation": "GLI-2012", "dlco": "61", "dlco.hb_corrected": "yes",
    }  # fmt: skip
    wrong = browser.send(path, path, **{**typed, "fvc": "785", "dlco": "sixty"})
    assert wrong.status_code == 422 and "&#39;sixty&#39; is not a number" in wrong.text
    assert len(re.findall(r'value="1" checked', wrong.text)) == 17
    answer = browser.send(path, path, **typed)
    assert answer.status_code == 303, text_of(answer.text)
    by_item = {row.payload["item"]: row.payload for row in house.facts("assessed")}
    assert by_item["mrss"]["value"] == 17 and len(by_item["mrss"]["sites"]) == 17
    assert (by_item["fvc"]["value"], by_item["fvc"]["measured"], by_item["fvc"]["measured_unit"]) == (
        78.5,
        2.51,
        "L",
    )
    assert by_item["dlco"]["hb_corrected"] is True
    assert "Every assessment of this visit is on record" in browser.get(path).text


def test_an_impossible_value_stands_beside_its_own_field(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=house.local())
    path = f"{VISIT}/INCLUSION/assess"
    answer = browser.send(path, path, at=house.local(), fvc="785")
    assert re.search(r'id="f-fvc-wrong">FVC = 785 is impossible', answer.text)
    assert house.facts("assessed") == []


def test_participation_is_paused_resumed_and_ended(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    for kind, extra in (("pause", {}), ("resume", {}), ("intercurrent", {"event": "mmf_stopped"}),
                        ("withdraw", {"cause": "consent"})):  # fmt: skip
        path = f"/subjects/{SUBJECT}/{kind}"
        answer = browser.send(path, path, at=house.local(), reason="as agreed", **extra)
        assert answer.status_code == 303, text_of(answer.text)
        house.later(minutes=2)
    assert [row.kind for row in house.facts()][-4:] == ["paused", "resumed", "intercurrent", "withdrawn"]
    closed = browser.get(f"/subjects/{SUBJECT}/withdraw").text
    assert "already left the study" in closed and 'name="cause"' not in closed


def test_acknowledging_takes_a_matter_off_the_list_and_its_link_does_nothing_by_itself(
    desk: tuple[House, Browser],
) -> None:
    house, browser = desk
    flag = house.somewhere["flag"]
    path = f"/flags/{flag}"
    assert browser.get(path).status_code == 200
    assert house.facts("flag_acknowledged") == []
    assert browser.send(path, path, reason=" ").status_code == 422
    form = {**hidden_of(browser.get(path).text, path), "reason": "telephoned"}
    answer = browser.post(path, form)
    assert answer.status_code == 303 and browser.post(path, form).status_code == 303
    assert len(house.facts("flag_acknowledged")) == 1
    row = house.db.read(lambda session: session.get(FlagRow, int(flag)))
    assert row is not None
    assert path not in browser.get("/").text
    nurse = house.signed_in("nina", roles=[Role.NURSE])
    assert "<textarea" not in nurse.get(path).text


def test_what_became_of_a_form_is_its_senders_to_see(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/INCLUSION/attend"
    where = browser.send(path, path, at=house.local()).headers["location"]
    assert "recorded (No." in text_of(browser.get(where).text)
    assert "recorded (No." not in text_of(house.signed_in("paul").get(where).text)
