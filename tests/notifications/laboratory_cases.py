"""Two laboratories with contacts, their files, rows and tubes."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import notif_cases as cases
from sqlmodel import Session, select

from config.schema import ContactFile
from notifications.delivery.writing import write
from notifications.outbox.handlers import make_handler
from notifications.outbox.states import State
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import Reason, because, to_json
from scheduler.engine.due.laboratory_lists import laboratory_lists
from scheduler.engine.recheck import make_recheck
from scheduler.engine.study import Study
from scheduler.intake.sentences import SENTENCES
from scheduler.store.tables import (
    FlagRow,
    LabResultVersionRow,
    OutboxRow,
    SamplingRow,
)

LAB, OTHER = "CCH-PHARMACO", "OTHER-LAB"


PEOPLE = {
    **cases.ADDRESSES,
    "bench-fr": ("fr", [f"laboratory:{LAB}"]),
    "bench-en": ("en", [f"laboratory:{LAB}"]),
    "other-bench": ("fr", [f"laboratory:{OTHER}"]),
}


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
