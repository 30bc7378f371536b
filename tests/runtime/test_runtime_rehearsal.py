"""The script of a rehearsal: its order, its laboratory, and where it stops and goes on."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.facts import SampleDrawn
from scheduler.domain.timeline import StudyPlan
from scheduler.engine.study import Study
from scheduler.runtime.rehearsal.cast import cast, subject_code
from scheduler.runtime.rehearsal.script import Drop, Say, Step
from scheduler.runtime.rehearsal.spool import Spool

NOON = datetime(2025, 9, 1, 10, tzinfo=UTC)
SPECIAL = 12


@pytest.fixture(scope="module")
def script(study: Study) -> list[Step]:
    site, (_, protocol) = "cochin", study.newest
    return list(cast(StudyPlan(protocol, site, study.calendars[site]), 20, 1))


@given(st.lists(st.integers(0, 5)))
def test_the_spool_orders_by_time_and_keeps_the_order_of_one_instant(minutes: list[int]) -> None:
    steps = [
        Step(NOON + timedelta(minutes=minute), Drop(str(number), b""))
        for number, minute in enumerate(minutes)
    ]
    assert list(Spool(steps)) == sorted(steps, key=lambda step: step.at)


def test_the_same_seed_gives_the_same_script_and_another_another(study: Study, script: list[Step]) -> None:
    plan = StudyPlan(study.newest[1], "cochin", study.calendars["cochin"])
    assert list(cast(plan, 20, 1)) == script
    assert list(cast(plan, 20, 2)) != script


def tubes(drop: Drop) -> list[tuple[str, str]]:
    """The subject and tube of every row of a file."""
    rows = csv.DictReader(drop.content.decode("cp1252").splitlines(), delimiter=";")
    return [(row["code_patient"], row["numero_echantillon"]) for row in rows if row.get("numero_echantillon")]


def test_every_tube_of_an_ordinary_patient_is_reported_once_and_after_it_was_drawn(
    script: list[Step],
) -> None:
    special = {subject_code(number) for number in range(1, SPECIAL + 1)}
    drawn = {
        (step.action.code, step.action.what.tube): step.at
        for step in script
        if isinstance(step.action, Say) and isinstance(step.action.what, SampleDrawn)
    }
    reported = [
        (one, step.at) for step in script if isinstance(step.action, Drop) for one in tubes(step.action)
    ]
    ordinary = Counter(one for one, _ in reported if one[0] not in special)
    assert ordinary == Counter(one for one in drawn if one[0] not in special)
    assert all(at > drawn[one] for one, at in reported)


def test_the_laboratory_sends_one_file_a_day_and_those_of_the_cast_apart(script: list[Step]) -> None:
    special = {subject_code(number) for number in range(1, SPECIAL + 1)}
    files = [(step.at, step.action) for step in script if isinstance(step.action, Drop)]
    assert len({drop.name for _, drop in files}) == len(files)
    daily = [(at, drop) for at, drop in files if not any(code in drop.name for code in special)]
    assert len({at.date() for at, _ in daily}) == len(daily) > 0
    assert not any(code in special for _, drop in daily for code, _ in tubes(drop))
