"""Commands about mails: the outbox and the templates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from sqlmodel import Session

from config.address import console_address
from config.language import Language, translator
from config.shape_errors import OUR_TYPES
from notifications.commands.needs import Needs, account, needs_of
from notifications.commands.tables import outbox_rows, outbox_table, said_uncertain
from notifications.outbox import ledger
from notifications.outbox.backlog import backlog
from notifications.outbox.queue import reason_of
from notifications.outbox.states import State
from notifications.outbox.verdict import Settle
from notifications.words.preview import preview
from notifications.words.render import template_names
from scheduler.domain.speech import Speaker
from scheduler.store import audit
from scheduler.store.tables import OutboxRow

__all__ = ["cancel", "list_", "preview_", "release", "retry", "show"]

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Number = Annotated[int, typer.Argument(help="Number of the mail; 'outbox list' shows them.")]
_MADE_UP = "https://console.example"


def list_(
    context: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only mails in this state.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only mails about this subject.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """The newest mails and what became of them."""
    needs = needs_of(context)
    speaker, now = needs.speaker(), needs.clock.now()
    rows = needs.database.read(
        lambda session: outbox_rows(ledger.list_outbox(session, state, subject, limit), speaker)
    )
    if as_json:
        _json(rows)
    else:
        Console(width=None if Console().is_terminal else 160).print(outbox_table(rows, speaker))
        found = needs.database.read(lambda session: backlog(session, now))
        typer.echo(said_uncertain(found.uncertain, found.left, speaker))


def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """One mail: every attempt at it, and its text once written."""
    needs = needs_of(context)
    speaker = needs.speaker()
    shown = needs.database.transact(lambda session: ledger.show_outbox(session, number))
    if shown is None:
        typer.echo(
            speaker.text("There is no mail {number}. 'outbox list' shows them.", number=number), err=True
        )
        raise typer.Exit(2)
    message = shown.mail.body.decode("utf-8", "replace") if shown.mail.body is not None else None
    if as_json:
        attempts = [
            {
                "at": one.started_at,
                "phase": one.phase,
                "outcome": one.outcome,
                "code": one.code,
                "text": one.text,
            }
            for one in shown.attempts
        ]
        _json({**outbox_rows([shown.mail], speaker)[0], "attempts": attempts, "message": message})
        return
    for name, value in _said_of(shown.mail, speaker):
        if value:
            typer.echo(f"{name}: {value}")
    for one in shown.attempts:
        answer = " ".join(str(part) for part in (one.code, one.text) if part is not None)
        words = [speaker.moment(one.started_at), one.phase.upper(), _ended(one.outcome, speaker), answer]
        typer.echo("  " + " · ".join(word for word in words if word))
    if message:
        typer.echo("\n" + message)


def retry(context: typer.Context, number: Number) -> None:
    """Send a failed or cancelled mail again, to the address the person has now."""
    needs = needs_of(context)
    now = needs.clock.now()
    _change(needs, number, lambda session: ledger.retry(session, number, now), "mail_retried")


def release(
    context: typer.Context,
    person: Annotated[str, typer.Argument(help="Person of the site file whose mailbox works again.")],
) -> None:
    """Send mail again to somebody whose mailbox was taken for dead."""
    needs = needs_of(context)
    speaker, now = needs.speaker(), needs.clock.now()

    def step(session: Session) -> bool:
        if not ledger.release(session, person, now):
            return False
        audit.append(session, now, "mailbox_released", "staff", person, actor=account(), source="cli")
        return True

    if not needs.database.transact(step):
        words = "No flag about the mail of {person_id} is open; 'flags' lists them."
        typer.echo(speaker.text(words, person_id=person), err=True)
        raise typer.Exit(2)
    typer.echo(
        speaker.text(
            "Done. Mails that failed meanwhile: 'outbox list --state failed', 'outbox retry NUMBER'."
        )
    )


def cancel(context: typer.Context, number: Number) -> None:
    """Take a waiting mail back."""
    by = account()
    _change(needs_of(context), number, lambda session: ledger.cancel(session, number, by), "mail_cancelled")


def _said_of(mail: OutboxRow, speaker: Speaker) -> list[tuple[str, str]]:
    """What is known of a mail, each with its name."""

    def when(instant: datetime | None) -> str:
        return speaker.moment(instant) if instant is not None else ""

    reason = reason_of(mail)
    return [
        (speaker.text("No."), str(mail.id)),
        (speaker.text("Mail"), speaker.status(mail.template)),
        (speaker.text("Subject"), mail.subject or ""),
        (speaker.text("Visit"), speaker.name(mail.visit or "")),
        (speaker.text("To"), mail.staff_id),
        (speaker.text("Language"), mail.language),
        (speaker.text("State"), speaker.status(mail.state) + (" (?)" if mail.uncertain else "")),
        (speaker.text("Why"), speaker.say(reason) if reason is not None else ""),
        (speaker.text("Not before"), when(mail.not_before)),
        (speaker.text("Of use until"), when(mail.expires_at)),
        (speaker.text("Left on"), when(mail.sent_at)),
        (speaker.text("Attempts that count"), str(mail.attempts)),
        ("Message-ID", mail.message_id),
    ]


def _ended(outcome: str | None, speaker: Speaker) -> str:
    """How an attempt ended, in words."""
    match outcome:
        case None:
            return speaker.text("under way")
        case Settle.UNCERTAIN_AGAIN:
            return speaker.text("no answer; to be sent once more")
        case Settle.UNCERTAIN_END:
            return speaker.text("no answer for the second time; not sent again")
        case Settle.CHANNEL:
            return speaker.text("the mail server could not be reached")
        case Settle.CONFIGURATION:
            return speaker.text("the mail server did not accept the connection")
        case Settle.ABANDONED:
            return speaker.text("given back before it was handed over")
    return speaker.status(outcome)


def _change(needs: Needs, number: int, change: Callable[[Session], bool], action: str) -> None:
    speaker, now = needs.speaker(), needs.clock.now()

    def step(session: Session) -> bool:
        before = _state_of(session, number)
        if not change(session):
            return False
        changes = {"state": (before, _state_of(session, number))}
        about = (action, "outbox", str(number))
        audit.append(session, now, *about, actor=account(), source="cli", changes=changes)
        return True

    if not needs.database.transact(step):
        words = "Mail {number} cannot be changed so: it does not exist, has left, or is out of date."
        typer.echo(speaker.text(words, number=number), err=True)
        raise typer.Exit(2)
    typer.echo(speaker.text("Done."))


def _state_of(session: Session, number: int) -> str | None:
    row = session.get(OutboxRow, number)
    return row.state if row is not None else None


def preview_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Template; a list of them if absent.")] = None,
    language: Annotated[Language, typer.Option("--in", help="fr or en.")] = Language.EN,
    html: Annotated[bool, typer.Option("--html", help="The HTML part.")] = False,
    console: Annotated[
        str | None,
        typer.Option(
            help="Address of the console, to which the mail then leads; "
            "if absent a made-up one when the settings name a console."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """A mail as its reader would see it, filled with sample data."""
    if name is None and as_json:
        _json(list(template_names()))
        return
    if name is None or name not in template_names():
        typer.echo("\n".join(template_names()), err=name is not None)
        raise typer.Exit(0 if name is None else 2)
    subject, text, html_text = preview(name, language, _led_to(console, needs_of(context)))
    if as_json:
        _json({"subject": subject, "text": text, "html": html_text})
        return
    speaker = Speaker(language, ZoneInfo("UTC"))
    line = speaker.text("Subject line: {subject}", subject=subject)
    typer.echo(html_text if html else f"{line}\n\n{text}")


def _led_to(asked: str | None, needs: Needs) -> str:
    """The console to which a sample leads, empty for none; only if asked one that may have records of its numbers."""
    if asked is None:
        return _MADE_UP if needs.settings.console.url is not None else ""
    try:
        return console_address(asked)
    except PydanticCustomError as error:
        translate = translator(needs.settings.language)
        typer.echo(" ".join(map(translate, OUR_TYPES[error.type])), err=True)
        raise typer.Exit(2) from None


def _json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=lambda one: one.isoformat()))
