"""What the commands about mails need from the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import typer

from scheduler.domain.speech import Speaker
from scheduler.store.database import Database

__all__ = ["MailCommands"]


@dataclass(frozen=True)
class MailCommands:
    """What the commands need, each fetched when a command runs."""

    database: Callable[[typer.Context], Database]
    speaker: Callable[[typer.Context], Speaker]
    now: Callable[[typer.Context], datetime]
    account: Callable[[], str]
