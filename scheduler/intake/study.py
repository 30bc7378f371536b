"""What the intake of one drop folder must know of the study: its protocol and its laboratories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.protocol import Encounter, Protocol
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
