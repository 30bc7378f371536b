"""Accounts of the console, their sign-ins, and the attempts to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, update
from sqlmodel import Session, col, select

from scheduler.store.tables import AccountRow, FormReceiptRow, KeptFormRow, LoginAttemptRow, LoginSessionRow

__all__ = [
    "account_row",
    "accounts",
    "add_attempt",
    "add_session",
    "drop_kept_form",
    "drop_session",
    "drop_sessions",
    "end_session",
    "failures_since",
    "forget_before",
    "keep_form",
    "kept_form",
    "receipt",
    "session_row",
]


def account_row(session: Session, name: str) -> AccountRow | None:
    return session.get(AccountRow, name)


def accounts(session: Session) -> Sequence[AccountRow]:
    """All accounts, disabled ones too, by name."""
    return session.exec(select(AccountRow).order_by(col(AccountRow.id))).all()


def session_row(session: Session, token_sha256: str) -> tuple[LoginSessionRow, AccountRow] | None:
    """A sign-in with its account."""
    query = (
        select(LoginSessionRow, AccountRow)
        .join(AccountRow, col(AccountRow.id) == col(LoginSessionRow.account))
        .where(LoginSessionRow.token_sha256 == token_sha256)
    )
    return session.exec(query).first()


def add_session(session: Session, token_sha256: str, account: str, now: datetime, *, complete: bool) -> None:
    session.add(
        LoginSessionRow(
            token_sha256=token_sha256, account=account, complete=complete, created_at=now, seen_at=now
        )
    )


def end_session(session: Session, token_sha256: str, now: datetime) -> bool:
    """Note that a sign-in ended by itself; False when that is noted already, or there is none."""
    this = col(LoginSessionRow.token_sha256) == token_sha256
    still = update(LoginSessionRow).where(this, col(LoginSessionRow.ended_at).is_(None)).values(ended_at=now)
    return bool(session.execute(still).rowcount)  # type: ignore[attr-defined]


def drop_session(session: Session, token_sha256: str) -> None:
    session.execute(delete(LoginSessionRow).where(col(LoginSessionRow.token_sha256) == token_sha256))


def drop_sessions(session: Session, account: str, but: str | None = None) -> int:
    """End the sign-ins of an account, one excepted; how many there were."""
    of_account = col(LoginSessionRow.account) == account
    session.execute(delete(LoginSessionRow).where(of_account, col(LoginSessionRow.ended_at).is_not(None)))
    chosen = of_account if but is None else and_(of_account, col(LoginSessionRow.token_sha256) != but)
    return int(session.execute(delete(LoginSessionRow).where(chosen)).rowcount)  # type: ignore[attr-defined]


def add_attempt(
    session: Session, account_sha256: str, address: str, now: datetime, *, succeeded: bool
) -> None:
    session.add(LoginAttemptRow(at=now, account_sha256=account_sha256, address=address, succeeded=succeeded))


def failures_since(
    session: Session, since: datetime, account_sha256: str | None, address: str | None
) -> tuple[int, datetime | None]:
    """How many attempts failed on an account, from an address, or both, since its last success; and the last one."""
    of_these = [col(LoginAttemptRow.at) > since]
    if account_sha256 is not None:
        of_these.append(col(LoginAttemptRow.account_sha256) == account_sha256)
    if address is not None:
        of_these.append(col(LoginAttemptRow.address) == address)
    success = session.exec(
        select(func.max(LoginAttemptRow.id)).where(*of_these, col(LoginAttemptRow.succeeded).is_(True))
    ).one()
    if success is not None and account_sha256 is not None:
        of_these.append(col(LoginAttemptRow.id) > success)
    query = select(func.count(), func.max(LoginAttemptRow.at)).where(
        *of_these, col(LoginAttemptRow.succeeded).is_(False)
    )
    count, last = session.exec(query).one()
    return count, last


def forget_before(session: Session, moment: datetime, signed_in_before: datetime) -> None:
    """Delete attempts and receipts of forms from before a moment, and sign-ins and kept forms that are over."""
    session.execute(delete(LoginAttemptRow).where(col(LoginAttemptRow.at) < moment))
    session.execute(delete(FormReceiptRow).where(col(FormReceiptRow.at) < moment))
    session.execute(delete(LoginSessionRow).where(col(LoginSessionRow.created_at) < signed_in_before))
    session.execute(delete(KeptFormRow).where(col(KeptFormRow.at) < signed_in_before))


def keep_form(session: Session, account: str, path: str, typed: dict[str, str], now: datetime) -> None:
    """Keep what was typed into a form, instead of any other that was kept for the account."""
    session.merge(KeptFormRow(account=account, path=path, typed=typed, at=now))


def kept_form(session: Session, account: str) -> KeptFormRow | None:
    return session.get(KeptFormRow, account)


def drop_kept_form(session: Session, account: str) -> None:
    session.execute(delete(KeptFormRow).where(col(KeptFormRow.account) == account))


def receipt(session: Session, key: str) -> FormReceiptRow | None:
    """What became of a form that was taken."""
    return session.get(FormReceiptRow, key)
