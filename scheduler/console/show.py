"""Answers: pages in the frame of the console, and ways to other pages."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse, Response

from config.language import TEMPLATE_DIR
from scheduler.console.page import Asked
from scheduler.engine.pages import environment
from scheduler.engine.recording.form import Taken, taken

__all__ = ["STATIC_DIR", "go", "is_local", "menu", "refused", "show", "static_version", "step_to", "wanted"]

STATIC_DIR = TEMPLATE_DIR / "console" / "static"


def show(asked: Asked, template: str, *, status: int = 200, **values: Any) -> Response:
    """A template in the frame, in the reader's language."""
    page = environment("console", asked.language).get_template(template)
    protocol = asked.desk.study.newest[1]
    html = page.render(
        asked=asked,
        speaker=asked.speaker,
        study=protocol.acronym,
        version=static_version(),
        menu=menu(asked),
        taken=_taken(asked),
        **values,
    )
    return HTMLResponse(html, status)


def _taken(asked: Asked) -> Taken | None:
    """What became of the form that led here."""
    key = asked.query.get("taken")
    if key is None or asked.signed_in is None or asked.posted:
        return None
    return asked.desk.database.read(lambda session: taken(session, key, asked.name))


def go(where: str) -> Response:
    """Look there next; what was sent is not sent again."""
    return RedirectResponse(quote(where, safe="/?&=#%~-._:+"), 303)


def refused(asked: Asked, status: int) -> Response:
    """Why there is no page."""
    return show(asked, "error.html", status=status, code=status)


def menu(asked: Asked) -> list[tuple[str, str, bool]]:
    """The words of the menu that the reader may open, where they lead, and whether it is here."""
    if asked.signed_in is None or not asked.signed_in.complete:
        return []
    return [
        (asked.speaker.status(page.nav), page.path, page is asked.page)
        for page in asked.menu
        if page.nav is not None and page.roles & asked.roles
    ]


def is_local(text: str) -> bool:
    """Whether it is a path of the console, and no way out of it."""
    return (
        text.startswith("/") and not text.startswith("//") and len(text) < 500 and text.isprintable()
        and "\\" not in text
    )  # fmt: skip


def wanted(asked: Asked) -> str:
    """Where the reader wanted to be before a step of the sign-in, inside the console."""
    place = asked.form.get("next") or asked.query.get("next") or "/"
    return place if is_local(place) else "/"


def step_to(step: str, place: str) -> Response:
    """Take this step of the sign-in first, and go on from it to a place."""
    return go(f"{step}?next={quote(place, safe='/')}" if place != "/" else step)


@cache
def static_version() -> str:
    """Changes when a file of the pages does, so that browsers may keep them."""
    found = sha256()
    for path in sorted(STATIC_DIR.iterdir()):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
