"""The oracle: the invariants I1 to I8 of an installation at rest, and its agreement with the undisturbed one.

I1 every mail reached an end, or waits for an hour still to come; I2 one row per key; I3 what is sent is at the server,
with the same bytes, once, or as often as its record admits doubt; I4 nothing at the server without a row; I5 every file
put away once, its bytes kept; I6 what is derived equals what the facts say; I7 the audit chain verifies; I8 is the
conductor's patience.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlmodel import Session, SQLModel, select
from torture_stage import Stage

from notifications.outbox.states import State
from notifications.words.render import template_names
from scheduler.engine.reconcile import rebuild
from scheduler.engine.study import Study, load_study
from scheduler.store.audit import verify
from scheduler.store.database import Database
from scheduler.store.tables import (
    DeliveryRow,
    ExposureRow,
    FactRow,
    FlagRow,
    LabFileRow,
    LabResultVersionRow,
    OutboxRow,
    ReminderRow,
    SamplingRow,
    SubjectRow,
    VisitRow,
)

__all__ = ["Found", "contents", "contents_of", "differences", "examine", "mails_of", "sound"]

_ENDS = {"sent", "cancelled", "expired", "failed", "uncertain"}
_DOUBTFUL = {"uncertain_again", "uncertain_end"}
# About the mail server, or the audit trail with its row for each start: a disturbed run may have them besides.
_NOT_OF_THE_STUDY = {"mail_failed", "mail_channel", "audit_anchor"}
_COMPARED: Mapping[type[SQLModel], tuple[str, ...]] = {
    FactRow: ("subject", "kind", "payload", "source"),
    VisitRow: (
        "subject",
        "visit",
        "status",
        "target",
        "first",
        "last",
        "booked_local",
        "sequence",
        "missing",
    ),
    SamplingRow: ("subject", "visit", "point", "drawn_at", "tube", "not_drawn", "result"),
    FlagRow: ("key", "code", "site_id", "subject", "visit", "severity"),
    ReminderRow: ("key", "subject", "visit", "rule", "due_at", "valid_until", "state"),
    OutboxRow: ("key", "message_id", "template", "address", "state"),
    ExposureRow: ("subject", "visit", "version", "method", "inputs_hash", "value", "low", "high"),
    LabFileRow: ("sha256", "original_name", "verdict", "code", "accepted", "held"),
    LabResultVersionRow: ("subject", "visit", "timepoint", "specimen", "state", "value_raw", "content_hash"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the oracle found: broken invariants, and how many mails arrived, twice or more, in doubt without need."""

    broken: tuple[str, ...]
    mails: int
    duplicates: int
    doubtful: int
    files: int


def examine(stage: Stage) -> Found:
    """The invariants of an installation at rest."""
    rows, attempts, files = stage.db.read(_rows)
    kept = stage.peer.kept
    found = [*mails_of(rows, attempts, kept, stage.clock.now()), *_files(stage, files), *_own_words(stage)]
    copies = Counter(one["id"] for one in kept)
    return Found(
        tuple(found),
        mails=len(copies),
        duplicates=sum(count - 1 for count in copies.values()),
        doubtful=sum(row.uncertain for row in rows),
        files=len(files),
    )


def _rows(session: Session) -> tuple[list[OutboxRow], list[DeliveryRow], list[LabFileRow]]:
    return (
        list(session.exec(select(OutboxRow))),
        list(session.exec(select(DeliveryRow))),
        list(session.exec(select(LabFileRow))),
    )


def mails_of(
    rows: list[OutboxRow], attempts: list[DeliveryRow], kept: list[dict[str, Any]], now: datetime
) -> Iterator[str]:
    arrived: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in kept:
        arrived[one["id"]].append(one)
    doubts = Counter(one.outbox_id for one in attempts if one.outcome in _DOUBTFUL)
    for key, count in Counter(row.key for row in rows).items():
        if count > 1:
            yield f"I2 {count} rows of {key}"
    for row in rows:
        copies = arrived.pop(row.message_id, [])
        yield from _mail(row, copies, doubts[row.id or 0], now)
    for message_id in arrived:
        yield f"I4 {message_id} arrived and has no row"


def _mail(row: OutboxRow, copies: list[dict[str, Any]], doubts: int, now: datetime) -> Iterator[str]:
    who = f"{row.template} {row.message_id}"
    if row.state not in _ENDS and (row.state == State.LEASED or row.not_before <= now):
        yield f"I1 {who} is {row.state} since {row.created_at}, not before {row.not_before}"
    if row.state == "sent" and not copies:
        yield f"I3 {who} is sent and did not arrive"
    if len(copies) > 1 + doubts:
        yield f"I3 {who} arrived {len(copies)} times with {doubts} doubtful attempts"
    if copies and row.state != "sent" and not row.uncertain:
        yield f"I3 {who} arrived and is {row.state} without doubt"
    for one in copies:
        if (one["sha"], one["to"]) != (row.body_sha256, [row.address]):
            yield f"I3 {who} arrived with other bytes or for somebody else"


def _files(stage: Stage, files: list[LabFileRow]) -> Iterator[str]:
    placed = Counter[str]()
    for row in files:
        path = stage.lab / (row.archived_as or "nowhere")
        if not path.is_file():
            yield f"I5 {row.original_name} is recorded and not put away"
        elif sha256(path.read_bytes()).hexdigest() != row.sha256:
            yield f"I5 {row.original_name} is put away with other bytes"
        placed[str(path)] += 1
    for room in ("in", "work"):
        for left in (stage.lab / room).glob("*"):
            if left.is_file():
                yield f"I5 {left.name} is left in {room}/"
    for room in ("archive", "quarantine"):
        for path in (stage.lab / room).glob("*"):
            if path.is_file() and not path.name.endswith(".reason.txt") and placed[str(path)] != 1:
                yield f"I5 {room}/{path.name} belongs to {placed[str(path)]} rows"


def _own_words(stage: Stage) -> Iterator[str]:
    """The program's own verifications: derived again from the facts, the audit chain, the database file."""
    study, now = _study(stage.settings["MPA_CONFIG"]), stage.clock.now()

    with Session(stage.db.engine) as session:  # taken back at its end
        for row in session.exec(select(SubjectRow)).all():
            yield from (f"I6 {row.code}: {one}" for one in rebuild(session, study, row, now))
    _, _, breaks = stage.db.read(verify)
    yield from (f"I7 the audit chain: {one}" for one in breaks)
    if stage.db.is_sqlite:
        answer = stage.db.read(
            lambda session: session.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
        )
        if answer != "ok":
            yield f"I7 the database file: {answer}"


@cache
def _study(config: str) -> Study:
    return load_study(Path(config), template_names())


def sound(stage: Stage) -> list[str]:
    """What is wrong with its files, derived state, audit chain and database, whatever became of its mails."""
    _, _, files = stage.db.read(_rows)
    return [*_files(stage, files), *_own_words(stage)]


def contents(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """Facts, derived state and ledger, without what depends on when something was done."""
    return contents_of(stage.db)


def contents_of(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """`contents` of a database."""

    def rows(session: Session) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for table, columns in _COMPARED.items():
            read = session.exec(select(table)).all()
            found[str(table.__tablename__)] = sorted(
                (
                    tuple(getattr(row, name) for name in columns)
                    for row in read
                    if not {getattr(row, "template", ""), getattr(row, "code", "")} & _NOT_OF_THE_STUDY
                ),
                key=repr,
            )
        return found

    return db.read(rows)


def differences(
    expected: dict[str, list[tuple[Any, ...]]], found: dict[str, list[tuple[Any, ...]]]
) -> list[str]:
    """What the disturbed run has more or less than the undisturbed one."""
    said = []
    for table, rows in expected.items():
        before, after = Counter(map(repr, rows)), Counter(map(repr, found[table]))
        said += [f"{table} lost {one}" for one in (before - after).elements()]
        said += [f"{table} has besides {one}" for one in (after - before).elements()]
    return said
