"""Whether the audit chain holds, and where not: rows that were edited, removed or slipped in, and a tail that was cut.

The rows are read as the database keeps them, not as the program understands them: an edit may have left something that
nobody understands any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

from sqlalchemy import literal_column
from sqlalchemy import select as core_select
from sqlmodel import Session, select

from scheduler.domain.reason import Reason, because
from scheduler.domain.sentences import SENTENCES
from scheduler.store.tables import AuditRow, ReviewRow

__all__ = ["GENESIS", "Break", "Head", "anchor_problems", "hash_of", "head", "reason_digest", "verify"]

_AUDIT = AuditRow.__table__
GENESIS = "0" * 64
"""What the first row follows."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST = 200
"""How many removed or added rows in a row are told from an edit, where the others were renumbered."""

_FIRST_FORM = (
    "seq", "at", "actor", "source", "action", "entity", "entity_id", "detail", "reason_hash", "app_version"
)  # fmt: skip
_SECOND_FORM = (
    "form", "seq", "at", "zone", "actor", "role", "organisation", "source", "action", "entity", "entity_id", "detail",
    "changes", "reason_hash", "app_version",
)  # fmt: skip
_JSON = ("detail", "changes")


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and why."""

    seq: int
    why: Reason

    @property
    def problem(self) -> str:
        """The reason in English."""
        return SENTENCES[self.why.code].format(**dict(self.why.params))


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the chain; whoever knows it can tell whether the chain up to it is still the same."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class _Stored:
    """A row as stored. `content` is what its hash covers, None when it cannot be read."""

    seq: int
    hash: str
    prev_hash: str
    reason_hash: str | None
    content: Mapping[str, Any] | None

    def holds_as(self, seq: int) -> bool:
        """Whether its hash is that of its content under this number."""
        return self.content is not None and hash_of({**self.content, "seq": seq}) == self.hash


def hash_of(row: Mapping[str, Any]) -> str:
    """The hash of a row's content and of the hash before it. `at` is the instant in ISO form."""
    names = _FIRST_FORM if row.get("form", 1) == 1 else _SECOND_FORM
    content = json.dumps(
        [row[name] for name in names], sort_keys=True, ensure_ascii=True, separators=(",", ":")
    )
    return sha256((row["prev_hash"] + content).encode()).hexdigest()


def reason_digest(salt: str, reason: str) -> str:
    """What the chain holds of a reason, whose text stands beside it."""
    return sha256((salt + reason).encode()).hexdigest()


def head(session: Session, by: datetime | None = None) -> Head:
    """The last row of the chain, or the last written by an instant; number 0 when there is none."""
    query = core_select(_AUDIT.c.seq, _AUDIT.c.hash).order_by(_AUDIT.c.seq.desc()).limit(1)
    if by is not None:
        query = query.where(_AUDIT.c.at <= by)
    last = session.connection().execute(query).first()
    return Head(last.seq, last.hash) if last is not None else Head(0, GENESIS)


def verify(session: Session) -> tuple[int, str, list[Break]]:
    """How many rows the chain has, its head, and every place where it does not hold."""
    reviews = {row.audit_seq: row for row in session.exec(select(ReviewRow))}
    breaks: list[Break] = []
    link = _Link()
    count = 0
    for row in _rows(session):
        count += 1
        breaks += link.breaks_at(row)
        breaks += _reason_breaks(row, reviews.pop(row.seq, None))
    breaks += [Break(seq, because("audit_reason_added")) for seq in reviews]
    return count, link.last.hash if link.last is not None else GENESIS, breaks


def anchor_problems(session: Session, anchors: Iterable[Head]) -> list[Break]:
    """The anchors that the chain does not bear out: it was cut before them, or written anew up to them."""
    known = list(anchors)
    last = head(session)
    found: list[Break] = []
    for one in known:
        query = core_select(_AUDIT.c.hash).where(_AUDIT.c.seq == one.seq)
        stored = session.connection().execute(query).scalar()
        if stored is None:
            found.append(Break(one.seq, because("audit_tail_cut", last=last.seq)))
        elif stored != one.hash:
            found.append(Break(one.seq, because("audit_rewritten")))
    return found


class _Link:
    """The chain up to a row: what the next one must follow.

    `shift` is by how much the rows from here on were renumbered, where some were removed or slipped in before them.
    """

    def __init__(self) -> None:
        self.last: _Stored | None = None
        self.before_last = GENESIS
        self.shift = 0
        self.doubted = False

    def breaks_at(self, row: _Stored) -> Iterator[Break]:
        """What is wrong with this row or with the one before it."""
        number = self.last.seq if self.last is not None else 0
        follows = self.last.hash if self.last is not None else GENESIS
        gap = row.seq > number + 1
        if row.seq < 1:
            yield Break(row.seq, because("audit_row_added"))
        for missing in range(number + 1, min(row.seq, number + 1 + _FARTHEST)):
            yield Break(missing, because("audit_row_removed"))
        edited = not row.holds_as(row.seq + self.shift)
        moved = _renumbered(row, self.shift) if edited else None
        if moved is not None:
            edited, before, self.shift = False, self.shift, moved
            if moved > before:
                yield Break(row.seq, because("audit_removed_before"))
        if edited:
            yield Break(row.seq, because("audit_row_changed"))
        if row.prev_hash != follows and not gap and not edited:
            if row.prev_hash == self.before_last and self.last is not None:
                yield Break(number, because("audit_row_added"))
            elif moved is None and not self.doubted:
                yield Break(max(number, 1), because("audit_row_replaced", next=row.seq))
        self.doubted = edited
        self.before_last, self.last = follows, row


def _renumbered(row: _Stored, shift: int) -> int | None:
    """By how much a row that does not hold under its number was renumbered; None when that is not what is wrong."""
    if row.content is None:
        return None
    numbers = (shift + way * far for far in range(1, _FARTHEST) for way in (1, -1))
    return next((number for number in numbers if row.holds_as(row.seq + number)), None)


def _reason_breaks(row: _Stored, review: ReviewRow | None) -> Iterator[Break]:
    if row.reason_hash is None:
        if review is not None:
            yield Break(row.seq, because("audit_reason_added"))
    elif review is None:
        yield Break(row.seq, because("audit_reason_removed"))
    elif reason_digest(review.salt, review.text) != row.reason_hash:
        yield Break(row.seq, because("audit_reason_changed"))


def _rows(session: Session) -> Iterator[_Stored]:
    """The rows in their order, each as the database keeps it."""
    connection = session.connection()
    columns: list[Any] = [column for column in _AUDIT.columns if column.name not in (*_JSON, "at")]
    if connection.dialect.name == "sqlite":
        raw: list[Any] = [literal_column(name).label(name) for name in (*_JSON, "at")]
    else:
        raw = [literal_column(f"{name}::text").label(name) for name in _JSON]
        raw.append(literal_column("(extract(epoch FROM at) * 1000000)::text").label("at"))
    query = core_select(*columns, *raw).select_from(_AUDIT).order_by(_AUDIT.c.seq)
    for row in connection.execute(query, execution_options={"yield_per": 1000}):
        plain = dict(row._mapping)  # noqa: SLF001
        yield _Stored(row.seq, row.hash, row.prev_hash, row.reason_hash, _content(plain))


def _content(plain: dict[str, Any]) -> dict[str, Any] | None:
    """What the hash of a row covers; None when something stands there that no program of ours wrote."""
    try:
        at = _EPOCH + timedelta(microseconds=int(Decimal(plain["at"])))
        read = {name: _json(plain[name]) for name in _JSON}
        covered = {**plain, "at": at.isoformat(), **read}
        json.dumps(covered)
        return covered if isinstance(plain["prev_hash"], str) else None
    except (ArithmeticError, InvalidOperation, TypeError, ValueError, OverflowError):
        return None


def _json(text: Any) -> Any:
    """The value of a JSON text that stands as it was written. Raises ValueError for any other."""
    if text is None:
        return None
    value = json.loads(text)
    if json.dumps(value) != text:
        raise ValueError("not as it was written")
    return value
