"""Finds the observations of a FHIR file and what they refer to."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scheduler.intake.readers.fhir_element import Element
from scheduler.intake.readers.reading import FaultError
from scheduler.intake.readers.table import MAX_ROWS
from scheduler.intake.shown import shorten

__all__ = ["Resource", "ResourceFile", "file_of"]

_BUNDLES = ("transaction", "batch", "collection", "document", "message", "searchset")
_MOST_ENTRIES = 10 * MAX_ROWS  # a result comes with a specimen, and perhaps more
_VERSION = re.compile(r"/_history/[^/]+$")


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A resource, its address in the bundle, and the resource that contains it. Without `kind` it is broken."""

    kind: str
    data: Mapping[str, Any]
    address: str = ""
    container: Resource | None = None

    def element(self, faults: list[str]) -> Element:
        return Element(self.data, self.kind, faults)


@dataclass(slots=True)
class ResourceFile:
    """All resources of a file in their order, and where to find them."""

    bundle: Element
    resources: list[Resource] = field(default_factory=list)
    deletions: int = 0
    _places: dict[tuple[Resource | None, str], list[Resource]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, resource: Resource) -> None:
        self.resources.append(resource)
        name = resource.data.get("id")
        inside = resource.container
        own = "" if not isinstance(name, str) else f"{resource.kind}/{name}" if inside is None else f"#{name}"
        for key in {own, resource.address} - {""}:
            self._places[inside, key].append(resource)
        contained = resource.data.get("contained")
        for one in contained if isinstance(contained, list) and resource.container is None else ():
            self.add(_resource(one, "", resource))

    def of_kind(self, *kinds: str) -> Iterator[Resource]:
        return (one for one in self.resources if one.kind in kinds)

    def find(self, reference: str, origin: Resource) -> Resource | None:
        """The one resource that a reference names; None when there is none, or more than one."""
        root = origin.container or origin
        if reference == "#":
            return root
        place = (root, reference) if reference.startswith("#") else (None, _VERSION.sub("", reference))
        found = self._places.get(place, [])
        return found[0] if len(found) == 1 else None


def file_of(document: object) -> ResourceFile:
    """What the file holds. Raises FaultError when it is not FHIR, or a bundle of a kind that holds no results."""
    kind = Element(document, "", []).string("resourceType") if isinstance(document, Mapping) else ""
    if not isinstance(document, Mapping) or not kind:
        raise FaultError("F-07", format="JSON")
    faults: list[str] = []
    if kind != "Bundle":
        file = ResourceFile(Element({}, "Bundle", faults))
        file.add(_resource(document, "", None))
        return file
    file = ResourceFile(Element(document, "Bundle", faults))
    purpose = file.bundle.string("type")
    if purpose not in _BUNDLES:
        raise FaultError("F-07.bundle", text=shorten(purpose), known=", ".join(_BUNDLES))
    entries = document.get("entry", [])
    if not isinstance(entries, list):
        raise FaultError("F-15.fhir", column="Bundle.entry")
    if len(entries) > _MOST_ENTRIES:
        raise FaultError("F-04.results", limit=MAX_ROWS)
    for entry in entries:
        _add_entry(file, entry)
    return file


def _add_entry(file: ResourceFile, entry: object) -> None:
    if not isinstance(entry, Mapping):
        file.add(Resource("", {}))
        return
    given = Element(entry, "Bundle.entry", [])
    if not given.has("resource"):
        file.deletions += given.child("request").string("method") == "DELETE"
        return
    file.add(_resource(entry["resource"], _VERSION.sub("", given.string("fullUrl")), None))


def _resource(data: object, address: str, container: Resource | None) -> Resource:
    kind = data.get("resourceType") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(kind, str) or not kind.isalpha():
        return Resource("", {}, address, container)
    return Resource(kind, data, address, container)
