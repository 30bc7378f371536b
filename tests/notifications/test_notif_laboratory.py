"""What a laboratory's own contacts are told, when, and when not."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import StringIO
from typing import Any

import notif_cases as cases
import pytest
from sqlmodel import Session, col, select

from config.schema import ContactFile
from notifications.gathering import APART
from notifications.handlers import make_handler
from notifications.states import State
from notifications.writing import write
from scheduler.domain.events import LabFileTroubled
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.keys import file_key
from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because, to_json
from scheduler.engine.due.laboratory_lists import laboratory_lists, next_list_at
from scheduler.engine.recheck import make_recheck
from scheduler.engine.study import Study
from scheduler.intake.sentences import SENTENCES
from scheduler.store.flags import close_flag, open_site_flag
from scheduler.store.lab.files import file_flag_key
from scheduler.store.tables import (
    FlagRow,
    LabFileRow,
    LabResultRow,
    LabResultVersionRow,
    OutboxRow,
    SamplingRow,
    StaffRow,
)

LAB, OTHER = "CCH-PHARMACO", "OTHER-LAB"
PEOPLE = {
    **cases.ADDRESSES,
    "bench-fr": ("fr", [f"laboratory:{LAB}"]),
    "bench-en": ("en", [f"laboratory:{LAB}"]),
    "other-bench": ("fr", [f"laboratory:{OTHER}"]),
}
CODE = {Event.FILE_QUARANTINED: FlagCode.FILE_QUARANTINED, Event.ROWS_HELD: FlagCode.ROWS_HELD}


@pytest.fixture
def lab_desk(database_url: str) -> Iterator[cases.Study]:
    """The study with contacts of two laboratories, on SQLite, then on PostgreSQL."""
    made = cases.make_study(database_url, PEOPLE)
    yield made
    made.db.close()


def a_file(
    desk: cases.Study, number: int, event: Event = Event.FILE_QUARANTINED, lab: str | None = LAB, **told: Any
) -> None:
    """A troubled file as the intake records it: row, flag, event."""
    sha = f"{number:064x}"[::-1]
    reason = because("F-03") if event is Event.FILE_QUARANTINED else because("R-15", row=2, column="unite")

    def step(session: Session) -> None:
        session.add(
            LabFileRow(
                id=number, sha256=sha, size=1, original_name=f"file {number}.csv", site_id="cochin", lab=lab,
                received_at=desk.clock.now(), verdict="quarantined", reason=to_json(reason), receipt={},
            )
        )  # fmt: skip
        key = file_flag_key(CODE[event], "cochin", sha)
        open_site_flag(session, CODE[event], key, "cochin", reason, desk.clock.now())

    desk.do(step)
    desk.tell(LabFileTroubled(event, "cochin", number, file_key(event, sha), lab, **told))


def a_row(desk: cases.Study, file: int, *reasons: Reason, **changes: Any) -> None:
    """A row of a file; held for the reasons, accepted without any."""
    values: dict[str, Any] = {
        "file_id": file, "row_no": 2, "state": "held" if reasons else "accepted", "subject": cases.SUBJECT,
        "visit": cases.VISIT, "timepoint": "H2", "lab": LAB, "specimen": "T-3", "analyte": "MPA", "status": "F",
        "value_raw": "9,87", "unit_raw": "mg/L", "method": "LCMSMS", "matrix": "PLASMA_EDTA",
        "recorded_at": desk.clock.now(), "reported_at": desk.clock.now(), "content_hash": f"{file}{changes}",
        "findings": [{"rule": "x", "severity": "hold", "reason": to_json(one)} for one in reasons],
    }  # fmt: skip
    desk.do(lambda session: session.add(LabResultVersionRow(**{**values, **changes})))


def drawn(desk: cases.Study, point: str, tube: str, overdue: bool = False, result: str | None = None) -> None:
    def step(session: Session) -> None:
        row = session.get(SamplingRow, (cases.SUBJECT, cases.VISIT, point))
        assert row is not None
        row.drawn_at, row.tube, row.result = cases.DOSE_AT, tube, result
        if overdue:
            key = flag_key(FlagCode.RESULT_OVERDUE, cases.SUBJECT, cases.VISIT, point)
            session.add(
                FlagRow(
                    key=key, code=FlagCode.RESULT_OVERDUE.value, site_id="cochin", subject=cases.SUBJECT,
                    visit=cases.VISIT, detail=point, severity=1, since=desk.clock.now(),
                    reason=to_json(because("flag_result_overdue", point=point, on=cases.DOSE_AT.date())),
                    opened_at=desk.clock.now(),
                )
            )  # fmt: skip

    desk.do(step)


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


def told(desk: cases.Study, template: str) -> list[str]:
    return sorted(row.staff_id for row in desk.mails(template=template))


def settle(desk: cases.Study, state: State = State.SENT) -> None:
    """Every mail that waits has left."""

    def step(session: Session) -> None:
        for row in session.exec(select(OutboxRow).where(OutboxRow.state == State.PENDING.value)):
            row.state, row.body_sha256 = state, "x"

    desk.do(step)


def with_contacts(study: Study) -> Study:
    lab = study.labs[LAB].model_copy(
        update={"contacts": (ContactFile(id="bench-fr", name="x", email="bench-fr@cochin.example"),)}
    )
    made = Study.__new__(Study)
    made.__dict__.update({**study.__dict__, "labs": {LAB: lab}})
    return made


def lists(desk: cases.Study, study: Study, decided: frozenset[str] = frozenset()) -> frozenset[str]:
    handle = make_handler(cases.protocol_of, cases.DOMAIN)
    return frozenset(
        desk.do(lambda session: laboratory_lists(session, study, desk.clock.now(), handle, decided))
    )


def recheck(desk: cases.Study, study: Study, row: OutboxRow) -> Reason | None:
    found: Reason | None = desk.do(lambda session: make_recheck(study)(session, row, desk.clock.now()))
    return found


def letter(desk: cases.Study, row: OutboxRow) -> EmailMessage:
    room = cases.room(sentences=SENTENCES)
    body = desk.do(lambda session: write(session, row, room, desk.clock.now()))
    found = message_from_bytes(body, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def words(desk: cases.Study, row: OutboxRow) -> str:
    part = letter(desk, row).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


# --- files and rows -------------------------------------------------------------------------------------------


def test_a_refused_file_is_told_to_the_contacts_of_its_laboratory_and_to_no_other(
    lab_desk: cases.Study,
) -> None:
    a_file(lab_desk, 20)
    assert told(lab_desk, "lab_files_refused") == ["bench-en", "bench-fr"]
    assert told(lab_desk, "file_quarantined") == ["data-manager", "laboratory"]


def test_a_file_of_an_unknown_laboratory_is_told_to_no_laboratory(desk: cases.Study) -> None:
    a_file(desk, 20, lab=None)
    assert told(desk, "lab_files_refused") == []


def test_many_files_at_once_are_one_mail(lab_desk: cases.Study) -> None:
    for number in range(100, 160):
        a_file(lab_desk, number)
    mail = lab_desk.mail("bench-en", template="lab_files_refused")
    assert mail.facts["file_ids"] == list(range(100, 160))
    text = words(lab_desk, mail)
    assert text.startswith("Send 60 corrected files")
    assert "40 more" in text


def test_a_file_after_a_mail_that_left_waits_a_quarter_of_an_hour_for_others(lab_desk: cases.Study) -> None:
    a_file(lab_desk, 20)
    first = lab_desk.mail("bench-fr", template="lab_files_refused")
    assert first.not_before == cases.NOW
    settle(lab_desk)
    lab_desk.later(minutes=1)
    a_file(lab_desk, 21)
    a_file(lab_desk, 22)
    second = lab_desk.mails(staff_id="bench-fr", template="lab_files_refused")[1]
    assert second.not_before == cases.NOW + APART
    assert second.facts["file_ids"] == [21, 22]
    assert second.thread == first.thread
    settle(lab_desk)
    lab_desk.later(hours=1)
    a_file(lab_desk, 23)
    assert lab_desk.mails(staff_id="bench-fr")[-1].not_before == lab_desk.clock.now()


def test_a_mail_that_is_written_takes_no_further_file(lab_desk: cases.Study) -> None:
    a_file(lab_desk, 20)
    settle(lab_desk, State.PENDING)
    a_file(lab_desk, 21)
    facts = [row.facts["file_ids"] for row in lab_desk.mails(staff_id="bench-fr")]
    assert facts == [[20], [21]]


def test_the_same_mailbox_gets_one_mail(database_url: str) -> None:
    desk = cases.make_study(database_url, PEOPLE)

    def same(session: Session) -> None:
        person = session.get(StaffRow, "laboratory")
        assert person is not None
        person.email = "BENCH-FR@cochin.example"

    desk.do(same)
    a_file(desk, 20)
    assert told(desk, "file_quarantined") == ["data-manager"]
    assert told(desk, "lab_files_refused") == ["bench-en", "bench-fr"]
    desk.db.close()


def test_a_mail_about_files_that_were_replaced_meanwhile_is_not_sent(
    lab_desk: cases.Study, study: Study
) -> None:
    a_file(lab_desk, 20)
    a_file(lab_desk, 21)
    mail = lab_desk.mail("bench-fr", template="lab_files_refused")
    assert recheck(lab_desk, study, mail) is None
    files: list[LabFileRow] = lab_desk.do(
        lambda s: list(s.exec(select(LabFileRow).where(col(LabFileRow.id) >= 20)))
    )
    keys = [file_flag_key(FlagCode.FILE_QUARANTINED, "cochin", file.sha256) for file in files]
    lab_desk.do(lambda session: close_flag(session, keys[0], cases.NOW))
    assert recheck(lab_desk, study, mail) is None
    assert "file 20.csv" not in words(lab_desk, mail)
    lab_desk.do(lambda session: close_flag(session, keys[1], cases.NOW))
    assert recheck(lab_desk, study, mail) == because("recheck_settled_meanwhile")


def test_only_rows_that_the_laboratory_can_settle_are_asked_of_it(
    lab_desk: cases.Study, study: Study
) -> None:
    stranger = because("R-01", row=3, subject="MPA-0001-3")
    unit = because("R-15", row=2, column="unite")
    a_file(lab_desk, 20, Event.ROWS_HELD)
    a_row(lab_desk, 20, unit, specimen="T-2")
    a_row(lab_desk, 20, stranger, specimen="T-9", row_no=3)
    a_row(lab_desk, 20, because("R-32", row=4), stranger, unit, specimen="T-8", row_no=4)
    mail = lab_desk.mail("bench-en", template="lab_rows_to_correct")
    assert recheck(lab_desk, study, mail) is None
    text = words(lab_desk, mail)
    assert text.startswith("Correct 2 row(s)")
    assert "T-2" in text
    assert "T-8" in text
    assert "T-9" not in text
    assert "not known" not in text
    assert "9,87" not in text


def test_a_file_with_nothing_for_the_laboratory_to_settle_is_not_told_to_it(lab_desk: cases.Study) -> None:
    a_file(lab_desk, 20, Event.ROWS_HELD, asks_lab=False)
    assert told(lab_desk, "lab_rows_to_correct") == []
    assert told(lab_desk, "rows_held") == ["data-manager", "laboratory"]


def test_a_mail_about_rows_that_came_corrected_is_not_sent(lab_desk: cases.Study, study: Study) -> None:
    a_file(lab_desk, 20, Event.ROWS_HELD)
    a_row(lab_desk, 20, because("R-15", row=2, column="unite"))
    mail = lab_desk.mail("bench-fr", template="lab_rows_to_correct")
    assert recheck(lab_desk, study, mail) is None
    lab_desk.later(minutes=5)
    a_row(lab_desk, 20, row_no=9)
    assert recheck(lab_desk, study, mail) == because("recheck_settled_meanwhile")


def test_what_stood_in_a_file_is_not_said_to_the_laboratory(lab_desk: cases.Study) -> None:
    a_file(lab_desk, 20, Event.ROWS_HELD)
    bad = because("R-05", row=2, column="temps", text="Dupont", known="H0")
    a_row(lab_desk, 20, bad, subject="Dupont", visit="Dupont", timepoint="Dupont", specimen="Dupont")
    for person in ("bench-fr", "bench-en"):
        mail = letter(lab_desk, lab_desk.mail(person, template="lab_rows_to_correct"))
        assert "Dupont" not in "".join(
            str(one.get_content()) for one in mail.walk() if not one.is_multipart()
        )


# --- overdue results ------------------------------------------------------------------------------------------


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


# --- the list of the week -------------------------------------------------------------------------------------


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
    assert text.startswith("Look at 2 tube(s)")
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
