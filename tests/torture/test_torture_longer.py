"""The parts of the plan that take hours as a whole, in a few seconds each: model, seeds, outage, power cut, restore."""

from __future__ import annotations

import pytest
from torture_bugs import BUGS, ROOT
from torture_drill import drills
from torture_ground import Ground
from torture_model import model
from torture_mutants import MUTATED, mutants_of
from torture_outage import day_without_mail
from torture_power import power_cuts, restored_and_cut, why_no_disk
from torture_result import Result
from torture_seeds import seeds

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def holds(found: Result) -> None:
    assert found.broken == [], "\n".join(found.broken)
    assert found.runs > 0


def test_whatever_happens_in_whatever_order_no_mail_is_lost_or_doubled_unsaid() -> None:
    holds(model(examples=6, steps=25))


def test_days_with_deaths_at_commits_end_as_undisturbed_ones(ground: Ground) -> None:
    found = seeds(ground, [3], days=10, deaths=5)
    holds(found)
    assert found.disturbed >= 3


def test_a_server_that_is_away_for_a_day_is_asked_rarely_and_then_gets_everything(ground: Ground) -> None:
    holds(day_without_mail(ground, 40))


def test_a_power_cut_takes_nothing_that_was_told(ground: Ground) -> None:
    if reason := why_no_disk(ground.home):
        pytest.skip(reason)
    holds(power_cuts(ground, 1))
    holds(restored_and_cut(ground))


def test_a_backup_made_under_load_and_kills_is_restored_elsewhere(ground: Ground) -> None:
    holds(drills(ground, "sqlite", 1, kills=2))


@pytest.mark.parametrize("file", MUTATED)
def test_every_mutant_is_another_program(file: str) -> None:
    """That it compiles, and differs."""
    text = (ROOT / file).read_text("utf-8")
    found = list(mutants_of(file, text))
    assert len(found) >= 3
    for one in found:
        compile(one.text, file, "exec")
        assert one.text != text


def test_every_seeded_bug_still_has_its_place() -> None:
    """Whoever moves the code that it is put into moves it too."""
    for bug in BUGS:
        for file, old, _ in bug.changes:
            assert (ROOT / file).read_text("utf-8").count(old) == 1, (bug.name, file)
