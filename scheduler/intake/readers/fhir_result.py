"""One FHIR Observation, or one component of it, as the texts of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from config.schema import FhirFile
from scheduler.intake.layout.units import UNITS, unit_of
from scheduler.intake.readers.fhir_element import Element
from scheduler.intake.readers.gathering import Gathering
from scheduler.intake.readers.results import NO_QUALITY, QUALITIES
from scheduler.intake.shown import shorten

__all__ = ["LOINC", "NAMES", "FhirRow"]

NAMES = {
    "study_id": "Patient.identifier",
    "subject_id": "Patient.identifier",
    "visit": "Encounter.identifier, Observation.extension, Observation.note",
    "timepoint": "Observation.code, Observation.extension, Observation.note",
    "specimen_id": "Specimen.identifier",
    "collected_at": "Specimen.collection, Observation.effective",
    "received_at": "Specimen.receivedTime",
    "reported_at": "Observation.issued, Observation.meta",
    "analyte": "Observation.code",
    "value": "Observation.value",
    "unit": "Observation.valueQuantity",
    "status": "Observation.status",
    "specimen_quality": "Specimen.condition",
    "lloq": "Observation.note",
    "uloq": "Observation.note",
    "method": "Observation.method",
    "matrix": "Specimen.type",
    "replaces": "Observation.note",
    "laboratory": "Observation.performer",
    "comment": "Observation.note",
}
LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"

# Observation.status and the status of the study's layout. `unknown` and every other word hold the row.
_STATUSES = {
    "registered": "P",
    "preliminary": "P",
    "final": "F",
    "amended": "C",
    "corrected": "C",
    "cancelled": "X",
    "entered-in-error": "W",
}
# DiagnosticReport.status under which a result of it cannot stand; a report never makes a result more than it is.
_LESS_THAN_FINAL = frozenset({"registered", "preliminary", "cancelled", "entered-in-error"})
_RETRACTED = frozenset({"entered-in-error", "cancelled"})
_ABSENT = {  # Observation.dataAbsentReason that says more than "no value"
    "temp-unknown": "en cours",
    "not-a-number": "NaN",
    "negative-infinity": "-inf",
    "positive-infinity": "inf",
}
_COMPARATORS = frozenset({"", "<", "<=", ">", ">="})
_SPECIMEN = {"unavailable": "NR"}
_MODIFIERS = ("modifierExtension", "implicitRules", "focus")
_UCUM_CODES = frozenset(
    {code for unit in UNITS.values() for code in (unit.ucum, unit.ucum.replace("L", "l"))}
)
_FRACTION = re.compile(r"(\.[0-9]{6})[0-9]+")
_PLAIN_EXPONENT = 9


class FhirRow(Gathering):
    """The row of one observation."""

    exact = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
    )
    coarse = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
    coarse_code = "R-30.date"

    def iso(self, text: str) -> str:
        """To the microsecond, which is finer than anybody reads."""
        return _FRACTION.sub(r"\1", text)

    @property
    def own(self) -> FhirFile | None:
        return self.lab.fhir if self.lab is not None else None

    def refuse_modifiers(self, *elements: Element) -> None:
        """What changes the meaning of a resource cannot be passed over."""
        for element in elements:
            for name in _MODIFIERS:
                if element.has(name) and element.data[name] != []:
                    self.doubt("R-09.modifier", column=f"{element.path}.{name}")

    def put_code(self, code: Element) -> None:
        """The analyte; codings of the systems for visit and sampling time are that and nothing else."""
        own = self.own
        labels, codings = [code.string("text")], []
        for coding in code.children("coding"):
            system, text = coding.string("system"), coding.string("code")
            labels.append(coding.string("display"))
            column = self._column_of(system)
            if column:
                self.put(column, code.path, text)
            else:
                codings.append((text, system == LOINC))
        if not codings:
            codings.append((code.string("text"), False))
        self.labels = tuple(labels)
        self.put_codings(codings, own.code_suffixes if own is not None else {})

    def put_extensions(self, element: Element) -> None:
        """Visit and sampling time where they stand in an extension of their own."""
        for extension in element.children("extension"):
            column = self._column_of(extension.string("url"))
            for name in extension.choice("value") if column else ():
                self.put(column, extension.path, _value_text(extension, name))

    def put_encounter(self, identifiers: Iterable[Element]) -> None:
        """The visit as an identifier of the encounter."""
        for identifier in identifiers:
            if self._column_of(identifier.string("system")) == "visit":
                self.put("visit", identifier.path, identifier.string("value"))

    def _column_of(self, system: str) -> str:
        own = self.own
        if own is None or not system:
            return ""
        return {own.visit_system: "visit", own.timepoint_system: "timepoint"}.get(system, "")

    # --- value and status

    def put_value(self, element: Element) -> None:
        """The value by its type; the reason why there is none only when there is none."""
        given = list(element.choice("value"))
        for name in given:
            self._put_one_value(element, name)
        if len(given) > 1:
            self.doubt("R-10.values", column=element.path, kinds=", ".join(given))
        if not element.has("dataAbsentReason"):
            return
        reason = element.child("dataAbsentReason")
        if self.cells.get("value"):
            self.doubt("R-12.absent", column=reason.path)
            return
        codes = [coding.string("code") for coding in reason.children("coding")]
        text = "" if codes else reason.string("text")
        self.put("value", reason.path, next((_ABSENT[code] for code in codes if code in _ABSENT), text))

    def _put_one_value(self, element: Element, name: str) -> None:
        if name == "valueQuantity":
            self._put_quantity(element.child(name))
        elif name in ("valueString", "valueCodeableConcept"):
            self.cells["value"] = _value_text(element, name)
        elif name == "valueInteger":
            self.cells["value"] = element.number(name)
        else:
            self.doubt("R-10.kind", column=f"{element.path}.{name}")

    def _put_quantity(self, quantity: Element) -> None:
        number, sign = plain_decimal(quantity.number("value")), quantity.string("comparator")
        if sign not in _COMPARATORS:
            self.doubt("R-10.comparator", column=f"{quantity.path}.comparator", text=shorten(sign, 12))
        if number:
            self.cells["value"] = f"{sign if sign in _COMPARATORS else ''}{number}"
        unit, code = quantity.string("unit"), quantity.string("code")
        known = unit_of(code)
        if unit and code and unit != code and (known is None or unit_of(unit) != known):
            self.differ(f"{quantity.path}.unit", unit, f"{quantity.path}.code", code)
        if quantity.string("system") == _UCUM and known is not None and code not in _UCUM_CODES:
            self.doubt("R-16.ucum", column=f"{quantity.path}.code", text=shorten(code, 12))
        self.put("unit", quantity.path, unit or code)

    def put_status(self, status: str, reports: Iterable[str]) -> None:
        """The observation's own status decides; a report that says less holds it."""
        self.cells["status"] = _STATUSES.get(status, status)
        for report in reports:
            retracted = report in _RETRACTED and status not in _RETRACTED
            unfinished = report in _LESS_THAN_FINAL and _STATUSES.get(status) in ("F", "C")
            if retracted or unfinished or report in ("", "unknown"):
                self.doubt(
                    "R-41.report", column=self.names["status"], text=shorten(status), report=shorten(report)
                )

    # --- specimen

    def put_specimen(self, specimen: Element) -> None:
        """What the specimen is, how it arrived, and its number."""
        types = self.own.specimen_types if self.own is not None else {}
        self.put("matrix", f"{specimen.path}.type", _word(specimen.child("type"), types))
        for condition in specimen.children("condition"):
            word = _word(condition, QUALITIES)
            if word not in NO_QUALITY:
                self.put("specimen_quality", condition.path, word)
        status = specimen.string("status")
        if status in _SPECIMEN:
            self.put("specimen_quality", f"{specimen.path}.status", _SPECIMEN[status])
        elif status not in ("", "available") and "specimen_quality" not in self.cells:
            self.doubt("R-21.status", column=f"{specimen.path}.status", text=shorten(status))
        self.put_specimen_number([*specimen.children("identifier")], specimen.child("accessionIdentifier"))

    def put_specimen_number(self, identifiers: list[Element], accession: Element) -> None:
        """The number of the laboratory's own system; without one, the only number there is."""
        system = self.own.specimen_system if self.own is not None else ""
        chosen = [one for one in (*identifiers, accession) if not system or one.string("system") == system]
        numbers = {one.string("value") for one in chosen if one} - {""}
        if len(numbers) > 1 and accession.string("value") and not system:
            numbers = {accession.string("value")}
        if len(numbers) > 1:
            self.doubt("R-09.identifiers", column=self.names["specimen_id"], count=len(numbers))
        elif numbers:
            self.put("specimen_id", self.names["specimen_id"], min(numbers))

    def put_method(self, method: Element) -> None:
        methods = self.own.methods if self.own is not None else {}
        self.put("method", method.path, _word(method, methods))

    # --- times

    def moments(self, element: Element, stem: str) -> Iterator[tuple[str, str]]:
        """The times given under a name of several types. A period must be a moment."""
        for name in element.choice(stem):
            if name.endswith("Period"):
                period = element.child(name)
                start, end = period.string("start"), period.string("end")
                if end and end[:16] != start[:16]:
                    self.doubt("R-30.period", column=period.path)
                yield period.path, start
            elif name.endswith(("DateTime", "Instant")):
                yield f"{element.path}.{name}", element.string(name)
            else:
                self.doubt("R-30.period", column=f"{element.path}.{name}")


def plain_decimal(text: str) -> str:
    """A JSON number without exponent, as far as it can be written so.

    >>> plain_decimal("1.850"), plain_decimal("1.85E1"), plain_decimal("1e99")
    ('1.850', '18.5', '1e99')
    """
    if "e" not in text.lower():
        return text
    number = Decimal(text)
    return format(number, "f") if abs(number.adjusted()) <= _PLAIN_EXPONENT else text


def _word(concept: Element, known: dict[str, str]) -> str:
    """The word that a concept means: by a code that is known, else its first code, else its text."""
    codes = [code for coding in concept.children("coding") if (code := coding.string("code"))]
    texts = [*codes, text] if (text := concept.string("text")) else codes
    return next((known[one] for one in texts if one in known), texts[0] if texts else "")


def _value_text(element: Element, name: str) -> str:
    """The text of a value of one of the types that are texts."""
    if name == "valueCodeableConcept":
        return element.child(name).string("text") or _word(element.child(name), {})
    if name == "valueCoding":
        return element.child(name).string("code")
    if name == "valueIdentifier":
        return element.child(name).string("value")
    return element.string(name)
