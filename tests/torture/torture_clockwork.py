"""T11: the clock is set, the machine sleeps; a sleeper wakes to alarms that are past, a frozen sender to a mail that
another one sent."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from acceptance_cases import wait_until
from sqlalchemy import update
from sqlmodel import Session, col
from torture_conductor import Conductor
from torture_database import go_on
from torture_ground import Ground, ended
from torture_oracle import examine
from torture_result import Result

from scheduler.store.operations import CLOCK, heartbeat_of
from scheduler.store.subjects import subject_row
from scheduler.store.tables import SubjectRow

__all__ = ["IMPLAUSIBLE_S", "PLAUSIBLE_S", "asleep", "clock_steps", "frozen", "late_alarm"]

PLAUSIBLE_S = (1.0, -1.0, 600.0, -600.0)
IMPLAUSIBLE_S = (7200.0, -7200.0, 86400.0, -86400.0, 10 * 365.25 * 86400.0)
_ALSO_IN_A_LIFE = 3.0


def clock_steps(ground: Ground, steps_s: Sequence[float], times: int = 1) -> Result:
    """With mails due the wall clock is set: a little, and they leave; implausibly, and they are held until it is right
    again."""
    result = Result("T11", "the wall clock is set", "sqlite")
    for step_s in [one for one in steps_s for _ in range(times)]:
        with ground.scene() as stage, ended(Conductor(stage)) as conductor:
            stage.peer.up(False)
            conductor.settle(mails=False)
            stage.clock.step(step_s)
            stage.peer.up(True)
            if abs(step_s) > 900:
                _wait_for_hold(conductor)
                if stage.peer.kept:
                    result.broken.append(f"mail left although the clock was set by {step_s:g} s")
                stage.clock.step(-step_s)
            _at_rest(ground, result, conductor, f"set by {step_s:g} s")
    return result


def asleep(ground: Ground, hours: Sequence[float] = (1.0,)) -> Result:
    """The whole machine sleeps so long while mails are due."""
    result = Result("T11", "the machine sleeps", "sqlite")
    for each in hours:
        with ground.scene() as stage, ended(Conductor(stage)) as conductor:
            go_on(conductor, 0.7)
            for daemon in conductor.alive:
                daemon.signal(signal.SIGSTOP)
            stage.clock.pass_until(stage.clock.now() + timedelta(hours=each))
            for daemon in conductor.alive:
                daemon.signal(signal.SIGCONT)
            _at_rest(ground, result, conductor, f"asleep for {each:g} h")
    return result


def frozen(ground: Ground, point: str = "after mail is handed over") -> Result:
    """A daemon freezes; another takes over all that it held; the first one wakes and finds nothing that is its own."""
    result = Result("T12", f"frozen {point}, awake when another one has done it", "postgresql")
    with ground.scene("postgresql") as stage:
        sleeper = stage.start(point=[point, "freeze", 1])
        wait_until(lambda: _is_stopped(sleeper.pid), 60, "it freezes")
        with ended(Conductor(stage)) as conductor:
            conductor.settle()
            sleeper.signal(signal.SIGCONT)
            go_on(conductor, _ALSO_IN_A_LIFE)
            _at_rest(ground, result, conductor, "frozen")
        if stage.stop(sleeper) not in (
            0,
            1,
        ):  # 1 where its start was not yet over: the database had ended its session
            result.broken.append(f"the frozen one ended with {sleeper.code}")
        result.broken += examine(stage).broken
        if result.duplicates > 1:
            result.broken.append(f"{result.duplicates} mails came twice")
    return result


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def late_alarm(ground: Ground) -> list[str]:
    """What is wrong when a process is held across an alarm: it must ring at once, not with the next look 30 s later."""
    rarely = {"MPA_DAEMON__LONGEST_WAIT_S": "30", "MPA_INTAKE__POLL_S": "60"}  # nothing else rings meanwhile
    with ground.stage("sqlite", real_clock="yes", **rarely) as stage:
        today = datetime.now(ZoneInfo("Europe/Paris")).date()
        start = (today - timedelta(days=100)).isoformat()
        stage.do([
            "enrol", "MPA-0003-7", "--inclusion", today.isoformat(), "--treatment-start", start,
            "--formulation", "mmf", "--dose-mg", "1000", "--interval-h", "12",
        ])  # fmt: skip
        due = datetime.now(UTC) + timedelta(seconds=6)
        stage.db.transact(lambda session: _wake_at(session, due))
        daemon = stage.start()
        try:
            wait_until(
                lambda: stage.db.read(lambda session: heartbeat_of(session, "reconcile")), 20, "it looks"
            )
            held_until = due + timedelta(seconds=3)
            daemon.signal(signal.SIGSTOP)
            time.sleep(max(0.0, (held_until - datetime.now(UTC)).total_seconds()))
            daemon.signal(signal.SIGCONT)
            wait_until(lambda: stage.db.read(_next_wake) != due, 10, "the late alarm rings")
        except AssertionError as error:
            return [str(error)]
        finally:
            stage.kill(daemon)
    return []


def _wake_at(session: Session, instant: datetime) -> None:
    session.execute(update(SubjectRow).where(col(SubjectRow.code) == "MPA-0003-7").values(next_wake=instant))


def _next_wake(session: Session) -> datetime | None:
    row = subject_row(session, "MPA-0003-7")
    return row.next_wake if row is not None else None


def _wait_for_hold(conductor: Conductor) -> None:
    def held() -> bool:
        conductor.tick()
        row = conductor.stage.db.read(lambda session: heartbeat_of(session, CLOCK))
        return row is not None and row.failures > 0

    wait_until(held, 30, "the clock is not believed")
    go_on(conductor, 1.0)


def _at_rest(ground: Ground, result: Result, conductor: Conductor, what: str) -> None:
    conductor.settle()
    conductor.end()
    ground.judge(result, conductor, what)
