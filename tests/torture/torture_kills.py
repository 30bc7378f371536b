"""T3a: SIGKILL at random moments while the scenario is played; T13: the same over a busy drop folder."""

from __future__ import annotations

from random import Random

from torture_conductor import Conductor, Reaper
from torture_ground import Ground, ended
from torture_oracle import contents, differences, examine
from torture_result import Result
from torture_script import SCRIPT, Step

__all__ = ["random_kills"]

_LATENCY_S = 0.03  # so that many kills find a mail under way


def random_kills(
    ground: Ground, kind: str, kills: int, seed: int, script: tuple[Step, ...] = SCRIPT, number: str = "T3a"
) -> Result:
    """One play of the script with about so many kills."""
    expected = ground.undisturbed(script)
    result = Result(number, "SIGKILL at random moments", kind, runs=1)
    reaper = Reaper(kills, Random(seed), len(script))
    with ground.stage(kind) as stage, ended(Conductor(stage, reaper=reaper)) as conductor:
        stage.peer.answer_after(_LATENCY_S)
        conductor.play(script)
        found = examine(stage)
        result.broken = [*found.broken, *differences(expected, contents(stage))]
    result.disturbed, result.mails = reaper.kills, found.mails
    result.duplicates, result.doubtful = found.duplicates, found.doubtful
    result.to_a_person = conductor.seen["left to a person"]
    if found.duplicates > reaper.kills:
        result.broken.append(f"{found.duplicates} duplicates after {reaper.kills} kills")
    return result
