"""From the configuration to the mailbox: a laboratory with a contact gets its lists from the real program."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sqlmodel import Session

from composition import make_works
from config.settings import DEFAULT_DIR, MailSettings, Settings
from main import make_program
from scheduler.clock import ManualClock
from scheduler.domain.flags import FlagCode, flag_key
from scheduler.domain.reason import because, to_json
from scheduler.runtime.program import Program
from scheduler.runtime.work import DELIVERY, DIGEST
from scheduler.store.tables import FlagRow, SamplingRow, SubjectRow, VisitRow

SUBJECT = "MPA-0042-7"
DRAWN_AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MONDAY = datetime.fromisoformat("2026-03-09T08:00:00+01:00")
CONTACT = (
    '\n[[contacts]]\nid = "bench"\nname = "Paillasse"\nemail = "bench@cochin.example"\nlanguage = "fr"\n'
)


@pytest.fixture
def program(sqlite_url: str, tmp_path: Path) -> Program:
    folder = tmp_path / "config"
    shutil.copytree(DEFAULT_DIR, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "labs" / "cch-pharmaco.toml"
    path.write_text(path.read_text("utf-8") + CONTACT, "utf-8")
    settings = Settings(
        database=sqlite_url, config=folder, mail=MailSettings(transport="maildir", maildir=tmp_path / "mail")
    )
    made = make_program(settings).for_rehearsal(settings, ManualClock(MONDAY))

    def fill(session: Session) -> None:
        made.study.sync(session, DRAWN_AT)
        sha256 = made.study.newest[0]
        made.study.keep_version(session, sha256, DRAWN_AT)
        session.add(SubjectRow(code=SUBJECT, site_id="cochin", protocol_sha256=sha256, enrolled_at=DRAWN_AT))
        session.flush()
        session.add(
            VisitRow(
                subject=SUBJECT, visit="W6", status="incomplete", reason=to_json(because("status_planned")),
                target=date(2026, 3, 2), first=date(2026, 3, 2), last=date(2026, 3, 2), missing=[],
            )
        )  # fmt: skip
        session.add(SamplingRow(subject=SUBJECT, visit="W6", point="H2", drawn_at=DRAWN_AT, tube="26061-1"))
        session.add(
            FlagRow(
                key=flag_key(FlagCode.RESULT_OVERDUE, SUBJECT, "W6", "H2"), code=FlagCode.RESULT_OVERDUE.value,
                site_id="cochin", subject=SUBJECT, visit="W6", detail="H2", severity=1, since=MONDAY, opened_at=MONDAY,
                reason=to_json(because("flag_result_overdue", point="H2", on=DRAWN_AT.date())),
            )
        )  # fmt: skip

    made.database.transact(fill)
    return made


def mails(folder: Path) -> list[EmailMessage]:
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and "bench@" in str(one)):
        message = message_from_bytes(path.read_bytes(), policy=default)
        assert isinstance(message, EmailMessage)
        found.append(message)
    return found


def test_the_lists_reach_the_contact_once(program: Program, tmp_path: Path) -> None:
    works = {work.name: work for work in make_works(program)}

    async def twice() -> datetime | None:
        coming = None
        for _ in range(2):
            coming = await works[DIGEST].step(MONDAY)
            await works[DELIVERY].step(MONDAY)
        return coming

    coming = asyncio.run(twice())
    assert coming == datetime.fromisoformat("2026-03-10T07:30:00+01:00")
    found = {str(one["Subject"]).rpartition(" · ")[2]: one for one in mails(tmp_path / "mail")}
    assert sorted(found) == ["liste de la semaine", "résultats en retard"]
    (attached,) = found["liste de la semaine"].iter_attachments()
    assert "26061-1" in str(attached.get_content())
    assert len(mails(tmp_path / "mail")) == 2
