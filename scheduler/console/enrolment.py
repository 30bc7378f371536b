"""Enrol a subject, with the eligibility check: what follows from the answers is shown before anything is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.entry import sent_key, who
from scheduler.console.page import RECORDERS, Asked, Page, as_typed
from scheduler.console.participation import read_regimen, regimen_fields
from scheduler.console.sheet import Field, Group, Kind, Sheet
from scheduler.console.show import go, show
from scheduler.domain.civil import local_date
from scheduler.domain.facts import Answer, EligibilityAssessed, Enrolled
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.answers import read_answers
from scheduler.domain.trial.eligibility import ITEMS, eligibility_of
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.form import Form, take
from scheduler.engine.recording.request import Done
from scheduler.engine.report.endpoints import eligibility_row

__all__ = ["PAGES"]

_TYPED_ITEMS = ("age_years", "first_sign")


def _enrol(asked: Asked) -> Response:
    groups = _groups(asked)
    key = sent_key(asked)
    if not asked.posted:
        return show(asked, "enrol.html", groups=groups, key=key, problems=[], row=None)
    sheet = Sheet(asked.form, asked.speaker, asked.now, asked.speaker.zone)
    answers = _answers(asked, sheet)
    if asked.form.get("step") == "check":
        row = _checked(asked, answers) if answers is not None else None
        return _again(asked, groups, key, sheet, row)
    what, code, site = _enrolled(asked, sheet), sheet.words("code") or "", _site(asked, sheet)
    if what is None or sheet.problems:
        return _again(asked, groups, key, sheet, None)
    try:
        _record(asked, key, code.upper(), site, what, answers)
    except RefusedError as error:
        sheet.refuse(error)
        return _again(asked, groups, key, sheet, None)
    return go(f"/subjects/{code.upper()}?taken={key}")


def _again(
    asked: Asked, groups: Sequence[Group], key: str, sheet: Sheet, row: dict[str, Any] | None
) -> Response:
    filled = sheet.filled(groups)
    status = 422 if sheet.problems else 200
    return show(
        asked,
        "enrol.html",
        status=status,
        groups=filled,
        key=key,
        problems=sheet.problems.get("", []),
        row=row,
    )


def _groups(asked: Asked) -> list[Group]:
    say = asked.speaker
    today = _today(asked).isoformat()
    sites = tuple((one, asked.desk.study.sites[one].name) for one in asked.sites)
    first = [Field("code", say.text("Subject code"), hint=_example(asked))]
    if len(sites) > 1:
        first.append(Field("site", say.text("Site"), Kind.SELECT, options=sites))
    first += [
        Field("inclusion", say.text("Date of the inclusion visit"), Kind.DAY, today),
        Field("treatment_start", say.text("Date on which MMF was started"), Kind.DAY, required=False),
    ]
    return [
        Group(tuple(first)),
        Group(regimen_fields(say, required=False), say.text("Regimen")),
        Group(tuple(_items(say)), say.text("Eligibility"), say.text("What is left out is not known.")),
    ]


def _example(asked: Asked) -> str:
    return asked.speaker.text("The last digit is a check digit.")


def _items(say: Speaker) -> list[Field]:
    options = tuple((one.value, say.say(because(f"answer_{one}"))) for one in Answer)
    found = []
    for item in ITEMS:
        label = say.say(because(f"item_{item}"))
        label = label[:1].upper() + label[1:]
        if item in _TYPED_ITEMS:
            found.append(Field(item, label, required=False))
        else:
            found.append(Field(item, label, Kind.RADIO, Answer.UNKNOWN.value, options, required=False))
    return found


def _answers(asked: Asked, sheet: Sheet) -> EligibilityAssessed | None:
    """The answers, when any was given."""
    given = {item: sheet.raw(item) for item in ITEMS if sheet.raw(item) not in ("", Answer.UNKNOWN.value)}
    answers, wrong = read_answers(given, _today(asked))
    for reason in wrong:
        sheet.refuse(RefusedError([reason]), _item_of)
    return answers if given else None


def _item_of(reason: Reason) -> str:
    return str(reason.get("key_id") or ("first_sign" if reason.get("first_id") else ""))


def _checked(asked: Asked, answers: EligibilityAssessed) -> dict[str, Any]:
    scope = asked.desk.study.newest[1].endpoints.biologic_scope
    return eligibility_row(answers, eligibility_of(answers, scope), asked.speaker)


def _enrolled(asked: Asked, sheet: Sheet) -> Enrolled | None:
    inclusion = sheet.day("inclusion")
    start = sheet.day("treatment_start") if sheet.raw("treatment_start") else None
    some = any(sheet.raw(name) for name in ("formulation", "dose_mg", "interval_h"))
    regimen = read_regimen(sheet) if some else None
    return Enrolled(inclusion, start, regimen) if inclusion is not None else None


def _site(asked: Asked, sheet: Sheet) -> str:
    """One of the reader's own sites; none but those can be named."""
    if len(asked.sites) == 1:
        return asked.sites[0]
    site = sheet.raw("site")
    if site not in asked.sites:
        known = ", ".join(asked.sites)
        sheet.refuse(RefusedError([because("refused_site_unknown", site=site, known=known)]))
    return site


def _record(
    asked: Asked, key: str, code: str, site: str, what: Enrolled, answers: EligibilityAssessed | None
) -> None:
    desk = asked.desk

    def step(session: Session) -> list[Done]:
        common = who(asked), asked.now, desk.handle
        done = engine.enrol(session, desk.study, code, site, what, *common)
        if answers is None:
            return [Done(done.subject, done.number, (because("warned_no_eligibility"),))]
        return [done, engine.record(session, desk.study, code, answers, *common)]

    take(desk.database, Form(key, asked.name, asked.page.path), step, asked.now)


def _today(asked: Asked) -> date:
    return local_date(asked.now, asked.speaker.zone)


PAGES = (Page("/enrol", RECORDERS, _enrol, posts=True, keeps=as_typed),)
