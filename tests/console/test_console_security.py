"""Every page behind one door: who, where, from which page, how large. The tests walk the route table."""

from __future__ import annotations

import re

import pytest
from console_cases import House
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.console.access import NEUTRAL, SITE_OF, unguarded
from scheduler.console.actions import FIRST_FOR
from scheduler.console.application import make_application
from scheduler.console.page import EVERYBODY, Page
from scheduler.console.routes import PAGES
from scheduler.console.show import refused
from scheduler.domain.flags import FlagCode
from scheduler.engine.account.accounts import Role

CLOSED = [page for page in PAGES if not page.open]
POSTS = [page for page in CLOSED if page.posts]
ids = lambda page: page.path  # noqa: E731


def _path(page: Page, house: House) -> str:
    """An address of the page, about what is there at the site of the tests."""
    return re.sub(r"\{(\w+)\}", lambda part: house.somewhere[part[1]], page.path)


@pytest.fixture
def walked(furnished: House) -> House:
    return furnished


@pytest.mark.parametrize("page", CLOSED, ids=ids)
def test_without_a_sign_in_every_page_leads_to_the_door(house: House, page: Page) -> None:
    path = re.sub(r"\{\w+\}", "1", page.path)
    browser = house.browser()
    assert browser.get(path).headers["location"].startswith("/login")
    if page.posts:
        assert browser.post(path).headers["location"] == "/login?over=1"


def test_every_page_opens_to_its_roles_and_to_no_other(walked: House) -> None:
    for role in Role:
        browser = walked.signed_in(role.value.replace("_", "-"), roles=[role])
        for page in CLOSED:
            status = browser.get(_path(page, walked)).status_code
            allowed = role in page.roles
            assert (status == 403) != allowed, (role, page.path, status)
            assert status < 500, (role, page.path)
            if page.posts and role not in page.roles_for(posted=True):
                csrf = browser.csrf()
                assert browser.post(_path(page, walked), {"csrf": csrf}).status_code == 403


def test_what_is_of_another_site_is_not_there(walked: House) -> None:
    for role in Role:
        name = f"far-{role.value.replace('_', '-')}"
        browser = walked.signed_in(name, roles=[role], site="lyon")
        for page in CLOSED:
            if role not in page.roles or set(page.parts) <= NEUTRAL:
                continue
            path = _path(page, walked)
            answer = browser.get(path)
            assert answer.status_code == 404, (role, page.path)
            assert walked.somewhere["subject"] not in answer.text.replace(path, "")
            if page.posts and role in page.roles_for(posted=True):
                assert browser.post(_path(page, walked), {"csrf": browser.csrf()}).status_code == 404


def test_the_lists_of_a_site_name_no_subject_of_another(walked: House) -> None:
    near, far = walked.signed_in(), walked.signed_in("louise", site="lyon")
    subject = walked.somewhere["subject"]
    assert subject in near.get("/subjects").text and subject in near.get("/").text
    for page in CLOSED:
        if not page.parts:
            assert subject not in far.get(page.path).text, page.path
    assert f"/subjects/{subject}" not in far.get(f"/subjects?search={subject}").text
    assert subject not in far.get("/?site=cochin").text


@pytest.mark.parametrize("page", POSTS, ids=ids)
def test_a_form_needs_its_token_and_a_page_of_ours(walked: House, page: Page) -> None:
    browser = walked.signed_in("everything", roles=list(Role))
    csrf, path = browser.csrf(), _path(page, walked)
    before = len(walked.audited("denied"))
    for token in ("", "0" * 64, csrf[:-1], csrf.upper() + "x"):
        assert browser.post(path, {"csrf": token}).status_code == 403
    assert len(walked.audited("denied")) == before + 4
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8001"},
    ):
        assert browser.post(path, {"csrf": csrf}, headers).status_code == 403
    browser.client.headers["Sec-Fetch-Site"] = ""
    assert (
        browser.client.post(path, data={"csrf": csrf}).status_code == 403
    )  # neither header: no browser of today


def test_a_browser_without_fetch_metadata_is_believed_by_its_origin(house: House) -> None:
    house.account()
    form = {"account": "marie", "password": "wrong"}
    client = house.browser().client
    assert client.post("/login", data=form, headers={"Origin": "http://127.0.0.1:8000"}).status_code == 401
    assert client.post("/login", data=form, headers={"Origin": "null"}).status_code == 403
    assert client.post("/login", data=form).status_code == 403


def test_a_link_in_a_mail_is_begun_anew_so_that_the_cookie_travels(house: House) -> None:
    browser = house.browser()
    answer = browser.get("/subjects?page=2", **{"Sec-Fetch-Site": "cross-site"})
    assert 'content="0; url=/subjects?page=2"' in answer.text
    again = browser.get("/subjects?page=2", **{"Sec-Fetch-Site": "same-origin"})
    assert again.headers["location"] == "/login?next=%2Fsubjects%3Fpage%3D2"


@pytest.mark.parametrize("path", ["/login", "/healthz", "/nowhere", "/static/console.css", "/subjects"])
def test_every_answer_has_the_headers_that_keep_others_out(house: House, path: str) -> None:
    headers = house.browser().get(path).headers
    assert headers["content-security-policy"] == (
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert ("no-store" in headers["cache-control"]) == (path != "/static/console.css")
    assert "strict-transport-security" not in headers
    assert "server" not in headers


def test_behind_tls_browsers_are_told_to_stay_there(house: House) -> None:
    behind = house.with_console(url="https://console.hospital.example")
    answer = behind.browser("https://console.hospital.example").get("/login")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "host",
    ["evil.example", "console.hospital.example.evil.example", "127.0.0.1.evil.example", "user@127.0.0.1", "",
     "127.0.0.1:0", "127.0.0.1/x", "[::1", "localhost,evil.example", "console.hospital.example"],
)  # fmt: skip
def test_an_address_that_is_not_ours_goes_no_further(house: House, host: str) -> None:
    behind = house.with_console(url="https://console.hospital.example")  # which is not http
    assert behind.browser().get("/healthz", Host=host).status_code == 400


def test_forwarded_headers_of_a_stranger_change_nothing(house: House) -> None:
    house.account()
    forged = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    browser = house.browser()
    answer = browser.post("/login", {"account": "marie", "password": "wrong"}, forged)
    assert answer.status_code == 401
    assert house.audited("sign_in_failed")[0].detail == {"address": "203.0.113.5"}


def test_a_body_that_is_too_large_or_no_form_is_not_read(house: House) -> None:
    browser = house.signed_in()
    assert browser.post("/password", {"old": "x" * 70_000}).status_code == 413
    client = browser.client
    long = (b"a=" + b"x" * 1000 for _ in range(100))
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/password", content=long, headers=headers).status_code == 413
    assert client.post("/password", content=b"&".join([b"a=1"] * 500), headers=headers).status_code == 400
    assert client.post("/password", content=b"\xff\xfe=1", headers=headers).status_code == 400
    json = {**headers, "Content-Type": "application/json"}
    assert client.post("/password", content=b"{}", headers=json).status_code == 415
    assert (
        client.post("/password", content=b"x", headers={**headers, "Content-Length": "-1"}).status_code == 413
    )
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert client.request(method, "/password").status_code == 405


def test_a_page_of_which_nobody_said_whose_it_is_cannot_be_served(house: House) -> None:
    page = Page("/odd/{thing}", EVERYBODY, lambda asked: refused(asked, 404))
    assert unguarded([page]) == ["/odd/{thing}"]
    with pytest.raises(ValueError, match="whose are these pages"):
        make_application(house.desk, [page])
    assert not NEUTRAL & SITE_OF.keys()


def test_only_the_door_is_open() -> None:
    assert [page.path for page in PAGES if page.open] == ["/login"]


def test_every_flag_has_somebody_whom_it_is_for_first() -> None:
    assert set(FIRST_FOR) == set(FlagCode)


def test_health_says_nothing_but_whether_the_database_answers(house: House) -> None:
    assert house.browser().get("/healthz").text == "ok"


def test_pages_hold_no_inline_script_or_style_and_load_nothing_from_elsewhere(walked: House) -> None:
    browser = walked.signed_in("everything", roles=list(Role))
    for page in PAGES:
        html = browser.get(_path(page, walked)).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/static/)", html), page.path
        assert not re.search(r"(?:src|href|action)=\"(?!/|\?|#|otpauth:)", html), page.path


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_NASTY = st.sampled_from(
    [
        "'",
        '"><script>',
        "../../etc/passwd",
        "%00",
        "\0",
        "MPA-0042-7",
        "-1",
        "9" * 30,
        "🧪",
        "²",
        "",
        " ",
        "{{1}}",
        "null",
    ]
)


@given(data=st.data())
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_that_is_sent_breaks_a_page(walked: House, data: st.DataObject) -> None:
    browser = walked.signed_in("everything", roles=list(Role))
    page = data.draw(st.sampled_from([one for one in PAGES if one.path != "/logout"]))
    word = _NASTY | _TEXT
    path = re.sub(
        r"\{(\w+)\}",
        lambda part: (
            walked.somewhere[part[1]]
            if data.draw(st.booleans())
            else re.sub(r"[^\w.~-]", "-", data.draw(word)) or "-"
        ),
        page.path,
    )
    names = st.sampled_from(
        [
            "search",
            "show",
            "page",
            "site",
            "kind",
            "for",
            "subject",
            "next",
            "lang",
            "back",
            "done",
            *_fields(browser, path),
        ]
    )
    given_ = data.draw(st.dictionaries(names, word, max_size=5))
    answer = browser.client.get(path, params=given_)
    assert answer.status_code < 500, (path, given_)
    if page.posts:
        answer = browser.post(path, {**given_, "csrf": _csrf(browser)})
        assert answer.status_code < 500, (path, given_)


def _fields(browser, path: str) -> list[str]:  # type: ignore[no-untyped-def]
    """The fields of the forms of a page."""
    return sorted({*re.findall(r'name="(\w+)"', browser.client.get(path).text)} - {"csrf"})


def _csrf(browser) -> str:  # type: ignore[no-untyped-def]
    if not hasattr(browser, "_csrf"):
        browser._csrf = browser.csrf()
    return str(browser._csrf)
