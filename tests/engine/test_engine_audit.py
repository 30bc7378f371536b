"""What the audit trail says when it is read, and that its head leaves the house every day."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from engine_desk import SUBJECT, Desk, at, speaker
from sqlmodel import Session

from config.language import Language
from scheduler.domain.events import AuditAnchored, DomainEvent
from scheduler.domain.facts import Attended, Source, VisitBooked, VisitMoved
from scheduler.domain.reason import RefusedError
from scheduler.engine.due.anchor import anchor_step, next_anchor_at
from scheduler.engine.export.audit_trail import audit_csv, audit_page_of
from scheduler.engine.recording import record as engine
from scheduler.engine.recording.request import Who
from scheduler.engine.report.page import audit_page
from scheduler.store import audit
from scheduler.store.audit_read import Entry, entries
from scheduler.store.subjects import load_history


def trail(desk: Desk, subject: str | None = SUBJECT) -> list[Entry]:
    return desk.db.transact(lambda session: list(entries(session, subject)))


def correct(desk: Desk, kind: str, reason: str, **fields: object) -> None:
    def step(session: Session) -> None:
        number = next(one.id for one in load_history(session, SUBJECT).facts if one.what.kind == kind)
        who = Who("coordinator-1", Source.CLI)
        engine.correct(session, desk.study, SUBJECT, number, fields, reason, who, desk.now, desk.handle)

    desk.db.transact(step)


def test_a_correction_says_old_and_new_value_who_and_why(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(9)
    desk.say(Attended("INCLUSION", at(8, 5)))
    correct(desk, "attended", "slip of the pen", at=at(8, 15).isoformat())
    row = next(one.row for one in trail(desk) if one.row.action == "corrected")
    assert (row.action, row.actor, row.role, row.zone) == (
        "corrected",
        "coordinator-1",
        "coordinator",
        "Europe/Paris",
    )
    assert row.organisation == "Hôpital Cochin, AP-HP, Paris"
    old, new = row.changes["at"]
    assert datetime.fromisoformat(old) == at(8, 5)
    assert datetime.fromisoformat(new) == at(8, 15)
    assert row.reason == "slip of the pen"


def test_a_moved_appointment_says_the_old_and_the_new_date(desk: Desk) -> None:
    desk.enrol()
    desk.say(VisitBooked("W6", datetime(2025, 10, 13, 8, 0)))  # noqa: DTZ001
    desk.say(VisitMoved("W6", datetime(2025, 10, 14, 8, 0), "not available"))  # noqa: DTZ001
    changes = [one.changes["booked"] for one in trail(desk) if "booked" in one.changes]
    assert changes == [[None, "2025-10-13T08:00"], ["2025-10-13T08:00", "2025-10-14T08:00"]]


@pytest.mark.parametrize("reason", ["", "  "])
def test_nothing_is_corrected_moved_or_acknowledged_without_a_reason(desk: Desk, reason: str) -> None:
    desk.enrol()
    desk.say(VisitBooked("W6", datetime(2025, 10, 13, 8, 0)))  # noqa: DTZ001
    before = trail(desk)
    for attempt in (
        lambda: correct(desk, "visit_booked", reason, local="2025-10-14T08:00"),
        lambda: desk.say(VisitMoved("W6", datetime(2025, 10, 14, 8, 0), reason)),  # noqa: DTZ001
    ):
        with pytest.raises(RefusedError) as refused:
            attempt()
        assert [one.code for one in refused.value.reasons] == ["refused_text_needed"]
    assert len(trail(desk)) == len(before)


def _csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_the_table_has_a_line_for_each_change_in_both_clocks(desk: Desk) -> None:
    desk.enrol()
    desk.say(VisitBooked("W6", datetime(2025, 10, 13, 8, 0)))  # noqa: DTZ001
    rows = _csv(audit_csv(trail(desk), speaker(desk.study, Language.EN)))
    booked = next(row for row in rows if row["Action"] == "visit_booked")
    assert (booked["Field"], booked["Old value"], booked["New value"]) == ("booked", "", "2025-10-13T08:00")
    utc, local = datetime.fromisoformat(booked["UTC"]), datetime.fromisoformat(booked["Time at the site"])
    assert utc == desk.now
    assert abs(local - utc) < timedelta(seconds=1)
    assert local.utcoffset() == desk.now.astimezone(ZoneInfo("Europe/Paris")).utcoffset()
    french = _csv(audit_csv(trail(desk), speaker(desk.study, Language.FR)))
    assert {"Qui", "Ancienne valeur"} <= set(french[0])


def test_a_reason_is_never_a_formula_and_never_markup(desk: Desk) -> None:
    desk.enrol()
    desk.say(VisitBooked("W6", datetime(2025, 10, 13, 8, 0)))  # noqa: DTZ001
    hostile = '=HYPERLINK("http://x")<script>alert(1)</script>'
    desk.say(VisitMoved("W6", datetime(2025, 10, 14, 8, 0), hostile))  # noqa: DTZ001
    rows = _csv(audit_csv(trail(desk), speaker(desk.study, Language.EN)))
    assert next(row["Why"] for row in rows if row["Why"]) == f"'{hostile}"
    page = audit_page(
        audit_page_of(trail(desk), SUBJECT, speaker(desk.study, Language.EN), desk.now),
        speaker(desk.study, Language.EN),
    )
    assert "<script" not in page


@pytest.mark.parametrize("language", [Language.EN, Language.FR])
def test_the_page_is_whole_and_needs_no_other_file(desk: Desk, language: Language) -> None:
    desk.enrol()
    desk.say(VisitBooked("W6", datetime(2025, 10, 13, 8, 0)))  # noqa: DTZ001
    made = audit_page_of(trail(desk), SUBJECT, speaker(desk.study, language), desk.now)
    page = audit_page(made, speaker(desk.study, language))
    ElementTree.fromstring(page.replace("<!DOCTYPE html>", ""))
    assert "http" not in page and "2025-10-13T08:00" in page
    assert {Language.EN: "Audit trail", Language.FR: "Registre d'audit"}[language] in page.replace(
        "&#39;", "'"
    )


def test_of_one_subject_only_what_concerns_it_is_exported(desk: Desk) -> None:
    desk.enrol()
    desk.db.transact(lambda session: audit.append(session, desk.now, "reconciled", "subject", "MPA-9999-9"))
    about = {(one.row.entity, one.row.entity_id) for one in trail(desk)}
    assert ("subject", SUBJECT) in about
    assert ("subject", "MPA-9999-9") not in about
    assert {one.row.entity_id for one in trail(desk, None)} >= {SUBJECT, "MPA-9999-9"}


# --- the anchor -----------------------------------------------------------------------------------------------


def _anchored(desk: Desk, now: datetime, decided: frozenset[str] = frozenset()) -> list[AuditAnchored]:
    told: list[AuditAnchored] = []

    def handle(session: Session, events: Sequence[DomainEvent], at: datetime) -> None:
        told.extend(event for event in events if isinstance(event, AuditAnchored))
        assert len(told) == len(events)
        desk.handle(session, events, at)

    desk.db.transact(lambda session: anchor_step(session, desk.study, now, handle, decided))
    return told


def test_the_head_is_mailed_once_a_day_and_only_when_the_trail_grew(desk: Desk) -> None:
    morning = at(9, day=2)
    first = _anchored(desk, morning)
    assert [(one.seq, one.hash) for one in first] == [(h.seq, h.hash) for h in [desk.db.transact(audit.head)]]
    assert _anchored(desk, morning + timedelta(hours=1)) == []
    assert _anchored(desk, morning + timedelta(days=1)) == []
    desk.db.transact(lambda session: audit.append(session, morning, "inspected", "database", "-"))
    assert len(_anchored(desk, morning + timedelta(days=2))) == 1


def test_a_day_has_the_same_anchor_however_late_it_is_decided_and_by_whomever(desk: Desk) -> None:
    """A service that starts again in the afternoon does not know what the one of the morning decided."""
    digest = desk.study.newest[1].digest_at
    hour = at(digest.hour, digest.minute, day=2)
    head = desk.db.transact(audit.head)
    desk.db.transact(
        lambda session: audit.append(session, hour + timedelta(hours=5), "inspected", "database", "-")
    )
    late = _anchored(desk, hour + timedelta(hours=6))
    assert [(one.seq, one.hash) for one in late] == [(head.seq, head.hash)]
    desk.db.transact(
        lambda session: audit.append(session, hour + timedelta(days=2, hours=3), "inspected", "database", "-")
    )
    assert len(_anchored(desk, hour + timedelta(days=1))) == 1
    assert _anchored(desk, hour + timedelta(days=2, hours=4)) == []  # nothing had come by the morning


def test_nothing_is_anchored_before_the_hour_of_the_digest(desk: Desk) -> None:
    assert _anchored(desk, at(4, day=2)) == []
    digest = desk.study.newest[1].digest_at
    assert next_anchor_at(desk.study, at(4, day=2)) == at(digest.hour, digest.minute, day=2)
    assert next_anchor_at(desk.study, at(20, day=6)) == at(digest.hour, digest.minute, day=7)  # a Sunday too
