"""T1: planner and outbox as a state machine. Appointments are booked, moved and kept, time passes, mails meet any fate,
the process dies at any commit, a sender freezes and wakes: whatever the order, the invariants hold after every step."""

# ruff: noqa: DTZ001 (appointments are local times without a zone)
from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import notif_cases as cases
from engine_desk import SUBJECT, Desk, at
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session, select
from torture_oracle import mails_of
from torture_result import Result
from torture_within import FATES, Killed, Mortal, Post

from config.settings import DEFAULT_DIR
from notifications.delivery.channel import Channel
from notifications.delivery.step import delivery_step
from notifications.outbox import attempts, queue
from notifications.outbox.queue import Calm, Claimed
from notifications.outbox.states import Phase as MailPhase
from notifications.outbox.verdict import Ending, Outcome, verdict
from notifications.words.render import template_names
from scheduler.clock import ManualClock
from scheduler.domain.facts import (
    Attended,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.reason import RefusedError
from scheduler.engine.recheck import make_foresee, make_recheck
from scheduler.engine.reconcile import rebuild, reconcile_step
from scheduler.engine.study import Study, load_study
from scheduler.store import audit
from scheduler.store.schema import migrate
from scheduler.store.subjects import subject_row
from scheduler.store.tables import DeliveryRow, OutboxRow

__all__ = ["model"]

_OK = Outcome(MailPhase.REPLIED, Ending.REPLIED, 250, "2.0.0 kept")
_DOOM = st.none() | st.tuples(st.integers(1, 8), st.booleans())


@cache
def _study() -> Study:
    return load_study(DEFAULT_DIR, template_names())


@cache
def _template() -> Path:
    """A database with one subject, to be copied."""
    path = Path(tempfile.mkdtemp(prefix="mpa-model-")) / "begun.db"
    db = Mortal(f"sqlite:///{path}")
    migrate(db)
    Desk(db, _study()).enrol()
    db.fold()
    db.close()
    return path


class Course(RuleBasedStateMachine):
    """One subject's mails, from the enrolment on."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="mpa-course-"))
        shutil.copy(_template(), self.home / "study.db")
        self.db = Mortal(f"sqlite:///{self.home / 'study.db'}")
        self.post = Post(self.db)
        self.study = _study()
        self.clock = ManualClock(at(11, 0))
        self.room = cases.room(recheck=make_recheck(self.study), foresee=make_foresee(self.study),
                               calm=Calm({}), protocol_of=self.study.protocol_of)  # fmt: skip
        self.desk = Desk(self.db, self.study, now=self.clock.now())
        self.channel = Channel()
        self.frozen: list[tuple[Claimed, bytes]] = []

    # --- what people do ------------------------------------------------------------------------------------------

    @rule(hours=st.integers(1, 24 * 9))
    def time_passes(self, hours: int) -> None:
        self.clock.move_to(self.clock.now() + timedelta(hours=hours))

    @rule(visit=st.sampled_from(["W6", "W12"]), day=st.integers(-3, 50), hour=st.integers(8, 16), doom=_DOOM)
    def an_appointment_is_given(self, visit: str, day: int, hour: int, doom: tuple[int, bool] | None) -> None:
        local = datetime(2025, 9, 29, hour) + timedelta(days=day)
        for what in (VisitBooked(visit, local), VisitMoved(visit, local, "asked for")):
            self._say(what, doom)

    @rule(visit=st.sampled_from(["W6", "W12"]))
    def an_appointment_is_cancelled(self, visit: str) -> None:
        self._say(VisitCancelled(visit, "ill"))

    @rule(visit=st.sampled_from(["INCLUSION", "W6", "W12"]))
    def the_subject_comes(self, visit: str) -> None:
        self._say(Attended(visit, self.clock.now()))

    @precondition(lambda self: self.clock.now() > at(11, 0) + timedelta(days=30))
    @rule()
    def the_subject_leaves(self) -> None:
        self._say(Withdrawn(self.clock.now(), Withdrawal.CONSENT, "moves"))

    def _say(self, what: What, doom: tuple[int, bool] | None = None) -> None:
        self.desk.now = self.clock.now()
        with suppress(RefusedError):
            self._mortally(lambda: self.desk.say(what, SUBJECT), doom)

    # --- what the service does -----------------------------------------------------------------------------------

    @rule(doom=_DOOM)
    def the_service_looks(self, doom: tuple[int, bool] | None) -> None:
        assert self.desk.handle is not None
        handle = self.desk.handle
        self._mortally(lambda: reconcile_step(self.db, self.study, self.clock.now(), handle, 10), doom)

    @rule(fates=st.lists(st.sampled_from(FATES), max_size=6), doom=_DOOM, anew=st.booleans())
    def mails_leave(self, fates: list[str], doom: tuple[int, bool] | None, anew: bool) -> None:
        self.post.coming = list(fates)
        self._mortally(lambda: self._deliver(everyone=anew and not self.frozen), doom)
        self.post.coming = []

    def _deliver(self, everyone: bool = False) -> None:
        report = asyncio.run(
            delivery_step(self.db, self.post, self.clock, self.room, self.channel, everyone=everyone)
        )
        self.channel = report.channel

    def _mortally(self, work: Any, doom: tuple[int, bool] | None) -> None:
        if doom is not None:
            self.db.doom(doom[0], after=doom[1])
        try:
            work()
        except Killed:
            self.channel = Channel()
        finally:
            self.db.live()

    # --- another sender, which freezes and wakes -------------------------------------------------------------------

    @precondition(lambda self: not self.frozen)
    @rule()
    def a_sender_freezes(self) -> None:
        def lend(session: Session) -> list[tuple[Claimed, bytes]]:
            now = self.clock.now()
            found = queue.claim(session, now, "another", Calm({}), 2)
            bodies = [(mail, f"Message-ID: {mail.message_id}".encode()) for mail in found.mails]
            attempts.keep_bytes(
                session,
                [
                    (mail, mail.address, body)
                    for mail, body in bodies
                    if found.rows[mail.id].body_sha256 is None
                ],
            )
            return [(mail, session.get_one(OutboxRow, mail.id).body or body) for mail, body in bodies]

        self.frozen = self.db.transact(lend)

    @precondition(lambda self: self.frozen)
    @rule(hours=st.integers(0, 3), said=st.sampled_from([_OK, Outcome(MailPhase.DATA, Ending.LOST)]))
    def it_wakes(self, hours: int, said: Outcome) -> None:
        """What it begins to hand over is still its own, or it hands over nothing; what it settles is its own too."""
        for mail, body in self.frozen:
            now = self.clock.now()
            if not self.db.transact(
                lambda session, mail=mail, now=now: attempts.begin_data(session, mail, now)
            ):
                continue
            self.post.keep(mail.message_id, mail.address, body)
            self.clock.move_to(now + timedelta(hours=hours))
            later = self.clock.now()
            self.db.transact(
                lambda session, mail=mail, later=later: attempts.settle(
                    session, mail, said, verdict(said, mail.attempt, later), later
                )
            )
        self.frozen = []

    # --- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_doubled_or_without_a_row(self) -> None:
        rows, tried = self._mails()
        found = [
            one for one in mails_of(rows, tried, self.post.kept, self.clock.now()) if not one.startswith("I1")
        ]
        assert found == []

    def _mails(self) -> tuple[list[OutboxRow], list[DeliveryRow]]:
        return self.db.read(
            lambda session: (list(session.exec(select(OutboxRow))), list(session.exec(select(DeliveryRow))))
        )

    def teardown(self) -> None:
        """All is let come to rest: then every mail has an end, and what is on record is what the facts say."""
        try:
            assert self.desk.handle is not None
            for _ in range(12):
                reconcile_step(self.db, self.study, self.clock.now(), self.desk.handle, 10)
                self._deliver()
                self.clock.move_to(self.clock.now() + timedelta(minutes=20))
            self._is_sound(self.clock.now() - timedelta(minutes=20))
        finally:
            self.db.close()
            shutil.rmtree(self.home, ignore_errors=True)

    def _is_sound(self, last: datetime) -> None:
        """At rest since the last look."""
        rows, tried = self._mails()
        assert list(mails_of(rows, tried, self.post.kept, last)) == []
        assert self.db.read(audit.verify)[2] == []
        row = self.db.read(lambda session: subject_row(session, SUBJECT))
        assert row is not None
        assert self.db.transact(lambda session: rebuild(session, self.study, row, last)) == []


def model(examples: int, steps: int) -> Result:
    """So many courses of so many steps; the first that breaks an invariant, shrunk, is in the result."""
    result = Result(
        "T1", f"planner and outbox as a state machine, {steps} steps each", "sqlite", runs=examples
    )
    wanted = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=examples < 1000,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate, Phase.shrink), print_blob=False,
    )  # fmt: skip
    try:
        run_state_machine_as_test(Course, settings=wanted)
    except AssertionError as error:
        result.broken.append(" ".join([str(error), *getattr(error, "__notes__", [])])[:2000])
    return result
