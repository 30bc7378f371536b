"""Mails that lead to pages: every address is a page that its reader may open, and holds no subject's code."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import urlsplit

import notif_cases as cases
import pytest
from icalendar import Calendar
from letter_cases import part, written
from sqlalchemy import event
from sqlmodel import Session

from config.language import Language
from notifications.words.context import Memo, gather
from notifications.words.preview import preview, sample_values
from notifications.words.render import template_names
from scheduler.console.page import Page
from scheduler.console.routes import PAGES
from scheduler.domain.protocol import Event
from scheduler.domain.protocol_file.checks import ROLES
from scheduler.domain.reason import because, to_json
from scheduler.domain.roles import CLINICAL, Role
from scheduler.store.tables import VisitRow

CONSOLE = "https://console.hospital.example"
NAMES = template_names()
HEAD = replace(cases.HEAD, console=CONSOLE)
# Only whoever runs the service can do what these ask.
COMMANDS = {"mail_failed", "audit_anchor"}
MOVED = cases.BOOKED.replace(hour=11)
NOTICES = {
    "visit_booked": cases.rebooked(),
    "date_changed": cases.rebooked(Event.VISIT_MOVED, 1, cases.BOOKED, MOVED),
    "visit_cancelled": cases.rebooked(Event.VISIT_CANCELLED, 1, cases.BOOKED, None),
}


OF_CONTACTS = [name for name in NAMES if name.startswith("lab_")]  # no protocol says who gets them
READERS = [(name, "contact") for name in OF_CONTACTS] + [
    (name, role) for name in NAMES if name not in OF_CONTACTS for role in sorted(ROLES)
]  # a protocol may tell any role of anything


class _Links(HTMLParser):
    """The addresses of a page, and what their buttons say."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append((dict(attrs)["href"] or "", ""))

    def handle_data(self, data: str) -> None:
        if self.found and not self.found[-1][1]:
            self.found[-1] = (self.found[-1][0], data.strip())


def _page_at(address: str) -> Page:
    path = urlsplit(address).path
    (found,) = [page for page in PAGES if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", page.path), path)]
    return found


def _read_by(role: str) -> dict[str, bool]:
    """What a mail knows of its reader."""
    return {"for_laboratory": role == "laboratory", "clinical": role in set(CLINICAL)}


def _addresses(text: str) -> list[str]:
    return re.findall(r"https?://\S+", text)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("name", "role"), READERS)
def test_every_address_is_a_page_that_its_reader_may_open(name: str, role: str, language: Language) -> None:
    _, text, html = preview(name, language, CONSOLE, **_read_by(role))
    found = _addresses(text)
    assert found == [address for address, _ in _Links(html).found]
    assert all(button for _, button in _Links(html).found)
    if role in ("laboratory", "contact"):
        assert found == []  # it sends files; nothing that it is asked is done on a page
    for address in found:
        assert address.startswith(f"{CONSOLE}/")
        assert not re.search(r"MPA-\d", address)
        page = _page_at(address)
        assert page.open or Role(role) in page.roles, (address, role)
    assert len(set(found)) == len(found)  # one page, one link


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("name", "role"), READERS)
def test_whoever_has_pages_is_told_no_commands(name: str, role: str, language: Language) -> None:
    _, text, html = preview(name, language, CONSOLE, **_read_by(role))
    assert ("mpa-monitor" in text + html) == (name in COMMANDS)
    asks = role not in ("laboratory", "contact") and name not in COMMANDS
    assert bool(_addresses(text)) == asks


@pytest.mark.parametrize("console", ["", CONSOLE], ids=["commands", "pages"])
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("name", "role"), [one for one in READERS if one[0] != "sampling_day"])
def test_what_a_colon_announces_follows(name: str, role: str, language: Language, console: str) -> None:
    text = preview(name, language, console, **_read_by(role))[1]
    lines = [line for line in text.splitlines() if line]
    announced = [(line, after) for line, after in pairwise(lines) if line.endswith(":")]
    assert [line for line, after in announced if not after.startswith(("    ", "- "))] == []


NOTHING_LACKS: dict[str, object] = {
    "lacks_dose": False,
    "lacks_draws": [],
    "lacks_items": [],
    "lacks_results": False,
    "lost": False,
}


@pytest.mark.parametrize(
    ("lacks", "pages"),
    [
        ({"lacks_dose": True}, ["/W6/sampling"]),
        ({"lacks_draws": ["H2"]}, ["/W6/sampling"]),
        ({"lacks_items": ["mrss"]}, ["/W6/assess"]),
        ({"lost": True}, [""]),
        ({"lacks_results": True}, []),
    ],
)
def test_a_record_with_one_gap_leads_only_to_where_that_is_filled(
    lacks: dict[str, object], pages: list[str]
) -> None:
    text = preview("visit_incomplete", Language.EN, CONSOLE, **{**NOTHING_LACKS, **lacks})[1]
    assert _addresses(text) == [f"{CONSOLE}/of/118{page}" for page in pages]


@pytest.mark.parametrize(
    ("lacks", "asked", "way"),
    [
        ({"lacks_draws": ["H2"]}, "is completed.", "it is recorded by coordinators"),
        (
            {"lacks_draws": ["H2"], "lost": True},
            "is completed.",
            "can no longer be had, acknowledge the flag:",
        ),
        ({"lost": True}, "stays incomplete.", "can no longer be had, acknowledge the flag:"),
    ],
)
def test_whoever_does_not_record_is_asked_to_see_to_it_and_to_acknowledge_only_what_is_lost(
    lacks: dict[str, object], asked: str, way: str
) -> None:
    values = {**NOTHING_LACKS, **lacks, **_read_by("data_manager")}
    text = preview("visit_incomplete", Language.EN, CONSOLE, **values)[1]
    assert text.splitlines()[0].endswith(asked)
    assert way in text
    assert ("cknowledge" in text) == ("lost" in lacks)
    assert _addresses(text) == [f"{CONSOLE}/of/118"]


def test_a_day_without_matters_leads_to_the_worklist_alone() -> None:
    digest = {**sample_values("digest", Language.EN)["digest"], "flags": []}
    text = preview("digest", Language.EN, CONSOLE, digest=digest)[1]
    assert f"\nThe worklist:\n    {CONSOLE}/\n" in text
    assert "each link" not in text


def test_an_auc_that_is_not_in_question_leads_to_the_subject_alone() -> None:
    text = preview("auc_withdrawn", Language.EN, CONSOLE, in_question=False)[1]
    assert "What it was based on was corrected or taken back." in text
    assert _addresses(text) == [f"{CONSOLE}/of/118"]


@pytest.mark.parametrize("name", NAMES)
def test_without_a_console_there_is_no_address(name: str) -> None:
    _, text, html = preview(name, Language.EN)
    assert "http" not in text + html


@pytest.mark.parametrize("role", list(Role))
def test_a_mail_knows_whether_its_reader_records_what_happens_at_visits(
    desk: cases.Study, role: Role
) -> None:
    desk.tell(cases.reminder())
    row = desk.mail()
    row.facts = {**row.facts, "roles": [role.value]}
    found = desk.do(lambda s: gather(s, row, cases.protocol_of, cases.site(), cases.NOW, console=CONSOLE))
    form = _page_at(f"{CONSOLE}/subjects/118/visits/W6/attend")
    assert found.values["clinical"] == (role in form.roles)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.EN, "after the arrival is recorded:"),
        (Language.FR, "après l'enregistrement de l'arrivée\u202f:"),
    ],
)
def test_the_sampling_day_says_when_its_assessments_open(language: Language, said: str) -> None:
    """That morning their form is closed: nobody has come yet."""
    _, text, _ = preview("sampling_day", language, CONSOLE)
    before, after = text.split(said)
    assert "/assess" in after and "/sampling" in before
    assert said not in preview("sampling_day", language)[1]


# --- from real rows -------------------------------------------------------------------------------------------


def _lose_the_dose(session: Session) -> None:
    visit = session.get(VisitRow, (cases.SUBJECT, cases.VISIT))
    assert visit is not None
    visit.missing = [to_json(because("missing_dose", item="DOSE"))]


def _texts(message: EmailMessage) -> list[str]:
    return [part(message, "text/plain"), part(message, "text/html")]


@pytest.mark.parametrize("rule", [one.id for one in cases.protocol().reminders])
def test_a_reminder_leads_to_its_subject_by_the_number_of_the_enrolment(desk: cases.Study, rule: str) -> None:
    desk.do(_lose_the_dose)
    desk.tell(cases.reminder(rule))
    for row in desk.mails():
        texts = _texts(written(desk, row, letterhead=HEAD))
        if row.facts["roles"] == ["laboratory"]:
            assert not any(CONSOLE in text for text in texts)
            continue
        assert all(f"{CONSOLE}/of/{cases.RECORD}" in text for text in texts)
        assert not any("mpa-monitor" in text for text in texts)


def _described(message: EmailMessage) -> str:
    """What the calendar entry of a mail says."""
    (found,) = Calendar.from_ical(part(message, "text/calendar")).walk("VEVENT")
    return str(found["description"])


@pytest.mark.parametrize("name", NOTICES)
def test_the_calendar_entry_leads_to_the_sampling_day_while_there_is_one(
    desk: cases.Study, name: str
) -> None:
    desk.tell(NOTICES[name])
    message = written(desk, desk.mail("coordinator-en"), letterhead=HEAD)
    page = f"{CONSOLE}/of/{cases.RECORD}/{cases.VISIT}/sampling"
    assert _described(message).splitlines()[1:] == ([] if name == "visit_cancelled" else [page])


def test_the_calendar_entry_of_a_visit_without_sampling_leads_to_the_subject(desk: cases.Study) -> None:
    protocol = cases.protocol()
    without = replace(protocol, encounters=tuple(replace(one, sampling=False) for one in protocol.encounters))
    desk.tell(cases.rebooked())
    row = desk.mail("coordinator-en")
    message = written(desk, row, letterhead=HEAD, protocol_of=lambda _session, _sha256: without)
    assert _described(message).splitlines()[1:] == [f"{CONSOLE}/of/{cases.RECORD}"]


def test_the_calendar_entry_of_the_laboratory_leads_nowhere(desk: cases.Study) -> None:
    desk.tell(cases.rebooked())
    row = desk.mail("coordinator-en")
    row.facts = {**row.facts, "roles": ["laboratory"]}
    message = written(desk, row, letterhead=HEAD)
    assert CONSOLE not in part(message, "text/calendar")


def test_the_number_is_looked_up_once_for_a_subject_and_not_at_all_without_a_console(
    desk: cases.Study,
) -> None:
    desk.tell(cases.reminder())
    desk.tell(cases.rebooked())
    rows = desk.mails()
    assert len(rows) > 3
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    def looked_up(console: str) -> int:
        asked.clear()
        memo = Memo()
        for row in rows:
            desk.do(
                lambda s, row=row: gather(s, row, cases.protocol_of, cases.site(), cases.NOW, memo, console)
            )
        return sum("FROM fact" in one for one in asked)

    event.listen(desk.db.engine, "before_cursor_execute", note)
    assert (looked_up(CONSOLE), looked_up("")) == (1, 0)
