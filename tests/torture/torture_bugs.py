"""The tests are tested: ten known reliability bugs, each put into a copy of the tree, which the short campaign must
catch."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acceptance_cases import clean_environment
from torture_result import Result

__all__ = ["BUGS", "ROOT", "Bug", "copied", "seeded_bugs"]

ROOT = Path(__file__).parents[2]
_COPIED = (
    "config",
    "pk",
    "scheduler",
    "notifications",
    "templates",
    "tests",
    "main.py",
    "composition.py",
    "pyproject.toml",
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) tests/torture/(.+?)(?: - .*)?$", re.MULTILINE)
_WHY = re.compile(r"^E +(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bug:
    """What somebody might write instead: in each file, these words for those, which stand there once."""

    name: str
    changes: tuple[tuple[str, str, str], ...]

    def put_into(self, tree: Path) -> None:
        for file, old, new in self.changes:
            path = tree / file
            text = path.read_text("utf-8")
            assert text.count(old) == 1, (self.name, file, text.count(old))
            path.write_text(text.replace(old, new), "utf-8")


BUGS = (
    Bug("the attempt is recorded after the mail was sent", ((
        "notifications/delivery/step.py",
        "            ours = await step.db.run(lambda session: attempts.begin_data(session, mail, now))",
        "            ours = True",
    ), (
        "notifications/delivery/step.py",
        "    following = _following(batch, now) if sent else None",
        "    following = None",
    ))),
    Bug("no lease token", ((
        "notifications/outbox/attempts.py",
        "    OUTBOX.c.state == State.LEASED.value,\n    OUTBOX.c.lease_token == bindparam(\"held_token\"),\n",
        "    bindparam(\"held_token\", type_=String).is_not(None),\n",
    ), (
        "notifications/outbox/attempts.py", "from sqlalchemy import bindparam,",
        "from sqlalchemy import String, bindparam,",
    ))),
    Bug("synchronous=NORMAL", ((
        "scheduler/store/database.py", '("FULL" if safe_wal else "EXTRA")', '("NORMAL" if safe_wal else "EXTRA")',
    ),)),
    Bug("deferred transactions", ((
        "scheduler/store/database.py", '"BEGIN" if reads_only else "BEGIN IMMEDIATE"', '"BEGIN"',
    ),)),
    Bug("one second of grace for an alarm", ((
        "scheduler/runtime/alarm.py", '"misfire_grace_time": None', '"misfire_grace_time": 1',
    ),)),
    Bug("a new Message-ID at every attempt", ((
        "notifications/delivery/writing.py", "    if body is None:\n", "    if body is not None or body is None:\n",
    ), (
        "notifications/delivery/writing.py", "        body = write(session, row, room, now, memo)",
        "        row.message_id = f\"<{now.timestamp()}{row.message_id[1:]}\"\n"
        "        body = write(session, row, room, now, memo)",
    ))),
    Bug("settled without a commit", ((
        "notifications/delivery/step.py",
        "    step.channel = settle(session, step.room, ended, step.channel, now)\n    if following",
        "    point = session.begin_nested()\n"
        "    step.channel = settle(session, step.room, ended, step.channel, now)\n"
        "    point.rollback()\n    if following",
    ),)),
    Bug("no unique key in the outbox", ((
        "notifications/outbox/posting.py", '.on_conflict_do_nothing(index_elements=["key"])', "",
    ), (
        "scheduler/store/migrations/versions/0001_the_first_tables.py",
        '        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),\n', "",
    ), (
        "scheduler/store/migrations/versions/0001_the_first_tables.py",
        '        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),\n', "",
    ))),
    Bug("the file is put away before it is recorded", ((
        "scheduler/intake/step.py",
        "        outcome: Outcome = self.transact(step)\n",
        "        early = _archive_name(claimed.at, arrival.sha256, claimed.name)\n"
        "        known = self.folder.put_away(claimed, Room.ARCHIVE, early)\n"
        "        outcome: Outcome = self.transact(step)\n"
        "        self.folder.at(Room.ARCHIVE).joinpath(known).rename(self.folder.at(Room.WORK) / claimed.path.name)\n",
    ),)),
    Bug("no second look before a mail is written", ((
        "notifications/delivery/writing.py", "    why_not = room.recheck(session, row, now)\n", "    why_not = None\n",
    ),)),
)  # fmt: skip


def copied(tree: Path) -> Path:
    """A copy of the program and its tests, at `tree`."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "var"))
        else:
            shutil.copy(source, tree)
    return tree


def seeded_bugs(home: Path, bugs: tuple[Bug, ...] = BUGS) -> Iterator[Result]:
    """Each bug in a copy of its own: which check of the short campaign catches it."""
    for bug in bugs:
        result = Result("seeded", bug.name, runs=1, disturbed=1)
        tree = copied(home / "tree")
        bug.put_into(tree)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/torture"],
            cwd=tree, env=clean_environment(PYTHONPATH=str(tree)), capture_output=True, text=True, check=False,
        )  # fmt: skip
        caught = _FAILED.findall(done.stdout)
        if caught:
            why = _WHY.search(done.stdout)
            result.notes += [f"caught by {caught[0]}", *([why.group(1)[:200]] if why else [])]
        else:
            result.broken.append(f"nothing caught it: {done.stdout[-600:]}{done.stderr[-600:]}")
        yield result
