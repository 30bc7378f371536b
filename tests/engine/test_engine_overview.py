"""The study in numbers: every visit is counted once, where it belongs, and what was corrected counts as corrected."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from config_cases import copy_of_config, fields_replaced
from engine_desk import OTHER, SUBJECT, VALUES, WHO, Desk, at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from typer.testing import CliRunner

from main import app
from notifications.words.render import template_names
from scheduler.domain.exposure import AUC
from scheduler.domain.facts import Attended, Enrolled, Paused, Resumed, Withdrawal, Withdrawn
from scheduler.domain.overview import CountedVisit, Overview, Punctuality, VisitCount, count_visits, months
from scheduler.domain.protocol import VisitStatus
from scheduler.engine.recording import record as engine
from scheduler.engine.report.overview import overview_record, study_overview
from scheduler.engine.study import Study, load_study
from scheduler.store.database import Database
from scheduler.store.subjects import add_fact
from scheduler.store.tables import ExposureRow, SiteRow, SubjectRow, VisitRow

FIRST, LAST = date(2025, 10, 6), date(2025, 10, 20)
NOON = datetime(2025, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk(db: Database, study: Study) -> Desk:
    return Desk(db, study)


def visit(status: VisitStatus, attended_on: date | None = None) -> CountedVisit:
    return CountedVisit("W6", status, FIRST, LAST, attended_on)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (visit(VisitStatus.COMPLETE, FIRST), Punctuality.ON_TIME),
        (visit(VisitStatus.INCOMPLETE, LAST), Punctuality.ON_TIME),
        (visit(VisitStatus.COMPLETE, FIRST - timedelta(1)), Punctuality.EARLY),
        (visit(VisitStatus.AWAITING_RESULTS, LAST + timedelta(1)), Punctuality.LATE),
        (visit(VisitStatus.OVERDUE), Punctuality.OVERDUE),
        (visit(VisitStatus.MISSED), Punctuality.MISSED),
        (visit(VisitStatus.CANCELLED), Punctuality.NOT_EXPECTED),
        (visit(VisitStatus.NOT_APPLICABLE), Punctuality.NOT_EXPECTED),
        (visit(VisitStatus.BOOKED), Punctuality.TO_COME),
        (visit(VisitStatus.UNCONFIRMED), Punctuality.TO_COME),
    ],
)
def test_punctuality_is_judged_by_the_window(one: CountedVisit, expected: Punctuality) -> None:
    assert one.punctuality is expected


_COUNTED = st.builds(
    CountedVisit, st.sampled_from(["INCLUSION", "W6", "OLD"]), st.sampled_from(VisitStatus), st.just(FIRST),
    st.just(LAST), st.none() | st.dates(date(2025, 9, 1), date(2025, 11, 30)),
    st.lists(st.sampled_from(["draw", "result"])).map(tuple), st.integers(1, 5),
)  # fmt: skip


@given(st.lists(_COUNTED, max_size=30))
def test_every_visit_is_counted_once(visits: list[CountedVisit]) -> None:
    found = count_visits(["INCLUSION", "W6"], visits, {})
    assert [one.visit for one in found[:2]] == ["INCLUSION", "W6"]
    assert sum(count for one in found for _, count in one.punctuality) == sum(one.count for one in visits)
    assert sum(one.attended for one in found) == sum(
        one.count for one in visits if one.attended_on is not None
    )
    assert all(one.complete <= one.attended for one in found)


@given(st.lists(st.dates(date(2024, 1, 1), date(2026, 12, 31)), max_size=40))
def test_recruitment_leaves_out_no_month_and_no_inclusion(days: list[date]) -> None:
    found = months(days)
    assert sum(one.new for one in found) == len(days)
    assert [one.total for one in found] == [sum(one.new for one in found[: i + 1]) for i in range(len(found))]
    assert all((b.first - a.first).days in range(28, 32) for a, b in pairwise(found))


def test_a_median_needs_one_value_and_quartiles_four() -> None:
    def spread(*values: float) -> tuple[int, float | None, float | None]:
        (found,) = count_visits(["W6"], [visit(VisitStatus.COMPLETE, FIRST)], {"W6": values})
        return found.auc.n, found.auc.median, found.auc.lower

    assert spread() == (0, None, None)
    assert spread(40.0, 50.0, 60.0) == (3, 50.0, None)
    assert spread(40.0, 50.0, 60.0, 70.0) == (4, 55.0, 47.5)


def numbers(desk: Desk, name: str) -> VisitCount:
    (found,) = desk.db.read(lambda session: study_overview(session, desk.study))
    return next(one for one in found.visits if one.visit == name)


def test_the_corrected_auc_is_counted_and_the_one_before_is_not(desk: Desk) -> None:
    desk.sampled()
    desk.now = at(12, 0, 5)
    desk.lab()
    before = numbers(desk, "INCLUSION").auc
    desk.now = at(12, 0, 8)
    desk.lab({**VALUES, "H0": "3.85"}, status="C")
    after = numbers(desk, "INCLUSION").auc
    assert before.n == after.n == 1
    assert before.median is not None and after.median == pytest.approx(before.median + 6.49 * 2, rel=1e-6)


def test_what_a_visit_lacks_is_counted_by_kind(desk: Desk) -> None:
    desk.sampled()
    found = numbers(desk, "INCLUSION")
    assert (found.attended, found.complete) == (1, 0)
    assert dict(found.lacking) == {"assessment": 1, "result": 1}
    assert dict(found.punctuality)[Punctuality.ON_TIME] == 1


def test_who_left_or_came_back_is_told_apart_from_who_takes_part(desk: Desk) -> None:
    for code in (SUBJECT, OTHER, "MPA-0002-1"):
        desk.enrol(code)
    desk.now = at(10, 0, 2)
    desk.say(Withdrawn(desk.now, Withdrawal.CONSENT, "moved away"))
    desk.say(Paused(desk.now, "surgery"), OTHER)
    desk.say(Paused(desk.now, "surgery"), "MPA-0002-1")
    desk.now = at(10, 0, 3)
    desk.say(Resumed(desk.now, "well again"), "MPA-0002-1")
    (found,) = desk.db.read(lambda session: study_overview(session, desk.study))
    assert dict(found.states) == {"active": 1, "on_hold": 1, "withdrawn": 1}
    assert [(one.new, one.total) for one in found.recruitment] == [(3, 3)]


def test_each_site_has_its_own_numbers_beside_those_of_all(sqlite_db: Database, tmp_path: Path) -> None:
    config = copy_of_config(tmp_path / "config")
    text = (config / "sites" / "cochin.toml").read_text("utf-8")
    second = fields_replaced(text, id='"lyon"', name='"Lyon"').replace('id = "', 'id = "lyon-')
    (config / "sites" / "lyon.toml").write_text(second.replace('"lyon-lyon"', '"lyon"'), "utf-8")
    two = Desk(sqlite_db, load_study(config, template_names()))
    two.enrol()

    def enrol_elsewhere(session: Session) -> None:
        engine.enrol(session, two.study, OTHER, "lyon", Enrolled(date(2025, 9, 1)), WHO, two.now, two.handle)

    two.db.transact(enrol_elsewhere)
    two.now = at(9, 0)
    two.say(Attended("INCLUSION", two.now), OTHER)
    every, cochin, lyon = two.db.read(lambda session: study_overview(session, two.study))
    assert (every.site, cochin.site, lyon.site) == (None, "cochin", "lyon")
    assert (every.subjects, cochin.subjects, lyon.subjects) == (2, 1, 1)
    assert [one.visits[0].attended for one in (every, cochin, lyon)] == [1, 0, 1]
    (only,) = two.db.read(lambda session: study_overview(session, two.study, "lyon"))
    assert only == lyon


def test_the_command_says_the_same_as_the_engine(
    sqlite_url: str, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(sqlite_url)
    Desk(db, study).enrol()
    expected = [overview_record(one) for one in db.read(lambda session: study_overview(session, study))]
    db.close()
    monkeypatch.setenv("MPA_DATABASE", sqlite_url)
    assert json.loads(CliRunner().invoke(app, ["overview", "--json"]).output) == expected
    shown = CliRunner().invoke(app, ["--language", "fr", "overview"]).output
    assert "Recrutement" in shown and "6 semaines" in shown
    refused = CliRunner().invoke(app, ["overview", "--site", "lyon"])
    assert refused.exit_code == 2 and "cochin" in refused.output


# --- counted by the database as one by one ------------------------------------------------------------------------

_DRAWN = st.sampled_from(["missing_draw", "missing_draw_lost", "missing_result"])
_LIVED = st.builds(
    dict,
    status=st.sampled_from(VisitStatus),
    day=st.integers(-3, 17) | st.none(),
    hour=st.integers(0, 23),
    missing=st.lists(_DRAWN, max_size=2),
    aucs=st.lists(st.none() | st.sampled_from([20.0, 35.5, 60.0]), max_size=2),
)
_PERSON = st.builds(
    dict,
    site=st.sampled_from(["cochin", "lyon"]),
    parked=st.booleans(),
    turn=st.sampled_from([None, Paused(NOON, "x"), Withdrawn(NOON, Withdrawal.OTHER, "x")]),
    visits=st.dictionaries(st.sampled_from(["INCLUSION", "W6", "OLD"]), _LIVED, max_size=3),
)


class _TakenBack(Exception):
    """Nothing of an example is kept."""


def _write(session: Session, study: Study, people: list[dict[str, Any]]) -> None:
    session.add(SiteRow(id="lyon", name="Lyon", zone="Europe/Paris"))
    sha256 = next(iter(study.protocols))
    study.keep_version(session, sha256, NOON)
    session.flush()
    for number, person in enumerate(people):
        code = f"S{number}"
        parked = "x" if person["parked"] else None
        session.add(
            SubjectRow(
                code=code, site_id=person["site"], protocol_sha256=sha256, enrolled_at=NOON, parked=parked
            )
        )
        session.flush()
        if person["turn"] is not None:
            add_fact(session, code, person["turn"], NOON, "x", WHO.source)
        for name, one in person["visits"].items():
            session.add(
                VisitRow(
                    subject=code, visit=name, status=one["status"], reason={}, target=FIRST, first=FIRST, last=LAST,
                    attended_at=_attended(one), missing=[{"code": code} for code in one["missing"]],
                )
            )  # fmt: skip
            for version, value in enumerate(one["aucs"], 1):
                for method, each in (("a", None), ("b", value)):
                    session.add(
                        ExposureRow(
                            subject=code, visit=name, version=version, method=method, quantity=AUC, value=each,
                            reasons=[], notes=[], computed_at=NOON,
                        )
                    )  # fmt: skip
    session.flush()


def _attended(one: dict[str, Any]) -> datetime | None:
    if one["day"] is None:
        return None
    return datetime.combine(FIRST, time(one["hour"]), UTC) + timedelta(days=one["day"])


def _one_by_one(
    people: list[dict[str, Any]], order: list[str]
) -> tuple[dict[str, int], tuple[VisitCount, ...]]:
    """The same numbers, each person and visit looked at by itself."""
    paris, visits, aucs, states = ZoneInfo("Europe/Paris"), [], {}, {}
    for person in people:
        turned = {None: "active", "paused": "on_hold", "withdrawn": "withdrawn"}[
            getattr(person["turn"], "kind", None)
        ]
        state = "parked" if person["parked"] else turned
        states[state] = states.get(state, 0) + 1
        for name, one in person["visits"].items():
            at, kinds = _attended(one), tuple(code.split("_")[1] for code in one["missing"])
            day = at.astimezone(paris).date() if at is not None else None
            visits.append(CountedVisit(name, one["status"], FIRST, LAST, day, kinds))
            if one["aucs"] and one["aucs"][-1] is not None:
                aucs.setdefault(name, []).append(one["aucs"][-1])
    return states, count_visits(order, visits, aucs)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(_PERSON, max_size=5))
def test_the_database_counts_as_one_would_one_by_one(
    db: Database, study: Study, people: list[dict[str, Any]]
) -> None:
    order = [one.id for one in study.newest[1].encounters]
    found: list[Overview] = []

    def step(session: Session) -> None:
        _write(session, study, people)
        found.extend(study_overview(session, study))
        raise _TakenBack

    db.transact(lambda session: study.sync(session, NOON))
    with suppress(_TakenBack):
        db.transact(step)
    sites = {person["site"] for person in people}
    assert [one.site for one in found] == [None, *(sorted(sites) if len(sites) > 1 else [])]
    for one in found:
        theirs = [person for person in people if one.site in (None, person["site"])]
        states, visits = _one_by_one(theirs, order)
        assert dict(one.states) == states and one.subjects == len(theirs)
        assert one.visits == visits
        assert sum(month.new for month in one.recruitment) == sum(
            "INCLUSION" in each["visits"] for each in theirs
        )
