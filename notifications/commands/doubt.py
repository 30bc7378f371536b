"""The command about mails in doubt after a restore: which they are, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlmodel import Session

from notifications.commands.needs import Needs, account, needs_of
from notifications.commands.tables import outbox_rows, outbox_table
from notifications.outbox import ledger
from notifications.outbox.states import State
from scheduler.store import audit

__all__ = ["possibly_sent"]

_LARGEST = 200_000_000  # of one file, in bytes


def possibly_sent(
    context: typer.Context,
    found_in: Annotated[
        Path | None,
        typer.Option(help="A mail log or a folder of mails: those whose Message-ID stands in it have left."),
    ] = None,
    sent: Annotated[bool, typer.Option("--sent", help="The others have left too.")] = False,
    send: Annotated[
        bool,
        typer.Option("--send", help="Send the others now; those that are of no use any more expire."),
    ] = False,
) -> None:
    """The mails that may have left before the database was restored; say what becomes of them."""
    needs = needs_of(context)
    speaker = needs.speaker()
    if sent and send:
        typer.echo(speaker.text("--sent and --send exclude each other."), err=True)
        raise typer.Exit(2)
    if found_in is None and not sent and not send:
        _list(needs)
        return
    left: Callable[[str], bool] = lambda _: False  # noqa: E731
    if found_in is not None:
        try:
            texts = list(_texts(found_in))
        except OSError as error:
            typer.echo(
                speaker.text("{path} cannot be read: {why}", path=str(found_in), why=error.strerror or ""),
                err=True,
            )
            raise typer.Exit(2) from error
        left = lambda message_id: any(message_id.encode() in text for text in texts)  # noqa: E731
    counts = _settle(needs, left, sent=sent, send=send)
    words = "Found among those that left: {found}. Marked as sent: {sent}. To be sent: {send}."
    typer.echo(speaker.text(words, **counts))


def _settle(needs: Needs, left: Callable[[str], bool], *, sent: bool, send: bool) -> dict[str, int]:
    now, by = needs.clock.now(), account()

    def step(session: Session) -> dict[str, int]:
        found = ledger.settle_found(session, left)
        others = ledger.settle_doubt(session, by, now, send=send) if sent or send else 0
        counts = {"found": found, "sent": others if sent else 0, "send": others if send else 0}
        audit.append(session, now, "mails_settled", "outbox", "-", dict(counts), actor=by, source="cli")
        return counts

    return needs.database.transact(step)


def _list(needs: Needs) -> None:
    speaker = needs.speaker()
    rows = needs.database.read(
        lambda session: outbox_rows(ledger.list_outbox(session, State.POSSIBLY_SENT, limit=10_000), speaker)
    )
    if not rows:
        typer.echo(speaker.text("No mail is in doubt."))
        return
    Console(width=None if Console().is_terminal else 160).print(outbox_table(rows, speaker))
    words = "To settle them: --found-in FILE (a mail log or a folder of mails), then --sent or --send for the others."
    typer.echo(speaker.text(words))


def _texts(path: Path) -> Iterator[bytes]:
    """The bytes of a file, or of every file of a folder. Raises OSError."""
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if not one.is_dir() and one.stat().st_size <= _LARGEST:
            yield one.read_bytes()
