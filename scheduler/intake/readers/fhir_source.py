"""An observation together with everything in its file that it can refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from config.schema import LabFile
from scheduler.intake.readers.fhir_element import Element, Faults
from scheduler.intake.readers.fhir_file import Resource, ResourceFile
from scheduler.intake.readers.reading import Setting

__all__ = ["Source"]


@dataclass(slots=True)
class Source:
    """An observation with everything it can refer to; `faults` are the places that are not as FHIR says."""

    file: ResourceFile
    resource: Resource
    reports: list[Resource]
    setting: Setting
    faults: Faults = field(default_factory=Faults)

    @property
    def element(self) -> Element:
        return self.resource.element(self.faults)

    @property
    def report_elements(self) -> list[Element]:
        return [one.element(self.faults) for one in self.reports]

    def target(self, reference: Element, kind: str, origin: Resource | None = None) -> Element | None:
        """The resource of a kind that a reference names; None when it is not in the file."""
        found = self.file.find(reference.string("reference"), origin or self.resource)
        return found.element(self.faults) if found is not None and found.kind == kind else None

    def own_or_reported(self, name: str) -> Element:
        """A reference of the observation, or else of the reports that hold it."""
        given = [one.child(name) for one in (self.element, *self.report_elements)]
        return next(filter(None, given), given[0])

    @property
    def laboratory(self) -> LabFile | None:
        """The one laboratory that the observation, else its report, else the message or document names."""
        for names in self.performers():
            known = [lab for lab in self.setting.labs if lab.fhir is not None and lab.fhir.performer in names]
            if known:
                return known[0] if len(known) == 1 else None
        return None

    def performers(self) -> Iterator[list[str]]:
        """What the performer is called, in the order of the places that may say it."""
        yield self._called(self.element.children("performer"), self.resource)
        for report in self.reports:
            yield self._called(report.element(self.faults).children("performer"), report)
        for header in self.file.of_kind("MessageHeader"):
            element = header.element(self.faults)
            sender = element.child("source")
            yield [sender.string(name) for name in ("name", "endpoint", "endpointUrl")]
            yield self._called([element.child("sender"), element.child("responsible")], header)
        for document in self.file.of_kind("Composition"):
            element = document.element(self.faults)
            yield self._called([*element.children("author"), element.child("custodian")], document)

    def _called(self, references: Iterable[Element], origin: Resource) -> list[str]:
        found = []
        for reference in references:
            found += [reference.child("identifier").string("value"), reference.string("display")]
            organisation = self.target(reference, "Organization", origin)
            if organisation is not None:
                found += [one.string("value") for one in organisation.children("identifier")]
                found.append(organisation.string("name"))
        return [name for name in found if name]
