"""Plays a script on a stage: keeps daemons alive as a supervisor does, lets them be disturbed, waits until all is done.

Time goes by itself and is moved on when only time is missing: to the next step of the script, to the end of a dead
process's lease, to the next attempt at a mail.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from torture_script import Step
from torture_stage import Daemon, Stage, pause
from torture_view import View, look

__all__ = ["Conductor", "NotQuietError", "Reaper"]

_STUCK_S = 0.8
_LEFT_BEHIND_S = 5.0


class NotQuietError(AssertionError):
    """The installation did not come to rest in time."""


class Reaper:
    """Decides how long each life may last: shorter or longer, so that the kills spread over the script."""

    def __init__(self, kills: int, random: Random, steps: int) -> None:
        self.wanted, self.random, self.steps = kills, random, steps
        self.kills, self.step, self._span_s = 0, 0, 0.8

    def life_s(self) -> float | None:
        """How much longer; None for a life that is spared until the next step."""
        if self.kills >= self.wanted * (self.step + 1) / self.steps:
            return None
        return self.random.uniform(0.02, self._span_s)

    def killed(self, done_something: bool) -> None:
        self.kills += 1
        self._span_s = max(self._span_s * 0.93, 0.6) if done_something else min(self._span_s * 1.07, 2.5)


@dataclass
class Conductor:
    """`daemons` of them are kept alive, each started by `begin`. `meanwhile` is called all the time, `reaper` says when
    one is killed."""

    stage: Stage
    daemons: int = 1
    reaper: Reaper | None = None
    begin: Callable[[], Daemon] | None = None
    meanwhile: Callable[[], None] = lambda: None
    patience_s: float = 60.0
    alive: list[Daemon] = field(default_factory=list)
    dooms: dict[int, float | None] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def play(self, script: Sequence[Step]) -> None:
        """The whole script, with an orderly end of the daemons."""
        for number, step in enumerate(script):
            if self.reaper is not None:
                self.reaper.step = number
            self.perform(step)
        self.end()

    def perform(self, step: Step) -> None:
        """First what the time brings, then what people do, then what the laboratory sends."""
        self.stage.clock.pass_until(step.at)
        if not step.server:
            self.stage.peer.up(False)
        self.settle(mails=self.stage.peer.is_up)
        if step.commands:
            self.stage.do(*step.commands, tick=self.tick)
        self.stage.peer.up(step.server)
        self.settle(mails=step.server)
        if step.files:
            for name, content in step.files.items():
                self.stage.drop(name, content)
            self.settle(mails=step.server)

    def end(self) -> None:
        for daemon in self.alive:
            daemon.signal(signal.SIGCONT)
            self.seen[f"ended {self.stage.stop(daemon)}"] += 1
        self.alive.clear()

    def tick(self) -> None:
        """What a supervisor does, and what the campaign does to it."""
        for daemon in list(self.alive):
            if self.stage.poll(daemon) is not None:
                self.seen[f"ended {daemon.code}"] += 1
                self.alive.remove(daemon)
        while len(self.alive) < self.daemons:
            self._start()
        self._reap()
        self.meanwhile()

    def _start(self) -> None:
        daemon = self.begin() if self.begin is not None else self.stage.start()
        self.alive.append(daemon)
        self.dooms[daemon.pid] = self.reaper.life_s() if self.reaper is not None else None

    def _reap(self) -> None:
        if self.reaper is None:
            return
        for daemon in list(self.alive):
            doom = self.dooms[daemon.pid]
            if doom is None and (more := self.reaper.life_s()) is not None:
                doom = self.dooms[daemon.pid] = daemon.age_s + more
            if doom is not None and daemon.age_s >= doom:
                self.stage.kill(daemon)
                self.alive.remove(daemon)
                self.reaper.killed(doom > 0.6)

    # --- until all is done ---------------------------------------------------------------------------------------

    def settle(self, mails: bool = True) -> None:
        """Wait until everything that is due is done, moving the time on where only time is missing."""
        since = self.stage.clock.now()
        deadline, idle_since = time.monotonic() + self.patience_s, 0.0
        kills = self.reaper.kills if self.reaper is not None else 0
        view: View | None = None
        while True:
            self.tick()
            before, view = view, self._look()
            if view is not None and self._is_done(view, since, mails):
                if not self._resend(view):
                    return
                since = self.stage.clock.now()
            if view is None or before is None or not _same(before, view) or not view.has_beaten(since):
                idle_since = time.monotonic()
            elif view.is_idle and time.monotonic() - idle_since > (_STUCK_S if view.due else 0.1):
                since = self._pass_time(view, mails, time.monotonic() - idle_since) or since
                idle_since = time.monotonic() if since > view.now else idle_since
            if self.reaper is not None and self.reaper.kills > kills:
                kills, deadline = self.reaper.kills, time.monotonic() + self.patience_s
            if time.monotonic() > deadline:
                raise NotQuietError(f"not at rest after {self.patience_s:g} s: {view}; {dict(self.seen)}")
            pause(0.03)

    def _look(self) -> View | None:
        try:
            return look(self.stage)
        except Exception:  # noqa: BLE001 - the database may be what is disturbed
            return None

    def _is_done(self, view: View, since: datetime, mails: bool) -> bool:
        waiting = view.due or view.leased or view.later
        return view.has_beaten(since) and view.is_idle and not (mails and waiting)

    def _pass_time(self, view: View, mails: bool, idle_s: float) -> datetime | None:
        """Only time is missing: pass it. The instant since when the services must have looked.

        A lease whose holder lives ends by itself too: it may have lost its connection before it gave the mail back.
        """
        if not mails:
            return None
        clock = self.stage.clock
        if view.due:  # the way out is held after a failure
            clock.pass_until(view.now + timedelta(seconds=31))
        elif view.later is not None and (idle_s > _LEFT_BEHIND_S or not self._holds(view)):
            clock.pass_until(view.later + timedelta(milliseconds=100))
        else:
            return None
        return clock.now()

    def _holds(self, view: View) -> bool:
        """Whether a living daemon holds a lease: then it is at work."""
        pids = {str(daemon.pid) for daemon in self.alive}
        return any(set(owner.split(":")) & pids for owner in view.owners)

    def _resend(self, view: View) -> bool:
        """A person sends again the mails left to one: unanswered twice, or in flight at two kills."""
        for number in view.doubtful:
            try:
                self.stage.do(["outbox", "retry", str(number)], tick=self.tick)
                self.seen["left to a person"] += 1
            except AssertionError:
                self.seen["left to a person, out of date"] += 1
                return False
        return bool(view.doubtful)


def _same(one: View, other: View) -> bool:
    return (one.subjects, one.files, one.due, one.leased, one.later) == (
        other.subjects, other.files, other.due, other.leased, other.later,
    )  # fmt: skip
