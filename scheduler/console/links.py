"""Where links in mails lead: the pages of a subject by the number of its enrolment's record, so that an address holds
no subject's code. They open the page and do nothing by themselves."""

from __future__ import annotations

from urllib.parse import quote

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console import appointments, sampling, subject_pages, visits
from scheduler.console.page import Asked, Page
from scheduler.console.show import go
from scheduler.store.tables import FactRow

__all__ = ["PAGES"]

_SUBJECT = "/subjects/{subject}"
_LINKED = (
    _SUBJECT,
    *(
        f"{_SUBJECT}/visits/{{visit}}/{one}"
        for one in ("book", "cancel", "attend", "assess", "sampling", "auc")
    ),
)


def _way_to(page: Page) -> Page:
    """The address by number of a page, open to whom the page is."""

    def there(asked: Asked) -> Response:
        subject = asked.desk.database.read(lambda session: _subject_of(session, asked.path["record"]))
        path = page.path.replace("{subject}", quote(subject, safe=""))
        return go(path.replace("{visit}", quote(asked.path.get("visit", ""), safe="")))

    return Page(page.path.replace(_SUBJECT, "/of/{record}").replace("/visits", ""), page.roles, there)


def _subject_of(session: Session, record: str) -> str:
    row = session.get(FactRow, int(record))
    assert row is not None  # `decide` found its site
    return row.subject


_ALL = (*subject_pages.PAGES, *appointments.PAGES, *visits.PAGES, *sampling.PAGES)
PAGES = tuple(_way_to(page) for page in _ALL if page.path in _LINKED)
