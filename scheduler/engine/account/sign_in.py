"""Signing in to the console: attempts and their brake, tokens, second factor, time-outs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import pyotp
from sqlmodel import Session

from config.settings import ConsoleSettings
from scheduler.domain.facts import Source
from scheduler.engine.account.passwords import hashed, is_outdated, matches
from scheduler.store import accounts as store
from scheduler.store import audit
from scheduler.store.database import Database
from scheduler.store.tables import AccountRow

__all__ = [
    "SignedIn",
    "Tried",
    "accept_code",
    "brake",
    "counted_as",
    "find_session",
    "give_code",
    "session_key",
    "sign_in",
    "sign_out",
]

COUNTED_FOR = timedelta(minutes=15)
FAILURES_HERE = 5  # of one account from one address
FAILURES_ACCOUNT = 50  # of one account from anywhere: high, so that a stranger can hardly lock somebody out
FAILURES_ADDRESS = 50  # from one address on any account: a hospital may share one
_CODE_WITHIN = timedelta(minutes=5)
_NOTED_EVERY = timedelta(minutes=1)
_RECEIPTS_FOR = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of an attempt: a token when it succeeded, else how long to wait, if at all."""

    token: str | None = None
    needs_code: bool = False
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that counts, with its account as it was read. `complete` when every factor was given."""

    token: str
    account: AccountRow
    complete: bool
    since: datetime


def session_key(token: str) -> str:
    """Under what a token is kept."""
    return sha256(token.encode()).hexdigest()


def counted_as(name: str) -> str:
    """Under what the attempts of an account are counted: what was typed as its name may have been a password."""
    return sha256(name.encode("utf-8", "replace")).hexdigest()


def sign_in(
    db: Database, settings: ConsoleSettings, name: str, password: str, address: str, now: datetime
) -> Tried:
    """Try a name and a password. Every attempt is counted and audited; while too many failed, none is looked at."""
    account_sha256 = counted_as(name)
    wait = db.read(lambda session: brake(session, account_sha256, address, now))
    if wait is not None:
        return Tried(wait=wait)
    row = db.read(lambda session: store.account_row(session, name))
    usable = row is not None and row.disabled_at is None
    right = matches(password, row.password_hash if row is not None and usable else None)
    if row is None or not right:
        db.transact(lambda session: _failed(session, row, account_sha256, address, now))
        return Tried()
    token, needs_code = secrets.token_urlsafe(32), row.totp_since is not None
    again = hashed(password) if is_outdated(row.password_hash) else None

    def step(session: Session) -> None:
        store.forget_before(session, now - _RECEIPTS_FOR, now - timedelta(hours=settings.absolute_h))
        if not needs_code:
            store.add_attempt(session, account_sha256, address, now, succeeded=True)
            _note(session, "signed_in", name, now, address)
        store.add_session(session, session_key(token), name, now, complete=not needs_code)
        account = store.account_row(session, name)
        if again is not None and account is not None:
            account.password_hash = again
            session.add(account)

    db.transact(step)
    return Tried(token, needs_code)


def brake(session: Session, account_sha256: str, address: str, now: datetime) -> timedelta | None:
    """How long no attempt is looked at, after too many failures; None when one is."""
    since = now - COUNTED_FOR
    for account, where, most in (
        (account_sha256, address, FAILURES_HERE),
        (account_sha256, None, FAILURES_ACCOUNT),
        (None, address, FAILURES_ADDRESS),
    ):
        count, last = store.failures_since(session, since, account, where)
        if count >= most and last is not None:
            return max(last + COUNTED_FOR - now, timedelta(seconds=1))
    return None


def _failed(
    session: Session, row: AccountRow | None, account_sha256: str, address: str, now: datetime
) -> None:
    store.add_attempt(session, account_sha256, address, now, succeeded=False)
    known = row.id if row is not None else "-"  # what was typed may have been a password
    _note(session, "sign_in_failed", known, now, address)


def give_code(db: Database, signed_in: SignedIn, code: str, address: str, now: datetime) -> Tried:
    """Try the code of the second factor: a new token when it is right. A code counts once."""
    name, account_sha256 = signed_in.account.id, counted_as(signed_in.account.id)
    old = session_key(signed_in.token)

    def step(session: Session) -> Tried:
        wait = brake(session, account_sha256, address, now)
        if wait is not None:
            store.drop_session(session, old)
            return Tried(wait=wait)
        row = store.account_row(session, name)
        if row is None or not accept_code(row, code, now):
            _failed(session, signed_in.account, account_sha256, address, now)
            return Tried(needs_code=True)
        session.add(row)
        token = secrets.token_urlsafe(32)
        store.drop_session(session, old)
        store.add_session(session, session_key(token), name, now, complete=True)
        store.add_attempt(session, account_sha256, address, now, succeeded=True)
        _note(session, "signed_in", name, now, address, second_factor=True)
        return Tried(token)

    return db.transact(step)


def accept_code(row: AccountRow, code: str, now: datetime) -> bool:
    """Whether a code is one of now, or of 30 s before or after, and was not used; notes that it is used."""
    if row.totp_secret is None:
        return False
    totp = pyotp.TOTP(row.totp_secret)
    digits = "".join(code.split())
    for step in range(totp.timecode(now) - 1, totp.timecode(now) + 2):
        if step > row.totp_step and secrets.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            row.totp_step = step
            return True
    return False


def find_session(
    db: Database, settings: ConsoleSettings, token: str, now: datetime, *, stays: bool
) -> SignedIn | None:
    """The sign-in of a token, unless it is over or its account disabled; `stays` when the request is a sign of life."""
    key = session_key(token)
    found = db.read(lambda session: store.session_row(session, key))
    if found is None:
        return None
    row, account = found
    if row.ended_at is not None:
        return None
    limit = timedelta(hours=settings.absolute_h) if row.complete else _CODE_WITHIN
    idle = timedelta(minutes=settings.idle_min)
    if account.disabled_at is not None or now >= row.created_at + limit or now >= row.seen_at + idle:
        db.transact(lambda session: _over(session, key, account.id, now))
        return None
    if stays and now >= row.seen_at + _NOTED_EVERY:
        db.transact(lambda session: _seen(session, key, now))
    return SignedIn(token, account, row.complete, row.created_at)


def _seen(session: Session, key: str, now: datetime) -> None:
    found = store.session_row(session, key)
    if found is not None:
        found[0].seen_at = now
        session.add(found[0])


def _over(session: Session, key: str, account: str, now: datetime) -> None:
    if store.end_session(session, key, now):
        _note(session, "session_over", account, now, None)


def sign_out(db: Database, signed_in: SignedIn, now: datetime) -> None:
    """End a sign-in."""

    def step(session: Session) -> None:
        store.drop_session(session, session_key(signed_in.token))
        _note(session, "signed_out", signed_in.account.id, now, None)

    db.transact(step)


def _note(
    session: Session, action: str, account: str, now: datetime, address: str | None, **detail: object
) -> None:
    said = dict(detail) if address is None else {"address": address, **detail}
    audit.append(session, now, action, "account", account, said, actor=account, source=Source.CONSOLE)
