"""What somebody had typed when the sign-in had ended: kept for an hour, for the same account and nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from scheduler.engine.account.sign_in import session_key
from scheduler.store import accounts as store
from scheduler.store.tables import AccountRow, KeptFormRow

__all__ = ["drop_kept", "keep_typed", "typed_before", "whose_was"]

KEPT_FOR = timedelta(hours=1)


def whose_was(session: Session, token: str) -> AccountRow | None:
    """The account of a sign-in that was complete and ended by itself; None of any other, and of a disabled account."""
    found = store.session_row(session, session_key(token))
    if found is None:
        return None
    row, account = found
    ended = row.complete and row.ended_at is not None
    return account if ended and account.disabled_at is None else None


def keep_typed(session: Session, account: str, path: str, typed: Mapping[str, str], now: datetime) -> None:
    """Keep what was typed into the form of a page."""
    store.keep_form(session, account, path, dict(typed), now)


def typed_before(session: Session, account: str, path: str, now: datetime) -> Mapping[str, str] | None:
    """What the account had typed into the form of this page; None when nothing was, or it is too long ago."""
    row: KeptFormRow | None = store.kept_form(session, account)
    if row is None or row.path != path or now >= row.at + KEPT_FOR:
        return None
    return row.typed


def drop_kept(session: Session, account: str) -> None:
    """Forget it."""
    store.drop_kept_form(session, account)
