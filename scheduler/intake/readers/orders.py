"""The orders of a message with their observations: which OBX belongs to which OBR, specimen and patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from scheduler.intake.readers.er7 import Segment
from scheduler.intake.readers.reading import FaultError

__all__ = ["Order", "Patient", "Result", "orders_of", "specimen_orders_of"]


@dataclass(slots=True)
class Patient:
    """The patient that the orders after it are about."""

    segment: Segment | None = None
    visit: Segment | None = None
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """One observation with the notes after it."""

    segment: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One order. An observation outside any order has one of its own without segments."""

    patient: Patient
    common: Segment | None = None  # ORC
    segment: Segment | None = None  # OBR
    specimens: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    def shared(self) -> Iterator[Segment]:
        """What is read anew for each of its results."""
        yield from filter(None, (self.patient.segment, self.patient.visit, self.common, self.segment))
        yield from (*self.specimens, *self.patient.notes, *self.notes)


class _Walk:
    """Goes through the segments of a message once."""

    def __init__(self) -> None:
        self.patient = Patient()
        self.order: Order | None = None
        self.common: Segment | None = None
        self.orders: list[Order] = []
        self.notes: list[Segment] = []  # of what the next note belongs to

    def person(self, segment: Segment) -> None:
        self.patient = Patient(segment)
        self.order, self.common, self.notes = None, None, self.patient.notes

    def begin(self, segment: Segment | None, specimens: list[Segment]) -> Order:
        self.order = Order(self.patient, self.common, segment, specimens)
        self.orders.append(self.order)
        self.notes = self.order.notes
        return self.order

    def result(self, segment: Segment, specimens: list[Segment]) -> None:
        order = self.order or self.begin(None, specimens)
        result = Result(segment)
        order.results.append(result)
        self.notes = result.notes

    def other(self, segment: Segment) -> None:
        """What stands the same in every message."""
        if segment.name in ("PID", "P"):
            self.person(segment)
        elif segment.name == "PV1":
            self.patient.visit = segment
        elif segment.name in ("NTE", "C"):
            self.notes.append(segment)


def orders_of(segments: Iterable[Segment]) -> list[Order]:
    """The orders of an ORU: ORC opens one, OBR follows, then observations, then the specimen they are of.

    Raises FaultError for a specimen before its order, which the observations of the one before would take for theirs.
    """
    walk = _Walk()
    for segment in segments:
        match segment.name:
            case "ORC":
                walk.common, walk.order, walk.notes = segment, None, []
            case "OBR":
                walk.begin(segment, [])
                walk.common = None
            case "OBX":
                walk.result(segment, [])
            case "SPM":
                if walk.order is None or walk.order.segment is None:
                    raise FaultError("F-15.order", row=segment.line, segment="SPM", before="OBR")
                walk.order.specimens.append(segment)
                walk.notes = walk.order.notes
            case _:
                walk.other(segment)
    return walk.orders


def specimen_orders_of(segments: Iterable[Segment]) -> list[Order]:
    """The orders of an OUL^R22: a specimen, then its orders, each followed by its ORC and its observations.

    Raises FaultError for an order before any specimen.
    """
    walk = _Walk()
    specimen: Segment | None = None
    for segment in segments:
        match segment.name:
            case "SPM":
                specimen, walk.order, walk.common, walk.notes = segment, None, None, []
            case "OBR":
                if specimen is None:
                    raise FaultError("F-15.order", row=segment.line, segment="OBR", before="SPM")
                walk.begin(segment, [specimen])
            case "ORC":
                if walk.order is not None:
                    walk.order.common = segment
            case "OBX":
                walk.result(segment, [specimen] if specimen is not None else [])
            case "PID":
                specimen = None
                walk.other(segment)
            case _:
                walk.other(segment)
    return walk.orders
