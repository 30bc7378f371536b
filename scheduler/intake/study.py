"""What the intake of one drop folder must know of the study: its protocol and its laboratories."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.protocol import Encounter, Protocol
from scheduler.intake.layout.codes import TIMEPOINTS
from scheduler.intake.layout.columns import lab_aliases, normalised
from scheduler.intake.readers import Setting
from scheduler.store.lab.values import Records

__all__ = ["Context", "IntakeStudy", "folder_studies", "intake_study"]


@dataclass(frozen=True)
class IntakeStudy:
    """`site` is told of files that name no laboratory we know. `folder` is the laboratories' sub-folder whose files are
    judged, "" for those without one; None when it does not matter where a file came from."""

    protocol: Protocol
    labs: Mapping[str, LabFile]
    site: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None

    def receives(self, lab: str | None) -> bool:
        """Whether the files of a laboratory belong into this folder; those of none that is known, into the common
        one."""
        known = self.labs.get(lab) if lab is not None else None
        return self.folder is None or (known.folder or "" if known is not None else "") == self.folder

    @property
    def home(self) -> LabFile | None:
        """The one laboratory whose folder this is."""
        own = [lab for lab in self.labs.values() if self.folder is not None and self.receives(lab.code)]
        return own[0] if len(own) == 1 else None

    def lab(self, text: str) -> LabFile | None:
        """The laboratory that a file names, whatever the case."""
        wanted = normalised(text)
        return next((lab for lab in self.labs.values() if normalised(lab.code) == wanted), None)

    def only_lab_of(self, site: str) -> str | None:
        """The laboratory of a site that has no other; a file that names none is taken for its own."""
        codes = [lab.code for lab in self.labs.values() if lab.site == site]
        return codes[0] if len(codes) == 1 else None

    def encounter(self, lab: LabFile | None, text: str) -> Encounter | None:
        """The visit that a text names: as the protocol calls it, or as the laboratory does."""
        aliases = lab.visit_aliases if lab is not None else {}
        named = next((visit for name, visit in aliases.items() if normalised(name) == normalised(text)), text)
        return self.protocol.encounter(named)

    @cached_property
    def setting(self) -> Setting:
        """What the readers of messages must know."""
        protocol, labs = self.protocol, tuple(self.labs.values())
        own = [lab for lab in labs if self.receives(lab.code)]
        points = {name: point for lab in own for name, point in lab.timepoint_aliases.items()}
        points |= {**TIMEPOINTS, **{point.id: point.id for point in protocol.points}}
        visits = {name: visit for lab in own for name, visit in lab.visit_aliases.items()}
        visits |= {name: one.id for one in protocol.encounters for name in (one.id, one.code)}
        words = {normalised(name): ("visit", visit) for name, visit in visits.items()}
        words |= {normalised(name): ("timepoint", point) for name, point in points.items()}
        return Setting(protocol.study_id, protocol.subject_pattern, words, labs)

    @property
    def home_zone(self) -> ZoneInfo:
        """The zone in which the laboratory is told of times."""
        if self.home is not None:
            return ZoneInfo(self.home.zone)
        own = sorted(lab.zone for lab in self.labs.values() if lab.site == self.site)
        return ZoneInfo(own[0] if own else "UTC")

    def zone(self, lab_code: str) -> ZoneInfo | None:
        lab = self.labs.get(lab_code)
        return ZoneInfo(lab.zone) if lab is not None else None


@dataclass(frozen=True)
class Context:
    """What a file is judged against. Without `records` (no database) the rules about them are left out."""

    study: IntakeStudy
    now: datetime
    records: Records | None = None


def intake_study(
    protocol: Protocol, labs: Iterable[LabFile], site: str, folder: str | None = None
) -> IntakeStudy:
    """The study as the intake sees it; with a `folder`, as it sees that one: only the laboratories that use it may add
    column names, and their site, when they have one in common, is told of its files."""
    known = {lab.code: lab for lab in labs}
    here = [lab for lab in known.values() if folder is None or (lab.folder or "") == folder]
    sites = {lab.site for lab in here} if folder is not None else set()
    return IntakeStudy(protocol, known, sites.pop() if len(sites) == 1 else site, lab_aliases(here), folder)


def folder_studies(protocol: Protocol, labs: Collection[LabFile], site: str) -> tuple[IntakeStudy, ...]:
    """The study as each folder sees it: the common one first, then each laboratory's own."""
    folders = ["", *sorted(lab.folder for lab in labs if lab.folder is not None)]
    return tuple(intake_study(protocol, labs, site, folder) for folder in folders)
