"""T3c every failpoint, T4 every fault of a mail server: a short life with everything to do, disturbed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from torture_conductor import Conductor
from torture_ground import Ground, ended
from torture_points import ACTIONS, POINTS
from torture_result import Result
from torture_smtp import KINDS, PHASES
from torture_stage import Daemon, Stage

__all__ = ["at_failpoints", "smtp_faults"]

_NOT_REACHED = "was not reached"


def at_failpoints(
    ground: Ground, kind: str = "sqlite", points: Sequence[str] = POINTS, actions: Sequence[str] = ACTIONS,
    delay_s: float = 5.0,
) -> Iterator[Result]:  # fmt: skip
    """Each point with each action: the first life does it, the others are as always."""
    for action in actions:
        result = Result("T3c", f"failpoint: {action}", kind)
        for point in points:
            with ground.scene(kind) as stage, _first_life(stage, [point, action, 1, delay_s]) as conductor:
                conductor.settle()
                conductor.end()
                ground.judge(result, conductor, f"{action} {point}")
        yield result


def smtp_faults(
    ground: Ground, phases: Sequence[str] = PHASES, kinds: Sequence[str] = KINDS, times: int = 1
) -> Iterator[Result]:
    """Each phase of a conversation with each fault, over STARTTLS with a log-in."""
    for phase in phases:
        result = Result("T4", f"mail server: {', '.join(kinds)} at {phase}", "sqlite")
        for kind in kinds:
            with ground.scene(**_ENCRYPTED) as stage, ended(Conductor(stage)) as conductor:
                stage.peer.misbehave(phase, kind, times)
                conductor.settle()
                conductor.end()
                left = stage.peer.faults_left()
                if left:
                    result.broken.append(f"{kind} at {phase} {_NOT_REACHED}")
                before = result.duplicates
                ground.judge(result, conductor, f"{kind} at {phase}")
                if result.duplicates > before and phase != "dot":
                    result.broken.append(f"{kind} at {phase}: a mail arrived twice")
        yield result


_ENCRYPTED = {
    "MPA_MAIL__SECURITY": "starttls",
    "MPA_MAIL__USERNAME": "mpa",
    "MPA_MAIL__PASSWORD": "for tests only",
}


@contextmanager
def _first_life(stage: Stage, point: list[object]) -> Iterator[Conductor]:
    """A conductor whose first daemon has the failpoint."""
    made = Conductor(stage)
    first: list[Callable[[], Daemon]] = [lambda: stage.start(point=point)]
    made.begin = lambda: first.pop()() if first else stage.start()
    with ended(made) as conductor:
        yield conductor
