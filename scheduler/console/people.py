"""The accounts, for an admin; made and reset by the command line."""

from __future__ import annotations

from sqlmodel import Session
from starlette.responses import Response

from scheduler.console.page import ADMINS, Asked, Page
from scheduler.console.show import go, refused, show
from scheduler.domain.facts import Source
from scheduler.store import audit
from scheduler.store.accounts import account_row, accounts, drop_sessions
from scheduler.store.tables import AccountRow

__all__ = ["PAGES"]


def _is_mine(asked: Asked, row: AccountRow | None) -> bool:
    """Whether an account is of the sites that the admin keeps."""
    assert asked.signed_in is not None
    own = asked.signed_in.account.site_id
    return row is not None and (own is None or row.site_id == own)


def _people(asked: Asked) -> Response:
    rows = [row for row in asked.desk.database.read(accounts) if _is_mine(asked, row)]
    return show(asked, "people.html", rows=rows, done=asked.query.get("done"))


def _sign_out(asked: Asked) -> Response:
    name = asked.path["account"]

    def step(session: Session) -> bool:
        if not _is_mine(asked, account_row(session, name)):
            return False
        count = drop_sessions(session, name)
        detail = {"sessions": count}
        audit.append(
            session, asked.now, "signed_out_by_admin", "account", name, detail, actor=asked.name, source=Source.CONSOLE
        )  # fmt: skip
        return True

    if not asked.posted or not asked.desk.database.transact(step):
        return refused(asked, 404)
    return go("/people?done=signed-out")


PAGES = (
    Page("/people", ADMINS, _people, nav="accounts"),
    Page("/people/{account}/sign-out", ADMINS, _sign_out, posts=True),
)
