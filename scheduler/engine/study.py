"""The study as configured: protocol versions, sites, laboratories, equations, each checked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlmodel import Session, select

from config.defects import ConfigurationInvalidError, Defect, unreadable
from config.files import read_files
from config.said import said
from config.schema import LabFile, ProtocolFile, SiteFile
from config.shape_defects import shape_defects
from pk.models.population import PopulationModel
from pk.regression.equation import Equation
from scheduler.domain.civil import DayCalendar
from scheduler.domain.history import History
from scheduler.domain.keys import contact_role
from scheduler.domain.protocol import Protocol
from scheduler.domain.protocol_file.compile import compile_protocol
from scheduler.domain.timeline import StudyPlan, Timeline, build_timeline
from scheduler.domain.versions import versions_named
from scheduler.engine.exposure import Exposer
from scheduler.engine.sites import staff_row, sync_site
from scheduler.engine.study_checks import (
    calendars_of,
    equations_of,
    lab_defects,
    method_defects,
    models_of,
    staff_defects,
)
from scheduler.store import audit
from scheduler.store.operations import METHODS, beat, heartbeat_of
from scheduler.store.postgresql import one_by_one
from scheduler.store.subjects import load_history, wake_all
from scheduler.store.tables import ProtocolVersionRow, StaffRow, SubjectRow

__all__ = ["Study", "load_study"]


class Study:
    """Everything read from the configuration directory, as checked values."""

    def __init__(
        self,
        protocols: Mapping[str, tuple[Protocol, str]],
        sites: Mapping[str, SiteFile],
        calendars: Mapping[str, DayCalendar],
        labs: Mapping[str, LabFile],
        equations: tuple[Equation, ...],
        models: tuple[PopulationModel, ...],
        templates: Collection[str],
    ) -> None:
        self.protocols = dict(protocols)
        self.sites = dict(sites)
        self.calendars = dict(calendars)
        self.labs = dict(labs)
        self.models = models
        self.exposer = Exposer(equations, models)
        self._templates = templates
        self._kept: dict[str, Protocol] = {}
        self._plans: dict[tuple[str, str], StudyPlan] = {}

    @property
    def newest(self) -> tuple[str, Protocol]:
        """The protocol version under which new subjects are enrolled: the last of the files."""
        sha256 = max(self.protocols, key=lambda key: _version_order(self.protocols[key][0].version))
        return sha256, self.protocols[sha256][0]

    def protocol(self, session: Session, sha256: str) -> Protocol:
        """A protocol version, from its file or, when that is gone, from the database."""
        if sha256 in self.protocols:
            return self.protocols[sha256][0]
        found = self._kept.get(sha256)
        if found is None:
            row = session.get(ProtocolVersionRow, sha256)
            assert row is not None
            found = self._kept[sha256] = self.compiled(f"{row.protocol} {row.version}", row.text)
        return found

    def compiled(self, name: str, text: str) -> Protocol:
        """The protocol that a text describes. Raises ConfigurationInvalidError with all its defects."""
        try:
            source = ProtocolFile.model_validate(tomllib.loads(text))
        except ValidationError as error:
            raise ConfigurationInvalidError(shape_defects(name, error)) from error
        except (ValueError, RecursionError) as error:
            raise ConfigurationInvalidError([unreadable(name, error)]) from error
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        protocol, defects = compile_protocol(source, name, self._templates, sha256)
        if protocol is None:
            raise ConfigurationInvalidError(defects)
        return protocol

    def kept_versions(self, session: Session) -> list[Protocol]:
        """The versions that the database keeps."""
        return [self.protocol(session, sha256) for sha256 in session.exec(select(ProtocolVersionRow.sha256))]

    def knows(self, session: Session, sha256: str) -> bool:
        """Whether a version is one of the files or kept by the database."""
        return sha256 in self.protocols or session.get(ProtocolVersionRow, sha256) is not None

    def versions_of(self, session: Session, subject: SubjectRow) -> list[Protocol]:
        """Every version that a record of the subject names, the last named first, the enrolment's at the end."""
        named = versions_named(load_history(session, subject.code).facts)
        return [self.protocol(session, sha256) for sha256 in (*reversed(named), subject.protocol_sha256)]

    def protocol_of(self, session: Session, sha256: str | None) -> Protocol:
        """A protocol version; the newest where none is named."""
        return self.protocol(session, sha256) if sha256 is not None else self.newest[1]

    def plan(self, session: Session, site: str, sha256: str) -> StudyPlan:
        """A protocol version at a site, with its remembered calendar."""
        found = self._plans.get((site, sha256))
        if found is None:
            found = StudyPlan(self.protocol(session, sha256), site, self.calendars[site])
            self._plans[(site, sha256)] = found
        return found

    def timeline(self, session: Session, subject: SubjectRow, history: History) -> Timeline | None:
        """The subject's year under the versions that its records name; None when no enrolment is among them."""
        site = subject.site_id
        amended = {one: self.plan(session, site, one) for one in versions_named(history.facts)}
        return build_timeline(self.plan(session, site, subject.protocol_sha256), history, amended)

    def keep_version(self, session: Session, sha256: str, now: datetime) -> None:
        """Store the protocol text under which a subject is enrolled, once.

        Raises ConfigurationInvalidError when the version was used before with another text.
        """
        if session.get(ProtocolVersionRow, sha256) is not None:
            return
        protocol, text = self.protocols[sha256]
        used = session.exec(
            select(ProtocolVersionRow).where(
                ProtocolVersionRow.protocol == protocol.id, ProtocolVersionRow.version == protocol.version
            )
        ).first()
        if used is not None:
            raise ConfigurationInvalidError([_edited(protocol)])
        row = ProtocolVersionRow(
            sha256=sha256, protocol=protocol.id, version=protocol.version, text=text, recorded_at=now
        )
        session.add(row)
        session.flush()
        audit.append(
            session, now, "protocol_kept", "protocol", f"{protocol.id} {protocol.version}", {"sha256": sha256}
        )

    def sync(self, session: Session, now: datetime) -> None:
        """Bring the tables of sites and staff in line with the files; refuse a version edited after its use.

        When equations, models, their order or the program's methods changed since the last time, everybody is looked
        at again. Daemons that start together do this one after the other.
        """
        one_by_one(session, "study")
        for row in session.exec(select(ProtocolVersionRow)):
            for sha256, (protocol, _) in self.protocols.items():
                if (protocol.id, protocol.version) == (row.protocol, row.version) and sha256 != row.sha256:
                    raise ConfigurationInvalidError([_edited(protocol)])
        self._note_methods(session, now)
        for site in self.sites.values():
            sync_site(session, site, self._people(site), now)

    def _people(self, site: SiteFile) -> list[StaffRow]:
        """The staff of a site, and the contacts of its laboratories, whose only role that is."""
        labs = [lab for lab in self.labs.values() if lab.site == site.id]
        return [
            *(staff_row(site.id, one, one.roles) for one in site.staff),
            *(staff_row(site.id, one, (contact_role(lab.code),)) for lab in labs for one in lab.contacts),
        ]

    def _note_methods(self, session: Session, now: datetime) -> None:
        fingerprint = self.exposer.fingerprint(protocol for protocol, _ in self.protocols.values())
        before = heartbeat_of(session, METHODS)
        if before is not None and before.detail == fingerprint:
            return
        beat(session, METHODS, now, 0, fingerprint)
        wake_all(session, now)
        audit.append(session, now, "methods_changed", "database", "-", {"fingerprint": fingerprint})


def _edited(protocol: Protocol) -> Defect:
    return Defect(
        f"protocols/ ({protocol.id} {protocol.version})",
        "study.version",
        said("Subjects were enrolled under this version, and its file was edited since."),
        said("Put the old text back, and write the change as a new file with a new version."),
    )


def _version_order(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in version.split("."))


def load_study(directory: Path, templates: Collection[str]) -> Study:
    """The configuration of `directory`. Raises ConfigurationInvalidError with every defect of every file."""
    files, defects = read_files(directory)
    protocols: dict[str, tuple[Protocol, str]] = {}
    for loaded in files.protocols:
        protocol, found = compile_protocol(loaded.content, loaded.name, templates, loaded.sha256)
        defects += found
        if protocol is not None:
            protocols[loaded.sha256] = (protocol, loaded.text)
    defects += staff_defects(files)
    calendars = calendars_of(files, defects)
    defects += lab_defects(files)
    equations, models = equations_of(files, defects), models_of(files, defects)
    if not defects:
        defects += method_defects(files, Exposer(equations, models).methods)
    if defects:
        raise ConfigurationInvalidError(defects)
    sites = {one.content.id: one.content for one in files.sites}
    labs = {one.content.code: one.content for one in files.labs}
    return Study(protocols, sites, calendars, labs, equations, models, templates)
