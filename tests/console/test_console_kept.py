"""A sign-in that ends by itself loses nothing that was typed, shows it to nobody else, and keeps no secret."""

from __future__ import annotations

import re
from datetime import timedelta
from html import escape, unescape

import pytest
from console_cases import PASSWORD, SUBJECT, Browser, House, hidden_of
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from scheduler.console.refill import refilled
from scheduler.console.routes import PAGES
from scheduler.store.tables import KeptFormRow

PAUSE = f"/subjects/{SUBJECT}/pause"
WORDS = 'abroad <b>until</b> "May" & longer'
# Forms with a secret in them, or with nothing that anybody types.
NOT_KEPT = {
    "/login",
    "/login/code",
    "/logout",
    "/password",
    "/second-factor",
    "/language",
    "/people/{account}/sign-out",
    "/overview/export/{kind}",
}


def _sign_in(house: House, browser: Browser, name: str = "marie", where: str = "/") -> None:
    answer = browser.post("/login", {"account": name, "password": PASSWORD, "next": where})
    assert answer.headers["location"] == where


def _sent_too_late(house: House, browser: Browser, page: str, **fields: str) -> str:
    """Open a page, send its form when the sign-in has ended, and say where that leads."""
    html = browser.get(page).text
    house.later(minutes=16)
    answer = browser.post(page, {**hidden_of(html, page), **fields})
    assert answer.status_code == 303
    return answer.headers["location"]


def _kept(house: House) -> list[KeptFormRow]:
    return list(house.db.read(lambda session: session.exec(select(KeptFormRow)).all()))


def test_what_was_typed_is_in_its_form_again_after_signing_in(furnished: House) -> None:
    browser = furnished.signed_in()
    where = _sent_too_late(furnished, browser, PAUSE, at="2025-09-01T08:00", reason=WORDS)
    assert where == f"/login?over=kept&next={PAUSE}"
    door = browser.get(where).text
    assert "is kept for you for an hour" in door and "abroad" not in door
    _sign_in(furnished, browser, where=PAUSE)
    page = browser.get(PAUSE).text
    assert "holds again what you had typed" in page
    assert f">\n{escape(WORDS)}</textarea>" in page and 'value="2025-09-01T08:00"' in page
    assert [row.kind for row in furnished.facts()] == ["enrolled"]
    fields = {**hidden_of(page, PAUSE), "at": "2025-09-01T08:00", "reason": WORDS}
    assert browser.post(PAUSE, fields).status_code == 303
    assert [row.kind for row in furnished.facts()] == ["enrolled", "paused"] and _kept(furnished) == []
    assert "holds again" not in browser.get(PAUSE).text


def test_nobody_else_finds_what_was_typed(furnished: House) -> None:
    browser = furnished.signed_in()
    furnished.account("paul")
    _sent_too_late(furnished, browser, PAUSE, reason=WORDS)
    _sign_in(furnished, browser, "paul")
    page = browser.get(PAUSE).text
    assert "abroad" not in page and "holds again" not in page
    other = f"/subjects/{SUBJECT}/withdraw"
    again = furnished.signed_in("marie")
    assert "abroad" not in again.get(other).text
    assert "abroad" in again.get(PAUSE).text


def test_what_was_typed_is_forgotten_after_an_hour(furnished: House) -> None:
    browser = furnished.signed_in()
    _sent_too_late(furnished, browser, PAUSE, reason=WORDS)
    furnished.later(minutes=60)
    _sign_in(furnished, browser)
    assert "abroad" not in browser.get(PAUSE).text
    furnished.later(hours=9)
    furnished.signed_in()
    assert _kept(furnished) == []


@pytest.mark.parametrize("how", ["signed out", "forged", "no cookie", "second factor missing"])
def test_nothing_is_kept_of_a_form_that_is_nobodys(furnished: House, how: str) -> None:
    browser = furnished.signed_in()
    fields = {**hidden_of(browser.get(PAUSE).text, PAUSE), "reason": WORDS}
    if how == "signed out":
        token = browser.token
        browser.post("/logout", {"csrf": fields["csrf"]})
        browser.client.cookies.set("mpa-loopback", token)
    furnished.later(minutes=16)
    if how == "forged":
        fields["csrf"] = "0" * 64
    if how == "no cookie":
        browser.client.cookies.clear()
    if how == "second factor missing":
        with furnished.db.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE login_session SET complete = 0")
    assert browser.post(PAUSE, fields).headers["location"] == "/login?over=1"
    assert _kept(furnished) == []


def test_a_form_with_a_secret_in_it_is_never_kept() -> None:
    assert {page.path for page in PAGES if page.posts and page.keeps is None} == NOT_KEPT


def test_a_tap_that_came_too_late_keeps_its_moment_in_its_own_step(furnished: House) -> None:
    """The tube of H0 is in the form of H0, with the time of the tap where it can be seen and changed."""
    day = f"/subjects/{SUBJECT}/visits/INCLUSION/sampling"
    browser = furnished.signed_in()
    at = furnished.clock.now()
    attended = {**hidden_of(browser.get(day).text, day), "step": "attend", "tapped": at.isoformat()}
    assert browser.post(day, attended).status_code == 303
    form = re.search(
        r'<form[^>]*>(?:(?!</form>).)*name="point" value="H0".*?</form>', browser.get(day).text, re.DOTALL
    )
    assert form is not None
    csrf = re.search(r'name="csrf" value="(\w+)"', form[0])
    assert csrf is not None
    furnished.later(minutes=16)
    tapped = furnished.clock.now() - timedelta(minutes=2)
    fields = {
        "csrf": csrf[1],
        "step": "draw",
        "point": "H0",
        "tube": "T-77",
        "tapped": tapped.isoformat(),
        "at": "",
    }
    assert browser.post(day, fields).headers["location"].startswith("/login?over=kept")
    _sign_in(furnished, browser, where=day)
    page = browser.get(day).text
    zone = furnished.study.calendars["cochin"].zone
    assert page.count('value="T-77"') == 1
    time = tapped.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    assert re.search(
        rf'<details open>(?:(?!</details>).)*id="at-draw-H0"[^>]*value="{time}"', page, re.DOTALL
    )
    assert furnished.facts("attended") and not furnished.facts("sample_drawn")


_FORM = """<!DOCTYPE html><form action="/other"><input name="a" value="x"/></form>
<details><form method="post" action="/here?x=1"><input type="hidden" name="csrf" value="new"/>
<input id="a" name="a" value=""/><textarea name="b" rows="2">old &amp; <br/></textarea>
<select name="c"><option value="1" selected>one</option><option value="2">two</option></select>
<input type="radio" name="d" value="yes" checked/><input type="radio" name="d" value="no"/>
<input type="checkbox" name="e" value="yes"/></form></details><p>caf&eacute; &#233;</p>"""
_TYPED = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(
    a=_TYPED,
    b=_TYPED,
    c=st.sampled_from(["1", "2"]),
    d=st.sampled_from(["yes", "no"]),
    e=st.sampled_from(["", "yes"]),
)
def test_a_form_is_filled_as_it_was_and_nothing_else_is_changed(
    a: str, b: str, c: str, d: str, e: str
) -> None:
    page = refilled(_FORM, "/here", {"a": a, "b": b, "c": c, "d": d, "e": e, "csrf": "old"})
    assert page is not None
    assert page.startswith('<!DOCTYPE html><form action="/other"><input name="a" value="x"/></form>')
    assert page.endswith("</form></details><p>caf&eacute; &#233;</p>") and "<details open>" in page
    assert 'value="new"' in page and "old" not in page.replace(escape(a), "").replace(escape(b), "")
    found = re.search(r'<input id="a" name="a" value="([^"]*)">', page)
    text = re.search(r'<textarea name="b" rows="2">\n([^<]*)</textarea>', page)
    assert found is not None and unescape(found[1]) == a
    assert text is not None and unescape(text[1]) == b
    assert f'value="{c}" selected' in page and page.count("selected") - (a + b).count("selected") == 1
    assert f'name="d" value="{d}" checked' in page
    assert ('name="e" value="yes" checked' in page) == (e == "yes")


def test_a_page_without_the_form_is_left_as_it_is() -> None:
    assert refilled(_FORM, "/nowhere", {"a": "x"}) is None
