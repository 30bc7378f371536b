"""Flags about mail: raised where a person must act, lowered when mail gets through again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select
from sqlmodel import Session, col

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import Reason, because
from scheduler.store.flags import close_flag, open_site_flag
from scheduler.store.tables import FlagRow, StaffRow

__all__ = [
    "CHANNEL",
    "address_matter",
    "dead_mailboxes",
    "flagged_addresses",
    "lower_flag",
    "mail_flag_key",
    "raise_flag",
    "suppress",
]

CHANNEL = "channel"

_OPEN = select(col(FlagRow.key)).where(
    col(FlagRow.key).in_(bindparam("keys", expanding=True)), col(FlagRow.closed_at).is_(None)
)
_WHY = select(col(FlagRow.key), col(FlagRow.reason)).where(
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


def suppress(session: Session, site: str, staff: str, address: str, why: Reason, now: datetime) -> None:
    """No mail to this address until the site file names another one, or a person releases it. The flag is the record;
    it knows the address by its digest only."""
    reason = because("flag_mailbox_dead", staff=staff, why=why, address=_digest(address))
    lower_flag(session, site, address_matter(staff), now)
    raise_flag(session, site, address_matter(staff), reason, now)


def dead_mailboxes(session: Session, people: Iterable[StaffRow | Any]) -> frozenset[str]:
    """Those of these people, by their ids, to whose present address no mail is sent."""
    keys = {mail_flag_key(one.site_id, address_matter(one.id)): one for one in people}
    if not keys:
        return frozenset()
    found = session.connection().execute(_WHY, {"keys": list(keys)})
    return frozenset(
        keys[key].id
        for key, reason in found
        if reason["code"] == "flag_mailbox_dead"
        and reason["params"].get("address") == _digest(keys[key].email)
    )


def _digest(address: str) -> str:
    return sha256(address.strip().casefold().encode()).hexdigest()[:16]


def flagged_addresses(session: Session, people: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Those of these people, each by site and name, about whose address a flag is open."""
    keys = {mail_flag_key(site, address_matter(staff)): (site, staff) for site, staff in people}
    if not keys:
        return frozenset()
    found = session.connection().execute(_OPEN, {"keys": list(keys)}).scalars()
    return frozenset(keys[key] for key in found)
