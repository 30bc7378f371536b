"""What the commands about mails need of the program that the command line put together."""

from __future__ import annotations

import getpass
from typing import Protocol

import typer

from config.settings import Settings
from scheduler.clock import Clock
from scheduler.domain.speech import Speaker
from scheduler.store.database import Database

__all__ = ["Needs", "account", "needs_of"]


class Needs(Protocol):
    """The part of the program that the commands use."""

    settings: Settings
    clock: Clock

    @property
    def database(self) -> Database: ...

    def speaker(self) -> Speaker: ...


def needs_of(context: typer.Context) -> Needs:
    found: Needs = context.find_root().obj
    return found


def account() -> str:
    """Who is at the command line."""
    return getpass.getuser()
