"""At every change of clocks the civil days agree with a table that another program printed, by plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scheduler.domain.civil import LocalTimeError, at_local, exact_instant, local_date, start_of_day


@dataclass(frozen=True)
class Change:
    """The instant from which on the second offset holds."""

    zone: str
    at: datetime
    before: timedelta
    after: timedelta

    def local(self, instant: datetime) -> datetime:
        """The wall time of an instant near the change."""
        return (instant + (self.before if instant < self.at else self.after)).replace(tzinfo=None)


def _read() -> list[Change]:
    lines = (Path(__file__).parent / "data" / "transitions.csv").read_text("ascii").splitlines()
    found = []
    for line in lines[1:]:
        zone, instant, before, after = line.split(",")
        at = datetime.fromisoformat(instant).replace(tzinfo=UTC)
        found.append(Change(zone, at, timedelta(seconds=int(before)), timedelta(seconds=int(after))))
    return found


CHANGES = _read()
ZONES = sorted({one.zone for one in CHANGES})
every_zone = pytest.mark.parametrize("zone", [ZoneInfo(name) for name in ZONES], ids=str)


def changes_of(zone: ZoneInfo) -> list[Change]:
    return [one for one in CHANGES if one.zone == zone.key]


def test_the_table_has_every_change_of_ten_years_and_the_known_oddities() -> None:
    assert len(CHANGES) >= 87
    assert {"Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"} <= set(ZONES)
    assert {"America/Sao_Paulo", "Pacific/Apia", "Asia/Beirut"} <= set(ZONES)


@every_zone
def test_an_instant_has_the_civil_date_of_its_offset(zone: ZoneInfo) -> None:
    for change in changes_of(zone):
        for hours in range(-30, 31):
            for second in (-1, 0):
                instant = change.at + timedelta(hours=hours, seconds=second)
                assert local_date(instant, zone) == change.local(instant).date()


@every_zone
def test_a_day_starts_with_its_first_instant(zone: ZoneInfo) -> None:
    for change in changes_of(zone):
        for days in (-1, 0, 1, 2):
            day = change.local(change.at).date() + timedelta(days=days)
            assert start_of_day(day, zone) == _first_instant(change, day)


def _first_instant(change: Change, day: date) -> datetime:
    """The first minute whose date is that day or, where there is no such day, a later one."""
    instant = change.at - timedelta(days=4)
    while change.local(instant).date() < day:
        instant += timedelta(minutes=1)
    return instant


@every_zone
def test_a_local_time_names_one_instant_or_is_refused(zone: ZoneInfo) -> None:
    for change in changes_of(zone):
        local = (change.at + change.before).replace(tzinfo=None) - timedelta(minutes=95)
        end = local + timedelta(minutes=190) + abs(change.after - change.before)
        while local < end:
            named = [
                instant
                for offset in (change.before, change.after)
                if change.local(instant := (local - offset).replace(tzinfo=UTC)) == local
            ]
            if len(named) == 1:
                assert exact_instant(local, zone) == named[0]
            else:
                with pytest.raises(LocalTimeError, match="exists twice" if named else "does not exist"):
                    exact_instant(local, zone)
            expected = (
                min(named) if named else (local - change.before).replace(tzinfo=UTC)
            )  # moved past the gap
            assert at_local(local.date(), local.time(), zone) == expected
            local += timedelta(minutes=5)


@every_zone
def test_mornings_around_it_are_where_the_offset_says(zone: ZoneInfo) -> None:
    for change in changes_of(zone):
        for days in (-2, -1, 1, 2):
            day = change.local(change.at).date() + timedelta(days=days)
            instant = at_local(day, time(8), zone)
            assert change.local(instant) == datetime.combine(day, time(8)) or _is_skipped(change, day)


def _is_skipped(change: Change, day: date) -> bool:
    """Whether the zone has no such day (Apia, 30 December 2011)."""
    return (
        change.after - change.before >= timedelta(hours=24)
        and change.local(change.at - timedelta(seconds=1)).date() < day < change.local(change.at).date()
    )
