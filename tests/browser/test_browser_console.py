"""The console as people use it: in a browser, with its script, its style and its content policy."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_cases import DESKTOP, PHONE, Served
from console_cases import PASSWORD, SUBJECT
from playwright.sync_api import Page, expect

from config.language import Language
from notifications.words.preview import preview
from scheduler.engine.account.accounts import Role

expect.set_options(timeout=15_000)
NEW = "une loutre sur la glace"
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


def _accessible(page: Page) -> None:
    """Nothing that axe finds against WCAG 2.2 AA, and nothing wider than the window."""
    found = Axe().run(page, options=_RULES)
    said = [
        f"{one['id']}: {node['html'][:160]}" for one in found.response["violations"] for node in one["nodes"]
    ]
    assert said == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def _sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.locator("#account").fill(name)
    page.locator("#password").fill(password)
    page.locator("main button").click()


def test_a_coordinators_week(served: Served) -> None:
    """From the first sign-in over an enrolment and an appointment to the assessments of the visit."""
    served.house.account("marie", language=Language.FR, fresh=True)
    page = served.person()
    _accessible(page)
    _sign_in(page, "marie")
    page.locator("#old").fill(PASSWORD)
    for field in ("#new", "#again"):
        page.locator(field).fill(NEW)
    page.locator("main button").click()
    expect(page.locator("h1")).to_have_text("À faire")
    expect(page.locator("main")).to_contain_text(SUBJECT)
    _accessible(page)

    page.get_by_role("link", name="Patients").click()
    page.get_by_role("link", name="Inclure un patient").click()
    page.get_by_label("Code patient").fill("MPA-0001-4")
    page.get_by_label("Date de la visite d'inclusion").fill("2025-09-02")
    page.get_by_label("Forme").select_option("mmf")
    page.locator("#f-dose_mg").fill("1000")
    page.locator("#f-interval_h").fill("12")
    page.locator("#f-age_years").fill("44")
    for question in ("diffuse_skin", "thickening_proximal_to_mcp"):
        page.locator(f"[name={question}][value=yes]").check()
    page.get_by_role("button", name="Vérifier d'abord l'éligibilité").click()
    expect(page.locator("#check")).to_be_visible()
    _accessible(page)
    page.get_by_role("button", name="Inclure", exact=True).click()
    expect(page.locator("#f-code-wrong")).to_contain_text("code patient")
    expect(page.locator("#f-code")).to_be_focused()
    expect(page.locator("[name=diffuse_skin][value=yes]")).to_be_checked()
    _accessible(page)
    page.get_by_label("Code patient").fill("MPA-0001-3")
    page.get_by_role("button", name="Inclure", exact=True).click()
    expect(page.locator(".done")).to_contain_text("MPA-0001-3")
    _accessible(page)

    page.goto("/subjects/MPA-0001-3/visits/INCLUSION/book")
    page.get_by_label("Date et heure").fill("2025-09-02T08:30")
    page.get_by_role("button", name="Voir ce qui en découle").click()
    expect(page.locator(".preview")).to_contain_text("Courriel à")
    _accessible(page)
    page.get_by_role("button", name="Fixer ce rendez-vous").click()
    expect(page.locator(".done")).to_contain_text("enregistré")

    served.house.later(days=1)
    page.goto("/")
    expect(page.locator("h1")).to_have_text("Se connecter")
    _sign_in(page, "marie", NEW)
    page.goto("/subjects/MPA-0001-3/visits/INCLUSION/attend")
    page.get_by_role("button", name="Enregistrer").click()
    page.goto("/subjects/MPA-0001-3/visits/INCLUSION/assess")
    for score, site in enumerate(("face", "chest", "abdomen")):
        page.locator(f"[name='mrss.{site}'][value='{score + 1}']").check()
    expect(page.locator(".sum output")).to_have_text("6")
    _accessible(page)
    page.locator("#f-fvc").fill("78,5")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".done")).to_contain_text("enregistré")


def test_a_sign_in_that_is_over_leads_back_to_where_one_was(served: Served) -> None:
    served.house.account("marie", language=Language.EN)
    page = served.person(locale="en-GB")
    _sign_in(page, "marie")
    served.house.later(minutes=16)
    page.goto(f"/subjects/{SUBJECT}/pause")
    expect(page.locator("h1")).to_have_text("Sign in")
    _sign_in(page, "marie")
    expect(page.locator("h1")).to_have_text("Put participation on hold")
    served.house.later(minutes=16)
    page.get_by_label("Reason").fill("abroad")
    page.get_by_role("button", name="Put on hold").click()
    expect(page.locator(".note")).to_contain_text("Nothing of the last page was recorded")
    _accessible(page)
    _sign_in(page, "marie")
    expect(page.get_by_label("Reason")).to_have_value("abroad")
    expect(page.locator(".note")).to_contain_text("Nothing of it is recorded yet")
    _accessible(page)
    page.get_by_role("button", name="Put on hold").click()
    expect(page.locator(".done")).to_contain_text("recorded")


def test_a_button_of_a_mail_leads_from_a_mail_program_to_its_page(served: Served) -> None:
    """The mail program is another site: a strict cookie does not travel with the first request."""
    served.house.account("marie", language=Language.FR)
    record = int(served.house.somewhere["record"])
    mail = preview("visit_overdue", Language.FR, served.address, record=record)[2]
    page = served.person(PHONE)
    page.route("http://webmail.example/", lambda route: route.fulfill(body=mail, content_type="text/html"))
    page.goto("http://webmail.example/")
    _accessible(page)
    page.get_by_role("link", name="Fixer un rendez-vous").click()
    expect(page.locator("#account")).to_be_visible()
    assert SUBJECT not in page.url
    _sign_in(page, "marie")
    expect(page.locator("h1")).to_have_text("Fixer un rendez-vous")
    expect(page.locator("main")).to_contain_text(SUBJECT)
    page.goto("http://webmail.example/")
    page.get_by_role("link", name="Enregistrer la venue").click()
    expect(page.locator("h1")).to_have_text("Enregistrer la venue")


def test_of_two_people_on_one_visit_the_second_is_told(served: Served) -> None:
    for name in ("marie", "paul"):
        served.house.account(name, language=Language.EN)
    marie, paul = served.person(), served.person()
    for page, name in ((marie, "marie"), (paul, "paul")):
        _sign_in(page, name)
        page.goto(f"/subjects/{SUBJECT}/visits/INCLUSION/attend")
    paul.get_by_role("button", name="Record", exact=True).click()
    expect(paul.locator(".done")).to_contain_text("recorded")
    marie.get_by_role("button", name="Record", exact=True).click()
    expect(marie.get_by_role("alert").first).to_contain_text(
        "Somebody recorded something about this meanwhile"
    )
    expect(marie.get_by_role("alert").first).to_contain_text("paul")
    _accessible(marie)


def test_the_sampling_day_on_a_nurses_phone(served: Served) -> None:
    """Taps and a scanner that types and presses Enter; the page says when a draw is out of its window."""
    served.house.account("nina", [Role.NURSE], language=Language.FR)
    page = served.person(PHONE)
    _sign_in(page, "nina")
    page.goto(f"/subjects/{SUBJECT}/visits/INCLUSION/sampling")
    _accessible(page)
    page.get_by_role("button", name="Le patient est là").click()
    expect(page.locator(".done")).to_be_visible()

    def scan(point: str, tube: str) -> None:
        page.locator(f"#tube-{point}").fill(tube)
        page.locator(f"#tube-{point}").press("Enter")
        expect(page.locator("main")).to_contain_text(f"tube {tube}")

    scan("H0", "T-1")
    page.get_by_role("button", name="La prise a lieu maintenant").click()
    expect(page.locator(".clock .count-down").first).to_contain_text("ouvre dans")
    _accessible(page)
    served.house.later(minutes=31)
    page.goto("/login")  # waiting took longer than a sign-in lasts
    _sign_in(page, "nina")
    page.goto(f"/subjects/{SUBJECT}/visits/INCLUSION/sampling")
    expect(page.locator(".clock.is-open .count-down")).to_contain_text("ouverte")
    scan("H30", "T-2")
    expect(page.locator(".outside")).to_have_count(0)
    served.house.later(minutes=10)
    page.reload()
    scan("H2", "T-3")
    expect(page.locator(".outside")).to_contain_text("H2")
    _accessible(page)


def test_what_a_visit_lacks_is_recorded_days_later_on_a_phone(served: Served) -> None:
    """The button of the mail about an incomplete record leads here."""
    served.house.account("marie", language=Language.FR)
    page = served.person(PHONE)
    _sign_in(page, "marie")
    page.goto(f"/subjects/{SUBJECT}/visits/INCLUSION/sampling")
    page.get_by_role("button", name="Le patient est là").click()
    expect(page.locator(".done")).to_be_visible()
    served.house.later(days=3)
    page.goto(f"/of/{served.house.somewhere['record']}/INCLUSION/sampling")
    _sign_in(page, "marie")
    expect(page.locator(".note")).to_contain_text("Cette visite a eu lieu le lundi 1er septembre 2025")
    expect(page.locator("button.big")).to_have_count(0)
    page.locator("#at-dose-").fill("8:25")
    page.get_by_role("button", name="Enregistrer la prise").click()
    expect(page.locator("main")).to_contain_text("permis de 08:45 à 09:05")
    _accessible(page)
    page.locator("#tube-H30").fill("T-2")
    page.locator("#at-draw-H30").fill("8:56")
    page.get_by_role("button", name="Enregistrer H30").click()
    expect(page.locator("main")).to_contain_text("31 min après la prise · tube T-2")
    assert [row.kind for row in served.house.facts()][-2:] == ["dose_given", "sample_drawn"]


def test_a_held_result_is_reviewed(served: Served) -> None:
    served.house.account("paul", [Role.PHARMACIST], language=Language.EN)
    page = served.person(locale="en-GB")
    _sign_in(page, "paul")
    page.get_by_role("link", name="Laboratory").click()
    _accessible(page)
    page.get_by_role("link", name="Look and decide").click()
    expect(page.get_by_role("heading", name="Why it is held")).to_be_visible()
    _accessible(page)
    page.get_by_label("Do not use it").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#e-reason")).to_contain_text("A reason is needed")
    page.locator("#reason").fill("the tube was broken")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator(".done")).to_contain_text("is decided")
    expect(page.locator("#held .count")).to_have_text("0")
    _accessible(page)


@pytest.mark.parametrize(("viewport", "dark"), [(DESKTOP, True), (PHONE, False)], ids=["dark", "phone"])
def test_every_page_can_be_read(served: Served, viewport, dark: bool) -> None:  # type: ignore[no-untyped-def]
    served.house.account("marie", [Role.COORDINATOR, Role.DATA_MANAGER], language=Language.EN)
    page = served.person(viewport, dark=dark)
    _sign_in(page, "marie")
    there = f"/subjects/{SUBJECT}"
    number = served.house.somewhere["number"]
    for path in (
        "/", "/?show=older", "/?show=coming", "/lab", "/lab?show=files", "/overview", "/subjects", there,
        f"/flags/{served.house.somewhere['flag']}", f"{there}/visits/W12/book",
        f"{there}/records/{number}/correct", f"{there}/withdraw", "/enrol", "/password", "/second-factor", "/nowhere",
    ):  # fmt: skip
        page.goto(path)
        _accessible(page)


def test_a_page_is_used_with_the_keyboard_alone(served: Served) -> None:
    served.house.account("marie", language=Language.EN)
    page = served.person()
    expect(page.locator("#account")).to_be_focused()  # a browser focuses some time after it has loaded
    page.keyboard.type("marie")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Worklist")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("To the content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("main :focus")).to_have_count(1)
    page.locator("details.me summary").press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
