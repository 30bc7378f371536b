"""Commands about the audit trail: whether it is whole, and what it says."""

from __future__ import annotations

import getpass
import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated

import typer
from sqlmodel import Session

from scheduler.engine.export.audit_trail import audit_csv, audit_page_of
from scheduler.engine.recording.named import find_subject
from scheduler.engine.report.page import audit_page
from scheduler.runtime.cli.exported import write_export
from scheduler.runtime.cli.output import BAD_INPUT, FAILURE, AsJson, fail, json_out, program_of, refusing
from scheduler.runtime.program import Program
from scheduler.store import audit
from scheduler.store.audit import Head
from scheduler.store.audit_read import anchors_sent, entries
from scheduler.whole_files import PRIVATE

__all__ = ["export_trail", "verify"]

_ANCHOR = re.compile(r"\b(\d{1,18}):([0-9a-f]{64})\b")
_LARGEST_FILE = 10_000_000


def verify(
    context: typer.Context,
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            "--anchor", help="NUMBER:HASH as mailed, or a file that holds some, as the mail itself."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Whether the audit chain is unbroken, and reaches what the anchors say. Exit code 1 when it is not."""
    program = program_of(context)
    with refusing(program):
        given_anchors = [one for given in anchor or () for one in _anchors(program, given)]

        def step(session: Session) -> tuple[int, str, list[audit.Break]]:
            count, head, breaks = audit.verify(session)
            return (
                count,
                head,
                [*breaks, *audit.anchor_problems(session, {*given_anchors, *anchors_sent(session)})],
            )

        count, head, breaks = program.database.read(step)
    _say(program, count, head, breaks, len(given_anchors), as_json)
    detail = {
        "rows": count,
        "head": head,
        "breaks": len(breaks),
        "anchors": [one.seq for one in given_anchors],
    }
    program.database.transact(
        lambda session: audit.append(
            session,
            program.clock.now(),
            "audit_verified",
            "audit",
            "-",
            detail,
            actor=getpass.getuser(),
            source="cli",
        )
    )
    raise typer.Exit(FAILURE if breaks else 0)


def export_trail(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="File to write, .csv or .html; an older one is replaced.")],
    subject: Annotated[str | None, typer.Option(help="Only what concerns this subject.")] = None,
) -> None:
    """Write the audit trail: who, when, what, old and new value, why. CSV for a spreadsheet, HTML to read."""
    program = program_of(context)
    speaker = program.speaker()
    if out.suffix.lower() not in (".csv", ".html"):
        words = "{file} ends in neither .csv nor .html: its name says what is written."
        fail(speaker.text(words, file=str(out)), BAD_INPUT)
    as_table = out.suffix.lower() == ".csv"
    with refusing(program):
        now = program.clock.now()

        def step(session: Session) -> bytes:
            if subject is not None:
                find_subject(session, subject)
            found = entries(session, subject)
            if as_table:
                return audit_csv(found, speaker)
            about = subject or program.study.newest[1].acronym
            return audit_page(audit_page_of(found, about, speaker, now), speaker).encode("utf-8")

        content = program.database.read(step)
    write_export(program, out, content, "audit", subject, mode=PRIVATE)


def _say(
    program: Program, count: int, head: str, breaks: list[audit.Break], anchors: int, as_json: bool
) -> None:
    speaker = program.speaker()
    if as_json:
        problems = [{"row": one.seq, "code": one.why.code, "problem": speaker.say(one.why)} for one in breaks]
        json_out({"rows": count, "head": head, "intact": not breaks, "anchors": anchors, "breaks": problems})
        return
    for one in breaks:
        typer.echo(speaker.text("Row {row}: {problem}", row=one.seq, problem=speaker.say(one.why)), err=True)
    if not breaks:
        words = "The audit chain is intact: {count} rows, head {head}."
        typer.echo(speaker.text(words, count=count, head=f"{count}:{head}"))
        if anchors:
            typer.echo(speaker.text("It reaches every anchor given ({count}).", count=anchors))
        else:
            typer.echo(
                speaker.text("Whether its end was cut off shows with --anchor only, from the daily mail.")
            )


def _anchors(program: Program, given: str) -> list[Head]:
    """The anchors of an option: itself, or those in a file."""
    text = given if _ANCHOR.fullmatch(given) else _text_of(program, Path(given))
    found = [Head(int(number), digest) for number, digest in _ANCHOR.findall(text)]
    if not found:
        words = "{given} is no anchor. Give NUMBER:HASH as in the daily mail, or a file that holds one."
        fail(program.speaker().text(words, given=given), BAD_INPUT)
    return found


def _text_of(program: Program, path: Path) -> str:
    """The text of a file; of a mail, that of its text part."""
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_FILE:
            return ""
        content = path.read_bytes()
    except OSError as error:
        words = "{file} cannot be read: {why}"
        fail(program.speaker().text(words, file=str(path), why=error.strerror or ""), BAD_INPUT)
    mail = message_from_bytes(content, EmailMessage, policy=policy.default)
    part = mail.get_body(("plain",)) if mail.get("Message-ID") else None
    return part.get_content() if part is not None else content.decode("utf-8", "replace")
