"""What every page needs, made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from config.language import Language
from config.settings import Settings
from scheduler.clock import Clock
from scheduler.domain.sentences.pages import PAGE_SENTENCES
from scheduler.domain.speech import Speaker, speaker_for
from scheduler.engine.reconcile import Handle
from scheduler.engine.study import Study
from scheduler.store.database import Database

__all__ = ["Desk", "MailTrouble"]

MailTrouble = Callable[[Session, str, datetime], Mapping[str, Any]]
"""The mails of a site that did not arrive (`undelivered`), and how many wait too long (`waiting`)."""


@dataclass(frozen=True)
class Desk:
    """Settings, study, database and clock of the console, and what is done with an event."""

    settings: Settings
    study: Study
    database: Database
    clock: Clock
    handle: Handle
    sentences: Mapping[str, str]
    mail_trouble: MailTrouble

    def speaker(self, language: Language, site: str | None = None) -> Speaker:
        """Speaks a language, in the zone of a site; of the first one when none is meant."""
        calendar = self.study.calendars.get(site or "") or next(iter(self.study.calendars.values()))
        sentences = {**self.sentences, **PAGE_SENTENCES}
        return speaker_for(language, calendar.zone, self.study.newest[1], sentences)
