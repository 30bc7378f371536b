"""The definitions that an ODM file begins with: events, groups and items of one protocol version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from xml.etree.ElementTree import Element, SubElement

from config.language import Language
from scheduler.domain.collected import assessment_group
from scheduler.domain.facts import EligibilityAssessed
from scheduler.domain.protocol import Activity, Protocol

__all__ = [
    "SUBJECT_EVENT",
    "event_oid",
    "group_oid",
    "item_oid",
    "metadata",
    "metadata_oid",
    "study_oid",
    "text_of",
]

SUBJECT_EVENT = "SE.SUBJECT"
"""The event of what concerns the subject and no visit."""

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_REGIMEN = {"FORMULATION": "text", "DOSE_MG": "decimal", "INTERVAL_H": "decimal"}
_SUBJECT: dict[str, dict[str, str]] = {
    "ENROLMENT": {"BASELINE": "date", "TREATMENT_START": "date", **_REGIMEN},
    "ELIGIBILITY": {
        one.name.upper(): {"on": "date", "age_years": "integer", "first_sign": "partialDate"}.get(
            one.name, "text"
        )
        for one in fields(EligibilityAssessed)
    },
    "REGIMEN": {"AT": "datetime", **_REGIMEN, "REASON": "text"},
    "PARTICIPATION": {"EVENT": "text", "AT": "datetime", "CAUSE": "text", "REASON": "text"},
    "INTERCURRENT": {"EVENT": "text", "AT": "datetime", "REASON": "text"},
}
_VISIT: dict[str, dict[str, str]] = {
    "APPOINTMENT": {"EVENT": "text", "LOCAL": "datetime", "FINAL": "text", "REASON": "text"},
    "VISIT": {"ATTENDED_AT": "datetime"},
}
_SAMPLING: dict[str, dict[str, str]] = {
    "DOSE": {"AT": "datetime", **_REGIMEN},
    "SAMPLE": {"POINT": "text", "DRAWN": "text", "AT": "datetime", "TUBE": "text", "REASON": "text"},
    "RESULT": {
        "POINT": "text", "TUBE": "text", "STATUS": "text", "CONC_MG_L": "decimal", "BELOW_LLOQ": "text",
        "LLOQ_MG_L": "decimal", "ABOVE_ULOQ": "text", "METHOD": "text", "COLLECTED_AT": "datetime",
        "REPORTED_AT": "datetime",
    },
}  # fmt: skip
_UNITS = {"VALUE": "UNIT", "MEASURED": "MEASURED_UNIT"}


def study_oid(protocol: Protocol) -> str:
    return f"ST.{protocol.study_id}"


def metadata_oid(protocol: Protocol) -> str:
    return f"MDV.{protocol.id}.{protocol.version}"


def event_oid(visit: str | None) -> str:
    return SUBJECT_EVENT if visit is None else f"SE.{visit}"


def group_oid(group: str) -> str:
    return f"IG.{group}"


def item_oid(group: str, item: str) -> str:
    return f"IT.{group}.{item}"


def text_of(parent: Element, tag: str, words: dict[str, str]) -> None:
    """A description or another translated text."""
    inside = SubElement(parent, tag)
    for language, said in words.items():
        SubElement(inside, "TranslatedText", {_LANG: language, "Type": "text/plain"}).text = said


def metadata(protocol: Protocol) -> Element:
    """The MetaDataVersion of a protocol version."""
    groups = _groups(protocol)
    made = Element("MetaDataVersion", OID=metadata_oid(protocol), Name=f"{protocol.id} {protocol.version}")
    _event(made, SUBJECT_EVENT, "Common", {Language.EN: "Subject", Language.FR: "Patient"}, list(_SUBJECT))
    for visit in protocol.encounters:
        assessed = [assessment_group(item) for item in (*visit.required, *visit.optional)]
        of_visit = [*_VISIT, *(_SAMPLING if visit.sampling else ()), *assessed]
        _event(made, event_oid(visit.id), "Scheduled", visit.label, of_visit)
    for name, items in groups.items():
        group = SubElement(
            made, "ItemGroupDef", OID=group_oid(name), Name=name, Repeating="Simple", Type="Form"
        )
        for item in items:
            units = _UNITS.get(item)
            unit = {"UnitsItemOID": item_oid(name, units)} if units in items else {}
            SubElement(group, "ItemRef", {"ItemOID": item_oid(name, item), "Mandatory": "No", **unit})
    labels = {assessment_group(one.id): one.label for one in protocol.activities}
    for name, items in groups.items():
        for item, kind in items.items():
            defined = SubElement(
                made, "ItemDef", OID=item_oid(name, item), Name=f"{name}.{item}", DataType=kind
            )
            if item == "VALUE":
                text_of(defined, "Description", labels[name])
    return made


def _event(parent: Element, oid: str, kind: str, label: dict[str, str], groups: list[str]) -> None:
    event = SubElement(parent, "StudyEventDef", OID=oid, Name=label[Language.EN], Repeating="No", Type=kind)
    text_of(event, "Description", label)
    for name in dict.fromkeys(groups):
        SubElement(event, "ItemGroupRef", ItemGroupOID=group_oid(name), Mandatory="No")


def _groups(protocol: Protocol) -> dict[str, dict[str, str]]:
    """Every group with the data types of its items."""
    assessed = {assessment_group(one.id): dict(_assessment(one)) for one in protocol.activities}
    return {**_SUBJECT, **_VISIT, **_SAMPLING, **assessed}


def _assessment(activity: Activity) -> Iterator[tuple[str, str]]:
    yield from (("AT", "datetime"), ("VALUE", "decimal"), ("UNIT", "text"))
    if activity.measured_in:
        yield from (("MEASURED", "decimal"), ("MEASURED_UNIT", "text"))
    if activity.predicted:
        yield "EQUATION", "text"
    if activity.hb_correction:
        yield "HB_CORRECTED", "text"
    yield "ASSESSOR", "text"
    for site in activity.sites:
        yield f"SITE_{site.upper()}", "integer"
