"""Writes docs/reliability.md from the results of the campaign."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from torture_result import Result

from scheduler.store.database import sqlite_module

__all__ = ["write_report"]

_HEAD = """\
# Reliability: what the campaign did, and what it found

Written by `make torture` from its results. A short version of most parts runs in `make test`
(`tests/torture/test_torture_*.py`).

**What is played.** The real `mpa-monitor run`, forked from a warm process, on SQLite or on PostgreSQL, with a mail
server in a process of its own that has each mail on the disk before it says 250. A script enrols two patients,
samples, books, moves and withdraws, drops laboratory files (good, corrected, cut, twice, no table at all), lets the
mail server be away, and goes on through 57 days on a clock that the campaign moves. A *scene* is one short life of
the daemon with everything to do at once: three mails due, two files dropped. T1, T2 and T5 play the same code within
one process, on a simulated clock, T2 a rehearsal of two patients.

**What is disturbed.** See the table. Daemons are started again as a supervisor would. Mails that the service leaves
to a person (in doubt twice) are sent again by one.

**What must hold afterwards** (I1–I8): every mail reached an end or waits for an hour to come; one row per key; what
is sent is at the server, with the bytes on record, once, or as often as its record admits doubt; nothing is at the
server without a row; every file is put away once with its bytes; what is derived equals what the facts say; the
audit chain verifies and the database file is sound; rest is reached by itself within 60 s. For the script also:
facts, visits, flags, reminders, outbox with Message-IDs, exposures and laboratory rows equal those of the
undisturbed run.

**How to read.** *Lost*: facts, mails or files that the undisturbed run has and the disturbed one has not. *Twice*:
mails that arrived a second time; each is marked uncertain on record and has the same Message-ID and bytes, else it
would be an objection. *Objections*: everything else that the oracle says.
"""
_NOT_RUN = (
    ("T6", "network black hole between daemon and PostgreSQL",
     "not run: the server listens on a local socket only"),
    ("T8", "LazyFS", "not built here; ext4 is shut down without a flush instead, and the order of writes is checked"),
    ("T11", "the clock of the machine itself, real suspend",
     "not run: the clock is an object that the campaign sets for all processes at once, and SIGSTOP stands"
     " for the suspend"),
    ("T15", "performance",
     "see `benchmarks/results.md`"),
)  # fmt: skip
_COLUMNS = (
    "plan", "what", "on", "runs", "disturbances", "mails", "lost", "twice", "in doubt", "to a person",
    "longest recovery", "objections",
)  # fmt: skip
_LOSSES = ("did not arrive", " lost ", "not put away")


def write_report(results: Sequence[Result], page: Path) -> None:
    """The page, from the results in their order."""
    page.write_text("\n".join(_lines(results)) + "\n", encoding="utf-8")


def _lines(results: Sequence[Result]) -> Iterator[str]:
    yield _HEAD
    yield from _where(results)
    yield "\n## Counts\n"
    yield f"| {' | '.join(_COLUMNS)} |"
    yield "|---" * len(_COLUMNS) + "|"
    campaign = [one for one in results if one.number != "seeded"]
    for one in _added_up(campaign):
        yield _row(one)
    yield from _listed("Objections", _objections(campaign))
    yield from _listed("Remarks", (f"{one.number}: {note}" for one in campaign for note in one.notes))
    yield "\n## The tests, tested\n"
    yield "Each bug is put into a copy of the tree; then the short campaign runs until a check fails.\n"
    yield "| bug | caught by |\n|---|---|"
    for one in results:
        if one.number == "seeded":
            caught = one.notes[0].removeprefix("caught by ") if one.notes else "**nothing**"
            yield f"| {one.what} | `{caught}` |"
    yield "\n## Not run\n"
    yield "| plan | what | why, and what there is instead |\n|---|---|---|"
    skipped = [(one.number, one.what, "; ".join(one.skipped)) for one in campaign if one.skipped]
    for number, what, why in (*skipped, *_NOT_RUN):
        yield f"| {number} | {what} | {why} |"


def _where(results: Sequence[Result]) -> Iterator[str]:
    dates = sorted(one.at for one in results if one.at)
    commits = list(dict.fromkeys(one.commit for one in results if one.commit))
    module, _ = sqlite_module()
    seconds = sum(one.seconds for one in results)
    yield (
        f"**When and where.** {dates[0]} to {dates[-1]} UTC, {seconds / 60:.0f} minutes of runs; product as of commit"
        f"{'s' if len(commits) > 1 else ''} {', '.join(commits)}; {os.cpu_count()} cores shared with other work, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"SQLite {module.sqlite_version}, PostgreSQL 18 of the test tools."
    )


def _added_up(results: Iterable[Result]) -> list[Result]:
    """One result for each kind of disturbance."""
    found: dict[tuple[str, str, str], Result] = {}
    for one in results:
        key = one.number, one.what, one.on
        if one.skipped and not one.runs:
            continue
        found[key] = _sum(found[key], one) if key in found else one
    return sorted(found.values(), key=lambda one: (int("".join(filter(str.isdigit, one.number))), one.number))


def _sum(one: Result, other: Result) -> Result:
    values = {}
    for field in fields(Result):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if field.name == "longest_s":
            values[field.name] = max(first, second)
        elif field.name not in ("number", "what", "on", "at", "commit"):
            values[field.name] = first + second
    return replace(one, **values)


def _row(one: Result) -> str:
    losses = sum(any(word in said for word in _LOSSES) for said in one.broken)
    longest = f"{one.longest_s:.0f} s" if one.longest_s else ""
    cells = (
        one.number, one.what, {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(one.on, one.on), one.runs,
        one.disturbed, one.mails, losses, one.duplicates, one.doubtful, one.to_a_person, longest,
        len(one.broken) - losses,
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def _objections(results: Iterable[Result]) -> Iterator[str]:
    said = Counter(
        f"{one.number} {one.what}: {' '.join(words.split())[:300]}" for one in results for words in one.broken
    )
    yield from (f"{count} × {words}" for words, count in said.items())


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    found = [one for one in items if "seed" not in one or ";" in one]
    if found:
        yield f"\n**{title}**\n"
        yield from (f"- {one}" for one in found)
