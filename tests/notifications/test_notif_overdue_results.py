"""Tubes whose results are overdue are asked for once, of the laboratory that measures them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import notif_cases as cases
import pytest
from laboratory_cases import (
    OTHER,
    PEOPLE,
    a_row,
    drawn,
    lists,
    recheck,
    settle,
    told,
    with_contacts,
    words,
)
from sqlmodel import Session

from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import because
from scheduler.engine.study import Study
from scheduler.store.flags import close_flag
from scheduler.store.tables import (
    LabResultRow,
    SamplingRow,
    StaffRow,
)


def arrives(desk: cases.Study, point: str) -> None:
    """The awaited result comes: its flag closes."""

    def step(session: Session) -> None:
        row = session.get(SamplingRow, (cases.SUBJECT, cases.VISIT, point))
        assert row is not None
        row.result = "F"
        close_flag(
            session, flag_key(FlagCode.RESULT_OVERDUE, cases.SUBJECT, cases.VISIT, point), desk.clock.now()
        )

    desk.do(step)


# --- overdue results


@pytest.fixture
def at_half_past_seven(lab_desk: cases.Study) -> cases.Study:
    """Tuesday 3 March 2026, when digests and lists of overdue results leave."""
    lab_desk.clock.move_to(datetime.fromisoformat("2026-03-03T07:30:00+01:00"))
    return lab_desk


def test_overdue_tubes_are_one_mail_and_not_repeated_while_nothing_is_new(
    at_half_past_seven: cases.Study, study: Study
) -> None:
    desk, known = at_half_past_seven, with_contacts(study)
    drawn(desk, "H0", "T-1", overdue=True)
    drawn(desk, "H30", "T-2")
    lists(desk, known)
    lists(desk, known)
    mail = desk.mail("bench-en", template="lab_results_overdue")
    text = words(desk, mail)
    assert "T-1" in text
    assert "T-2" not in text
    settle(desk)
    desk.later(days=1)
    lists(desk, known)
    assert len(desk.mails(staff_id="bench-en")) == 1
    desk.later(days=1)
    drawn(desk, "H30", "T-2", overdue=True)
    lists(desk, known)
    assert len(desk.mails(staff_id="bench-en")) == 2
    assert told(desk, "lab_results_overdue") == ["bench-en", "bench-en", "bench-fr", "bench-fr"]


def test_a_list_that_only_grew_shorter_is_not_sent_again(
    at_half_past_seven: cases.Study, study: Study
) -> None:
    desk, known = at_half_past_seven, with_contacts(study)
    drawn(desk, "H0", "T-1", overdue=True)
    drawn(desk, "H2", "T-3", overdue=True)
    lists(desk, known)
    settle(desk)
    arrives(desk, "H0")
    desk.later(days=1)
    lists(desk, known)
    assert len(desk.mails(staff_id="bench-fr")) == 1


def test_a_list_whose_results_came_meanwhile_is_not_sent(
    at_half_past_seven: cases.Study, study: Study
) -> None:
    desk, known = at_half_past_seven, with_contacts(study)
    drawn(desk, "H0", "T-1", overdue=True)
    lists(desk, known)
    mail = desk.mail("bench-fr", template="lab_results_overdue")
    assert recheck(desk, known, mail) is None
    arrives(desk, "H0")
    assert recheck(desk, known, mail) == because("recheck_settled_meanwhile")


def test_a_tube_of_which_a_row_is_held_is_not_asked_for(
    at_half_past_seven: cases.Study, study: Study
) -> None:
    desk = at_half_past_seven
    drawn(desk, "H2", "T-3", overdue=True)
    a_row(desk, 7, because("R-15", row=2, column="unite"))
    lists(desk, with_contacts(study))
    assert told(desk, "lab_results_overdue") == []


def test_a_tube_is_asked_of_the_laboratory_that_measured_its_visit(
    at_half_past_seven: cases.Study, study: Study
) -> None:
    desk = at_half_past_seven
    drawn(desk, "H2", "T-3", overdue=True)
    desk.do(
        lambda session: session.add(
            LabResultRow(
                lab=OTHER,
                specimen="T-1",
                analyte="MPA",
                subject=cases.SUBJECT,
                visit=cases.VISIT,
                timepoint="H0",
            )
        )
    )
    lists(desk, with_contacts(study))
    assert told(desk, "lab_results_overdue") == []


@pytest.mark.parametrize(
    ("when", "sent"),
    [
        ("2026-03-03T07:29:00+01:00", False),
        ("2026-03-03T17:59:00+01:00", True),  # after a stop
        ("2026-03-03T18:00:00+01:00", False),
        ("2026-03-07T09:00:00+01:00", False),  # a Saturday
    ],
)
def test_overdue_results_are_asked_for_on_open_days_from_the_hour_of_the_digest(
    desk: cases.Study, study: Study, when: str, sent: bool
) -> None:
    people = {"bench-fr": PEOPLE["bench-fr"]}
    desk.do(lambda session: [session.add(one) for one in _staff(people)])
    desk.clock.move_to(datetime.fromisoformat(when))
    drawn(desk, "H0", "T-1", overdue=True)
    lists(desk, with_contacts(study))
    assert bool(told(desk, "lab_results_overdue")) is sent


def _staff(people: dict[str, Any]) -> Iterator[StaffRow]:
    for name, (language, roles) in people.items():
        yield StaffRow(
            id=name, site_id="cochin", name=name, email=f"{name}@x.example", language=language, roles=roles
        )
