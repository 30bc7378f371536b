"""The pictures of README and docs, taken anew: `make pictures` plays a rehearsal and looks at it in Chromium.

Pages are of a sampling morning and of a Friday in the rehearsed year, mails of the whole of it. All patients are
synthetic. Look at what was made before keeping it: the order of the patients' days is that of the rehearsal.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import BytesIO
from mailbox import Maildir
from pathlib import Path

import uvicorn
from console_cases import PASSWORD, House
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import Session

from config.language import Language
from config.settings import load_settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.console.server import behind_proxies
from scheduler.engine.account.accounts import Role
from scheduler.runtime.cli.rehearse import prepare, rehearsal_of
from scheduler.runtime.program import Program
from scheduler.runtime.rehearsal.driver import Rehearsal
from scheduler.store.operations import beat, heartbeats

OUT = Path(__file__).parents[2] / "docs" / "img"
CHROMIUM = next((one for one in ("/usr/bin/chromium", "/usr/bin/google-chrome") if Path(one).exists()), None)
MORNING = datetime.fromisoformat("2025-11-25T10:05:15+01:00")
"""Between H30 and H2 of one patient."""
FRIDAY = datetime.fromisoformat("2025-12-05T08:30:00+01:00")
SUBJECT = "MPA-0005-9"
DESKTOP, PHONE, LETTER = (1120, 760), (390, 844), (680, 400)
MAILS = {
    "mail.png": ("MPA-0010-1 · 6 weeks · visit in ", "en"),
    "auc.png": ("MPA-0006-8 · 6 mois · AUC", "fr"),
}
"""A part of the subject line, and the language."""


def play(program: Program, rehearsal: Rehearsal, end: datetime) -> None:
    """From where it stands to an instant; the services have just been alive."""
    assert isinstance(program.clock, ManualClock)
    rehearsal.end = end
    asyncio.run(rehearsal.play())
    program.clock.move_to(end)
    program.database.transact(lambda session: _alive(session, end))


def _alive(session: Session, now: datetime) -> None:
    """As if the daemon worked: no page says that it is down."""
    for row in heartbeats(session):
        beat(session, row.service, now, row.failures, row.detail)


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, while no rehearsal plays: both want the loop of this thread."""
    if CHROMIUM is None:
        sys.exit("Chromium is needed: apt-get install chromium")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@contextmanager
def served(house: House) -> Iterator[str]:
    """The address of the console while it is served."""
    assert house.app is not None
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        app = behind_proxies(house.app, house.settings.console)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def person(
    chromium: Browser, address: str, name: str, size: tuple[int, int], locale: str, scale: float = 1
) -> Page:
    """A browser in which somebody has signed in."""
    context = chromium.new_context(
        base_url=address,
        viewport={"width": size[0], "height": size[1]},
        device_scale_factor=scale,
        locale=locale,
    )
    page = context.new_page()
    page.goto("/login")
    page.locator("#account").fill(name)
    page.locator("#password").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"{address}/")
    return page


def keep(picture: bytes, name: str) -> None:
    """The picture in few colours, a third of the size."""
    few = Image.open(BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(OUT / name, optimize=True)
    print(f"docs/img/{name} {few.size[0]}x{few.size[1]}")


def shoot(page: Page, path: str, name: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    keep(page.screenshot(), name)


def morning(chromium: Browser, house: House) -> None:
    """The sampling day and a subject's year on a phone, in French."""
    house.account("marie", [Role.COORDINATOR], language=Language.FR)
    with served(house) as address:
        page = person(chromium, address, "marie", PHONE, "fr-FR", 1.5)
        page.goto("/sampling")
        page.locator("main a[href*='/sampling']").first.click()
        page.locator("input[name=tube]").first.scroll_into_view_if_needed()
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        keep(page.screenshot(), "sampling-phone.png")
        shoot(page, f"/subjects/{SUBJECT}", "subject-phone.png")


def friday(chromium: Browser, house: House) -> None:
    """The pages of a coordinator on a desktop."""
    house.account("ann", [Role.COORDINATOR], language=Language.EN)
    with served(house) as address:
        page = person(chromium, address, "ann", DESKTOP, "en-GB")
        shoot(page, "/", "worklist.png")
        shoot(page, f"/subjects/{SUBJECT}", "subject.png")
        shoot(page, "/lab", "laboratory.png")
        shoot(page, "/overview", "overview.png")


def mails(folder: Path) -> Iterator[EmailMessage]:
    """Every mail of every mailbox."""
    for box in sorted(one for one in folder.iterdir() if one.is_dir()):
        for message in Maildir(box, create=False):
            yield message_from_bytes(message.as_bytes(), policy=policy.default)  # type: ignore[arg-type,misc]


def letters(chromium: Browser, folder: Path) -> None:
    """The HTML of two mails, with their pictures."""
    found = list(mails(folder))
    for name, (words, language) in MAILS.items():
        chosen = next(one for one in found if words in one["Subject"] and one["Content-Language"] == language)
        body = chosen.get_body(("html",))
        assert body is not None
        html = str(body.get_content())
        for part in chosen.walk():
            if cid := str(part.get("Content-ID", "")).strip("<>"):
                data = b64encode(part.get_content()).decode()
                html = html.replace(f"cid:{cid}", f"data:image/png;base64,{data}")
        page = chromium.new_page(viewport={"width": LETTER[0], "height": LETTER[1]})
        page.set_content(html)
        keep(page.screenshot(full_page=True), name)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "rehearsal"
        program = prepare(make_program(load_settings(language=Language.EN)), out, 12, 1, resume=False)
        rehearsal = rehearsal_of(program, 12, 1)
        last = rehearsal.end
        assert isinstance(program.clock, ManualClock)
        house = House(program.database, program.study, program.clock)
        play(program, rehearsal, MORNING)
        with browser() as chromium:
            morning(chromium, house)
        play(program, rehearsal, FRIDAY)
        with browser() as chromium:
            friday(chromium, house)
        play(program, rehearsal, last)
        with browser() as chromium:
            letters(chromium, out / "mail")


if __name__ == "__main__":
    main()
