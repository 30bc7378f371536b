"""What a laboratory's own contacts are told of its files and rows, when, and when not."""

from __future__ import annotations

from typing import Any

import notif_cases as cases
from laboratory_cases import (
    LAB,
    PEOPLE,
    a_row,
    letter,
    recheck,
    settle,
    told,
    words,
)
from sqlmodel import Session, col, select

from notifications.outbox.gathering import APART
from notifications.outbox.states import State
from scheduler.domain.events import LabFileTroubled
from scheduler.domain.flags import FlagCode
from scheduler.domain.keys import file_key
from scheduler.domain.protocol import Event
from scheduler.domain.reason import because, to_json
from scheduler.engine.study import Study
from scheduler.store.flags import close_flag, open_site_flag
from scheduler.store.lab.files import file_flag_key
from scheduler.store.tables import (
    LabFileRow,
    StaffRow,
)

CODE = {Event.FILE_QUARANTINED: FlagCode.FILE_QUARANTINED, Event.ROWS_HELD: FlagCode.ROWS_HELD}


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
    assert text.startswith("Correct 2 rows and send them")
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
