"""The worklist: what the daily mail says, in its order, each with one action; whatever is settled is gone."""

from __future__ import annotations

import re

import pytest
from console_cases import SUBJECT, House
from sqlmodel import select

from notifications.digest import digest_context
from scheduler.console.actions import action_for
from scheduler.domain.civil import local_date
from scheduler.domain.flags import FlagCode
from scheduler.domain.reason import because
from scheduler.engine.accounts import Role
from scheduler.store.tables import FlagRow


def _digest(house: House) -> list[str]:
    now = house.clock.now()
    today = local_date(now, house.study.calendars["cochin"].zone)
    found = house.db.read(lambda session: digest_context(session, "cochin", today, now))
    return [str(one["id"]) for one in found["flags"]]


def _shown(page: str) -> list[str]:
    """The numbers of the matters in their order."""
    return re.findall(r'data-flag="(\d+)"', page)


def test_the_worklist_has_the_rows_of_the_daily_mail_in_its_order(furnished: House) -> None:
    browser = furnished.signed_in()
    expected = _digest(furnished)
    assert len(expected) > 1
    page = browser.get("/").text
    assert _shown(page) == expected
    assert f"{len(expected)} matters to see to." in page


def test_filters_keep_what_is_asked_for(furnished: House) -> None:
    browser = furnished.signed_in()
    by_kind = _shown(browser.get("/?kind=rows_held").text)
    flags = furnished.db.read(lambda session: session.exec(select(FlagRow)).all())
    assert by_kind == [str(one.id) for one in flags if one.code == "rows_held"]
    assert by_kind and _shown(browser.get("/?for=laboratory").text) == by_kind
    of_subject = _shown(browser.get(f"/?subject={SUBJECT.lower()}").text)
    assert of_subject and not set(of_subject) & set(by_kind)
    assert _shown(browser.get("/?kind=nonsense").text) == []


def test_late_evidence_clears_a_matter(furnished: House) -> None:
    browser = furnished.signed_in()
    zone = furnished.study.calendars["cochin"].zone
    before = _shown(browser.get(f"/?subject={SUBJECT}").text)
    missed = furnished.db.read(
        lambda session: session.exec(select(FlagRow).where(FlagRow.code == "visit_missed")).first()
    )
    assert missed is not None and str(missed.id) in before
    path = f"/subjects/{SUBJECT}/visits/{missed.visit}/attend"
    at = (furnished.clock.now().astimezone(zone)).strftime("%Y-%m-%dT08:00")
    browser.send(path, path, at=at)
    assert str(missed.id) not in _shown(browser.get("/").text)


def test_the_daemon_that_is_silent_is_told_of(furnished: House) -> None:
    browser = furnished.signed_in()
    assert "The service has never run on this database" in browser.get("/").text


@pytest.mark.parametrize("code", list(FlagCode))
def test_every_matter_has_one_action(code: FlagCode) -> None:
    reason = because("status_incomplete", missing=(because("missing_assessment", item="fvc"),))
    for role in Role:
        action = action_for(code, 7, SUBJECT, "W6", reason, [role])
        assert action.url.startswith(("/flags/7", f"/subjects/{SUBJECT}/visits/W6/"))
