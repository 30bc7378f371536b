"""Exports: every value that was collected goes out once, with who recorded it, and nothing that names a person."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import xmlschema
from config_cases import PROTOCOL, changed_study
from engine_desk import OTHER, VALUES, WHO, Desk, at
from odmlib.schema_manager import get_schema_path
from sqlmodel import Session
from typer.testing import CliRunner

from main import app
from scheduler.domain.facts import (
    Answer,
    Assessed,
    EligibilityAssessed,
    Formulation,
    Intercurrent,
    Occurred,
    Paused,
    ProtocolApplied,
    Regimen,
    RegimenChanged,
    Resumed,
    SampleNotDrawn,
    VisitBooked,
    VisitCancelled,
    VisitMoved,
    Withdrawal,
    Withdrawn,
)
from scheduler.engine.export.collected import Export, ExportFormat, export
from scheduler.engine.recording.amendment import apply_version
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.tables import AuditRow

ODM = "{http://www.cdisc.org/ns/odm/v2.0}"


@pytest.fixture
def desk(sqlite_db: Database, study: Study) -> Desk:
    return Desk(sqlite_db, study)


def live(desk: Desk) -> None:
    """Everything that can be recorded of subjects, once; reasons that no XML and no spreadsheet likes."""
    desk.sampled()
    desk.lab()
    sites = tuple(
        (name, 1) for name in next(a for a in desk.study.newest[1].activities if a.id == "mrss").sites
    )
    for what in (
        Assessed("INCLUSION", "mrss", at(10, 30), 17.0, "points", sites, "Dr Dupond"),
        Assessed("INCLUSION", "fvc", at(10, 40), 71.5, "% predicted", (), None, 2.61, "L", "GLI 2012"),
        EligibilityAssessed(date(2025, 8, 28), 52, first_sign="2024-06", raynaud=Answer.YES),
        VisitBooked("W6", datetime(2025, 10, 13, 8, 30)),  # noqa: DTZ001
        VisitMoved("W6", datetime(2025, 10, 14, 8, 30), "=Mme Dupond\x0b rang"),  # noqa: DTZ001
        VisitCancelled("W6", "ill & <alone>"),
    ):
        desk.say(what)
    desk.now = at(12, 0, 14, 10)
    for what in (
        SampleNotDrawn("W6", "H30", at(9, 0, 14, 10), "no vein"),
        RegimenChanged(at(9, 0, 14, 10), Regimen(Formulation.MMF, 1500, 12), "flare"),
        Intercurrent(at(9, 0, 14, 10), Occurred.MMF_STOPPED, "diarrhoea"),
        Paused(at(9, 10, 14, 10), "surgery"),
        Resumed(at(9, 20, 14, 10), "well again"),
        Withdrawn(at(11, 0, 14, 10), Withdrawal.CONSENT, "left town"),
    ):
        desk.say(what)


def written(desk: Desk, file_format: ExportFormat, **asked: Any) -> bytes:
    return desk.db.read(
        lambda session: b"".join(export(session, desk.study, Export(file_format, **asked), desk.now))
    )


def odm(desk: Desk, **asked: Any) -> ElementTree.Element:
    return ElementTree.fromstring(written(desk, ExportFormat.ODM, **asked))


def lines(desk: Desk, **asked: Any) -> list[dict[str, str]]:
    text = written(desk, ExportFormat.CSV, **asked).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text), delimiter=";"))


@cache
def official_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(get_schema_path("odm", "2.0"))


def values_of(root: ElementTree.Element) -> Iterator[tuple[str, str, str, str, str]]:
    for subject in root.iter(f"{ODM}SubjectData"):
        for group in subject.iter(f"{ODM}ItemGroupData"):
            for item in group.iter(f"{ODM}ItemData"):
                _, name, field = item.attrib["ItemOID"].split(".")
                value = item.findtext(f"{ODM}Value") or ""
                yield subject.attrib["SubjectKey"], name, group.attrib["ItemGroupRepeatKey"], field, value


def test_the_file_is_valid_by_the_official_schema_and_a_broken_one_is_not(desk: Desk) -> None:
    live(desk)
    desk.enrol(OTHER)
    for free_text in (False, True):
        official_schema().validate(written(desk, ExportFormat.ODM, free_text=free_text).decode())
    broken = written(desk, ExportFormat.ODM).decode().replace("<DateTimeStamp>", "<DateTimeStamp>about ", 1)
    assert not official_schema().is_valid(broken)


def test_a_study_without_subjects_is_a_valid_file_too(desk: Desk) -> None:
    official_schema().validate(written(desk, ExportFormat.ODM).decode())
    assert lines(desk) == []


def test_whatever_a_value_refers_to_is_defined_in_the_file(desk: Desk) -> None:
    live(desk)
    root = odm(desk, free_text=True)
    defined = {one.attrib["OID"] for one in root.iter() if "OID" in one.attrib}
    used = {
        value
        for one in root.iter()
        for name, value in one.attrib.items()
        if name.endswith("OID") and name not in ("OID", "FileOID")
    }
    assert used <= defined
    of_group = {
        group.attrib["OID"]: {one.attrib["ItemOID"] for one in group.iter(f"{ODM}ItemRef")}
        for group in root.iter(f"{ODM}ItemGroupDef")
    }
    for group in root.iter(f"{ODM}ItemGroupData"):
        assert {one.attrib["ItemOID"] for one in group} <= of_group[group.attrib["ItemGroupOID"]]


def test_what_follows_an_amendment_is_under_its_version_in_both_formats(desk: Desk, tmp_path: Path) -> None:
    """The amendment has another visit in the place of W12."""
    desk.enrol()
    changes = ('version = "1"', 'version = "2"'), ('id = "W12"', 'id = "W13"')
    two = Desk(
        desk.db, changed_study(tmp_path / "config", PROTOCOL, *changes, beside="second.toml"), desk.now
    )
    sha256, protocol = two.study.newest

    def amend(session: Session) -> None:
        assert two.handle is not None
        what = ProtocolApplied(date(2025, 9, 20), protocol.version, sha256, "amendment")
        apply_version(session, two.study, [two.subject()], what, WHO, two.now, two.handle)

    two.db.transact(amend)
    two.say(VisitBooked("W13", datetime(2025, 11, 24, 8, 30)))  # noqa: DTZ001
    official_schema().validate(written(two, ExportFormat.ODM).decode())
    root = odm(two)
    events = {
        version.attrib["OID"]: {one.attrib["OID"] for one in version.iter(f"{ODM}StudyEventDef")}
        for version in root.iter(f"{ODM}MetaDataVersion")
    }
    found = {
        (clinical.attrib["MetaDataVersionOID"], one.attrib["StudyEventOID"])
        for clinical in root.iter(f"{ODM}ClinicalData")
        for one in clinical.iter(f"{ODM}StudyEventData")
    }
    assert {one for version, one in found if version.endswith(".2")} == {"SE.W13"}
    assert all(event in events[version] for version, event in found)
    assert {(row["protocol"], row["visit"]) for row in lines(two)} == {("1", ""), ("2", "W13")}


def test_every_value_says_who_recorded_it_where_and_when(desk: Desk) -> None:
    live(desk)
    for item in odm(desk).iter(f"{ODM}ItemData"):
        record = item.find(f"{ODM}AuditRecord")
        assert record is not None
        people = {one.attrib["UserOID"] for one in record.iter(f"{ODM}UserRef")}
        assert people <= {"USR.a nurse", "USR.CCH-PHARMACO"}
        assert datetime.fromisoformat(record.findtext(f"{ODM}DateTimeStamp") or "").tzinfo is not None
        assert record.findtext(f"{ODM}SourceID")


def test_both_formats_hold_the_same_values_on_both_databases(db: Database, study: Study) -> None:
    desk = Desk(db, study)
    live(desk)
    for free_text in (False, True):
        table = [
            (row["subject"], row["group"], row["record"], row["item"], row["value"].removeprefix("'"))
            for row in lines(desk, free_text=free_text)
        ]
        xml = [
            (*rest, value.replace("\ufffd", "\x0b"))
            for *rest, value in values_of(odm(desk, free_text=free_text))
        ]
        assert sorted(table) == sorted(xml) and table


def test_what_was_collected_is_there_and_what_the_program_derives_is_not(desk: Desk) -> None:
    live(desk)
    found = {(row["visit"], row["group"], row["item"], row["value"]) for row in lines(desk)}
    assert {
        ("", "ENROLMENT", "BASELINE", "2025-09-01"), ("", "PARTICIPATION", "CAUSE", "consent"),
        ("INCLUSION", "VISIT", "ATTENDED_AT", "2025-09-01T08:05:00+02:00"), ("INCLUSION", "DOSE", "DOSE_MG", "1000"),
        ("INCLUSION", "SAMPLE", "TUBE", "T-2"), ("INCLUSION", "RESULT", "CONC_MG_L", "14.20"),
        ("INCLUSION", "ASSESS_MRSS", "SITE_FACE", "1"), ("INCLUSION", "ASSESS_FVC", "MEASURED", "2.61"),
        ("W6", "APPOINTMENT", "LOCAL", "2025-10-14T08:30:00"), ("W6", "SAMPLE", "DRAWN", "no"),
    } <= found  # fmt: skip
    assert not {"STATUS_OF_VISIT", "AUC", "WINDOW"} & {item for _, _, item, _ in found}


def test_free_text_stays_at_home_unless_it_is_asked_for(desk: Desk) -> None:
    live(desk)
    texts = ("Dupond", "no vein", "flare", "diarrhoea", "surgery", "left town", "alone")
    for file_format in ExportFormat:
        silent, open_ = (
            written(desk, file_format).decode(),
            written(desk, file_format, free_text=True).decode(),
        )
        assert not [one for one in texts if one in silent]
        assert all(one in open_ for one in texts)


def test_nobody_on_the_staff_is_named(desk: Desk) -> None:
    live(desk)
    people = [person for site in desk.study.sites.values() for person in site.staff]
    for file_format in ExportFormat:
        text = written(desk, file_format, free_text=True).decode()
        assert not [one for person in people for one in (person.name, person.email) if one in text]


def test_a_corrected_value_goes_out_as_corrected_with_its_own_author_and_reason(desk: Desk) -> None:
    desk.sampled()
    number = desk.number("dose_given")
    desk.now = at(15, 0)
    desk.correct(number, {"dose_mg": 1500})
    row = next(
        one for one in lines(desk, free_text=True) if (one["group"], one["item"]) == ("DOSE", "DOSE_MG")
    )
    assert (row["record"], row["value"], row["corrected"]) == (str(number), "1500", "yes")
    assert (row["recorded_at"], row["reason_for_change"]) == ("2025-09-01T13:00:00+00:00", "a slip")
    records = list(odm(desk, free_text=True).iter(f"{ODM}ReasonForChange"))
    assert {one.text for one in records} == {"a slip"} and len(records) == 4
    assert {one.text for one in odm(desk).iter(f"{ODM}ReasonForChange")} == {"corrected"}


def test_what_was_taken_back_does_not_go_out(desk: Desk) -> None:
    desk.sampled()
    desk.correct(desk.number("dose_given"), None)
    assert "DOSE" not in {row["group"] for row in lines(desk)}


def test_only_the_result_in_force_goes_out(desk: Desk) -> None:
    desk.sampled()
    desk.lab()
    desk.now = at(12, 0, 8)
    desk.lab({**VALUES, "H0": "3.85"}, status="C")
    found = [row["value"] for row in lines(desk) if row["item"] == "CONC_MG_L"]
    assert sorted(found) == ["14.20", "3.85", "6.40"]


def test_no_cell_is_a_formula(desk: Desk) -> None:
    desk.sampled()
    desk.correct(desk.number("sample_drawn"), {"tube": "=1+1"})
    found = {row["value"] for row in lines(desk) if row["item"] == "TUBE"}
    assert "'=1+1" in found and "=1+1" not in found


def test_one_site_goes_out_alone(desk: Desk) -> None:
    desk.enrol()
    assert lines(desk, site="cochin") and not lines(desk, site="elsewhere")
    assert odm(desk, site="cochin").attrib["Granularity"] == "SingleSite"


def test_the_command_writes_the_file_and_the_audit_notes_it(
    sqlite_url: str, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPA_DATABASE", sqlite_url)
    db = Database(sqlite_url)
    desk = Desk(db, study)
    desk.enrol()
    out = tmp_path / "data.xml"
    done = CliRunner().invoke(app, ["export", "--format", "odm", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert ElementTree.fromstring(out.read_bytes()).tag == f"{ODM}ODM"
    (noted,) = desk.rows(AuditRow, action="exported")
    assert noted.detail == {"format": "odm", "site": None, "free_text": False}
    refused = CliRunner().invoke(app, ["export", "--site", "lyon", "--out", str(tmp_path / "no.csv")])
    nowhere = CliRunner().invoke(
        app, ["--language", "fr", "export", "--out", str(tmp_path / "no" / "way.csv")]
    )
    assert (refused.exit_code, nowhere.exit_code) == (2, 2)
    assert "ne peut pas" in nowhere.output
    assert not (tmp_path / "no.csv").exists()
    assert len(desk.rows(AuditRow, action="exported")) == 1
    db.close()
