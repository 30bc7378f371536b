"""The year of a subject as one picture: nothing is missing in it, and any page may hold it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from engine_desk import DOSE, SUBJECT, Desk, at, speaker
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from config.language import Language
from pk.pictures.course import ReferenceBand
from scheduler.domain.facts import SampleDrawn, SampleNotDrawn
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.year import SampleState, Year, YearSample, YearVisit, year_of
from scheduler.engine.picture.year import year_described, year_svg
from scheduler.engine.picture.year_auc import DatedAuc, auc_svg, dated_aucs
from scheduler.engine.picture.year_axis import NARROW, WIDE
from scheduler.engine.reconcile import standing
from scheduler.engine.recording.named import find_subject
from scheduler.engine.study import Study
from scheduler.store.database import Database

SVG = "{http://www.w3.org/2000/svg}"
BOTH = list(Language)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture
def desk(sqlite_db: Database, study: Study) -> Desk:
    return Desk(sqlite_db, study)


def year(desk: Desk) -> Year:
    def step(session: Session) -> Year:
        found = standing(session, desk.study, find_subject(session, SUBJECT), desk.now)
        return year_of(found.timeline, found.desired.views, desk.now)

    return desk.db.read(step)


def visits(found: Year) -> dict[str, YearVisit]:
    return {one.id: one for one in found.visits}


def test_the_picture_knows_planned_window_appointment_day_and_draws(desk: Desk) -> None:
    desk.sampled()
    desk.lab({"H0": "1.85", "H30": "14.20"})
    found = visits(year(desk))
    first, later = found["INCLUSION"], found["W6"]
    assert first.booked == first.attended == first.target == date(2025, 9, 1)
    assert [one.state for one in first.samples] == [SampleState.RESULT, SampleState.RESULT, SampleState.DRAWN]
    assert later.window[0] < later.target < later.window[1]
    assert later.booked is later.attended is None and later.samples == ()


def test_a_draw_out_of_its_window_and_one_that_was_not_made_are_told_apart(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(12, 0)
    for what in (
        DOSE,
        SampleDrawn("INCLUSION", "H0", at(8, 15), "T-1"),
        SampleNotDrawn("INCLUSION", "H30", at(8, 52), "no vein"),
        SampleDrawn("INCLUSION", "H2", at(10, 45), "T-3"),
    ):
        desk.say(what)
    assert visits(year(desk))["INCLUSION"].samples == (
        YearSample("H0", SampleState.DRAWN, False),
        YearSample("H30", SampleState.NOT_DRAWN, False),
        YearSample("H2", SampleState.DRAWN, True),
    )


def test_a_year_that_is_over_is_not_stretched_to_today(desk: Desk) -> None:
    desk.enrol()
    assert year(desk).shows_today is False  # before the inclusion
    desk.now = at(10, 0, 15, 11)
    assert year(desk).shows_today
    desk.now = at(10, 0, 15, 11, 2027)
    assert not year(desk).shows_today


@pytest.mark.parametrize("language", BOTH)
def test_who_cannot_see_the_picture_is_told_all_of_it(desk: Desk, language: Language) -> None:
    desk.sampled()
    words, found = speaker(desk.study, language), year(desk)
    root = ElementTree.fromstring(year_svg(found, words))
    described = root.findtext(f"{SVG}desc") or ""
    assert SUBJECT in (root.findtext(f"{SVG}title") or "")
    assert described == year_described(found, words)
    for visit in found.visits:
        assert words.name(visit.id) in described and words.status(visit.status) in described
        assert all(words.date(day) in described for day in visit.days)
    assert all(point in described for point in ("H0", "H30", "H2"))
    assert root.get("role") == "img"
    assert {f"year-{one}" for one in "td"} == set((root.get("aria-labelledby") or "").split())


_DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@st.composite
def _visits(draw: st.DrawFn) -> YearVisit:
    first, last = sorted([draw(_DAYS), draw(_DAYS)])
    booked, attended = draw(st.none() | _DAYS), draw(st.none() | _DAYS)
    samples = st.builds(
        YearSample, st.sampled_from(["H0", "H30", "H2"]), st.sampled_from(SampleState), st.booleans()
    )
    return YearVisit(
        draw(st.sampled_from(["INCLUSION", "W6", "M6", "<V&>"])), draw(st.sampled_from(VisitStatus)),
        (first, last), first, booked, attended, tuple(draw(st.lists(samples, max_size=4))),
    )  # fmt: skip


_YEARS = st.builds(
    Year, st.just(SUBJECT), st.lists(_visits(), min_size=1, max_size=7).map(tuple), _DAYS,
    st.lists(st.tuples(_DAYS, st.none() | _DAYS).filter(lambda pair: pair[1] is None or pair[0] <= pair[1]), max_size=2)
    .map(tuple),
    st.none() | _DAYS,
)  # fmt: skip


def _assert_fit_for_a_page(svg: str) -> None:
    """Well-formed, of one colour that the page gives, without style or script, and all marks within the picture."""
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in ("style", "script", "a", "image", "use")
        assert not {"style", "href", "onclick"} & set(element.attrib)
        assert {element.get("fill"), element.get("stroke")} <= {None, "none", "currentColor"}
        for name, limit in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= limit, ElementTree.tostring(element)
        pairs = [float(one) for one in _NUMBER.findall(element.get("points", ""))]
        assert all(-9 <= x <= width + 9 for x in pairs[::2]) and all(0 <= y <= height for y in pairs[1::2])


@settings(max_examples=40)
@given(year=_YEARS, width=st.sampled_from([NARROW, WIDE]), language=st.sampled_from(BOTH))
def test_any_year_fits_into_the_picture_and_any_page_may_hold_it(
    study: Study, year: Year, width: float, language: Language
) -> None:
    _assert_fit_for_a_page(year_svg(year, speaker(study, language), width=width))


_AUCS = st.builds(
    DatedAuc, st.just("W6"), _DAYS, st.floats(0.1, 400), st.none() | st.floats(0, 0.1),
    st.none() | st.floats(400, 5000), st.just("a < method"),
)  # fmt: skip


@settings(max_examples=40)
@given(aucs=st.lists(_AUCS, min_size=1, max_size=6), width=st.sampled_from([NARROW, WIDE]))
def test_any_aucs_fit_into_the_picture_and_any_page_may_hold_it(
    study: Study, aucs: list[DatedAuc], width: float
) -> None:
    bands = [
        ReferenceBand("kidney, borrowed: 30 – 60", 30, 60),
        ReferenceBand("lupus, borrowed: 35", 35, None),
    ]
    span = (date(2024, 1, 1), date(2028, 12, 31))
    svg = auc_svg(SUBJECT, aucs, bands, span, speaker(study), width=width)
    _assert_fit_for_a_page(svg)
    words = "".join(ElementTree.fromstring(svg).itertext())
    assert all(band.label in words for band in bands)


def test_only_the_estimate_in_force_that_counts_stands_in_the_picture(study: Study) -> None:
    row = {
        "visit": "W6", "in_force": True, "primary": True, "value": 44.0, "low": None, "high": None,
        "method_text": "Pawinski 2002 (regression)",
    }  # fmt: skip
    rows = [row, row | {"in_force": False, "value": 1.0}, row | {"primary": False}, row | {"value": None}]
    rows += [row | {"visit": "M6"}, row | {"visit": "INCLUSION", "value": 30.0}]
    days = {"INCLUSION": date(2025, 9, 1), "W6": date(2025, 9, 1) + timedelta(weeks=6)}
    assert [one.value for one in dated_aucs(rows, days)] == [30.0, 44.0]


def test_a_visit_taken_together_with_its_legend_names_every_sign(study: Study) -> None:
    visit = YearVisit(
        "W6", VisitStatus.ATTENDED, (date(2025, 10, 6), date(2025, 10, 20)), date(2025, 10, 13), date(2025, 10, 14),
        date(2025, 10, 15), tuple(YearSample("H0", state, True) for state in SampleState),
    )  # fmt: skip
    whole = Year(SUBJECT, (visit,), date(2025, 10, 16), ((date(2025, 10, 8), None),), date(2025, 10, 17))
    root = ElementTree.fromstring(year_svg(whole, speaker(study)))
    words = {one.text for one in root.iter(f"{SVG}text")}
    assert {
        "window", "target date", "appointment", "attended", "today: 16 October 2025", "on hold",
        "withdrawn on 17 October 2025", "to draw", "drawn, result awaited", "result received", "not drawn",
        "drawn, no result will come", "outside its window",
    } <= words  # fmt: skip
    bare = replace(whole, visits=(replace(visit, samples=(), booked=None),), on_hold=(), withdrawn=None)
    fewer = {one.text for one in ElementTree.fromstring(year_svg(bare, speaker(study))).iter(f"{SVG}text")}
    assert not {"appointment", "on hold", "result received"} & fewer
