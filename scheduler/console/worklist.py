"""The worklist, which is the home page: the rows and counts of the daily mail, each with its one action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.actions import FIRST_FOR, Action, action_for
from scheduler.console.due import day_raised, last_day
from scheduler.console.page import TEAM, Asked, Page
from scheduler.console.paging import Paging, address, paging
from scheduler.console.show import go, show
from scheduler.domain.civil import local_date
from scheduler.domain.flags import FlagCode, Severity
from scheduler.domain.reason import because, from_json
from scheduler.engine.account.accounts import Role
from scheduler.store.worklist import (
    Coming,
    FlagCount,
    HeldFile,
    Wanted,
    count_flags,
    held_files,
    matters,
    visits_ahead,
)

__all__ = ["PAGES", "Matter"]

_FIRST = 10  # of each other list below the matters; a link leads to the others
_ASKED = ("show", "site", "kind", "for", "subject")


class _List(StrEnum):
    """The lists that have a page of their own, besides the matters."""

    OLDER = "older"
    COMING = "coming"
    HELD = "held"
    MAILS = "mails"


@dataclass(frozen=True, slots=True)
class Matter:
    """One row: what is the matter, why, since when, whom it is for first, and what to do about it.

    `due` is the last day on which it can be seen to as it is, `raised` the day on which others are told: only where the
    protocol sets them.
    """

    flag: int
    site: str
    code: FlagCode
    severity: Severity
    subject: str | None
    visit: str | None
    reason: str
    closes: str
    since: datetime
    due: date | None
    raised: date | None
    first_for: Role
    action: Action


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many matters there are at the chosen sites, and how many pass the filters: by urgency, and older ones."""

    every: int
    wanted: Mapping[Severity, int]
    older: int
    kinds: Collection[FlagCode]


@dataclass(frozen=True, slots=True)
class _Beside:
    """What stands below the matters, each with its site; of a mail, only that it did not arrive."""

    coming: Sequence[tuple[str, Coming]]
    held: Sequence[tuple[str, HeldFile]]
    undelivered: Sequence[Mapping[str, Any]]
    waiting: int


def _home(asked: Asked) -> Response:
    if not asked.roles & TEAM:
        return go("/people")
    listed = asked.query.get("show", "")
    return _list(asked, _List(listed)) if listed in set(_List) else _matters(asked)


def _matters(asked: Asked) -> Response:
    """The matters, a page at a time; on the first one the beginning of the other lists."""

    def step(session: Session) -> tuple[_Counted, Paging, list[Matter], _Beside | None]:
        counted = _count(session, asked)
        pages = paging(asked, sum(counted.wanted.values()), _ASKED)
        rows = matters(session, _wanted(asked), asked.now, offset=pages.offset, limit=pages.size)
        return counted, pages, list(_said(rows, asked)), _beside(session, asked) if pages.page == 1 else None

    counted, pages, found, beside = asked.desk.database.read(step)
    return show(
        asked,
        "worklist.html",
        groups=[(severity, [one for one in found if one.severity == severity]) for severity in Severity],
        counted=counted,
        pages=pages,
        beside=beside,
        first=_FIRST,
        kinds=sorted(counted.kinds, key=asked.speaker.status),
        people=sorted({FIRST_FOR[one] for one in counted.kinds}, key=asked.speaker.status),
        chosen={name: asked.query.get(name, "") for name in _ASKED},
        where={one.value: address(asked, _ASKED, show=one.value) for one in _List},
        done=asked.query.get("done"),
        today=local_date(asked.now, asked.speaker.zone),
    )


def _list(asked: Asked, which: _List) -> Response:
    """One of the other lists, whole, a page at a time."""

    def step(session: Session) -> tuple[Paging, Sequence[Any], int]:
        if which is _List.OLDER:
            pages = paging(asked, _count(session, asked).older, _ASKED)
            rows = matters(
                session, _wanted(asked), asked.now, older=True, offset=pages.offset, limit=pages.size
            )
            return pages, list(_said(rows, asked)), 0
        beside = _beside(session, asked)
        every: Sequence[Any] = {
            _List.COMING: beside.coming,
            _List.HELD: beside.held,
            _List.MAILS: beside.undelivered,
        }[which]
        pages = paging(asked, len(every), _ASKED)
        return pages, every[pages.offset : pages.offset + pages.size], beside.waiting

    pages, rows, waiting = asked.desk.database.read(step)
    back = address(asked, _ASKED, show="")
    return show(
        asked, "worklist_more.html", which=which.value, rows=rows, pages=pages, waiting=waiting, back=back
    )


def _chosen_sites(asked: Asked) -> tuple[str, ...]:
    chosen = asked.query.get("site", "")
    return tuple(site for site in asked.sites if chosen in ("", site))


def _wanted(asked: Asked) -> Wanted:
    """What the filters let pass."""
    kind, person = asked.query.get("kind", ""), asked.query.get("for", "")
    codes = [one for one in FlagCode if kind in ("", one.value) and person in ("", FIRST_FOR[one].value)]
    subject = asked.query.get("subject", "").strip().upper()[:40]
    return Wanted(_chosen_sites(asked), None if len(codes) == len(FlagCode) else codes, subject)


def _count(session: Session, asked: Asked) -> _Counted:
    wanted, sites = _wanted(asked), _chosen_sites(asked)
    every = count_flags(session, Wanted(sites), asked.now)
    chosen: Sequence[FlagCount] = every
    if wanted.subject:
        chosen = count_flags(session, Wanted(sites, subject=wanted.subject), asked.now)
    of_kind = [one for one in chosen if wanted.codes is None or one.code in wanted.codes]
    counts: Counter[Severity] = Counter()
    for one in of_kind:
        counts[one.severity] += one.told
    return _Counted(
        every=sum(one.told for one in every),
        wanted=counts,
        older=sum(one.older for one in of_kind),
        kinds={one.code for one in every if one.told},
    )


def _beside(session: Session, asked: Asked) -> _Beside:
    sites = _chosen_sites(asked)
    calendars = asked.desk.study.calendars
    troubles = [asked.desk.mail_trouble(session, site, asked.now) for site in sites]
    return _Beside(
        coming=[
            (site, one)
            for site in sites
            for one in visits_ahead(session, site, local_date(asked.now, calendars[site].zone))
        ],
        held=[(site, one) for site in sites for one in held_files(session, site)],
        undelivered=[one for trouble in troubles for one in trouble["undelivered"]],
        waiting=sum(trouble["waiting"] for trouble in troubles),
    )


def _said(flags: Sequence[Row[Any]], asked: Asked) -> Iterator[Matter]:
    """The rows of a page, each in the reader's words."""
    for flag in flags:
        code, reason = FlagCode(flag.code), from_json(flag.reason)
        yield Matter(
            flag=flag.id,
            site=flag.site_id,
            code=code,
            severity=Severity(flag.severity),
            subject=flag.subject,
            visit=flag.visit,
            reason=asked.speaker.say(reason),
            closes=asked.speaker.say(because(f"closes_{code}")),
            since=flag.since,
            due=last_day(reason, asked.speaker),
            raised=day_raised(reason, asked.speaker, asked.now),
            first_for=FIRST_FOR[code],
            action=action_for(code, flag.id, flag.subject, flag.visit, reason, asked.roles),
        )


PAGES = (Page("/", TEAM | {Role.ADMIN}, _home, nav="worklist"),)
