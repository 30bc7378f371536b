"""One matter: why it is open, what closes it, and the note that somebody has seen it. Links in mails lead here."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.actions import ACKNOWLEDGERS
from scheduler.console.due import day_raised, last_day
from scheduler.console.entry import sent_key, who
from scheduler.console.page import TEAM, Asked, Page, as_typed
from scheduler.console.sheet import Sheet
from scheduler.console.show import go, show
from scheduler.domain.flags import CLOSED_BY_PERSON, FlagCode
from scheduler.domain.reason import RefusedError, because, from_json
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.form import Form, take
from scheduler.store.tables import FlagRow

__all__ = ["PAGES"]


def _flag(asked: Asked) -> Response:
    number = int(asked.path["flag"])
    found = asked.desk.database.read(lambda session: _row(session, asked, number))
    key = sent_key(asked)
    sheet = Sheet(asked.form, asked.speaker, asked.now, asked.speaker.zone)
    if asked.posted:
        reason = sheet.words("reason")
        if reason is not None:
            try:
                _acknowledge(asked, number, reason, key)
                return go(f"/?taken={key}")
            except RefusedError as error:
                sheet.refuse(error)
    return show(
        asked,
        "flag.html",
        status=422 if sheet.problems else 200,
        flag=found,
        key=key,
        problems=sheet.problems,
        typed=asked.form.get("reason", ""),
        may=bool(asked.roles & ACKNOWLEDGERS),
    )


def _row(session: Session, asked: Asked, number: int) -> dict[str, Any]:
    row = session.get(FlagRow, number)
    assert row is not None  # `decide` found its site
    speaker, reason = asked.desk.speaker(asked.language, row.site_id), from_json(row.reason)
    return {
        "number": number,
        "code": FlagCode(row.code),
        "subject": row.subject,
        "visit": row.visit,
        "reason": speaker.say(reason),
        "due": last_day(reason, speaker) if row.closed_at is None else None,
        "raised": day_raised(reason, speaker, asked.now) if row.closed_at is None else None,
        "closes": speaker.say(because(f"closes_{row.code}")),
        "since": row.since,
        "closed_at": row.closed_at,
        "by_person": FlagCode(row.code) in CLOSED_BY_PERSON,
    }


def _acknowledge(asked: Asked, number: int, reason: str, key: str) -> None:
    desk = asked.desk
    form = Form(key, asked.name, asked.page.path)
    take(
        desk.database,
        form,
        lambda session: [
            engine.acknowledge(session, desk.study, number, reason, who(asked), asked.now, desk.handle)
        ],
        asked.now,
    )


PAGES = (Page("/flags/{flag}", TEAM, _flag, posts=True, keeps=as_typed, post_roles=ACKNOWLEDGERS),)
