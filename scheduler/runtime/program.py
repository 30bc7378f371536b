"""What every command needs, made once from the settings by the composition root."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import Session

from config.language import Language
from config.settings import Settings
from scheduler.clock import Clock
from scheduler.domain.speech import Speaker, speaker_for
from scheduler.store.database import Database
from scheduler.store.revision import check_schema
from scheduler.store.tables import SubjectRow

if TYPE_CHECKING:
    from scheduler.domain.timeline import StudyPlan
    from scheduler.engine.reconcile import Handle
    from scheduler.engine.study import Study
    from scheduler.runtime.work import Work

__all__ = ["Program", "keep_what_is_loaded"]


def keep_what_is_loaded() -> None:
    """Has the garbage collector pass over what was loaded so far, which stays: going through it again and again would
    stop the whole process for up to 0.2 s each time."""
    gc.collect()
    gc.freeze()


@dataclass
class Program:
    """Settings, study and database of one run of the program; each is read, and its code loaded, when first needed."""

    settings: Settings
    templates: Callable[[], Collection[str]]
    make_handle: Callable[[Settings, Study], Handle]
    make_works: Callable[[Program], list[Work]]
    mail_backlog: Callable[[Session, datetime], Mapping[str, object]]
    mail_rows: Callable[[Session, Speaker], list[dict[str, object]]]
    mail_sentences: Callable[[], Mapping[str, str]]
    clock: Clock
    rehearses: bool = False

    @cached_property
    def study(self) -> Study:
        from scheduler.engine.study import load_study

        return load_study(self.settings.config, self.templates())

    @cached_property
    def database(self) -> Database:
        """The database, with the schema of this program."""
        db = self.bare_database
        check_schema(db)
        return db

    @cached_property
    def bare_database(self) -> Database:
        """The database as it is, before `init`."""
        beside = not self.rehearses
        return Database(self.settings.database, writer_thread=beside, durable=beside)

    @cached_property
    def handle(self) -> Handle:
        return self.make_handle(self.settings, self.study)

    def speaker(self, zone: ZoneInfo | None = None, language: Language | None = None) -> Speaker:
        """Speaks the operator's language, in the zone of the (first) site."""
        sites = self.study.calendars
        chosen = zone or next(iter(sites.values())).zone
        protocol = self.study.newest[1]
        return speaker_for(language or self.settings.language, chosen, protocol, self.all_sentences)

    @property
    def all_sentences(self) -> dict[str, str]:
        """The sentences of every package, by reason code."""

        from pk.sentences import SENTENCES as PK_SENTENCES
        from scheduler.intake.sentences import SENTENCES as LAB_SENTENCES

        return {**PK_SENTENCES, **LAB_SENTENCES, **self.mail_sentences()}

    def zone_of(self, session: Session, code: str) -> ZoneInfo:
        """The zone of a subject's site; the first site's for an unknown subject."""
        row = session.get(SubjectRow, code)
        site = row.site_id if row is not None else next(iter(self.study.calendars))
        return self.study.calendars[site].zone

    def database_free_plan(self, site: str, sha256: str) -> StudyPlan:
        """A protocol version of the files at a site, without a look at the database."""
        from scheduler.domain.timeline import StudyPlan

        return StudyPlan(self.study.protocols[sha256][0], site, self.study.calendars[site])

    def for_rehearsal(self, settings: Settings, clock: Clock) -> Program:
        """The same program with other settings and a clock of its own, which stands still while something is done:
        nothing happens beside, and no thread is needed for it. It outlives a kill, but does not wait for the disk."""
        return replace(self, settings=settings, clock=clock, rehearses=True)
