"""Killed at random moments, the service loses nothing and doubles nothing without saying so."""

from __future__ import annotations

import pytest
from torture_ground import Ground
from torture_kills import random_kills
from torture_script import SHORT

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_at_random_moments_it_ends_as_the_undisturbed_run(ground: Ground, kind: str) -> None:
    found = random_kills(ground, kind, kills=5, seed=20291, script=SHORT)
    assert found.broken == [], "\n".join(found.broken)
    assert found.disturbed >= 4
    assert found.mails >= 5


def test_a_reminder_of_a_date_that_moved_does_not_leave(ground: Ground) -> None:
    """It was due while the mail server was away; before the server came back its visit had another date."""
    states = {
        row[0].split("|")[3]: row[4] for row in ground.undisturbed(SHORT)["outbox"] if "reminder" in row[0]
    }
    assert states["visit_soon"] == "cancelled"
