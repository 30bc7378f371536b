"""The sampling day: one tap a step, told at once when a draw is out of window, and harmless when tapped twice."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from console_cases import OPERATOR, SUBJECT, Browser, House
from sqlmodel import Session

from config.language import Language
from scheduler.clock import ManualClock
from scheduler.domain.facts import Enrolled, Formulation, Regimen, RegimenChanged, VisitBooked
from scheduler.engine.account.accounts import Role
from scheduler.engine.recording.record import enrol, record
from scheduler.engine.report.sampling_day import DrawState, SamplingDay, sampling_day
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.subjects import load_history
from scheduler.store.tables import SubjectRow

PAGE = f"/subjects/{SUBJECT}/visits/INCLUSION/sampling"
MORNING = datetime(2025, 9, 1, 6, 0, tzinfo=UTC)  # eight o'clock in Paris, a Monday


def expect_a_patient(house: House) -> None:
    def step(session: Session) -> None:
        what = Enrolled(MORNING.date(), None, Regimen(Formulation.MMF, 1000, 12))
        enrol(session, house.study, SUBJECT, "cochin", what, OPERATOR, house.clock.now(), house.desk.handle)
        booked = VisitBooked("INCLUSION", datetime(2025, 9, 1, 8, 30))  # noqa: DTZ001
        record(session, house.study, SUBJECT, booked, OPERATOR, house.clock.now(), house.desk.handle)

    house.db.transact(step)


@pytest.fixture
def ward(sqlite_db: Database, study: Study) -> House:
    """A patient is expected this morning."""
    house = House(sqlite_db, study, ManualClock(MORNING)).with_console(idle_min=240, absolute_h=12)
    expect_a_patient(house)
    return house


@pytest.fixture
def nurse(ward: House) -> Browser:
    return ward.signed_in("nadia", roles=[Role.NURSE])


def day(house: House) -> SamplingDay:
    def step(session: Session) -> SamplingDay | None:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        return sampling_day(session, house.study, row, "INCLUSION", house.clock.now())

    found = house.db.read(step)
    assert found is not None
    return found


def tap(nurse: Browser, step: str, point: str = "", **fields: str) -> int:
    """Press a button of the page as it stands."""
    html = nurse.get(PAGE).text
    forms = [form for form in re.findall(r"<form.*?</form>", html, re.DOTALL) if f'value="{step}"' in form]
    form = next(form for form in forms if not point or f'value="{point}"' in form)
    sent = dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    chosen = re.search(r'<option value="(\w+)" selected', form)
    if chosen:
        sent["formulation"] = chosen[1]
    return nurse.post(PAGE, {**sent, **fields}).status_code


def kinds(house: House) -> list[str]:
    return [row.kind for row in house.facts()]


def test_the_whole_morning_is_a_tap_a_step(ward: House, nurse: Browser) -> None:
    assert tap(nurse, "attend") == 303
    ward.later(minutes=10)
    assert tap(nurse, "draw", "H0", tube="T-1") == 303
    ward.later(minutes=5)
    assert tap(nurse, "dose") == 303
    ward.later(minutes=30)
    assert tap(nurse, "draw", "H30", tube=" T-2 ") == 303
    ward.later(minutes=90)
    assert tap(nurse, "draw", "H2", tube="T-3") == 303
    found = day(ward)
    assert [(one.point, one.tube, one.minutes, one.outside) for one in found.draws] == [
        ("H0", "T-1", -5, None), ("H30", "T-2", 30, None), ("H2", "T-3", 120, None),
    ]  # fmt: skip
    assert found.dose is not None and (found.dose.dose_mg, found.dose.at) == (
        1000,
        MORNING + timedelta(minutes=15),
    )
    assert found.next_draw is None
    assert '<form method="post" action="/subjects/' not in nurse.get(PAGE).text


def test_the_record_names_the_account_and_the_door(ward: House, nurse: Browser) -> None:
    tap(nurse, "attend")
    last = ward.db.read(lambda session: load_history(session, SUBJECT)).facts[-1]
    assert (last.recorded_by, last.source.value) == ("nadia", "console")


def test_the_dose_on_record_is_offered_as_it_is(ward: House, nurse: Browser) -> None:
    what = RegimenChanged(MORNING, Regimen(Formulation.MMF, 562.5, 8), "half a tablet less")
    ward.db.transact(
        lambda session: record(
            session, ward.study, SUBJECT, what, OPERATOR, ward.clock.now(), ward.desk.handle
        )
    )
    assert "562.5 mg MMF, every 8 h" in nurse.get(PAGE).text


def test_a_double_tap_records_once(ward: House, nurse: Browser) -> None:
    for step, point, fields in (("attend", "", {}), ("draw", "H0", {"tube": "T-1"}), ("dose", "", {})):
        html = nurse.get(PAGE).text
        sent = {
            "csrf": re.findall(r'name="csrf" value="(\w+)"', html)[0],
            "step": step,
            "point": point,
            **fields,
        }
        sent |= {"dose_mg": "1000", "interval_h": "12", "formulation": "mmf"} if step == "dose" else {}
        ward.later(seconds=20)
        assert [nurse.post(PAGE, sent).status_code for _ in range(3)] == [303, 303, 303]
    assert kinds(ward) == ["enrolled", "visit_booked", "attended", "sample_drawn", "dose_given"]


def test_two_taps_at_the_same_moment_record_once(db: Database, study: Study) -> None:
    house = House(db, study, ManualClock(MORNING))
    expect_a_patient(house)
    first = house.signed_in("nadia", roles=[Role.NURSE])
    csrf, start = first.csrf(), Barrier(2)
    second = house.browser()
    second.client.cookies.update(first.client.cookies)

    def press(browser: Browser) -> None:
        start.wait()
        browser.post(PAGE, {"csrf": csrf, "step": "attend"})

    both = [Thread(target=press, args=(one,)) for one in (first, second)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert kinds(house).count("attended") == 1


def test_another_tube_for_a_draw_on_record_is_refused_beside_the_field(ward: House, nurse: Browser) -> None:
    tap(nurse, "draw", "H0", tube="T-1")
    csrf = nurse.csrf()
    answer = nurse.post(PAGE, {"csrf": csrf, "step": "draw", "point": "H0", "tube": "T-9"})
    assert answer.status_code == 422 and kinds(ward).count("sample_drawn") == 1


def test_a_draw_out_of_its_window_is_told_at_once_with_what_it_means(ward: House, nurse: Browser) -> None:
    tap(nurse, "dose")
    ward.later(minutes=55)
    assert "closed 16 min ago" in nurse.get(PAGE).text
    assert tap(nurse, "draw", "H30", tube="T-2") == 303
    html = nurse.get(PAGE + "?done=H30").text
    assert "H30 was drawn 55 min after the dose; expected from 20 to 40 min." in html
    assert "the models can" in html and 'role="alert"' in html
    assert day(ward).draws[1].outside is not None


def test_the_windows_open_with_the_dose_and_the_next_draw_is_marked(ward: House, nurse: Browser) -> None:
    assert "30 min after the dose: record the dose first." in nurse.get(PAGE).text
    assert day(ward).next_draw == "H0"
    tap(nurse, "draw", "H0", tube="T-1")
    tap(nurse, "dose")
    html = nurse.get(PAGE).text
    assert "opens in 21 min" in html and "allowed from 08:20 to 08:40" in html
    ward.later(minutes=25)
    html = nurse.get(PAGE).text
    assert "open, closes in 16 min" in html
    assert re.search(r'class="step is-next"[^>]*aria-labelledby="p-H30"', html)
    assert [one.state for one in day(ward).draws] == [DrawState.DRAWN, DrawState.OPEN, DrawState.WAITING]


def test_a_visit_of_another_day_asks_whether_it_is_the_right_one(ward: House, nurse: Browser) -> None:
    assert "right visit" not in nurse.get(PAGE).text
    ward.later(days=1)
    again = ward.signed_in("nadia")
    assert "its appointment is on Monday 1 September 2025, not today" in again.get(PAGE).text
    tap(again, "attend", at="2025-09-01 08:35")
    assert "right visit" not in again.get(PAGE).text


def three_days_later(ward: House) -> Browser:
    """Somebody who follows the link of the mail about what a visit lacks."""
    ward.later(days=3)
    coordinator = ward.signed_in("marie")
    (enrolled,) = ward.facts("enrolled")
    assert coordinator.get(f"/of/{enrolled.id}/INCLUSION/sampling").headers["location"] == PAGE
    return coordinator


def test_days_later_a_time_alone_is_of_the_day_of_the_visit(ward: House, nurse: Browser) -> None:
    tap(nurse, "attend")
    coordinator = three_days_later(ward)
    html = coordinator.get(PAGE).text
    assert "took place on Monday 1 September 2025" in html and "Time on Monday 1 September 2025" in html
    assert "is taken now" not in html and "is drawn</button>" not in html
    assert tap(coordinator, "draw", "H0", tube="T-1", at="08:15") == 303
    assert tap(coordinator, "dose", at="8h25") == 303
    html = coordinator.get(PAGE).text
    assert "allowed from 08:45 to 09:05" in html and "count-down" not in html
    assert tap(coordinator, "draw", "H30", tube="T-2", at="2025-09-01 08:56") == 303
    assert tap(coordinator, "not_drawn", "H2", reason="left early") == 303
    found = day(ward)
    assert found.dose is not None and found.dose.at == MORNING + timedelta(minutes=25)
    assert [(one.tube, one.minutes) for one in found.draws] == [("T-1", -10), ("T-2", 31), (None, None)]
    assert "still lacks" not in coordinator.get(PAGE).text


@pytest.mark.parametrize(
    ("at", "sentence"),
    [("", "A time is needed"), ("25:99", "A time is needed"), ("2025-09-04 07:00", "is another day than")],
)
def test_days_later_nothing_is_timed_by_the_day_of_the_typing(
    ward: House, nurse: Browser, at: str, sentence: str
) -> None:
    tap(nurse, "attend")
    coordinator = three_days_later(ward)
    for step, point, fields in (("dose", "", {}), ("draw", "H0", {"tube": "T-1"})):
        assert tap(coordinator, step, point, at=at, **fields) == 422
        assert coordinator.last is not None
        said = re.search(rf'id="e-{step}-{point}-at-1">([^<]+)<', coordinator.last.text)
        assert said is not None and sentence in said[1]
    assert kinds(ward) == ["enrolled", "visit_booked", "attended"]


def test_a_tap_before_midnight_that_arrives_after_it_keeps_its_day(ward: House, nurse: Browser) -> None:
    ward.clock.move_to(MORNING.replace(hour=21, minute=50))
    nurse = ward.signed_in("nadia")
    tap(nurse, "attend")
    tap(nurse, "dose", at="23:00")
    ward.later(minutes=11)
    tapped = ward.clock.now() - timedelta(minutes=2)
    assert tap(nurse, "draw", "H30", tube="T-2", tapped=tapped.isoformat()) == 303
    assert day(ward).draws[1].drawn_at == tapped


@pytest.mark.parametrize(
    ("step", "point", "fields", "field", "sentence"),
    [
        ("draw", "H0", {"tube": "  "}, "tube", "scan it or type it"),
        ("draw", "H0", {"tube": "T-1", "at": "25:99"}, "at", "25:99"),
        ("draw", "H0", {"tube": "T-1", "at": "23:00"}, "at", "future"),
        ("not_drawn", "H0", {"reason": ""}, "reason", "reason is needed"),
        ("dose", "", {"dose_mg": "much"}, "dose_mg", "is not a number"),
        ("dose", "", {"dose_mg": "99999"}, "dose_mg", "99999"),
        ("dose", "", {"formulation": "tea"}, "formulation", "MMF or EC-MPS"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_nothing_typed_is_lost(
    ward: House, nurse: Browser, step: str, point: str, fields: dict[str, str], field: str, sentence: str
) -> None:
    assert tap(nurse, step, point, **fields) == 422
    assert nurse.last is not None
    html = nurse.last.text
    assert kinds(ward) == ["enrolled", "visit_booked"]
    marked = re.search(rf'name="{field}"[^>]*aria-invalid="true" aria-describedby="([^"]+)"', html)
    assert marked is not None
    said = re.search(rf'id="{marked[1]}">([^<]+)<', html)
    assert said is not None and sentence in said[1]
    for name, value in fields.items():
        if value.strip() and name != "formulation":
            assert f'value="{value}"' in html, name


def test_a_tube_that_is_known_of_another_draw_is_refused(ward: House, nurse: Browser) -> None:
    tap(nurse, "draw", "H0", tube="T-1")
    tap(nurse, "dose")
    ward.later(minutes=30)
    assert tap(nurse, "draw", "H30", tube="T-1") == 422
    assert nurse.last is not None and "T-1" in nurse.last.text


def test_a_draw_that_cannot_be_made_has_its_reason(ward: House, nurse: Browser) -> None:
    tap(nurse, "dose")
    ward.later(minutes=31)
    assert tap(nurse, "not_drawn", "H30", reason="no vein") == 303
    assert "not drawn: no vein" in nurse.get(PAGE).text
    assert day(ward).next_draw == "H0"  # which nobody has given up yet


def test_a_typed_time_wins_and_a_late_entry_keeps_its_own_hour(ward: House, nurse: Browser) -> None:
    ward.later(hours=3)
    assert tap(nurse, "attend", at="8:05") == 303
    assert tap(nurse, "dose", at="08h25") == 303
    found = day(ward)
    assert found.attended_at == datetime(2025, 9, 1, 6, 5, tzinfo=UTC)
    assert found.dose is not None and found.dose.at == datetime(2025, 9, 1, 6, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tapped", "counts"),
    [(-90, True), (-14 * 60, True), (-16 * 60, False), (5, False), (-86_400, False)],
)
def test_the_moment_of_the_tap_counts_however_slow_the_link_unless_it_cannot_be(
    ward: House, nurse: Browser, tapped: int, counts: bool
) -> None:
    ward.later(minutes=30)
    moment = ward.clock.now() + timedelta(seconds=tapped)
    tap(nurse, "attend", tapped=moment.isoformat().replace("+00:00", "Z"))
    assert day(ward).attended_at == (moment if counts else ward.clock.now())


@pytest.mark.parametrize("nonsense", ["", "soon", "2025-09-01T06:00:00", "9" * 40])
def test_a_moment_that_is_none_is_now(ward: House, nurse: Browser, nonsense: str) -> None:
    tap(nurse, "attend", tapped=nonsense)
    assert day(ward).attended_at == ward.clock.now()


def test_the_countdown_is_set_by_the_server_and_learns_of_new_records(ward: House, nurse: Browser) -> None:
    before = json.loads(nurse.get(PAGE + "/now").text)
    assert datetime.fromisoformat(before["now"]) == ward.clock.now()
    assert f'data-record="{before["record"]}"' in nurse.get(PAGE).text
    tap(nurse, "attend")
    assert json.loads(nurse.get(PAGE + "/now").text)["record"] > before["record"]


def test_asking_for_the_time_keeps_nobody_signed_in(ward: House, nurse: Browser) -> None:
    for _ in range(5):
        ward.later(minutes=50)
        nurse.get(PAGE + "/now")
    assert nurse.get(PAGE).status_code == 303


def test_who_does_not_record_at_the_bedside_sees_the_day_and_no_button(ward: House) -> None:
    other = ward.signed_in("paul", roles=[Role.PHARMACIST])
    html = other.get(PAGE).text
    assert '<button class="primary' not in html and "recorded by coordinators, nurses" in html
    assert other.post(PAGE, {"csrf": other.csrf(), "step": "attend"}).status_code == 403


@pytest.mark.parametrize("visit", ["NOWHERE", "inclusion"])
def test_a_visit_that_has_no_samples_has_no_such_page(ward: House, nurse: Browser, visit: str) -> None:
    page = f"/subjects/{SUBJECT}/visits/{visit}/sampling"
    assert nurse.get(page).status_code == 404
    assert nurse.post(page, {"csrf": nurse.csrf(), "step": "attend"}).status_code == 404


def test_the_day_lists_who_is_booked_and_who_came_unbooked(ward: House, nurse: Browser) -> None:
    assert f"{PAGE}" in nurse.get("/sampling").text and "08:30" in nurse.get("/sampling").text
    ward.clock.move_to(MORNING + timedelta(days=1))
    again = ward.signed_in("nadia")
    assert "No sampling day is booked" in again.get("/sampling").text


def test_the_page_speaks_french(ward: House) -> None:
    nurse = ward.signed_in("odile", roles=[Role.NURSE], language=Language.FR)
    html = nurse.get(PAGE).text
    assert "Le patient est là" in html and "La prise a lieu maintenant" in html and "Actualiser" in html
