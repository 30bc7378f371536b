"""The properties that docs/architecture.md lists, on generated histories."""

from __future__ import annotations

from datetime import datetime, timedelta

import domain_cases as cases
from domain_ledger import NOTHING, Ledger, apply
from domain_strategies import Arrival, instants_near, records
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.events import VisitRebooked, VisitReplanned
from scheduler.domain.history import History
from scheduler.domain.plan import as_recorded, diff
from scheduler.domain.timeline import Timeline, build_timeline

TICK = timedelta(microseconds=1)
LONG = timedelta(days=800)


def _timeline(arrival: Arrival, past: History | None = None) -> Timeline:
    line = build_timeline(arrival.plan, past or arrival.whole, arrival.amended)
    assert line is not None
    return line


@settings(max_examples=300, deadline=None)
@given(st.data(), records())
def test_nothing_changes_between_now_and_next_change(data: st.DataObject, arrival: Arrival) -> None:
    line = _timeline(arrival)
    now = data.draw(instants_near(line))
    desired = cases.stand(line, now)
    change = desired.next_change
    end = change if change is not None else now + LONG
    assert end > now
    for probe in {now + TICK, now + (end - now) / 3, now + 2 * (end - now) / 3, end - TICK}:
        if now < probe < end:
            later = cases.stand(line, probe)
            assert cases.snapshot(later) == cases.snapshot(desired)
            assert later.next_change == change


@settings(max_examples=100, deadline=None)
@given(records())
def test_the_instants_of_change_lead_to_an_end(arrival: Arrival) -> None:
    line = _timeline(arrival)
    now, steps = line.enrolled_at - timedelta(days=90), 0
    while (change := cases.stand(line, now).next_change) is not None:
        assert change > now
        now, steps = change, steps + 1
        assert steps < 300


@settings(max_examples=200, deadline=None)
@given(st.data(), records())
def test_reconciling_twice_equals_once(data: st.DataObject, arrival: Arrival) -> None:
    line = _timeline(arrival)
    desired = cases.stand(line, data.draw(instants_near(line)))
    once = apply(NOTHING, diff(cases.CODE, desired, NOTHING))
    again = diff(cases.CODE, desired, once)
    assert again.is_empty
    assert again.events == ()


@settings(max_examples=200, deadline=None)
@given(st.data(), records())
def test_the_order_in_which_facts_and_results_arrive_does_not_matter(
    data: st.DataObject, arrival: Arrival
) -> None:
    line = _timeline(arrival)
    now = data.draw(instants_near(line))
    facts = data.draw(st.permutations(arrival.facts))
    results = data.draw(st.permutations(arrival.results))
    other = _timeline(arrival, History(cases.CODE, tuple(facts), tuple(results)))
    one, two = cases.stand(line, now), cases.stand(other, now)
    assert cases.snapshot(one) == cases.snapshot(two)
    assert [as_recorded(view) for view in one.views] == [as_recorded(view) for view in two.views]
    assert one.next_change == two.next_change


def _live(arrival: Arrival, extra: list[datetime]) -> Ledger:
    """The subject's year as it is lived: facts arrive one by one, every next_change is visited, and `extra` too."""
    ledger = Ledger(arrival.plan, amended=arrival.amended)
    moments = arrival.moments
    end = moments[-1] + LONG
    for start, stop in zip(moments, [*moments[1:], end], strict=True):
        past = arrival.until(start)
        pending = sorted(at for at in extra if start < at < stop)
        now: datetime | None = start
        while now is not None and now < stop:
            change = ledger.tick(past, now)
            pending = [at for at in pending if at > now]
            now = min([*pending[:1], *([change] if change is not None else [])], default=None)
    return ledger


@settings(max_examples=60, deadline=None)
@given(st.data(), records())
def test_the_rhythm_of_ticks_does_not_change_what_is_sent(data: st.DataObject, arrival: Arrival) -> None:
    line = _timeline(arrival)
    extra = data.draw(st.lists(instants_near(line), min_size=1, max_size=25))
    calm, busy = _live(arrival, []), _live(arrival, extra)
    assert busy.sent_at == calm.sent_at
    assert busy.events == calm.events
    assert busy.recorded == calm.recorded


@settings(max_examples=150, deadline=None)
@given(records())
def test_every_announcement_has_a_key_of_its_own_and_a_growing_sequence(arrival: Arrival) -> None:
    ledger = _live(arrival, [])
    keys = [event.key for event in ledger.events]
    assert len(keys) == len(set(keys))
    newest: dict[str, int] = {}
    for event in (one for one in ledger.events if isinstance(one, VisitRebooked | VisitReplanned)):
        assert event.sequence > newest.get(event.visit, -1)
        newest[event.visit] = event.sequence


@settings(max_examples=60, deadline=None)
@given(st.data(), records())
def test_rebuilding_the_rows_gives_the_rows_that_were_lived(data: st.DataObject, arrival: Arrival) -> None:
    """Visits, draws and flags follow from the facts alone, whatever was recorded on the way."""
    ledger = _live(arrival, [])
    now = arrival.moments[-1] + LONG
    line = _timeline(arrival)
    desired = cases.stand(line, now)
    fresh = diff(cases.CODE, desired, NOTHING)
    ledger.tick(arrival.whole, now)
    assert {flag.key: flag.reason for flag in fresh.opened} == dict(ledger.recorded.open_flags)
    for name, row in fresh.visits:
        lived = ledger.recorded.visits[name]
        assert (row.status, row.reason, row.booked_local, row.draws) == (
            lived.status,
            lived.reason,
            lived.booked_local,
            lived.draws,
        )
