"""Civil days: periods, starts of days where the clocks change, open days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import domain_cases as cases
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.civil import (
    LocalTimeError,
    Period,
    add_period,
    at_local,
    exact_instant,
    local_date,
    parse_period,
    start_of_day,
)

PARIS = cases.PARIS
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Paris",
        "Asia/Beirut",
        "Pacific/Apia",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Australia/Lord_Howe",
        "America/St_Johns",
        "Africa/Cairo",
        "America/Havana",
        "UTC",
    )
]

# --- periods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P6W", Period(days=42)),
        ("P1Y6M", Period(months=18)),
        ("P1Y2M3W4D", Period(14, 25)),
        ("PT2H10M", Period(minutes=130)),
        ("P1DT30M", Period(days=1, minutes=30)),
        ("P0D", Period()),
        ("PT0M", Period()),
    ],
)
def test_an_iso_duration_is_months_days_and_minutes(text: str, period: Period) -> None:
    assert parse_period(text) == period


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "6W", "P-1D", "P1.5D", "PT30S", "P1D ", "p1d"])
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_period(text)


@given(st.builds(Period, st.integers(0, 60), st.integers(0, 400), st.integers(0, 4000)))
def test_a_period_written_and_read_again_is_the_same(period: Period) -> None:
    assert parse_period(str(period)) == period


@pytest.mark.parametrize(
    ("day", "period", "result"),
    [
        (date(2025, 8, 31), "P6M", date(2026, 2, 28)),
        (date(2023, 8, 31), "P6M", date(2024, 2, 29)),
        (date(2025, 8, 29), "P6M", date(2026, 2, 28)),
        (date(2025, 8, 28), "P6M", date(2026, 2, 28)),
        (date(2024, 2, 29), "P1Y", date(2025, 2, 28)),
        (date(2024, 2, 29), "P4Y", date(2028, 2, 29)),
        (date(2024, 2, 29), "P6M", date(2024, 8, 29)),
        (date(2025, 12, 31), "P2M", date(2026, 2, 28)),
        (date(2025, 1, 31), "P1M1D", date(2025, 3, 1)),  # the month first, then the day
    ],
)
def test_a_month_too_short_gives_its_last_day(day: date, period: str, result: date) -> None:
    assert add_period(day, parse_period(period)) == result


@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(0, 40), st.integers(0, 500), st.booleans())
def test_dates_agree_with_an_independent_calculation(day: date, months: int, days: int, back: bool) -> None:
    sign = -1 if back else 1
    oracle = day + relativedelta(months=sign * months, days=sign * days)
    assert add_period(day, Period(months, days), sign) == oracle


# --- days of a zone ---------------------------------------------------------------------------------------------


def test_the_days_of_the_changes_of_clocks_have_23_and_25_hours() -> None:
    for day, hours in ((date(2026, 3, 29), 23), (date(2025, 10, 26), 25), (date(2025, 10, 27), 24)):
        assert start_of_day(day + timedelta(days=1), PARIS) - start_of_day(day, PARIS) == timedelta(
            hours=hours
        )


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Asia/Beirut", date(2023, 3, 26), cases.utc(2023, 3, 25, 22)),
        ("Asia/Beirut", date(2022, 3, 27), cases.utc(2022, 3, 26, 22)),  # midnight is skipped
        ("America/Sao_Paulo", date(2018, 11, 4), cases.utc(2018, 11, 4, 3)),  # midnight is skipped
        (
            "America/Sao_Paulo",
            date(2018, 2, 18),
            cases.utc(2018, 2, 18, 3),
        ),  # 23:00 to 24:00 came twice before
        ("Pacific/Apia", date(2011, 12, 30), cases.utc(2011, 12, 30, 10)),  # the whole day is skipped
        ("Pacific/Apia", date(2011, 12, 31), cases.utc(2011, 12, 30, 10)),
        ("America/Toronto", date(1919, 3, 31), cases.utc(1919, 3, 31, 4, 30)),  # 23:30 became 00:30
        ("Africa/Casablanca", date(2024, 3, 10), cases.utc(2024, 3, 9, 23)),
        ("Europe/Paris", date(2026, 3, 29), cases.utc(2026, 3, 28, 23)),
    ],
)
def test_a_day_starts_at_its_first_instant_also_where_midnight_does_not_exist(
    zone: str, day: date, start: datetime
) -> None:
    assert start_of_day(day, ZoneInfo(zone)) == start


@given(st.sampled_from(ZONES), st.dates(date(1995, 1, 1), date(2037, 12, 30)))
def test_no_instant_before_the_start_of_a_day_belongs_to_it_or_to_a_later_one(
    zone: ZoneInfo, day: date
) -> None:
    start = start_of_day(day, zone)
    assert local_date(start, zone) >= day
    assert local_date(start - timedelta(minutes=1), zone) < day
    assert start_of_day(day + timedelta(days=1), zone) >= start


@given(st.sampled_from(ZONES), st.dates(date(1995, 1, 1), date(2037, 12, 30)), st.times())
def test_a_local_time_is_on_its_day_and_not_before_its_start(zone: ZoneInfo, day: date, clock: time) -> None:
    instant = at_local(day, clock, zone)
    assert local_date(instant, zone) >= day
    assert instant >= start_of_day(day, zone)


def test_a_reminder_in_the_hour_that_is_skipped_moves_past_it_and_in_the_doubled_one_comes_first() -> None:
    assert at_local(date(2026, 3, 29), time(2, 30), PARIS) == cases.utc(2026, 3, 29, 1, 30)
    assert at_local(date(2025, 10, 26), time(2, 30), PARIS) == cases.utc(2025, 10, 26, 0, 30)


def test_an_appointment_time_must_exist_exactly_once() -> None:
    assert exact_instant(cases.naive(2025, 9, 1), PARIS) == cases.utc(2025, 9, 1, 7)
    with pytest.raises(LocalTimeError, match="does not exist"):
        exact_instant(cases.naive(2026, 3, 29, 2, 30), PARIS)
    with pytest.raises(LocalTimeError, match="exists twice"):
        exact_instant(cases.naive(2025, 10, 26, 2, 30), PARIS)


@given(st.sampled_from(ZONES), st.datetimes(cases.naive(1996, 1, 1), cases.naive(2037, 1, 1)))
def test_an_exact_instant_reads_back_as_the_same_local_time(zone: ZoneInfo, local: datetime) -> None:
    try:
        instant = exact_instant(local, zone)
    except LocalTimeError:
        return
    assert instant.tzinfo is UTC
    assert instant.astimezone(zone).replace(tzinfo=None) == local


# --- open days --------------------------------------------------------------------------------------------------

SATURDAY = date(2025, 10, 11)


def test_the_nearest_open_day_is_looked_for_on_both_sides_and_the_later_of_two_wins() -> None:
    days = cases.calendar(closed=())
    friday, monday = SATURDAY - timedelta(days=1), SATURDAY + timedelta(days=2)
    assert days.nearest_open_day(SATURDAY, friday, monday) == friday
    assert days.nearest_open_day(SATURDAY + timedelta(days=1), friday, monday) == monday
    holiday = cases.calendar(closed=[date(2025, 10, 15)])
    wednesday = date(2025, 10, 15)
    assert holiday.nearest_open_day(
        wednesday, wednesday - timedelta(days=3), wednesday + timedelta(days=3)
    ) == date(2025, 10, 16)


def test_the_last_day_of_the_window_is_offered_and_no_day_outside_it() -> None:
    days = cases.calendar(open_weekdays=[1], closed=())
    monday = SATURDAY + timedelta(days=2)
    assert days.nearest_open_day(SATURDAY, SATURDAY, monday) == monday
    assert days.nearest_open_day(SATURDAY, SATURDAY, SATURDAY + timedelta(days=1)) is None
    assert days.next_open_day(SATURDAY, monday) == monday
    assert days.next_open_day(SATURDAY, SATURDAY + timedelta(days=1)) is None
    # REDCap-like trap: the Friday before is nearer, but outside the window
    everyday = cases.calendar(closed=())
    assert everyday.nearest_open_day(SATURDAY, SATURDAY, monday) == monday


@given(
    st.sets(st.integers(1, 7)),
    st.dates(date(2024, 1, 1), date(2027, 1, 1)),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_the_open_day_found_is_open_inside_the_window_and_none_is_nearer(
    weekdays: set[int], target: date, before: int, after: int
) -> None:
    days = cases.calendar(open_weekdays=weekdays)
    window = [target + timedelta(days=n) for n in range(-before, after + 1)]
    candidates = [day for day in window if days.is_open(day)]
    found = days.nearest_open_day(target, window[0], window[-1])
    if not candidates:
        assert found is None
        return
    assert found in candidates
    nearest = min(abs((day - target).days) for day in candidates)
    assert abs((found - target).days) == nearest
    assert days.next_open_day(target, window[-1]) == next((d for d in candidates if d >= target), None)
