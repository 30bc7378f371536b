"""A form about one subject: shown, tried where mails follow from it, and taken once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.page import Asked, Page, as_typed
from scheduler.console.sheet import Group, Sheet
from scheduler.console.show import go, show
from scheduler.domain.facts import Fact, Source, What
from scheduler.domain.protocol import Encounter
from scheduler.domain.reason import Reason, RefusedError
from scheduler.domain.speech import Speaker
from scheduler.domain.timeline import Timeline, VisitPlan
from scheduler.engine.account.accounts import Role
from scheduler.engine.reconcile import standing
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.form import (
    Form,
    MeanwhileError,
    Preview,
    Taken,
    meanwhile,
    newest_fact,
    preview,
    take,
    taken,
)
from scheduler.engine.recording.request import Done, Who
from scheduler.store.tables import SubjectRow

__all__ = ["Entry", "Matter", "answer", "form_page", "not_here", "sent_key", "who"]

_KEY = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class Matter:
    """What a form is about: a subject as the records stand, and the visit of the address."""

    code: str
    timeline: Timeline
    plan: VisitPlan | None
    speaker: Speaker
    seen: int

    @property
    def visit(self) -> VisitPlan:
        assert self.plan is not None
        return self.plan

    @property
    def encounter(self) -> Encounter:
        return self.visit.planned.encounter


@dataclass(frozen=True, slots=True)
class Entry:
    """One form. `whats` reads the facts from what was typed; a `closed` one says why there is nothing to record."""

    title: str
    button: str
    groups: Sequence[Group]
    whats: Callable[[Sheet], Sequence[What]]
    intro: str | None = None
    closed: str | None = None
    previewed: bool = False
    beside: Callable[[Reason], str] | None = None
    record: Callable[[Session, Sheet, Sequence[What]], Sequence[Done]] | None = None


Make = Callable[[Asked, Matter], Entry | None]
"""The form about a matter; None where there is none."""


def who(asked: Asked) -> Who:
    """The reader as the one who records."""
    return Who(asked.name, Source.CONSOLE)


def _new_key() -> str:
    """What tells a form from every other one."""
    return secrets.token_urlsafe(16)


def form_page(path: str, roles: frozenset[Role], make: Make) -> Page:
    """A page that shows a form and takes it; what was typed outlives a sign-in that ends by itself."""
    return Page(path, roles, lambda asked: answer(asked, make), posts=True, keeps=as_typed)


def answer(asked: Asked, make: Make) -> Response:
    """Show the form, or take it."""
    matter, before, newer = asked.desk.database.read(lambda session: _looked_up(session, asked))
    if before is not None:
        return go(f"/subjects/{before.subject}?taken={asked.form['key']}")
    entry = make(asked, matter) if matter is not None else None
    if matter is None or entry is None:
        return not_here(asked)
    if not asked.posted:
        return _shown(asked, matter, entry, entry.groups, _new_key(), matter.seen)
    sheet = Sheet(asked.form, matter.speaker, asked.now, matter.speaker.zone)
    if newer or entry.closed is not None:
        return _again(asked, matter, entry, sheet, sent_key(asked), matter.seen, meanwhile=newer)
    return _sent(asked, matter, entry, sheet)


def _looked_up(session: Session, asked: Asked) -> tuple[Matter | None, Taken | None, Sequence[Fact]]:
    """What the form is about; what became of it when it was taken already; what others recorded meanwhile."""
    matter = _matter(session, asked)
    if matter is None or not asked.posted:
        return matter, None, ()
    return matter, taken(session, sent_key(asked), asked.name), meanwhile(session, _form(asked, matter))


def sent_key(asked: Asked) -> str:
    """The key of the form that was sent; another one when it is none."""
    key = asked.form.get("key", "")
    return key if _KEY.fullmatch(key) else _new_key()


def _form(asked: Asked, matter: Matter) -> Form:
    seen = asked.form.get("seen", "")
    number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 12 else 0
    visit = matter.plan.id if matter.plan is not None else None
    return Form(sent_key(asked), asked.name, asked.page.path, matter.code, visit, number)


def not_here(asked: Asked) -> Response:
    return show(asked, "error.html", status=404, code=404)


def _matter(session: Session, asked: Asked) -> Matter | None:
    row = session.get(SubjectRow, asked.path["subject"])
    assert row is not None  # `decide` found its site
    timeline = standing(session, asked.desk.study, row, asked.now).timeline
    visit = asked.path.get("visit")
    plan = timeline.visit(visit) if visit is not None else None
    if visit is not None and plan is None:
        return None
    speaker = asked.desk.speaker(asked.language, row.site_id)
    return Matter(row.code, timeline, plan, speaker, newest_fact(session, row.code))


def _sent(asked: Asked, matter: Matter, entry: Entry, sheet: Sheet) -> Response:
    whats = entry.whats(sheet)
    form = _form(asked, matter)
    key, seen = form.key, form.seen
    if sheet.problems:
        return _again(asked, matter, entry, sheet, key, seen)

    def step(session: Session) -> Sequence[Done]:
        if entry.record is not None:
            return entry.record(session, sheet, whats)
        desk = asked.desk
        return [
            engine.record(session, desk.study, matter.code, what, who(asked), asked.now, desk.handle)
            for what in whats
        ]

    digest = _digest(asked, entry)
    try:
        if entry.previewed and asked.form.get("previewed") != digest:
            found = preview(asked.desk.database, asked.desk.study, form, step, asked.now)
            return _again(asked, matter, entry, sheet, key, seen, found=found, digest=digest)
        take(asked.desk.database, form, step, asked.now)
    except RefusedError as error:
        sheet.refuse(error, entry.beside)
        return _again(asked, matter, entry, sheet, key, seen)
    except MeanwhileError as error:
        return _again(asked, matter, entry, sheet, key, matter.seen, meanwhile=error.facts)
    return go(f"/subjects/{matter.code}?taken={key}")


def _digest(asked: Asked, entry: Entry) -> str:
    """Of what was typed: a preview holds for it and for nothing else."""
    names = [field.name for group in entry.groups for field in group.fields]
    return sha256("\0".join(asked.form.get(name, "") for name in names).encode()).hexdigest()


def _again(
    asked: Asked,
    matter: Matter,
    entry: Entry,
    sheet: Sheet,
    key: str,
    seen: int,
    *,
    found: Preview | None = None,
    digest: str = "",
    meanwhile: Sequence[Fact] = (),
) -> Response:
    """The form with what was typed, and why it is shown once more."""
    groups = sheet.filled(entry.groups)
    status = 422 if sheet.problems else 409 if meanwhile else 200
    return _shown(
        asked, matter, entry, groups, key, seen,
        status=status, problems=sheet.problems.get("", []), found=found, digest=digest, meanwhile=meanwhile,
    )  # fmt: skip


def _shown(
    asked: Asked,
    matter: Matter,
    entry: Entry,
    groups: Sequence[Group],
    key: str,
    seen: int,
    *,
    status: int = 200,
    problems: Sequence[str] = (),
    found: Preview | None = None,
    digest: str = "",
    meanwhile: Sequence[Fact] = (),
) -> Response:
    return show(
        asked, "entry.html", status=status, matter=matter, entry=entry, groups=groups, key=key, seen=seen,
        problems=problems, found=found, digest=digest, meanwhile=meanwhile,
    )  # fmt: skip
