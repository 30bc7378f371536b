"""A console over a real database, with browsers that remember their cookies; every default can be overridden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from html import unescape
from urllib.parse import urlencode

import httpx2 as httpx
import pytest
from argon2 import PasswordHasher
from sqlmodel import Session, col, select
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from config.language import Language
from config.settings import ConsoleSettings, Settings
from notifications.outbox.handlers import make_handler
from notifications.words.digest import mail_trouble
from notifications.words.sentences import MAIL_SENTENCES
from pk.sentences import SENTENCES as PK_SENTENCES
from scheduler.clock import ManualClock
from scheduler.console.application import make_application
from scheduler.console.desk import Desk
from scheduler.console.routes import PAGES
from scheduler.domain.facts import Enrolled, Formulation, Regimen, Source
from scheduler.engine.account import passwords
from scheduler.engine.account.accounts import Role, add_account
from scheduler.engine.recording.record import enrol
from scheduler.engine.recording.request import Done, Who
from scheduler.engine.study import Study
from scheduler.intake.arrival import Arrival
from scheduler.intake.ingest import ingest
from scheduler.intake.sentences import SENTENCES as LAB_SENTENCES
from scheduler.intake.study import intake_study
from scheduler.runtime.rehearsal.labfile import LabRow, lab_file
from scheduler.store.database import Database
from scheduler.store.tables import AccountRow, AuditRow, FactRow, FlagRow, LabResultVersionRow

SUBJECT = "MPA-0010-1"
MRSS = {f"mrss.{site}": "1" for site in (
    "face", "chest", "abdomen", "fingers_right", "fingers_left", "hand_right", "hand_left", "forearm_right",
    "forearm_left", "upper_arm_right", "upper_arm_left", "thigh_right", "thigh_left", "lower_leg_right",
    "lower_leg_left", "foot_right", "foot_left",
)}  # fmt: skip
ADDRESS = "http://127.0.0.1:8000"
PASSWORD = "seven quiet rivers run"
OPERATOR = Who("operator", Source.CLI)
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@cache
def the_hash() -> str:
    """The hash of PASSWORD, made once: that is slow on purpose."""
    return passwords.hashed(PASSWORD)


def hidden_of(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent to an address."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', html, re.DOTALL)
    assert form is not None, f"no form is sent to {action}"
    return {name: unescape(value) for name, value in _HIDDEN.findall(form[0])}


def text_of(page: str) -> str:
    """What a page says, without its tags."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


@dataclass
class Browser:
    """One person's browser."""

    client: TestClient
    last: httpx.Response | None = None

    def get(self, path: str, **headers: str) -> httpx.Response:
        self.last = self.client.get(path, headers=headers or None)
        return self.last

    def post(
        self, path: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a form, as a browser does from a page of the same origin."""
        self.last = self.client.post(
            path, content=urlencode(dict(form or {})), headers={**SAME_ORIGIN, **(headers or {})}
        )
        return self.last

    def send(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Open a page and send its form, with what it hides and these fields."""
        html = self.get(page).text
        return self.post(action, {**hidden_of(html, action), **fields})

    def confirm(self, path: str, **fields: str) -> str:
        """Send a form that shows first what follows, then send it for good; what was shown, as text."""
        shown = self.send(path, path, **fields)
        assert shown.status_code == 200, text_of(shown.text)
        answer = self.post(path, {**hidden_of(shown.text, path), **fields})
        assert answer.status_code == 303, text_of(answer.text)
        return text_of(shown.text)

    @property
    def token(self) -> str:
        return next(iter(dict(self.client.cookies).values()), "")

    def csrf(self) -> str:
        """The token of this sign-in's forms."""
        return hidden_of(self.get("/password").text, "/password")["csrf"]


@dataclass
class House:
    """The console and what is behind it; the clock stands still until a test moves it."""

    db: Database
    study: Study
    clock: ManualClock
    settings: Settings = field(default_factory=lambda: Settings(language=Language.EN))
    app: ASGIApp | None = None
    somewhere: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.db.transact(lambda session: self.study.sync(session, self.clock.now()))
        self.desk = Desk(
            settings=self.settings,
            study=self.study,
            database=self.db,
            clock=self.clock,
            handle=make_handler(self.study.protocol_of, "study.example"),
            sentences={**PK_SENTENCES, **LAB_SENTENCES, **MAIL_SENTENCES},
            mail_trouble=mail_trouble,
        )
        self.app = make_application(self.desk, PAGES)

    def with_console(self, **changes: object) -> House:
        """The same house with other settings of the console."""
        console = ConsoleSettings.model_validate({**self.settings.console.model_dump(), **changes})
        return replace(self, settings=self.settings.model_copy(update={"console": console}))

    def account(
        self,
        name: str = "marie",
        roles: Iterable[Role] = (Role.COORDINATOR,),
        site: str | None = "cochin",
        language: Language = Language.EN,
        *,
        fresh: bool = False,
    ) -> str:
        """An account whose password is PASSWORD; `fresh` when it is to be changed first."""

        def step(session: Session) -> None:
            add_account(
                session, self.study, name, name.title(), site, roles, language, "not yet known to anybody",
                OPERATOR, self.clock.now(),
            )  # fmt: skip
            row = session.get(AccountRow, name)
            assert row is not None
            row.password_hash, row.must_change = the_hash(), fresh
            session.add(row)

        self.db.transact(step)
        return name

    def browser(self, address: str = ADDRESS, client: tuple[str, int] = ("203.0.113.5", 4711)) -> Browser:
        """A browser in which nobody has signed in."""
        assert self.app is not None
        return Browser(
            TestClient(
                self.app,
                base_url=address,
                follow_redirects=False,
                client=client,
                raise_server_exceptions=False,
            )
        )

    def signed_in(self, name: str = "marie", **account: object) -> Browser:
        """A browser in which the person has signed in; the account is made when there is none."""
        if self.db.read(lambda session: session.get(AccountRow, name)) is None:
            self.account(name, **account)  # type: ignore[arg-type]
        browser = self.browser()
        answer = browser.post("/login", {"account": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return browser

    def furnish(self) -> None:
        """A subject of Cochin who is late, a file and a row of the laboratory; where they are, by part of a path."""
        now = self.clock.now()
        what = Enrolled(now.date() - timedelta(days=70), None, Regimen(Formulation.MMF, 1000, 12))

        def step(session: Session) -> Done:
            return enrol(session, self.study, SUBJECT, "cochin", what, OPERATOR, now, self.desk.handle)

        number = self.db.transact(step).number
        row = LabRow(
            study="MPA-AUC", subject="MPA-0001-3", visit="V1", timepoint="H0", specimen="T-1", collected_at=now,
            reported_at=now, value="1.85", result_id="R-1",
        )  # fmt: skip
        zone = self.study.calendars["cochin"].zone
        known = intake_study(self.study.newest[1], self.study.labs.values(), "cochin")
        arrival = Arrival.of("1.csv", lab_file([row], zone))
        self.db.transact(lambda session: ingest(session, arrival, known, now, self.desk.handle))
        flags = self.db.read(lambda session: session.exec(select(FlagRow).order_by(FlagRow.id)).all())  # type: ignore[arg-type]
        version = self.db.read(lambda session: session.exec(select(LabResultVersionRow)).one())
        flag = next(one for one in flags if one.subject == SUBJECT)
        self.somewhere = {
            "subject": SUBJECT, "visit": "W6", "point": "H30", "item": "mrss", "kind": "mrss", "number": str(number),
            "flag": str(flag.id), "file": str(version.file_id), "row": str(version.id), "site": "cochin",
            "account": "marie", "name": "console.css", "record": str(number),
        }  # fmt: skip

    def facts(self, kind: str | None = None) -> list[FactRow]:
        """Every record, or those of a kind, in their order."""
        rows = self.db.read(lambda session: session.exec(select(FactRow).order_by(col(FactRow.id))).all())
        return [row for row in rows if kind in (None, row.kind)]

    def local(self, **ahead: float) -> str:
        """A time of the site, from now on, as a field of moments holds it."""
        zone = self.study.calendars["cochin"].zone
        return (self.clock.now().astimezone(zone) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M")

    def later(self, **span: float) -> None:
        self.clock.move_to(self.clock.now() + timedelta(**span))

    def audited(self, action: str) -> list[AuditRow]:
        """The audit rows of an action."""
        query = select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)  # type: ignore[arg-type]
        return self.db.read(lambda session: list(session.exec(query)))


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed quickly, which is the only thing that is not as in use."""
    monkeypatch.setattr(
        passwords, "hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
