"""What the intake of one drop folder must know of the study: its protocol and its laboratories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.protocol import Encounter, Protocol
from scheduler.intake.codes import TIMEPOINTS
from scheduler.intake.readers import Setting
from scheduler.intake.readers.columns import lab_aliases, normalised
from scheduler.store.lab_values import Records

__all__ = ["Context", "IntakeStudy", "intake_study"]


@dataclass(frozen=True)
class IntakeStudy:
    """`site` is told of files that name no laboratory we know."""

    protocol: Protocol
    labs: Mapping[str, LabFile]
    site: str
    aliases: Mapping[str, str] = field(default_factory=dict)

    def lab(self, text: str) -> LabFile | None:
        """The laboratory that a file names, whatever the case."""
        wanted = normalised(text)
        return next((lab for lab in self.labs.values() if normalised(lab.code) == wanted), None)

    def encounter(self, lab: LabFile | None, text: str) -> Encounter | None:
        """The visit that a text names: as the protocol calls it, or as the laboratory does."""
        aliases = lab.visit_aliases if lab is not None else {}
        named = next((visit for name, visit in aliases.items() if normalised(name) == normalised(text)), text)
        return self.protocol.encounter(named)

    @cached_property
    def setting(self) -> Setting:
        """What the readers of messages must know."""
        protocol, labs = self.protocol, tuple(self.labs.values())
        points = {name: point for lab in labs for name, point in lab.timepoint_aliases.items()}
        points |= {**TIMEPOINTS, **{point.id: point.id for point in protocol.points}}
        visits = {name: visit for lab in labs for name, visit in lab.visit_aliases.items()}
        visits |= {name: one.id for one in protocol.encounters for name in (one.id, one.code)}
        words = {normalised(name): ("visit", visit) for name, visit in visits.items()}
        words |= {normalised(name): ("timepoint", point) for name, point in points.items()}
        return Setting(protocol.study_id, protocol.subject_pattern, words, labs)

    @property
    def home_zone(self) -> ZoneInfo:
        """The zone in which the laboratory is told of times."""
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


def intake_study(protocol: Protocol, labs: Iterable[LabFile], site: str) -> IntakeStudy:
    """The study as the intake sees it."""
    known = {lab.code: lab for lab in labs}
    return IntakeStudy(protocol, known, site, lab_aliases(known.values()))
