"""Forms: the same engine calls as the commands, messages beside the field, nothing lost, nothing recorded twice."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from console_cases import SUBJECT, Browser, House, hidden_of
from sqlmodel import select

from scheduler.clock import ManualClock
from scheduler.engine.account.accounts import Role
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.tables import FactRow, FlagRow, OutboxRow, SubjectRow

VISIT = f"/subjects/{SUBJECT}/visits"
MRSS = {f"mrss.{site}": "1" for site in (
    "face", "chest", "abdomen", "fingers_right", "fingers_left", "hand_right", "hand_left", "forearm_right",
    "forearm_left", "upper_arm_right", "upper_arm_left", "thigh_right", "thigh_left", "lower_leg_right",
    "lower_leg_left", "foot_right", "foot_left",
)}  # fmt: skip


def _facts(house: House, kind: str | None = None) -> list[FactRow]:
    rows = house.db.read(lambda session: session.exec(select(FactRow).order_by(FactRow.id)).all())  # type: ignore[arg-type]
    return [row for row in rows if kind in (None, row.kind)]


def _mails(house: House) -> int:
    return len(house.db.read(lambda session: session.exec(select(OutboxRow)).all()))


def _text(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def _local(house: House, **ahead: float) -> str:
    zone = house.study.calendars["cochin"].zone
    return (house.clock.now().astimezone(zone) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M")


def _confirmed(browser: Browser, path: str, **fields: str) -> str:
    """Send a form that shows first what follows, then send it for good; the preview as text."""
    shown = browser.send(path, path, **fields)
    assert shown.status_code == 200, _text(shown.text)
    answer = browser.post(path, {**hidden_of(shown.text, path), **fields})
    assert answer.status_code == 303, _text(answer.text)
    return _text(shown.text)


@pytest.fixture
def desk(furnished: House) -> tuple[House, Browser]:
    return furnished, furnished.signed_in()


def test_booking_shows_the_mails_first_and_records_what_the_command_would(
    desk: tuple[House, Browser],
) -> None:
    house, browser = desk
    before, mails = len(_facts(house)), _mails(house)
    shown = browser.send(f"{VISIT}/W12/book", f"{VISIT}/W12/book", at=_local(house, days=9))
    assert "What follows" in shown.text and "Mail to Coordinatrice 1" in _text(shown.text)
    assert len(_facts(house)) == before
    assert _mails(house) == mails
    _confirmed(browser, f"{VISIT}/W12/book", at=_local(house, days=9))
    fact = _facts(house)[-1]
    assert (fact.kind, fact.recorded_by, fact.source) == ("visit_booked", "marie", "console")
    assert fact.payload["visit"] == "W12"
    assert _mails(house) > mails


def test_what_was_changed_after_the_preview_is_shown_anew(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/W12/book"
    shown = browser.send(path, path, at=_local(house, days=9))
    again = browser.post(path, {**hidden_of(shown.text, path), "at": _local(house, days=10)})
    assert again.status_code == 200 and "What follows" in again.text
    assert _facts(house, "visit_booked") == []


def test_moving_and_cancelling_tell_which_mails_are_taken_back(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    _confirmed(browser, f"{VISIT}/W12/book", at=_local(house, days=9))
    moved = _confirmed(browser, f"{VISIT}/W12/book", at=_local(house, days=16), reason="on holiday")
    assert "Taken back, mail to" in moved and "Move the appointment" in moved
    _confirmed(browser, f"{VISIT}/W12/cancel", reason="moves away", final="yes")
    assert [row.kind for row in _facts(house)][-3:] == ["visit_booked", "visit_moved", "visit_cancelled"]
    assert _facts(house)[-1].payload["final"] is True


def test_a_form_sent_twice_is_recorded_once(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/INCLUSION/attend"
    form = {**hidden_of(browser.get(path).text, path), "at": _local(house)}
    first, second = browser.post(path, form), browser.post(path, form)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    assert len(_facts(house, "attended")) == 1
    assert "recorded (No." in _text(browser.get(first.headers["location"]).text)


def test_a_form_sent_twice_on_postgresql_is_recorded_once(
    postgresql_url: str, two_sites: Study, furnished: House
) -> None:
    db = Database(postgresql_url)
    house = House(db, two_sites, ManualClock(furnished.clock.now()))
    house.furnish()
    browser = house.signed_in()
    path = f"{VISIT}/INCLUSION/attend"
    form = {**hidden_of(browser.get(path).text, path), "at": _local(house)}
    assert [browser.post(path, form).status_code for _ in range(2)] == [303, 303]
    assert len(_facts(house, "attended")) == 1
    assert "Mail to" in _confirmed(browser, f"{VISIT}/W12/book", at=_local(house, days=9))
    db.close()


def test_of_two_people_on_one_visit_the_second_is_told_and_loses_nothing(desk: tuple[House, Browser]) -> None:
    house, marie = desk
    paul = house.signed_in("paul", roles=[Role.NURSE])
    path = f"{VISIT}/W12/book"
    form = {**hidden_of(marie.get(path).text, path), "at": _local(house, days=9)}
    _confirmed(paul, path, at=_local(house, days=8))
    told = marie.post(path, form)
    assert told.status_code == 409
    said = _text(told.text)
    assert "Somebody recorded something about this meanwhile" in said and "paul" in said
    assert f'value="{form["at"]}"' in told.text
    assert len(_facts(house, "visit_booked")) == 1
    again = marie.post(path, {**hidden_of(told.text, path), "at": form["at"], "reason": "agreed with paul"})
    assert again.status_code == 200 and "What follows" in again.text


def test_another_visit_of_the_subject_is_nobodys_concern(desk: tuple[House, Browser]) -> None:
    house, marie = desk
    paul = house.signed_in("paul")
    path = f"{VISIT}/INCLUSION/attend"
    form = {**hidden_of(marie.get(path).text, path), "at": _local(house)}
    _confirmed(paul, f"{VISIT}/W12/book", at=_local(house, days=9))
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
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=_local(house))
    path = f"{VISIT}/INCLUSION/assess"
    typed = {
        "at": _local(house), **MRSS, "mrss.assessor": "dr-a", "fvc": "78,5", "fvc.measured": "2.51", "fvc.unit": "L",
        "fvc.equation": "GLI-2012", "dlco": "61", "dlco.hb_corrected": "yes",
    }  # fmt: skip
    wrong = browser.send(path, path, **{**typed, "fvc": "785", "dlco": "sixty"})
    assert wrong.status_code == 422 and "&#39;sixty&#39; is not a number" in wrong.text
    assert len(re.findall(r'value="1" checked', wrong.text)) == 17
    answer = browser.send(path, path, **typed)
    assert answer.status_code == 303, _text(answer.text)
    by_item = {row.payload["item"]: row.payload for row in _facts(house, "assessed")}
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
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=_local(house))
    path = f"{VISIT}/INCLUSION/assess"
    answer = browser.send(path, path, at=_local(house), fvc="785")
    assert re.search(r'id="f-fvc-wrong">FVC = 785 is impossible', answer.text)
    assert _facts(house, "assessed") == []


def test_participation_is_paused_resumed_and_ended(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    for kind, extra in (("pause", {}), ("resume", {}), ("intercurrent", {"event": "mmf_stopped"}),
                        ("withdraw", {"cause": "consent"})):  # fmt: skip
        path = f"/subjects/{SUBJECT}/{kind}"
        answer = browser.send(path, path, at=_local(house), reason="as agreed", **extra)
        assert answer.status_code == 303, _text(answer.text)
        house.later(minutes=2)
    assert [row.kind for row in _facts(house)][-4:] == ["paused", "resumed", "intercurrent", "withdrawn"]
    closed = browser.get(f"/subjects/{SUBJECT}/withdraw").text
    assert "already left the study" in closed and 'name="cause"' not in closed


def test_a_record_is_corrected_with_a_reason_or_taken_back(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=_local(house))
    number = _facts(house, "attended")[0].id
    path = f"/subjects/{SUBJECT}/records/{number}/correct"
    at = _local(house)
    unchanged = browser.send(path, path, visit="INCLUSION", at=at, why="a slip")
    assert "Nothing was changed" in unchanged.text
    without = browser.send(path, path, visit="INCLUSION", at=_local(house, minutes=-20), why="")
    assert re.search(r'id="f-why-wrong">This is needed', without.text)
    done = browser.send(path, path, visit="INCLUSION", at=_local(house, minutes=-20), why="a slip")
    assert done.status_code == 303, _text(done.text)
    browser.send(
        path, path, visit="INCLUSION", at=_local(house, minutes=-20), take_back="yes", why="another day"
    )
    first, second = _facts(house, "corrected")
    assert first.payload["reason"] == "a slip" and first.payload["instead"]["payload"]["visit"] == "INCLUSION"
    assert second.payload["instead"] is None
    assert browser.get(f"/subjects/{SUBJECT}/records/{first.id}/correct").status_code == 404


def _correction(house: House, kind: str, browser: Browser) -> tuple[str, dict[str, str]]:
    """The correction form of the newest record of a kind, with the fields as they stand in it."""
    path = f"/subjects/{SUBJECT}/records/{_facts(house, kind)[-1].id}/correct"
    page = browser.get(path).text
    fields = dict(re.findall(r'<input id="[^"]*" name="([^"]+)" value="([^"]*)"', page))
    fields |= dict(re.findall(r'<input type="radio" name="([^"]+)" value="([^"]*)" checked', page))
    for name, options in re.findall(r'<select id="[^"]*" name="([^"]+)".*?>(.*?)</select>', page):
        fields[name] = re.findall(r'<option value="([^"]*)" selected', options)[0]
    return path, {name: html.unescape(value) for name, value in fields.items()}


def test_the_regimen_of_an_enrolment_is_corrected_field_by_field(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path, fields = _correction(house, "enrolled", browser)
    assert (fields["regimen.formulation"], fields["regimen.dose_mg"], fields["regimen.interval_h"]) == (
        "mmf", "1000", "12",
    )  # fmt: skip
    wrong = browser.send(path, path, **fields | {"regimen.dose_mg": "9000", "why": "a slip"})
    assert re.search(r'id="f-regimen-dose_mg-wrong">A dose of 9000', wrong.text)
    done = browser.send(path, path, **fields | {"regimen.dose_mg": "750,5", "why": "a slip"})
    assert done.status_code == 303, _text(done.text)
    payload = _facts(house, "corrected")[-1].payload["instead"]["payload"]
    assert payload["regimen"] == {"formulation": "mmf", "dose_mg": 750.5, "interval_h": 12.0}
    _, again = _correction(house, "enrolled", browser)
    assert again["regimen.dose_mg"] == "750.5"
    emptied = {name: "" for name in fields if name.startswith("regimen.")}
    gone = browser.send(path, path, **again | emptied | {"why": "not known"})
    assert gone.status_code == 303, _text(gone.text)
    assert _facts(house, "corrected")[-1].payload["instead"]["payload"]["regimen"] is None
    _, again = _correction(house, "enrolled", browser)
    half = browser.send(path, path, **again | {"regimen.dose_mg": "500", "why": "known again"})
    assert half.status_code == 422 and "f-regimen-formulation-wrong" in half.text


def test_the_sites_of_a_score_are_corrected_one_by_one_and_the_total_follows(
    desk: tuple[House, Browser],
) -> None:
    house, browser = desk
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=_local(house))
    browser.send(f"{VISIT}/INCLUSION/assess", f"{VISIT}/INCLUSION/assess", at=_local(house), **MRSS)
    path, fields = _correction(house, "assessed", browser)
    assert fields["value"] == "17" and fields["sites.face"] == "1"
    done = browser.send(path, path, **fields | {"sites.face": "3", "why": "misread"})
    assert done.status_code == 303, _text(done.text)
    payload = _facts(house, "corrected")[-1].payload["instead"]["payload"]
    assert payload["value"] == 19 and ["face", 3] in payload["sites"] and len(payload["sites"]) == 17
    _, fields = _correction(house, "assessed", browser)
    wrong = browser.send(path, path, **fields | {"value": "25", "sites.chest": "2", "why": "x"})
    assert wrong.status_code == 422 and re.search(
        r'id="f-value-wrong">[^<]* = 25, but its sites add up to 20', wrong.text
    )
    nonsense = browser.send(path, path, **fields | {"sites.chest": "7", "why": "x"})
    assert nonsense.status_code == 422 and "f-sites-chest" in nonsense.text


def test_eligibility_is_checked_before_anything_is_recorded(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    answers = {
        "age_years": "44",
        "thickening_proximal_to_mcp": "yes",
        "diffuse_skin": "yes",
        "first_sign": "2024-05",
    }
    checked = browser.send("/enrol", "/enrol", code="MPA-0001-3", step="check", **answers)
    assert checked.status_code == 200 and "ACR/EULAR 2013 score 9" in _text(checked.text)
    assert 'value="2024-05"' in checked.text
    known = house.db.read(lambda session: session.get(SubjectRow, "MPA-0001-3"))
    assert known is None
    wrong = browser.send(
        "/enrol", "/enrol", code="MPA-0001-4", inclusion="2025-09-01", **{**answers, "age_years": "old"}
    )
    assert wrong.status_code == 422 and "f-age_years-wrong" in wrong.text
    form = {
        "code": "mpa-0001-3",
        "inclusion": "2025-09-01",
        "formulation": "mmf",
        "dose_mg": "1000",
        "interval_h": "12",
    }
    done = browser.send("/enrol", "/enrol", **form, **answers)
    assert done.headers["location"].startswith("/subjects/MPA-0001-3?taken="), _text(done.text)
    assert [row.kind for row in _facts(house) if row.subject == "MPA-0001-3"] == [
        "enrolled",
        "eligibility_assessed",
    ]


def test_a_wrong_code_is_told_beside_the_field(desk: tuple[House, Browser]) -> None:
    _, browser = desk
    answer = browser.send("/enrol", "/enrol", code="MPA-0001-4", inclusion="2025-09-01")
    assert re.search(r'id="f-code-wrong">&#39;MPA-0001-4&#39; cannot be a subject code', answer.text)


def test_nobody_enrols_at_another_site(desk: tuple[House, Browser]) -> None:
    house, _ = desk
    everywhere = house.signed_in("eva", roles=[Role.COORDINATOR], site=None)
    refused = everywhere.send("/enrol", "/enrol", code="MPA-0001-3", inclusion="2025-09-01", site="nowhere")
    assert refused.status_code == 422 and "f-site-wrong" in refused.text
    lyon = house.signed_in("louise", site="lyon")
    lyon.send("/enrol", "/enrol", code="MPA-0001-3", inclusion="2025-09-01", site="cochin")
    row = house.db.read(lambda session: session.get(SubjectRow, "MPA-0001-3"))
    assert row is not None and row.site_id == "lyon"


def test_acknowledging_takes_a_matter_off_the_list_and_its_link_does_nothing_by_itself(
    desk: tuple[House, Browser],
) -> None:
    house, browser = desk
    flag = house.somewhere["flag"]
    path = f"/flags/{flag}"
    assert browser.get(path).status_code == 200
    assert _facts(house, "flag_acknowledged") == []
    assert browser.send(path, path, reason=" ").status_code == 422
    form = {**hidden_of(browser.get(path).text, path), "reason": "telephoned"}
    answer = browser.post(path, form)
    assert answer.status_code == 303 and browser.post(path, form).status_code == 303
    assert len(_facts(house, "flag_acknowledged")) == 1
    row = house.db.read(lambda session: session.get(FlagRow, int(flag)))
    assert row is not None
    assert path not in browser.get("/").text
    nurse = house.signed_in("nina", roles=[Role.NURSE])
    assert "<textarea" not in nurse.get(path).text


def test_what_became_of_a_form_is_its_senders_to_see(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path = f"{VISIT}/INCLUSION/attend"
    where = browser.send(path, path, at=_local(house)).headers["location"]
    assert "recorded (No." in _text(browser.get(where).text)
    assert "recorded (No." not in _text(house.signed_in("paul").get(where).text)
