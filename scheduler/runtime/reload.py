"""Reads protocols, sites and laboratories anew while the service runs; what cannot be used leaves the old in force."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import NoReturn

from sqlmodel import Session

from config.defects import ConfigurationInvalidError, Defect
from config.logs import log
from config.settings import load_settings
from scheduler.engine.study import load_study
from scheduler.runtime.daemon import Reread
from scheduler.runtime.program import Program
from scheduler.store import audit
from scheduler.store.operations import CONFIGURATION, beat
from scheduler.store.subjects import wake_all

__all__ = ["make_reread", "start_anew"]


def make_reread(program: Program) -> Reread:
    """Whether settings and files as they are now can be used; sites and staff are then brought in line with them.

    Otherwise every defect is logged, and noted for the status.
    """

    async def reread() -> bool:
        now = program.clock.now()
        try:
            await asyncio.to_thread(load_settings, config=program.settings.config)
            study = await asyncio.to_thread(load_study, program.settings.config, program.templates())

            def step(session: Session) -> None:
                wake_all(session, now)
                study.sync(session, now)
                beat(session, CONFIGURATION, now, 0, "")
                audit.append(session, now, "configuration_reloaded", "daemon", "-")

            await program.database.run(step)
        except ConfigurationInvalidError as error:
            found = error.defects
            for defect in found:
                log.error("configuration_defect", defect=str(defect))
            await program.database.run(
                lambda session: beat(session, CONFIGURATION, now, len(found), _first(found))
            )
            return False
        log.info("configuration_reloaded")
        return True

    return reread


def _first(defects: list[Defect]) -> str:
    return defects[0].to_json() if defects else ""


def start_anew() -> NoReturn:
    """The same command in the same process, from its beginning: nothing of the old files is left."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
