"""Makes a case of the upgrade tests: a study half-way, in the schema and by the code of the tree in which it is run.

    PYTHONPATH=.:tests:tests/acceptance .venv/bin/python tests/acceptance/upgrade_case.py

writes tests/acceptance/data/upgrade/NNNN.sql.xz, where NNNN is the last migration. Whoever adds a migration runs it
first and commits what it wrote. The cases of the first seven were made with the last commit that had each
(data/upgrade/README.md).
"""

from __future__ import annotations

import asyncio
import lzma
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from acceptance_cases import short_study
from sqlmodel import Session, select

from config.settings import MailSettings, load_settings
from main import make_program
from notifications.outbox import attempts, queue
from notifications.outbox.queue import Calm
from scheduler.runtime.cli.rehearse import prepare, rehearsal_of
from scheduler.store.tables import OutboxRow

SUBJECTS, SEED = 3, 7
NO_MAIL_SINCE = datetime(2025, 9, 26, tzinfo=UTC)
LAST = datetime(2025, 10, 9, 10, tzinfo=UTC)  # a Thursday, noon in Paris
CASES = Path(__file__).parent / "data" / "upgrade"


def played(home: Path) -> Path:
    """A rehearsal that stopped half-way, with mails that left and mails that wait: for some days none could leave."""
    settings = load_settings(config=short_study(home / "config"))
    if "auc_picture" in MailSettings.model_fields:  # pictures would make the case ten times as large
        settings = settings.model_copy(update={"mail": MailSettings(auc_picture=False)})
    inner = prepare(make_program(settings), home / "out", SUBJECTS, SEED, resume=False)
    for end, left_out in ((NO_MAIL_SINCE, ""), (LAST, "delivery")):
        rehearsal = rehearsal_of(inner, SUBJECTS, SEED)
        rehearsal.works = [work for work in rehearsal.works if work.name != left_out]
        rehearsal.end = end
        asyncio.run(rehearsal.play())
    inner.database.transact(_stopped)
    inner.database.close()
    return home / "out" / "study.db"


def _stopped(session: Session) -> None:
    """Two mails are in the hands of a sender that stopped; one of them had been handed over."""
    rows = list(session.exec(select(OutboxRow).where(OutboxRow.state == "pending")))
    assert len(rows) >= 4, len(rows)
    now = LAST + timedelta(minutes=1)
    lent = queue.claim(session, now, "a-host:1", Calm({}), 2).mails
    assert len(lent) == 2
    assert attempts.begin_data(session, lent[0], now)


def dumped(path: Path) -> tuple[str, str]:
    """The revision of a SQLite database and everything in it as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return revision, "\n".join(connection.iterdump()) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        revision, text = dumped(played(Path(folder)))
    target = (Path(sys.argv[1]) if len(sys.argv) > 1 else CASES) / f"{revision}.sql.xz"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(lzma.compress(text.encode(), preset=9))
    print(f"{target}: {len(text):,} characters, {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
