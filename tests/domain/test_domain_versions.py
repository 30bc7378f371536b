"""Which protocol version a visit follows when a subject is followed under another one from a day on."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import domain_cases as cases
from domain_ledger import NOTHING, apply
from domain_strategies import AMENDED_PLANS, PLANS, baselines
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.domain.events import Days, VisitRebooked, VisitReplanned
from scheduler.domain.facts import Attended, Corrected, Enrolled, Fact, ProtocolApplied, Source, What
from scheduler.domain.history import History
from scheduler.domain.plan import as_recorded, diff
from scheduler.domain.protocol import Event, VisitStatus
from scheduler.domain.protocol_diff import Area, differences
from scheduler.domain.rules import refusals, warnings
from scheduler.domain.timeline import Timeline, build_timeline

PLAN = PLANS[0]
AMENDED = AMENDED_PLANS[PLAN]
# Baseline Monday 1 September 2025: W6 on 13 October by version 1, on 20 October by version 2; W12 on 24 November.


def applied(on: date, key: str = "second") -> ProtocolApplied:
    return ProtocolApplied(on, key, key, "approved")


def line(*whats: What) -> Timeline:
    return cases.timeline(*whats, plan=PLAN, amended=AMENDED)


def targets(found: Timeline) -> dict[str, tuple[str, date]]:
    return {
        one.id: (one.protocol.version, one.planned.target) for one in found.visits if one.left_out_by is None
    }


def test_a_visit_due_before_the_day_keeps_the_version_before_and_one_due_later_follows_the_new() -> None:
    before, after = line(applied(date(2025, 10, 14))), line(applied(date(2025, 10, 13)))
    assert targets(before)["W6"] == ("1", date(2025, 10, 13))
    assert targets(after)["W6"] == ("2", date(2025, 10, 20))
    assert targets(before)["INCLUSION"] == ("1", date(2025, 9, 1))


def test_a_visit_that_took_place_before_the_day_keeps_every_rule_of_its_version() -> None:
    done = [*cases.sampling_day("W6", date(2025, 10, 10)), applied(date(2025, 10, 13))]
    visit = line(*done).visit("W6")
    assert visit is not None
    assert (visit.protocol.version, visit.planned.encounter.required) == ("1", ())
    assert [draw.point.earliest_min for draw in visit.draws if draw.point.id == "H30"] == [20]


def test_a_visit_that_took_place_from_the_day_on_follows_the_new_version_though_it_was_due_before() -> None:
    done = [applied(date(2025, 10, 14)), *cases.sampling_day("W6", date(2025, 10, 15))]
    visit = line(*done).visit("W6")
    assert visit is not None
    assert (visit.protocol.version, visit.planned.encounter.required) == ("2", ("mrss",))
    assert [draw.point.earliest_min for draw in visit.draws if draw.point.id == "H30"] == [15]


def test_an_appointment_decides_for_a_visit_that_is_still_to_come() -> None:
    early, late = cases.booked("W6", date(2025, 10, 9)), cases.booked("W6", date(2025, 10, 16))
    on = applied(date(2025, 10, 13))
    assert targets(line(on, early))["W6"][0] == "1"
    assert targets(line(on, late))["W6"][0] == "2"


def test_no_version_asks_for_what_was_over_before_its_day() -> None:
    """By version 2 the window of M9 ends on 15 June 2026; applied later, the visit is not asked for."""
    assert "M9" in targets(line(applied(date(2026, 6, 1))))
    late = line(applied(date(2026, 6, 20)))
    assert "M9" not in targets(late)
    assert cases.status(late, "M9", cases.utc(2026, 7, 1)) is VisitStatus.NOT_APPLICABLE


def test_a_visit_that_the_new_version_has_not_is_not_applicable_and_its_appointment_is_taken_back() -> None:
    now, booked = cases.utc(2025, 11, 3), cases.booked("W12", date(2025, 11, 25))
    before = apply(NOTHING, diff(cases.CODE, cases.stand(line(booked), now), NOTHING))
    later = line(booked, applied(date(2025, 11, 10)))
    changes = diff(cases.CODE, cases.stand(later, now), before)
    off = [one for one in changes.events if isinstance(one, VisitRebooked)]
    assert [(one.visit, one.event) for one in off] == [("W12", Event.VISIT_CANCELLED)]
    assert cases.status(later, "W12", now) is VisitStatus.NOT_APPLICABLE
    assert "refused_visit_left_out" in {one.code for one in refusals(later, booked, now)}


def test_what_took_place_stays_though_the_version_in_force_has_no_such_visit() -> None:
    done = line(applied(date(2025, 11, 1)), Attended("W12", cases.local(date(2025, 11, 24))))
    visit = done.visit("W12")
    assert visit is not None
    assert (visit.protocol.version, visit.left_out_by) == ("1", None)
    told = warnings(
        line(applied(date(2025, 11, 1))),
        Attended("W12", cases.local(date(2025, 11, 24))),
        cases.utc(2025, 11, 25),
    )
    assert "warned_left_out" in {one.code for one in told}


def test_of_two_versions_of_one_day_the_later_record_holds() -> None:
    day = date(2025, 10, 1)
    assert targets(line(applied(day, "second"), applied(day, "third")))["W6"][0] == "3"
    assert targets(line(applied(day, "third"), applied(day, "second")))["W6"][0] == "2"


def test_a_version_taken_back_leaves_everything_as_if_it_had_never_been() -> None:
    now = cases.utc(2025, 10, 1)
    plain = cases.stand(line(), now)
    restored = cases.stand(line(applied(date(2025, 9, 20)), Corrected(2, None, "wrong study")), now)
    shown = [view for view in restored.views if view.plan.id != "M9"]
    assert [as_recorded(view) for view in shown] == [as_recorded(view) for view in plain.views]
    assert restored.flags == plain.flags


def test_other_days_by_another_version_are_an_event_and_other_days_by_the_facts_are_none() -> None:
    now = cases.utc(2025, 9, 20)
    plain = cases.stand(line(), now)
    before = apply(NOTHING, diff(cases.CODE, plain, NOTHING))
    changes = diff(cases.CODE, cases.stand(line(applied(date(2025, 9, 25))), now), before)
    told = {one.visit: one for one in changes.events if isinstance(one, VisitReplanned)}
    assert set(told) == {"W6", "W12"}
    assert told["W6"].old == Days(date(2025, 10, 13), date(2025, 10, 6), date(2025, 10, 20))
    assert told["W6"].new == Days(date(2025, 10, 20), date(2025, 10, 17), date(2025, 10, 23))
    assert told["W12"].new is None
    after = apply(before, changes)
    back = line(applied(date(2025, 9, 25)), Corrected(2, None, "not approved"))
    again = diff(cases.CODE, cases.stand(back, now), after)
    keys = [one.key for one in (*changes.events, *again.events) if isinstance(one, VisitReplanned)]
    assert len(keys) == len(set(keys)) == 5
    moved = line(Attended("INCLUSION", cases.local(date(2025, 9, 3))))
    other = diff(cases.CODE, cases.stand(moved, now), before)
    assert not [one for one in other.events if isinstance(one, VisitReplanned)]


def test_a_version_is_refused_where_it_says_nothing_new_or_comes_too_late() -> None:
    now = cases.utc(2025, 10, 1)

    def codes(found: Timeline, what: What) -> set[str]:
        return {one.code for one in refusals(found, what, now)}

    on = applied(date(2025, 10, 1))
    assert codes(line(), on) == set()
    assert codes(line(on), applied(date(2025, 12, 1))) == {"refused_version_followed"}
    assert codes(line(on), applied(date(2025, 9, 1))) == set()
    assert codes(line(), applied(date(2027, 10, 1))) == {"refused_version_far"}


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(PLANS), baselines())
def test_the_order_in_which_versions_and_visits_are_recorded_does_not_matter(
    data: st.DataObject, plan: Any, baseline: date
) -> None:
    """Which version holds follows from the records, not from when they were seen."""
    days = st.integers(-30, 420).map(lambda days: baseline + timedelta(days=days))
    zone = plan.calendar.zone
    whats: list[What] = [Enrolled(baseline)]
    whats += [
        applied(day, data.draw(st.sampled_from(["second", "third"])))
        for day in data.draw(st.lists(days, max_size=4))
    ]
    for visit in data.draw(st.sets(st.sampled_from(["W6", "W12", "M6", "M9"]))):
        day = data.draw(days)
        whats.append(
            data.draw(
                st.sampled_from([Attended(visit, cases.local(day, zone=zone)), cases.booked(visit, day)])
            )
        )
    facts = [
        Fact(number, what, cases.local(baseline, 8), "a", Source.CLI) for number, what in enumerate(whats, 1)
    ]
    now = cases.local(data.draw(days), 12)
    stands = [
        cases.stand(found, now)
        for order in (facts, data.draw(st.permutations(facts)))
        if (found := build_timeline(plan, History("x", tuple(order)), AMENDED_PLANS[plan])) is not None
    ]
    one, two = stands
    assert [as_recorded(view) for view in one.views] == [as_recorded(view) for view in two.views]
    assert cases.snapshot(one) == cases.snapshot(two)
    assert one.next_change == two.next_change
    for view in one.views:
        version = view.plan.amended_by
        day = view.plan.attended_on
        if (
            version is not None and day is not None and view.plan.id != "M9"
        ):  # only the second version has that
            assert any(w.sha256 == version and w.on <= day for w in whats if isinstance(w, ProtocolApplied))


def test_everything_that_differs_between_two_versions_is_told() -> None:
    old, new = PLAN.protocol, AMENDED["second"].protocol
    found = {(one.area, one.item, one.field): (one.old, one.new) for one in differences(old, new)}
    assert found[(Area.STUDY, "", "version")] == ("1", "2")
    assert found[(Area.VISIT, "W12", "")] == ("W12", None)
    assert found[(Area.VISIT, "M9", "")] == (None, "M9")
    assert found[(Area.VISIT, "W6", "required")] == ((), ("mrss",))
    assert found[(Area.SAMPLE, "H30", "earliest_min")] == (20, 15)
    assert not [one for one in found if one[1] == "W12" and one[2]]
    assert differences(old, old) == []
    assert {(one.area, one.item) for one in differences(new, old)} == {one[:2] for one in found}


def _changed(content: Any, path: tuple[Any, ...]) -> Any:
    """The document with one value replaced by another of the same kind."""
    *way, last = path
    inner = content
    for key in way:
        inner = inner[key]
    inner[last] = _OTHER[path]
    return content


_OTHER: dict[tuple[Any, ...], Any] = {
    ("study", "acronym"): "OTHER",
    ("encounters", 1, "label"): {"en": "Week six", "fr": "Semaine six"},
    ("encounters", 1, "timing", "grace"): "P4D",
    ("encounters", 1, "timing", "expires_after"): "P20D",
    ("encounters", 1, "timing", "shift"): "none",
    ("encounters", 1, "timing", "anchor_basis"): "planned",
    ("sampling", "points", 2, "window_upper"): "PT20M",
    ("activities", 1, "maximum"): 140,
    ("limits", "results_within"): "P9D",
    ("limits", "attendance_within"): "P3D",
    ("bands", 0, "flag"): False,
    ("reminders", 0, "value"): "P20D",
    ("reminders", 0, "to"): ["investigator"],
    ("notices", 0, "to"): ["investigator"],
    ("digest", "at"): "06:45",
}


def test_each_kind_of_change_is_told_once() -> None:
    for path in _OTHER:
        changed = cases.protocol_from(_changed(cases.document(), path))
        assert len(differences(cases.shipped_protocol(), changed)) == (2 if path[-1] == "label" else 1), path


def test_a_change_of_an_endpoint_is_told() -> None:
    content = cases.document()
    content.setdefault("endpoints", {})["window_days"] = 45
    found = differences(cases.shipped_protocol(), cases.protocol_from(content))
    assert [(one.area, one.field, one.new) for one in found] == [(Area.ENDPOINT, "window_days", 45)]
