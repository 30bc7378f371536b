"""Links in mails: a page by the number of a record, for whoever may open the page, and nothing more."""

from __future__ import annotations

import re
from datetime import time
from email import message_from_bytes
from email.policy import SMTP

import pytest
from console_cases import SUBJECT, Browser, House
from sqlmodel import Session, col, select

from notifications.delivery.mailroom import Mailroom
from notifications.delivery.writing import write
from notifications.outbox.calm import MailSite
from notifications.outbox.queue import Calm
from notifications.words.letter import Letterhead
from scheduler.console.links import PAGES as LINKS
from scheduler.console.routes import PAGES
from scheduler.engine.account.accounts import Role
from scheduler.store.tables import OutboxRow

CONSOLE = "https://console.hospital.example"
FORMS = ["book", "cancel", "attend", "assess", "sampling"]


def _number(house: House) -> str:
    return house.somewhere["record"]


def _lands(browser: Browser, path: str) -> tuple[int, str, str]:
    """Status, address and text of the page at which somebody arrives."""
    answer = browser.get(path)
    while answer.status_code == 303:
        path = answer.headers["location"]
        answer = browser.get(path)
    return answer.status_code, path, answer.text


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_reached_by_the_number_of_the_enrolment(desk: tuple[House, Browser], form: str) -> None:
    house, browser = desk
    before = len(house.facts())
    answer = browser.get(f"/of/{_number(house)}/W6/{form}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/subjects/{SUBJECT}/visits/W6/{form}")
    status, _, text = _lands(browser, answer.headers["location"])
    assert status == 200 and SUBJECT in text
    assert len(house.facts()) == before


def test_the_subject_is_reached_by_the_number_of_the_enrolment(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    status, path, text = _lands(browser, f"/of/{_number(house)}")
    assert (status, path) == (200, f"/subjects/{SUBJECT}") and SUBJECT in text


def test_without_a_sign_in_a_link_leads_to_the_door_and_from_there_to_its_page(furnished: House) -> None:
    furnished.account()
    browser = furnished.browser()
    link = f"/of/{_number(furnished)}/W6/book"
    again = browser.get(link, **{"Sec-Fetch-Site": "cross-site"})
    assert f'content="0; url={link}"' in again.text
    door = browser.get(link).headers["location"]
    assert SUBJECT not in door
    fields = {"account": "marie", "password": "seven quiet rivers run", "next": link}
    assert browser.post("/login", fields).headers["location"] == link
    assert _lands(browser, link)[:2] == (200, f"/subjects/{SUBJECT}/visits/W6/book")


@pytest.mark.parametrize("number", ["0", "999999", "-1", "x", "9" * 30, "²", "1.0"])
def test_a_number_of_no_record_is_not_there(desk: tuple[House, Browser], number: str) -> None:
    _, browser = desk
    assert browser.get(f"/of/{number}").status_code == 404
    assert browser.get(f"/of/{number}/W6/book").status_code == 404


def test_only_an_enrolment_leads_to_a_subject(desk: tuple[House, Browser]) -> None:
    """A number that was given again after a restore most often is that of another kind of record."""
    house, browser = desk
    browser.confirm(f"/subjects/{SUBJECT}/visits/W6/book", at=house.local(days=1))
    (booked,) = house.facts("visit_booked")
    assert browser.get(f"/of/{booked.id}").status_code == 404


@pytest.mark.parametrize(
    "rest", ["V9/book", "V9/sampling", "W6/auc", "W6/nothing", "W6", "%3Fx/book", "..%2F/book"]
)
def test_no_such_visit_or_page_is_answered_as_everywhere(desk: tuple[House, Browser], rest: str) -> None:
    house, browser = desk
    assert _lands(browser, f"/of/{_number(house)}/{rest}")[0] == 404


def test_a_link_is_open_to_whom_its_page_is() -> None:
    by_path = {page.path: page for page in PAGES}
    assert len(LINKS) == 7
    for link in LINKS:
        place = link.path.replace("/of/{record}/{visit}", "/subjects/{subject}/visits/{visit}")
        assert link.roles == by_path[place.replace("/of/{record}", "/subjects/{subject}")].roles
        assert not link.posts


def test_who_may_not_open_the_form_is_told_so_at_the_link(furnished: House) -> None:
    browser = furnished.signed_in("paul", roles=[Role.PHARMACIST])
    assert browser.get(f"/of/{_number(furnished)}/W6/book").status_code == 403
    assert _lands(browser, f"/of/{_number(furnished)}/W6/sampling")[0] == 200


def test_every_link_of_the_mails_about_a_late_visit_leads_to_its_page(furnished: House) -> None:
    """From the records to the mail, and from the mail back to the records."""
    house = furnished.with_console(url=CONSOLE)
    mails = house.db.transact(lambda session: _written(session, house))
    found = {address for text in mails for address in re.findall(rf"{re.escape(CONSOLE)}([^\s\"<]*)", text)}
    assert {path.rpartition("/")[2] for path in found} >= {"book", "cancel", "attend"}
    account = house.account("marie")
    browser = house.browser(CONSOLE)
    origin = {"Sec-Fetch-Site": "same-origin"}
    form = {"account": account, "password": "seven quiet rivers run"}
    assert browser.post("/login", form, origin).status_code == 303
    for path in found:
        assert SUBJECT not in path
        status, _, page = _lands(browser, path)
        assert status == 200 and SUBJECT in page, path


def _written(session: Session, house: House) -> list[str]:
    """The texts of the mails about the subject, as coordinators get them."""
    study, desk = house.study, house.desk
    calendar = study.calendars["cochin"]
    site = MailSite("cochin", "Hôpital Cochin", calendar, time(20), time(6))
    room = Mailroom(
        letterhead=Letterhead("a@study.example", "b@study.example", "study.example", console=CONSOLE),
        calm=Calm({"cochin": site}),
        protocol_of=study.protocol_of,
        handle=desk.handle,
        recheck=lambda *_: None,
        owner="test",
    )
    rows = session.exec(select(OutboxRow).where(OutboxRow.subject == SUBJECT).order_by(col(OutboxRow.id)))
    texts = []
    for row in rows:
        if "coordinator" in row.facts["roles"]:
            message = message_from_bytes(write(session, row, room, house.clock.now()), policy=SMTP)
            texts += [one.get_content() for one in message.walk() if one.get_content_maintype() == "text"]
    return texts
