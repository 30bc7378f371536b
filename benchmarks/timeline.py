"""Subjects per second on one core: facts → timeline → what is true → what must change, in the daemon's steady state.

Run with `python -m benchmarks.timeline`. Patients stand at all points of their year; what is recorded about them is
already what should be, which is what the daemon finds at nearly every look. Nothing is read from a database here.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import fmean
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from config.files import read_files
from config.settings import DEFAULT_DIR
from scheduler.domain.civil import DayCalendar, at_local
from scheduler.domain.exposure import Exposure, VisitExposures, set_is_settled
from scheduler.domain.facts import (
    Assessed,
    Attended,
    Corrected,
    DoseGiven,
    Enrolled,
    Fact,
    Formulation,
    Regimen,
    SampleDrawn,
    SampleNotDrawn,
    Source,
    VisitBooked,
    VisitMoved,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.history import History
from scheduler.domain.plan import Desired, as_recorded, assess, diff
from scheduler.domain.protocol import Protocol
from scheduler.domain.protocol_file.compile import compile_protocol
from scheduler.domain.recorded import Recorded, RecordedExposure
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.domain.timeline import StudyPlan, Timeline, build_timeline

__all__ = ["measure"]

GOAL_PER_S = 10_000
_GROUP = 50
NOW = datetime.fromisoformat("2026-03-18T10:00:00+00:00")
ZONE = ZoneInfo("Europe/Paris")
_DRAWS = {"H0": -5, "H30": 30, "H2": 120}
_MG_L = {"H0": Decimal("2.1"), "H30": Decimal("11.4"), "H2": Decimal("5.2")}


@dataclass(frozen=True, slots=True)
class Case:
    """One patient as the daemon meets him."""

    history: History
    exposures: dict[str, VisitExposures]
    recorded: Recorded


def measure(subjects: int = 2000, rounds: int = 7, seed: int = 20260318) -> dict[str, Any]:
    """Facts per subject, subjects per second, and the share of each stage; the best of `rounds`."""
    plan = _plan()
    cases = [_case(plan, Random(f"{seed}:{number}"), number) for number in range(subjects)]
    facts = [len(case.history.facts) + len(case.history.results) for case in cases]
    timelines = [_timeline(plan, case) for case in cases]
    desired = [assess(line, case.exposures, NOW) for line, case in zip(timelines, cases, strict=True)]
    for case, wanted in zip(cases, desired, strict=True):
        assert diff(case.history.subject, wanted, case.recorded).is_empty

    def build(case: Case, line: Timeline, wanted: Desired) -> None:
        build_timeline(plan, case.history)

    def look(case: Case, line: Timeline, wanted: Desired) -> None:
        assess(line, case.exposures, NOW)

    def compare(case: Case, line: Timeline, wanted: Desired) -> None:
        diff(case.history.subject, wanted, case.recorded)

    def whole(case: Case, line: Timeline, wanted: Desired) -> None:
        again = build_timeline(plan, case.history)
        assert again is not None
        diff(case.history.subject, assess(again, case.exposures, NOW), case.recorded)

    stages = {"build_timeline": build, "assess": look, "diff": compare, "whole": whole}
    known = list(zip(cases, timelines, desired, strict=True))
    seconds = {name: _best(step, known, rounds) for name, step in stages.items()}
    total = seconds.pop("whole")
    parts = sum(seconds.values())
    return {
        "subjects": subjects,
        "facts_per_subject_min": min(facts),
        "facts_per_subject_mean": round(fmean(facts), 1),
        "facts_per_subject_max": max(facts),
        "subjects_per_s": round(subjects / total),
        "us_per_subject": round(1e6 * total / subjects, 1),
        "share": {name: round(spent / parts, 3) for name, spent in seconds.items()},
        "goal_subjects_per_s": GOAL_PER_S,
    }


def _best(
    step: Callable[[Case, Timeline, Desired], None], known: list[tuple[Case, Timeline, Desired]], rounds: int
) -> float:
    """Seconds for all subjects: the shortest of several runs of each group, so that other programs do not count.

    The garbage collector is off, as timeit has it.
    """
    groups = [known[i : i + _GROUP] for i in range(0, len(known), _GROUP)]
    shortest = [float("inf")] * len(groups)
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for number, group in enumerate(groups):
                start = perf_counter()
                for case, line, wanted in group:
                    step(case, line, wanted)
                shortest[number] = min(shortest[number], perf_counter() - start)
    finally:
        gc.enable()
    return sum(shortest)


def _plan() -> StudyPlan:
    files, defects = read_files(DEFAULT_DIR)
    assert not defects, defects
    loaded = files.protocols[0]
    templates = {one.name for one in (Path(DEFAULT_DIR).parent / "templates" / "email").iterdir()}
    templates |= {rule.template for rule in loaded.content.reminders}
    templates |= {notice.template for notice in loaded.content.notices}
    protocol, defects = compile_protocol(loaded.content, loaded.name, templates, loaded.sha256)
    assert protocol is not None, defects
    return StudyPlan(protocol, "cochin", DayCalendar(ZONE, frozenset(range(1, 6)), frozenset()))


def _case(plan: StudyPlan, rng: Random, number: int) -> Case:
    """A patient at a random point of the year, with what would by now be on record."""
    subject = f"MPA-{number:04d}-0"
    baseline = NOW.date() - timedelta(days=rng.randrange(1, 400))
    regimen = Regimen(Formulation.MMF, 1000.0, 12.0)
    whats: list[tuple[datetime, What]] = [
        (_at(baseline, 8), Enrolled(baseline, baseline - timedelta(days=40), regimen))
    ]
    results: list[ResultVersion] = []
    calendar = build_timeline(plan, History(subject, _facts(whats)))
    assert calendar is not None
    for visit in calendar.visits:
        target = visit.planned.target
        _play_visit(visit.id, target, rng, plan.protocol, whats, results)
    if rng.random() < 0.05:
        at = _at(NOW.date() - timedelta(days=rng.randrange(1, 60)), 12)
        whats.append((at, Withdrawn(at, Withdrawal.CONSENT, "asked")))
    whats = sorted((one for one in whats if one[0] <= NOW), key=lambda one: one[0])
    if rng.random() < 0.15 and len(whats) > 4:
        fact_id, (_, what) = 3, whats[2]
        whats.append((NOW, Corrected(fact_id, what, "typed again")))
    history = History(subject, _facts(whats), tuple(one for one in results if one.recorded_at <= NOW))
    line = build_timeline(plan, history)
    assert line is not None
    exposures = _exposures(line)
    return Case(history, exposures, _recorded(line, exposures))


def _play_visit(
    visit: str,
    target: date,
    rng: Random,
    protocol: Protocol,
    whats: list[tuple[datetime, What]],
    results: list[ResultVersion],
) -> None:
    if rng.random() < 0.06:
        return  # never booked, never seen
    day = target + timedelta(days=rng.randrange(-3, 4)) if visit != "INCLUSION" else target
    told = _at(target - timedelta(days=18), 10)
    if visit != "INCLUSION":
        if rng.random() < 0.2:
            whats.append((told, VisitBooked(visit, datetime.combine(target, time(9)))))
            whats.append(
                (told + timedelta(days=6), VisitMoved(visit, datetime.combine(day, time(9)), "asked"))
            )
        else:
            whats.append((told, VisitBooked(visit, datetime.combine(day, time(9)))))
    dose_at = _at(day, 9)
    entered = dose_at + timedelta(hours=3)
    whats.append((entered, Attended(visit, dose_at - timedelta(minutes=30))))
    whats.append((entered, DoseGiven(visit, dose_at, 1000.0, Formulation.MMF, 12.0)))
    lost = rng.choice(list(_DRAWS)) if rng.random() < 0.05 else None
    for point, minutes in _DRAWS.items():
        at = dose_at + timedelta(minutes=minutes + rng.choice([0, 0, 0, 0, 0, 2, 2, 4, 8, 14]))
        if point == lost:
            whats.append((entered, SampleNotDrawn(visit, point, at, "no vein")))
            continue
        whats.append((entered, SampleDrawn(visit, point, at, f"{visit}-{point}")))
        for status, days in ((ResultStatus.PRELIMINARY, 1), (ResultStatus.FINAL, 3)):
            if status is ResultStatus.FINAL or rng.random() < 0.2:
                results.append(_result(len(results) + 1, visit, point, status, at, days))
    encounter = protocol.encounter(visit)
    assert encounter is not None
    whats += [
        (entered + timedelta(hours=2), Assessed(visit, item, dose_at, 20.0, "points"))
        for items, share in ((encounter.required, 0.97), (encounter.optional, 0.6))
        for item in items
        if rng.random() < share
    ]


def _result(
    number: int, visit: str, point: str, status: ResultStatus, at: datetime, days: int
) -> ResultVersion:
    reported = at + timedelta(days=days)
    return ResultVersion(
        id=number,
        visit=visit,
        timepoint=point,
        specimen=f"{visit}-{point}",
        status=status,
        conc_mg_l=_MG_L[point],
        below_lloq=False,
        above_uloq=False,
        lloq_mg_l=Decimal("0.1"),
        collected_at=at,
        reported_at=reported,
        recorded_at=reported + timedelta(hours=1),
        method="HPLC",
    )


def _facts(whats: list[tuple[datetime, What]]) -> tuple[Fact, ...]:
    return tuple(Fact(i, what, at, "coordinator-1", Source.CLI) for i, (at, what) in enumerate(whats, 1))


def _at(day: date, hour: int) -> datetime:
    return at_local(day, time(hour), ZONE)


def _timeline(plan: StudyPlan, case: Case) -> Timeline:
    line = build_timeline(plan, case.history)
    assert line is not None
    return line


def _exposures(line: Timeline) -> dict[str, VisitExposures]:
    """An estimate for each settled sampling day, as the engine would have made it."""
    one = Exposure("pawinski", "AUC0-12", 47.2, 38.1, 56.3, "mg·h/L", (0.0, 12.0), (), ())
    return {
        plan.id: VisitExposures(f"hash-{plan.id}", (one,), "{}")
        for plan in line.visits
        if set_is_settled(plan)
    }


def _recorded(line: Timeline, exposures: dict[str, VisitExposures]) -> Recorded:
    """What is on record once everything has been written: equal to what is desired, but other objects."""
    desired = assess(line, exposures, NOW)
    return Recorded(
        {view.plan.id: deepcopy(as_recorded(view)) for view in desired.views},
        {flag.key: deepcopy(flag.reason) for flag in desired.flags},
        frozenset(one.key for one in desired.reminders),
        {visit: RecordedExposure(found.inputs_hash, 1, found.shown) for visit, found in exposures.items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    found = measure(given.subjects, given.rounds)
    low, mean, high = (found[f"facts_per_subject_{name}"] for name in ("min", "mean", "max"))
    print(f"{found['subjects']} subjects with {low} to {high} facts and results each, {mean} on average")
    print(f"{found['subjects_per_s']:,} subjects/s on one core ({found['us_per_subject']} µs each)")
    for name, share in found["share"].items():
        print(f"  {name:15} {share:6.1%}")
    print(f"goal: {found['goal_subjects_per_s']:,} subjects/s")


if __name__ == "__main__":
    main()
