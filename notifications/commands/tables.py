"""The mails as rows and as a table."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from notifications.outbox.queue import reason_of
from scheduler.domain.speech import Speaker
from scheduler.store.tables import OutboxRow

__all__ = ["outbox_rows", "outbox_table", "said_uncertain"]


def outbox_rows(mails: list[OutboxRow], speaker: Speaker) -> list[dict[str, Any]]:
    """Mails as plain rows."""
    return [
        {
            "id": mail.id,
            "template": mail.template,
            "subject": mail.subject,
            "visit": mail.visit,
            "to": mail.staff_id,
            "language": mail.language,
            "state": mail.state,
            "why": speaker.say(reason) if (reason := reason_of(mail)) is not None else None,
            "not_before": mail.not_before,
            "expires_at": mail.expires_at,
            "sent_at": mail.sent_at,
            "attempts": mail.attempts,
            "uncertain": mail.uncertain,
            "message_id": mail.message_id,
        }
        for mail in mails
    ]


def outbox_table(rows: list[dict[str, Any]], speaker: Speaker) -> Table:
    """The mails as a table."""
    made = Table(title=speaker.text("Mails"), title_justify="left", header_style="bold")
    for column in ("No.", "Mail", "Subject", "Visit", "To", "State", "When", "Why"):
        made.add_column(speaker.text(column))
    for row in rows:
        when = row["sent_at"] or row["not_before"]
        state = speaker.status(row["state"]) + (" (?)" if row["uncertain"] else "")
        made.add_row(
            str(row["id"]), speaker.status(row["template"]), row["subject"] or "", speaker.name(row["visit"] or ""),
            row["to"], state, speaker.moment(when), row["why"] or "",
        )  # fmt: skip
    return made


def said_uncertain(uncertain: int, left: int, speaker: Speaker) -> str:
    """How many of the mails that left were once without an answer, and their share."""
    percent = speaker.number(100 * uncertain / left) if left else "0"
    words = "Of {left} mails that left, {uncertain} had no answer at first or at all ({percent}%)."
    return speaker.text(words, left=left, uncertain=uncertain, percent=percent)
