"""Who may do what: the one place that decides it, for every page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

from sqlmodel import Session

from scheduler.console.page import Page
from scheduler.domain.facts import Enrolled
from scheduler.engine.account.accounts import Role
from scheduler.store.tables import AccountRow, FactRow, FlagRow, LabFileRow, LabResultVersionRow, SubjectRow

__all__ = ["NEUTRAL", "SITE_OF", "Access", "decide", "sites_of", "unguarded"]


class Access(StrEnum):
    """`elsewhere` is what is not there, or is of another site: the two look the same from outside."""

    GRANTED = "granted"
    FORBIDDEN = "forbidden"
    ELSEWHERE = "elsewhere"


def _subject(session: Session, code: str) -> str | None:
    row = session.get(SubjectRow, code)
    return row.site_id if row is not None else None


def _flag(session: Session, number: str) -> str | None:
    row = session.get(FlagRow, int(number)) if _is_number(number) else None
    return row.site_id if row is not None else None


def _file(session: Session, number: str) -> str | None:
    row = session.get(LabFileRow, int(number)) if _is_number(number) else None
    return row.site_id if row is not None else None


def _row(session: Session, number: str) -> str | None:
    row = session.get(LabResultVersionRow, int(number)) if _is_number(number) else None
    return _file(session, str(row.file_id)) if row is not None else None


def _enrolment(session: Session, number: str) -> str | None:
    row = session.get(FactRow, int(number)) if _is_number(number) else None
    return _subject(session, row.subject) if row is not None and row.kind == Enrolled.kind else None


def _site(_: Session, site: str) -> str | None:
    return site


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


# The parts of a path that belong to a site, and how it is found.
SITE_OF: Mapping[str, Callable[[Session, str], str | None]] = {
    "subject": _subject,
    "flag": _flag,
    "file": _file,
    "row": _row,
    "record": _enrolment,
    "site": _site,
}
# The parts of a path that mean the same everywhere: the protocol's own words, and files of the program.
NEUTRAL = frozenset({"visit", "point", "item", "number", "name", "kind", "account"})


def decide(
    session: Session,
    page: Page,
    path: Mapping[str, str],
    roles: Collection[Role],
    sites: Collection[str],
    *,
    posted: bool,
) -> Access:
    """Whether somebody with these roles at these sites may do this. What no rule allows is not allowed."""
    if not page.roles_for(posted=posted) & set(roles):
        return Access.FORBIDDEN
    for part in page.parts:
        if part in NEUTRAL:
            continue
        find = SITE_OF.get(part)
        if find is None or find(session, path[part]) not in sites:
            return Access.ELSEWHERE
    return Access.GRANTED


def sites_of(account: AccountRow, known: Collection[str]) -> tuple[str, ...]:
    """The sites whose subjects an account may see."""
    if account.site_id is None:
        return tuple(sorted(known))
    return (account.site_id,) if account.site_id in known else ()


def unguarded(pages: Collection[Page]) -> list[str]:
    """Paths with a part of which nobody said whose it is; such a page is refused at the start."""
    return [page.path for page in pages if not set(page.parts) <= NEUTRAL | SITE_OF.keys()]
