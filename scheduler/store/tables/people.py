"""People: who may sign in to the console, and who has. Accounts are kept, the rest may be lost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field

from scheduler.store.tables.row import Row, json_column
from scheduler.store.types import Instant

__all__ = ["AccountRow", "FormReceiptRow", "KeptFormRow", "LoginAttemptRow", "LoginSessionRow"]


class AccountRow(Row, table=True):
    """A person who may sign in. Without `site_id` all sites are open; `totp_since` says that the second factor is used,
    `totp_step` which code was the last."""

    __tablename__ = "account"
    id: str = Field(primary_key=True)
    name: str
    site_id: str | None = Field(default=None, foreign_key="site.id")
    roles: list[str] = json_column()
    language: str
    password_hash: str
    must_change: bool
    totp_secret: str | None = None
    totp_since: datetime | None = Field(default=None, sa_type=Instant)
    totp_step: int = 0
    created_at: datetime = Field(sa_type=Instant)
    disabled_at: datetime | None = Field(default=None, sa_type=Instant)


class LoginSessionRow(Row, table=True):
    """A sign-in. The token itself is in the browser only; `complete` says that every factor asked for was given.

    One that ended by itself (`ended_at`) opens nothing: it says whose a form is that arrives too late.
    """

    __tablename__ = "login_session"
    token_sha256: str = Field(primary_key=True)
    account: str = Field(foreign_key="account.id", index=True)
    complete: bool
    created_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class KeptFormRow(Row, table=True):
    """What somebody had typed when the sign-in had ended, for the same account to find again; one form at most."""

    __tablename__ = "kept_form"
    account: str = Field(primary_key=True, foreign_key="account.id")
    path: str
    typed: dict[str, str] = json_column()
    at: datetime = Field(sa_type=Instant)


class LoginAttemptRow(Row, table=True):
    """An attempt to sign in. What was typed as a name is kept as a hash: it may have been a password."""

    __tablename__ = "login_attempt"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    account_sha256: str
    address: str
    succeeded: bool


class FormReceiptRow(Row, table=True):
    """A form that was taken: sent again, it changes nothing."""

    __tablename__ = "form_receipt"
    key: str = Field(primary_key=True)
    account: str = Field(foreign_key="account.id")
    page: str
    at: datetime = Field(sa_type=Instant, index=True)
    outcome: dict[str, Any] = json_column()
