"""The study in numbers, and its collected data to download."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

from sqlmodel import Session
from starlette.responses import Response, StreamingResponse

from scheduler.console.page import TEAM, Asked, Page
from scheduler.console.show import go, show
from scheduler.domain.facts import Source
from scheduler.domain.pictures import range_of
from scheduler.engine.account.accounts import Role
from scheduler.engine.export.collected import Export, ExportFormat, export, note_export
from scheduler.engine.recording.request import Who
from scheduler.engine.report.overview import study_overview

__all__ = ["EXPORTERS", "PAGES"]

READERS = TEAM - {Role.NURSE, Role.LABORATORY}
EXPORTERS = frozenset({Role.INVESTIGATOR, Role.DATA_MANAGER})  # choice: whoever answers for the data
_KINDS = {ExportFormat.CSV: ("csv", "text/csv"), ExportFormat.ODM: ("xml", "application/xml")}
_CHUNK = 1 << 16


def _overview(asked: Asked) -> Response:
    site = _own_site(asked)
    found = asked.desk.database.read(lambda session: study_overview(session, asked.desk.study, site))
    return show(
        asked,
        "overview.html",
        found=found,
        sites={name: one.name for name, one in asked.desk.study.sites.items()},
        range_of=range_of,
        may_export=bool(asked.roles & EXPORTERS),
        formats=list(ExportFormat),
    )


def _own_site(asked: Asked) -> str | None:
    """The site of an account that sees one only."""
    assert asked.signed_in is not None
    return asked.signed_in.account.site_id


def _download(asked: Asked) -> Response:
    kind = asked.path["kind"]
    if not asked.posted or kind not in set(ExportFormat):
        return go("/overview")
    wanted, study = Export(ExportFormat(kind), _own_site(asked)), asked.desk.study
    # a file without a name: it is gone with its last reader, and a large study is never held in memory
    made = tempfile.TemporaryFile()  # noqa: SIM115

    def step(session: Session) -> None:
        made.writelines(export(session, study, wanted, asked.now))

    try:
        asked.desk.database.read(step)
        who = Who(asked.name, Source.CONSOLE)
        asked.desk.database.transact(lambda session: note_export(session, wanted, who, asked.now))
    except BaseException:
        made.close()
        raise
    ending, media = _KINDS[wanted.format]
    name = f"{study.newest[1].acronym.lower()}-{asked.now:%Y-%m-%d}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(made.tell())}
    made.seek(0)
    return StreamingResponse(_pieces(made), media_type=media, headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_CHUNK):
            yield piece


PAGES = (
    Page("/overview", READERS, _overview, nav="overview"),
    Page("/overview/export/{kind}", EXPORTERS, _download, posts=True),
)
