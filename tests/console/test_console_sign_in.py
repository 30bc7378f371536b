"""Signing in: tokens, time-outs, the brake on attempts, the second factor, the password."""

from __future__ import annotations

import re
from datetime import datetime

import pyotp
import pytest
from console_cases import PASSWORD, Browser, House, hidden_of
from sqlmodel import select

from scheduler.clock import ManualClock
from scheduler.engine.account.accounts import Role
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.tables import AccountRow, LoginSessionRow


def _sessions(house: House) -> list[LoginSessionRow]:
    """Those that have not ended."""
    rows = house.db.read(lambda session: list(session.exec(select(LoginSessionRow))))
    return [row for row in rows if row.ended_at is None]


def test_a_sign_in_gives_a_token_of_which_only_the_hash_is_kept(house: House) -> None:
    browser = house.signed_in()
    assert len(browser.token) == 43  # 256 bits
    (row,) = _sessions(house)
    assert browser.token not in (row.token_sha256, row.account)
    assert browser.get("/").status_code == 200


def test_both_databases_keep_a_sign_in(db: Database, study: Study, noon: datetime) -> None:
    house = House(db, study, ManualClock(noon))
    browser = house.signed_in()
    house.later(minutes=5)
    assert browser.get("/").status_code == 200
    assert house.browser().post("/login", {"account": "marie", "password": "wrong"}).status_code == 401
    browser.send("/", "/logout")
    assert _sessions(house) == []


def test_the_token_changes_at_every_sign_in_and_a_planted_one_is_worth_nothing(house: House) -> None:
    house.account()
    browser = house.browser()
    browser.client.cookies.set("mpa-loopback", "A" * 43)
    assert browser.get("/").headers["location"] == "/login"
    browser.post("/login", {"account": "marie", "password": PASSWORD})
    first = browser.last
    assert first is not None and "A" * 43 not in first.headers["set-cookie"]
    before = re.search(r"mpa-loopback=([^;]+)", first.headers["set-cookie"])
    answer = browser.post("/login", {"account": "marie", "password": PASSWORD})
    after = re.search(r"mpa-loopback=([^;]+)", answer.headers["set-cookie"])
    assert before is not None and after is not None and before[1] != after[1]


def test_without_tls_the_cookie_is_for_this_machine_and_behind_it_of_this_host_only(house: House) -> None:
    house.account()
    form = {"account": "marie", "password": PASSWORD}
    plain = house.browser().post("/login", form).headers["set-cookie"]
    assert plain.startswith("mpa-loopback=") and "secure" not in plain.lower()
    behind = house.with_console(url="https://console.hospital.example")
    secure = behind.browser("https://console.hospital.example").post("/login", form).headers["set-cookie"]
    assert secure.startswith("__Host-mpa=")
    for attribute in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"):
        assert attribute in secure
    assert "HttpOnly" in plain and "SameSite=strict" in plain
    assert "domain" not in secure.lower()


def test_fifteen_idle_minutes_end_a_sign_in(house: House) -> None:
    browser = house.signed_in()
    for _ in range(3):
        house.later(minutes=14)
        assert browser.get("/").status_code == 200
    house.later(minutes=15)
    assert browser.get("/subjects").headers["location"] == "/login?next=%2Fsubjects"
    assert _sessions(house) == []
    assert len(house.audited("session_over")) == 1


def test_eight_hours_end_a_sign_in_however_busy_it_was(house: House) -> None:
    browser = house.signed_in()
    for _ in range(47):
        house.later(minutes=10)
        assert browser.get("/").status_code == 200
    house.later(minutes=10)
    assert browser.get("/").status_code == 303


def test_signing_out_ends_the_token_itself(house: House) -> None:
    browser = house.signed_in()
    token = browser.token
    assert browser.send("/", "/logout").headers["location"] == "/login"
    browser.client.cookies.set("mpa-loopback", token)
    assert browser.get("/").status_code == 303
    assert [row.actor for row in house.audited("signed_out")] == ["marie"]


def test_after_the_sign_in_one_is_where_one_wanted_to_be_but_never_outside(house: House) -> None:
    house.account()
    form = {"account": "marie", "password": PASSWORD}
    assert house.browser().post("/login", {**form, "next": "/subjects"}).headers["location"] == "/subjects"
    for outside in ("//evil.example", "https://evil.example", "/\\evil.example", "/\n/evil.example", "evil"):
        assert house.browser().post("/login", {**form, "next": outside}).headers["location"] == "/"


def _steps_to(house: House, browser: Browser, place: str, totp: pyotp.TOTP | None = None) -> list[str]:
    """The steps of a sign-in that somebody meets on the way to a place, each answered, and where they lead."""
    path, password, steps = place, PASSWORD, []
    while (answer := browser.get(path)).status_code == 303:
        path = answer.headers["location"]
        step = path.partition("?")[0]
        steps.append(step)
        typed = {"account": "marie", "password": password}
        if step == "/password":
            new = "a heron over the marsh"
            typed, password = {"old": password, "new": new, "again": new}, new
        elif step == "/second-factor":
            found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', browser.get(path).text)
            assert found is not None
            typed["code"] = pyotp.TOTP(found[1].replace(" ", "")).at(house.clock.now())
        elif step == "/login/code":
            assert totp is not None
            typed = {"code": totp.at(house.clock.now())}
        path = browser.send(path, step, **typed).headers["location"]
    return [*steps, path]


PLACE = "/subjects?q=MPA&page=1"


def test_the_first_sign_in_leads_over_all_its_steps_to_where_one_wanted_to_be(house: House) -> None:
    strict = house.with_console(second_factor="required")
    strict.account(fresh=True)
    assert _steps_to(strict, strict.browser(), PLACE) == ["/login", "/password", "/second-factor", PLACE]


def test_a_given_password_keeps_where_one_wanted_to_be(house: House) -> None:
    house.account(fresh=True)
    assert _steps_to(house, house.browser(), PLACE) == ["/login", "/password", PLACE]


def test_a_sign_in_half_done_goes_on_to_the_place_that_is_asked_for_then(house: House) -> None:
    totp = _use_second_factor(house)
    house.later(minutes=1)
    browser = house.browser()
    browser.post("/login", {"account": "marie", "password": PASSWORD, "next": "/lab"})
    assert _steps_to(house, browser, PLACE, totp) == ["/login/code", PLACE]


@pytest.mark.parametrize("outside", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_no_step_of_a_sign_in_leads_outside(house: House, outside: str) -> None:
    house.account(fresh=True)
    browser = house.browser()
    browser.post("/login", {"account": "marie", "password": PASSWORD})
    new = "a heron over the marsh"
    form = {**hidden_of(browser.get("/password").text, "/password"), "next": outside}
    answer = browser.post("/password", {**form, "old": PASSWORD, "new": new, "again": new})
    assert answer.headers["location"] == "/?done=password"
    html = browser.get(f"/second-factor?next={outside}").text
    assert hidden_of(html, "/second-factor")["next"] == "/"


def test_a_wrong_password_and_an_unknown_account_look_the_same(house: House) -> None:
    house.account()
    known = house.browser().post("/login", {"account": "marie", "password": "wrong"})
    unknown = house.browser().post("/login", {"account": "nadia", "password": "wrong"})
    assert known.status_code == unknown.status_code == 401
    assert known.text.replace("marie", "nadia") == unknown.text
    assert [row.entity_id for row in house.audited("sign_in_failed")] == ["marie", "-"]


def test_after_five_failures_even_the_right_password_waits(house: House) -> None:
    house.account()
    browser = house.browser()
    for _ in range(5):
        assert browser.post("/login", {"account": "marie", "password": "wrong"}).status_code == 401
    answer = browser.post("/login", {"account": "marie", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Try again in 15 min" in answer.text
    elsewhere = house.browser(client=("198.51.100.9", 1))
    assert elsewhere.post("/login", {"account": "marie", "password": PASSWORD}).status_code == 303
    house.later(minutes=16)
    assert browser.post("/login", {"account": "marie", "password": PASSWORD}).status_code == 303


def test_many_accounts_tried_from_one_address_are_braked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.engine.account.sign_in.FAILURES_ADDRESS", 3)
    house.account()
    browser = house.browser()
    for name in ("anna", "berta", "carla"):
        browser.post("/login", {"account": name, "password": "wrong"})
    assert browser.post("/login", {"account": "marie", "password": PASSWORD}).status_code == 429


def test_a_disabled_account_is_out_at_once(house: House) -> None:
    browser = house.signed_in()

    def disable(session) -> None:  # type: ignore[no-untyped-def]
        row = session.get(AccountRow, "marie")
        row.disabled_at = house.clock.now()
        session.add(row)

    house.db.transact(disable)
    assert browser.get("/").status_code == 303
    assert browser.post("/login", {"account": "marie", "password": PASSWORD}).status_code == 401


def test_a_given_password_must_be_changed_before_anything_else(house: House) -> None:
    house.account(fresh=True)
    browser = house.browser()
    browser.post("/login", {"account": "marie", "password": PASSWORD})
    assert browser.get("/subjects").headers["location"] == "/password?next=/subjects"
    assert browser.get("/second-factor").headers["location"] == "/password"
    new = "a heron over the marsh"
    answer = browser.send("/password", "/password", old=PASSWORD, new=new, again=new)
    assert answer.headers["location"] == "/?done=password"
    assert browser.get("/").status_code == 200
    assert house.browser().post("/login", {"account": "marie", "password": new}).status_code == 303


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("too short", "at least 15 characters"),
        ("aaaaaaaaaaaaaaaaaaaa", "6 different characters"),
        ("marie has a lamb that", "contains &#39;marie&#39;"),
        ("we love scleramac all", "contains &#39;SCLERAMAC&#39;"),
        (PASSWORD, "is the present one"),
        ("x" * 300, "too long"),
    ],
)
def test_a_poor_password_is_refused_with_what_would_be_right(house: House, new: str, said: str) -> None:
    browser = house.signed_in()
    answer = browser.send("/password", "/password", old=PASSWORD, new=new, again=new)
    assert answer.status_code == 422
    assert said in answer.text
    assert house.audited("password_changed") == []


def test_a_changed_password_ends_the_other_sign_ins(house: House) -> None:
    other, browser = house.signed_in(), house.signed_in()
    new = "a heron over the marsh"
    browser.send("/password", "/password", old=PASSWORD, new=new, again=new)
    assert browser.get("/").status_code == 200
    assert other.get("/").status_code == 303


def test_a_stolen_sign_in_cannot_guess_the_password(house: House) -> None:
    browser = house.signed_in()
    new = "a heron over the marsh"
    for _ in range(5):
        browser.send("/password", "/password", old="guess", new=new, again=new)
    answer = browser.send("/password", "/password", old=PASSWORD, new=new, again=new)
    assert "Too many attempts" in answer.text
    assert house.audited("password_changed") == []


def _use_second_factor(house: House) -> pyotp.TOTP:
    """Adds the second factor to Marie's account, as she does."""
    browser = house.signed_in()
    html = browser.get("/second-factor").text
    found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', html)
    assert found is not None
    secret = found[1].replace(" ", "")
    assert (
        f"secret={secret}" in html and "otpauth://totp/" in html and "<svg" in html and "style=" not in html
    )
    totp = pyotp.TOTP(secret)
    code = totp.at(house.clock.now())
    answer = browser.post(
        "/second-factor", {**hidden_of(html, "/second-factor"), "password": PASSWORD, "code": code}
    )
    assert answer.headers["location"] == "/?done=second-factor"
    return totp


def test_the_second_factor_is_asked_after_the_password_and_a_code_counts_once(house: House) -> None:
    totp = _use_second_factor(house)
    house.later(minutes=1)
    browser = house.browser()
    answer = browser.post("/login", {"account": "marie", "password": PASSWORD})
    assert answer.headers["location"] == "/login/code"
    half = browser.token
    assert browser.get("/subjects").headers["location"] == "/login/code?next=/subjects"
    code = totp.at(house.clock.now())
    assert browser.send("/login/code", "/login/code", code="000000").status_code == 401
    assert browser.send("/login/code", "/login/code", code=code).status_code == 303
    assert browser.token != half
    assert browser.get("/subjects").status_code == 200
    again = house.browser()
    again.post("/login", {"account": "marie", "password": PASSWORD})
    assert again.send("/login/code", "/login/code", code=code).status_code == 401


def test_codes_are_braked_too(house: House) -> None:
    _use_second_factor(house)
    browser = house.browser()
    browser.post("/login", {"account": "marie", "password": PASSWORD})
    for _ in range(5):
        browser.send("/login/code", "/login/code", code="000000")
    assert browser.send("/login/code", "/login/code", code="000000").status_code == 429
    assert browser.get("/login/code").status_code == 303


def test_where_the_second_factor_is_required_it_comes_first(house: House) -> None:
    strict = house.with_console(second_factor="required")
    browser = strict.signed_in()
    assert browser.get("/").headers["location"] == "/second-factor"
    assert browser.get("/second-factor").status_code == 200


def test_the_language_is_the_persons(house: House) -> None:
    browser = house.signed_in()
    assert "Worklist" in browser.get("/").text
    browser.send("/", "/language", language="fr", back="/")
    assert "À faire" in browser.get("/").text
    assert 'lang="fr"' in house.browser().get("/login", **{"Accept-Language": "fr-FR,fr;q=0.9"}).text


def test_an_admin_signs_somebody_out_and_sees_no_subject(house: House) -> None:
    marie = house.signed_in()
    admin = house.signed_in("root", roles=[Role.ADMIN])
    assert admin.get("/").headers["location"] == "/people"
    assert admin.get("/subjects").status_code == 403
    admin.send("/people", "/people/marie/sign-out")
    assert marie.get("/").status_code == 303
    assert [row.entity_id for row in house.audited("signed_out_by_admin")] == ["marie"]
