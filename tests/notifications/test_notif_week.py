"""The list of the week: every tube of a laboratory, once, on its day."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from io import StringIO

import notif_cases as cases
import pytest
from laboratory_cases import (
    LAB,
    OTHER,
    a_row,
    drawn,
    letter,
    lists,
    told,
    with_contacts,
    words,
)

from scheduler.domain.reason import because
from scheduler.engine.due.laboratory_lists import next_list_at
from scheduler.engine.study import Study


@pytest.fixture
def monday(lab_desk: cases.Study) -> cases.Study:
    """Monday 9 March 2026 at 8:00, the week after the visit of Thursday."""
    lab_desk.clock.move_to(datetime.fromisoformat("2026-03-09T08:00:00+01:00"))
    return lab_desk


def test_the_list_of_the_week_tells_every_tube_and_is_attached_as_a_table(
    monday: cases.Study, study: Study
) -> None:
    desk = monday
    drawn(desk, "H0", "T-1", result="F")
    drawn(desk, "H30", "T-2", overdue=True)
    drawn(desk, "H2", "T-3")
    earlier = desk.clock.now() - timedelta(days=2)
    a_row(desk, 7, timepoint="H0", specimen="T-1", recorded_at=earlier)
    a_row(desk, 7, because("R-15", row=3, column="unite"), row_no=3, recorded_at=earlier)
    lists(desk, with_contacts(study))
    mail = letter(desk, desk.mail("bench-en", template="lab_reconciliation"))
    body = mail.get_body(("plain",))
    assert body is not None
    text = str(body.get_content())
    assert text.startswith("Look at 2 tubes")
    assert "from Monday 2 March 2026 to Sunday 8 March 2026: 1." in text
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "CCH-PHARMACO_2026-03-09.csv"
    content = attached.get_content()
    assert isinstance(content, str)
    table = list(csv.reader(StringIO(content.lstrip("\ufeff")), delimiter=";"))
    assert [(line[3], line[6]) for line in table[1:]] == [
        ("T-2", "missing"),
        ("T-3", "held"),
        ("T-1", "received"),
    ]
    assert "9,87" not in text + content


def test_the_list_of_the_week_is_sent_once(monday: cases.Study, study: Study) -> None:
    drawn(monday, "H0", "T-1", overdue=True)
    for _ in range(3):
        lists(monday, with_contacts(study))
        monday.later(hours=1)
    assert told(monday, "lab_reconciliation") == ["bench-en", "bench-fr"]


def test_a_week_without_results_and_nothing_open_is_no_mail(monday: cases.Study, study: Study) -> None:
    drawn(monday, "H0", "T-1")  # not due yet
    lists(monday, with_contacts(study))
    assert told(monday, "lab_reconciliation") == []


def test_a_week_with_results_and_nothing_open_says_so(monday: cases.Study, study: Study) -> None:
    drawn(monday, "H0", "T-1", result="F")
    a_row(monday, 7, timepoint="H0", specimen="T-1", recorded_at=monday.clock.now() - timedelta(days=1))
    lists(monday, with_contacts(study))
    text = words(monday, monday.mail("bench-fr", template="lab_reconciliation"))
    assert text.startswith("Rien ne vous est demandé")


def test_a_row_that_waits_for_the_site_is_listed_and_not_asked_for(monday: cases.Study, study: Study) -> None:
    drawn(monday, "H2", "T-3", overdue=True)
    a_row(monday, 7, because("R-03", row=2, subject=cases.SUBJECT))
    lists(monday, with_contacts(study))
    text = words(monday, monday.mail("bench-en", template="lab_reconciliation"))
    assert text.startswith("Nothing is asked of you")
    assert "T-3" in text


def test_a_result_without_a_draw_is_listed(monday: cases.Study, study: Study) -> None:
    a_row(monday, 7, timepoint="H0", specimen="T-1", recorded_at=monday.clock.now() - timedelta(days=1))
    lists(monday, with_contacts(study))
    text = words(monday, monday.mail("bench-en", template="lab_reconciliation"))
    assert "no draw on record" in text
    assert "T-1" in text


def test_when_the_site_is_closed_the_list_comes_on_the_next_open_day(
    lab_desk: cases.Study, study: Study
) -> None:
    drawn(lab_desk, "H0", "T-1", overdue=True)
    # Easter Monday, 6 April 2026
    lab_desk.clock.move_to(datetime.fromisoformat("2026-04-06T08:30:00+02:00"))
    lists(lab_desk, with_contacts(study))
    assert told(lab_desk, "lab_reconciliation") == []
    lab_desk.later(days=1)
    lists(lab_desk, with_contacts(study))
    mail = lab_desk.mail("bench-fr", template="lab_reconciliation")
    assert mail.topic == "laboratory|reconciliation|CCH-PHARMACO|2026-04-06"


def test_what_was_decided_is_not_looked_at_again(monday: cases.Study, study: Study) -> None:
    known = with_contacts(study)
    decided = lists(monday, known)
    drawn(monday, "H0", "T-1", overdue=True)
    assert lists(monday, known, decided) == frozenset()
    assert told(monday, "lab_reconciliation") == []


def test_the_next_list_is_announced_and_nobody_waits_for_one_without_contacts(
    lab_desk: cases.Study, study: Study
) -> None:
    assert next_list_at(study, cases.NOW) is None
    tuesday = datetime.fromisoformat("2026-03-03T07:30:00+01:00")
    assert next_list_at(with_contacts(study), cases.NOW) == tuesday


def test_two_laboratories_get_lists_of_their_own(monday: cases.Study, study: Study) -> None:
    known = with_contacts(study)
    other = known.labs[LAB].model_copy(update={"code": OTHER})
    both = with_contacts(study)
    both.labs = {**known.labs, OTHER: other}
    drawn(monday, "H0", "T-1", overdue=True)
    lists(monday, both)
    assert told(monday, "lab_reconciliation") == ["bench-en", "bench-fr", "other-bench"]
    assert {row.topic.split("|")[2] for row in monday.mails(staff_id="other-bench")} == {OTHER}
