"""The collected data of the study as CSV or as CDISC ODM-XML 2.0, in pieces: a large study is never held whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import assert_never
from xml.etree.ElementTree import Element, SubElement, tostring
from xml.sax.saxutils import quoteattr

from sqlmodel import Session

from scheduler.domain.collected import Group, Origin, collected
from scheduler.domain.protocol import Protocol
from scheduler.domain.spreadsheet import csv_lines
from scheduler.engine.export import odm_metadata as odm
from scheduler.engine.recording.request import Who
from scheduler.engine.study import Study
from scheduler.store import audit
from scheduler.store.audit import APP_VERSION
from scheduler.store.collected import amended_subjects, recorders, senders_of, versions_in_use
from scheduler.store.subject_list import all_subjects
from scheduler.store.subjects import load_history
from scheduler.store.tables import SubjectRow

__all__ = ["Export", "ExportFormat", "export", "note_export"]

_COLUMNS = (
    "subject", "site", "protocol", "visit", "group", "record", "item", "value", "recorded_at", "recorded_by", "source",
    "corrected",
)  # fmt: skip
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACE = "http://www.cdisc.org/ns/odm/v2.0"


class ExportFormat(StrEnum):
    CSV = "csv"
    ODM = "odm"


@dataclass(frozen=True, slots=True)
class Export:
    """What is asked for: the format, one site or all, and whether what people wrote as reasons goes with it."""

    format: ExportFormat
    site: str | None = None
    free_text: bool = False


def export(session: Session, study: Study, asked: Export, now: datetime) -> Iterator[bytes]:
    """The pieces of the file, read while they are asked for."""
    match asked.format:
        case ExportFormat.CSV:
            return _csv(session, study, asked)
        case ExportFormat.ODM:
            return _odm(session, study, asked, now)
    assert_never(asked.format)


def note_export(session: Session, asked: Export, who: Who, now: datetime) -> None:
    """Put on record that the data went out."""
    detail = {"format": asked.format.value, "site": asked.site, "free_text": asked.free_text}
    audit.append(session, now, "exported", "database", "-", detail, actor=who.name, source=who.source)


def _groups(
    session: Session, study: Study, subject: SubjectRow, asked: Export
) -> Iterator[tuple[Protocol, Group]]:
    """What was collected of a subject, each group with the protocol version that its visit follows."""
    history, senders = load_history(session, subject.code), senders_of(session, subject.code)
    calendar = study.calendars.get(subject.site_id) or next(iter(study.calendars.values()))
    timeline = study.timeline(session, subject, history)
    followed = {one.id: one.protocol for one in timeline.visits} if timeline is not None else {}
    enrolled_under = study.protocol(session, subject.protocol_sha256)
    for group in collected(history, calendar.zone, senders, free_text=asked.free_text):
        yield followed.get(group.visit or "", enrolled_under), group


# --- CSV: one line a value ----------------------------------------------------------------------------------------


def _csv(session: Session, study: Study, asked: Export) -> Iterator[bytes]:
    header = (*_COLUMNS, "reason_for_change") if asked.free_text else _COLUMNS
    return csv_lines(header, _lines(session, study, asked))


def _lines(session: Session, study: Study, asked: Export) -> Iterator[list[str]]:
    for subject in all_subjects(session, asked.site):
        for protocol, group in _groups(session, study, subject, asked):
            origin = group.origin
            before = [
                subject.code,
                subject.site_id,
                protocol.version,
                group.visit or "",
                group.name,
                str(origin.number),
            ]
            after = [
                _moment(origin.recorded_at),
                origin.recorded_by,
                origin.source,
                "yes" if origin.corrected else "",
            ]
            if asked.free_text:
                after.append(origin.reason or "")
            for item, value in group.items:
                yield [*before, item, value, *after]


def _moment(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


# --- ODM ----------------------------------------------------------------------------------------------------------


def _odm(session: Session, study: Study, asked: Export, now: datetime) -> Iterator[bytes]:
    versions = versions_in_use(session) or {study.newest[0]: now.date()}
    protocols = {sha256: study.protocol(session, sha256) for sha256 in versions}
    newest = list(protocols.values())[-1]
    yield _begin(newest, asked, now)
    yield from _pieces([_study(protocols.values())])
    admin = Element("AdminData", StudyOID=odm.study_oid(newest))
    _people(admin, recorders(session))
    for site, file in sorted(study.sites.items()):
        place = SubElement(admin, "Location", OID=f"LOC.{site}", Name=file.name, Role="Site")
        for sha256, since in versions.items():
            SubElement(
                place, "MetaDataVersionRef", StudyOID=odm.study_oid(newest),
                MetaDataVersionOID=odm.metadata_oid(protocols[sha256]), EffectiveDate=since.isoformat(),
            )  # fmt: skip
    yield from _pieces([admin])
    for protocol in protocols.values():
        of_version = _followed_under(session, study, protocol, asked)
        first = next(of_version, None)
        if first is None:
            continue
        where = quoteattr(odm.study_oid(newest)), quoteattr(odm.metadata_oid(protocol))
        yield "<ClinicalData StudyOID={} MetaDataVersionOID={}>\n".format(*where).encode()
        yield from _pieces(chain([first], of_version))
        yield b"</ClinicalData>\n"
    yield b"</ODM>\n"


def _followed_under(session: Session, study: Study, protocol: Protocol, asked: Export) -> Iterator[Element]:
    """Every subject with what was collected under a version, where there is anything."""
    amended = amended_subjects(session)
    for subject in all_subjects(session, asked.site):
        if subject.protocol_sha256 == protocol.key or subject.code in amended:
            of_subject = _groups(session, study, subject, asked)
            groups = tuple(group for followed, group in of_subject if followed.key == protocol.key)
            if groups:
                yield _subject(subject, groups)


def _begin(protocol: Protocol, asked: Export, now: datetime) -> bytes:
    created = _moment(now)
    attributes = {
        "xmlns": _NAMESPACE, "ODMVersion": "2.0", "FileType": "Snapshot",
        "Granularity": "SingleSite" if asked.site is not None else "All",
        "FileOID": f"mpa-monitor.{protocol.study_id}.{created}", "CreationDateTime": created, "AsOfDateTime": created,
        "SourceSystem": "mpa-monitor", "SourceSystemVersion": APP_VERSION,
    }  # fmt: skip
    said = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ODM {said}>\n'.encode()


def _pieces(elements: Iterable[Element]) -> Iterator[bytes]:
    """The elements as text. Characters that XML does not have are replaced."""
    for element in elements:
        for one in element.iter():
            if one.text is not None:
                one.text = _plain(one.text)
            one.attrib.update({name: _plain(value) for name, value in one.attrib.items()})
        yield tostring(element, encoding="unicode").encode() + b"\n"


def _plain(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _study(protocols: Iterable[Protocol]) -> Element:
    versions = list(protocols)
    newest = versions[-1]
    made = Element("Study", OID=odm.study_oid(newest), StudyName=newest.acronym, ProtocolName=newest.id)
    odm.text_of(made, "Description", newest.title)
    made.extend([odm.metadata(one) for one in versions])
    return made


def _people(admin: Element, accounts: Iterable[str]) -> None:
    """The accounts that audit records refer to, by their name in the system and nothing else."""
    for account in accounts:
        SubElement(SubElement(admin, "User", OID=f"USR.{account}"), "UserName").text = account


def _subject(subject: SubjectRow, groups: tuple[Group, ...]) -> Element:
    made = Element("SubjectData", SubjectKey=subject.code)
    SubElement(made, "SiteRef", LocationOID=f"LOC.{subject.site_id}")
    by_visit: dict[str | None, list[Group]] = {}
    for group in groups:
        by_visit.setdefault(group.visit, []).append(group)
    for visit, of_visit in by_visit.items():
        event = SubElement(made, "StudyEventData", StudyEventOID=odm.event_oid(visit))
        for group in of_visit:
            _group(event, group, subject.site_id)
    return made


def _group(event: Element, group: Group, site: str) -> None:
    inside = SubElement(
        event,
        "ItemGroupData",
        ItemGroupOID=odm.group_oid(group.name),
        ItemGroupRepeatKey=str(group.origin.number),
    )
    for item, value in group.items:
        data = SubElement(inside, "ItemData", ItemOID=odm.item_oid(group.name, item))
        SubElement(data, "Value").text = value
        _audit(data, group.origin, site)


def _audit(data: Element, origin: Origin, site: str) -> None:
    record = SubElement(data, "AuditRecord")
    SubElement(record, "UserRef", UserOID=f"USR.{origin.recorded_by}")
    SubElement(record, "LocationRef", LocationOID=f"LOC.{site}")
    SubElement(record, "DateTimeStamp").text = _moment(origin.recorded_at)
    if origin.corrected:
        SubElement(record, "ReasonForChange").text = origin.reason or "corrected"
    SubElement(record, "SourceID").text = f"{origin.source} {origin.number}"
