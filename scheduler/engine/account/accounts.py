"""Accounts of the console, as whoever runs the service makes, resets and disables them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from config.language import Language
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.roles import Role
from scheduler.engine.account.passwords import hashed, refusals_of_password
from scheduler.engine.recording.request import Who
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.accounts import account_row, drop_sessions
from scheduler.store.tables import AccountRow, SiteRow

__all__ = [
    "Role",
    "add_account",
    "disable_account",
    "enable_account",
    "reset_account",
]

_NAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")


def add_account(
    session: Session,
    study: Study,
    name: str,
    full_name: str,
    site: str | None,
    roles: Iterable[Role],
    language: Language,
    password: str,
    who: Who,
    now: datetime,
) -> None:
    """Make an account, whose password is to be changed at the first sign-in. Raises RefusedError."""
    reasons: list[Reason] = []
    chosen = sorted(set(roles))
    if not _NAME.fullmatch(name):
        reasons.append(because("refused_account_name", name_id=name))
    elif account_row(session, name) is not None:
        reasons.append(because("refused_account_known", name_id=name))
    if site is not None and session.get(SiteRow, site) is None:
        reasons.append(because("refused_site_unknown", site=site, known=", ".join(sorted(study.sites))))
    if not chosen:
        reasons.append(because("refused_account_role", known_id=", ".join(Role)))
    reasons += refusals_of_password(password, [name])
    if reasons:
        raise RefusedError(reasons)
    session.add(
        AccountRow(
            id=name,
            name=full_name.strip() or name,
            site_id=site,
            roles=[role.value for role in chosen],
            language=language.value,
            password_hash=hashed(password),
            must_change=True,
            created_at=now,
        )
    )
    session.flush()
    _note(session, "account_added", name, who, now, site=site or "*", roles=[role.value for role in chosen])


def reset_account(
    session: Session, name: str, password: str, who: Who, now: datetime, *, second_factor: bool
) -> None:
    """Give an account another password, to be changed at the next sign-in; `second_factor` takes that off too.

    Every sign-in of the account ends. Raises RefusedError.
    """
    row = _known(session, name)
    reasons = list(refusals_of_password(password, [name]))
    if reasons:
        raise RefusedError(reasons)
    row.password_hash, row.must_change = hashed(password), True
    if second_factor:
        row.totp_secret, row.totp_since, row.totp_step = None, None, 0
    session.add(row)
    drop_sessions(session, name)
    _note(session, "account_reset", name, who, now, second_factor=second_factor)


def disable_account(session: Session, name: str, who: Who, now: datetime) -> None:
    """Nobody can sign in with the account any more, and every sign-in of it ends. Raises RefusedError."""
    row = _known(session, name)
    if row.disabled_at is not None:
        raise RefusedError([because("refused_account_disabled", name_id=name, on=row.disabled_at)])
    row.disabled_at = now
    session.add(row)
    drop_sessions(session, name)
    _note(session, "account_disabled", name, who, now)


def enable_account(session: Session, name: str, who: Who, now: datetime) -> None:
    """The account can be used again, with the password that it had. Raises RefusedError."""
    row = _known(session, name)
    if row.disabled_at is None:
        raise RefusedError([because("refused_account_enabled", name_id=name)])
    row.disabled_at = None
    session.add(row)
    _note(session, "account_enabled", name, who, now)


def _known(session: Session, name: str) -> AccountRow:
    row = account_row(session, name)
    if row is None:
        raise RefusedError([because("refused_account_unknown", name_id=name)])
    return row


def _note(session: Session, action: str, name: str, who: Who, now: datetime, **detail: object) -> None:
    audit.append(session, now, action, "account", name, dict(detail), actor=who.name, source=who.source)
