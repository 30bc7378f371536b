"""Flags about mail: raised where a person must act, lowered when mail gets through again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import Reason
from scheduler.store.flags import close_flag, open_site_flag
from scheduler.store.tables import FlagRow

__all__ = ["CHANNEL", "address_matter", "flagged_addresses", "lower_flag", "mail_flag_key", "raise_flag"]

CHANNEL = "channel"

_OPEN = select(col(FlagRow.key)).where(
    col(FlagRow.key).in_(bindparam("keys", expanding=True)), col(FlagRow.closed_at).is_(None)
)


def address_matter(staff: str) -> str:
    """The matter of one person's address."""
    return f"address:{staff}"


def mail_flag_key(site: str, matter: str) -> str:
    """The key of the site's flag about this matter."""
    return flag_key(FlagCode.MAIL_FAILED, f"site:{site}", None, matter)


def raise_flag(session: Session, site: str, matter: str, reason: Reason, now: datetime) -> bool:
    """Open the site's flag about this matter; False when it is open already."""
    return open_site_flag(session, FlagCode.MAIL_FAILED, mail_flag_key(site, matter), site, reason, now)


def lower_flag(session: Session, site: str, matter: str, now: datetime) -> bool:
    """Close the flag about this matter, because its cause is gone; False when it is not open."""
    return close_flag(session, mail_flag_key(site, matter), now)


def flagged_addresses(session: Session, people: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of these people, each by site and name, about whose address a flag is open."""
    keys = {mail_flag_key(site, address_matter(staff)): (site, staff) for site, staff in people}
    if not keys:
        return frozenset()
    found = session.connection().execute(_OPEN, {"keys": list(keys)}).scalars()
    return frozenset(keys[key] for key in found)
