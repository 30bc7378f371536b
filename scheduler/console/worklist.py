"""The worklist, which is the home page: the rows and counts of the daily mail, each with its one action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.actions import FIRST_FOR, Action, action_for
from scheduler.console.page import TEAM, Asked, Page
from scheduler.console.show import go, show
from scheduler.domain.civil import local_date
from scheduler.domain.flags import FlagCode, Severity
from scheduler.domain.reason import because, from_json
from scheduler.engine.accounts import Role
from scheduler.store.worklist import Coming, HeldFile, held_files, visits_ahead, worklist

__all__ = ["PAGES", "Matter"]


_MOST = 100  # rows of one urgency on a page; the filters show the others


@dataclass(frozen=True, slots=True)
class Matter:
    """One row: what is the matter, why, since when, whom it is for first, and what to do about it."""

    flag: int
    site: str
    code: FlagCode
    severity: Severity
    subject: str | None
    visit: str | None
    reason: str
    closes: str
    since: datetime
    first_for: Role
    action: Action


@dataclass(frozen=True, slots=True)
class _OfSite:
    """What one site has to see to; of a mail, only that it did not arrive."""

    site: str
    matters: Sequence[Matter]
    older: Sequence[Matter]
    coming: Sequence[Coming]
    held: Sequence[HeldFile]
    trouble: Mapping[str, Any]


def _home(asked: Asked) -> Response:
    if not asked.roles & TEAM:
        return go("/people")
    chosen = asked.query.get("site", "")
    sites = [site for site in asked.sites if chosen in ("", site)]
    found = asked.desk.database.read(lambda session: [_of_site(session, asked, site) for site in sites])
    every = [one for of_site in found for one in of_site.matters]
    matters = sorted(filter(lambda one: _is_wanted(one, asked.query), every), key=_urgency)
    return show(
        asked,
        "worklist.html",
        groups=[(severity, [one for one in matters if one.severity == severity]) for severity in Severity],
        most=_MOST,
        count=len(every),
        shown=len(matters),
        older=sorted((one for of_site in found for one in of_site.older), key=_urgency),
        coming=[(of_site.site, one) for of_site in found for one in of_site.coming],
        held=[(of_site.site, one) for of_site in found for one in of_site.held],
        undelivered=[one for of_site in found for one in of_site.trouble["undelivered"]],
        waiting=sum(of_site.trouble["waiting"] for of_site in found),
        kinds=sorted({one.code for one in every}, key=asked.speaker.status),
        people=sorted({one.first_for for one in every}, key=asked.speaker.status),
        chosen={name: asked.query.get(name, "") for name in ("site", "kind", "for", "subject")},
        done=asked.query.get("done"),
        today=local_date(asked.now, asked.speaker.zone),
    )


def _of_site(session: Session, asked: Asked, site: str) -> _OfSite:
    today = local_date(asked.now, asked.desk.study.calendars[site].zone)
    found = worklist(session, site, asked.now)
    return _OfSite(
        site,
        tuple(_matters(found.flags, site, asked)),
        tuple(_matters(found.older, site, asked)),
        visits_ahead(session, site, today),
        held_files(session, site),
        asked.desk.mail_trouble(session, site, asked.now),
    )


def _matters(flags: Sequence[Row[Any]], site: str, asked: Asked) -> Iterator[Matter]:
    for flag in flags:
        code, reason = FlagCode(flag.code), from_json(flag.reason)
        yield Matter(
            flag=flag.id,
            site=site,
            code=code,
            severity=Severity(flag.severity),
            subject=flag.subject,
            visit=flag.visit,
            reason=asked.speaker.say(reason),
            closes=asked.speaker.say(because(f"closes_{code}")),
            since=flag.since,
            first_for=FIRST_FOR[code],
            action=action_for(code, flag.id, flag.subject, flag.visit, reason, asked.roles),
        )


def _is_wanted(one: Matter, query: Mapping[str, str]) -> bool:
    """Whether a row passes the filters."""
    kind, person, subject = query.get("kind", ""), query.get("for", ""), query.get("subject", "").strip()
    return (
        kind in ("", one.code.value)
        and person in ("", one.first_for.value)
        and subject.upper() in (one.subject or "")
    )


def _urgency(one: Matter) -> tuple[Severity, datetime, int]:
    """As in the daily mail."""
    return one.severity, one.since, one.flag


PAGES = (Page("/", TEAM | {Role.ADMIN}, _home, nav="worklist"),)
