"""What people change of their own account: password, second factor, language."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import ceil

import pyotp
from sqlmodel import Session

from config.language import Language
from scheduler.domain.facts import Source
from scheduler.domain.reason import RefusedError, because
from scheduler.engine.account.passwords import hashed, matches, refusals_of_password
from scheduler.engine.account.sign_in import SignedIn, accept_code, brake, counted_as, session_key
from scheduler.store import accounts as store
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.tables import AccountRow

__all__ = ["change_password", "choose_language", "confirm_second_factor", "second_factor_secret"]


def change_password(
    db: Database,
    signed_in: SignedIn,
    old: str,
    new: str,
    words: Iterable[str],
    address: str,
    now: datetime,
) -> None:
    """Another password; the other sign-ins of the account end. Raises RefusedError."""
    _prove(db, signed_in, old, address, now)
    reasons = list(refusals_of_password(new, [signed_in.account.id, *words]))
    if new == old:
        reasons.append(because("refused_password_same"))
    if reasons:
        raise RefusedError(reasons)
    hash_ = hashed(new)

    def step(session: Session) -> None:
        row = _own(session, signed_in)
        row.password_hash, row.must_change = hash_, False
        session.add(row)
        store.drop_sessions(session, row.id, but=session_key(signed_in.token))
        _note(session, "password_changed", row.id, now)

    db.transact(step)


def second_factor_secret(db: Database, signed_in: SignedIn) -> str:
    """The secret that is offered to an authenticator; it counts once a code of it was given."""

    def step(session: Session) -> str:
        row = _own(session, signed_in)
        if row.totp_secret is None:
            row.totp_secret = pyotp.random_base32()
            session.add(row)
        return row.totp_secret

    return db.transact(step)


def confirm_second_factor(
    db: Database, signed_in: SignedIn, password: str, code: str, address: str, now: datetime
) -> None:
    """From now on the account asks for codes; its other sign-ins end. Raises RefusedError."""
    _prove(db, signed_in, password, address, now)

    def step(session: Session) -> bool:
        row = _own(session, signed_in)
        if row.totp_since is not None or not accept_code(row, code, now):
            return False
        row.totp_since = now
        session.add(row)
        store.drop_sessions(session, row.id, but=session_key(signed_in.token))
        _note(session, "second_factor_added", row.id, now)
        return True

    if not db.transact(step):
        raise RefusedError([because("refused_code_wrong")])


def choose_language(db: Database, signed_in: SignedIn, language: Language) -> None:
    """In which language the account reads."""

    def step(session: Session) -> None:
        row = _own(session, signed_in)
        row.language = language.value
        session.add(row)

    db.transact(step)


def _prove(db: Database, signed_in: SignedIn, password: str, address: str, now: datetime) -> None:
    """Raises RefusedError unless the password is the account's; a wrong one counts as an attempt to sign in."""
    name = signed_in.account.id
    account_sha256 = counted_as(name)
    wait = db.read(lambda session: brake(session, account_sha256, address, now))
    if wait is not None:
        raise RefusedError([because("refused_attempts", minutes=ceil(wait.total_seconds() / 60))])
    if matches(password, signed_in.account.password_hash):
        return

    def step(session: Session) -> None:
        store.add_attempt(session, account_sha256, address, now, succeeded=False)
        _note(session, "password_wrong", name, now)

    db.transact(step)
    raise RefusedError([because("refused_password_wrong")])


def _own(session: Session, signed_in: SignedIn) -> AccountRow:
    row = store.account_row(session, signed_in.account.id)
    assert row is not None  # accounts are never deleted
    return row


def _note(session: Session, action: str, account: str, now: datetime) -> None:
    audit.append(session, now, action, "account", account, actor=account, source=Source.CONSOLE)
