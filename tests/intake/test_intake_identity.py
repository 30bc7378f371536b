"""D-01: whoever is named in a file is named nowhere else, whatever the format and wherever it stood."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import fhir_cases
import pytest
from intake_cases import H0, NOW, SUBJECT, Bench, a_study, csv_bytes, protocol
from message_cases import DOTTED, hl7_bytes, hprim_bytes, oul_lines
from sqlmodel import Session
from workbook_cases import workbook_bytes

from notifications.delivery.step import Mailroom
from notifications.delivery.writing import write
from notifications.outbox.calm import MailSite
from notifications.outbox.queue import Calm
from notifications.words.letter import Letterhead
from scheduler.domain.civil import DayCalendar
from scheduler.domain.national_number import holds_national_number, without_national_number
from scheduler.intake.ingest import judge
from scheduler.intake.layout.columns import COLUMNS
from scheduler.intake.readers import read
from scheduler.intake.rules.identity import could_identify, key_could_identify, words_of
from scheduler.intake.sentences import SENTENCES
from scheduler.intake.shown import safe_name
from scheduler.store.tables import OutboxRow

NAME, BIRTH, STAMP, NIR = "Lefebvre", "12/03/1961", "19610312", "161037511600139"
SECRETS = (NAME, f"{NAME} Odette", BIRTH, "1961-03-12", STAMP, NIR, "1 61 03 75 116 001 39")
# What betrays one of them, also cut short, in any case and form.
TRACES = ("lefebv", "odette", "12/03/1961", "1961-03-12", "19610312", "16103751160", "1 61 03 75")
FULL = {
    **H0, "received_at": "15/01/2026 09:00", "specimen_quality": "OK", "lloq": "0,1", "uloq": "30",
    "result_id": "R-88121-1", "replaces": "", "comment": "",
}  # fmt: skip


def in_table(make: Callable[[list[dict[str, str]]], bytes]) -> Iterator[bytes]:
    """A table with each secret in each column, known or not."""
    for secret in (NAME, BIRTH, STAMP, NIR):
        for column in (*COLUMNS, "nom", "service"):
            yield make([{**FULL, column: secret}])


def in_segments(content: bytes, *secrets: str) -> Iterator[bytes]:
    """A message with each secret in each field of each segment, and the name as a further component of it."""
    lines = content.decode("latin-1").split("\r")
    for no, line in enumerate(lines):
        fields = line.split("|")
        for place in range(1, len(fields) + 1 if line else 1):
            if fields[0] in ("MSH", "H") and place == 1:
                continue  # the delimiters
            padded = [*fields, ""]
            for text in (*secrets, f"{padded[place]}^{NAME}"):
                changed = "|".join([*padded[:place], text, *padded[place + 1 :]])
                yield "\r".join([*lines[:no], changed, *lines[no + 1 :]]).encode("latin-1")


def in_json(value: Any) -> Iterator[Any]:
    """The document with each secret instead of each of its strings."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from ({**value, key: changed} for changed in in_json(inner))
        case list():
            for no, inner in enumerate(value):
                yield from ([*value[:no], changed, *value[no + 1 :]] for changed in in_json(inner))
        case str():
            yield from (NAME, "1961-03-12", NIR)


def fhir_documents() -> Iterator[bytes]:
    document = fhir_cases.bundle(DOTTED[:1])
    for resource in (entry["resource"] for entry in document["entry"]):
        if resource["resourceType"] == "Patient":
            resource |= {
                "name": [{"family": "x", "text": "x"}],
                "birthDate": "x",
                "telecom": [{"value": "x"}],
            }
    for changed in in_json(document):
        yield json.dumps(changed).encode()


FORMATS: dict[str, Callable[[], Iterator[bytes]]] = {
    "csv": lambda: in_table(csv_bytes),
    "hl7": lambda: in_segments(hl7_bytes(DOTTED[:1]), NAME, NIR),
    "oul": lambda: in_segments(hl7_bytes(DOTTED[:1], lines=oul_lines), STAMP),
    "hprim": lambda: in_segments(hprim_bytes(DOTTED[:1]), NAME, STAMP),
    "fhir": fhir_documents,
}


def leaks(what: str, content: bytes | str) -> list[str]:
    text = (content.decode("utf-8", "replace") if isinstance(content, bytes) else content).lower()
    return [
        f"{what}: {text[max(0, text.index(one) - 90) : text.index(one) + 40]!r}"
        for one in TRACES
        if one in text
    ]


def mails(bench: Bench) -> Iterator[tuple[str, bytes]]:
    """Every mail that the files could give rise to, in both languages."""
    calendar = DayCalendar(ZoneInfo("Europe/Paris"), frozenset({1}), frozenset())
    site = MailSite("cochin", "Cochin", calendar, time(20), time(6))
    head = Letterhead("a@b.example", "a@b.example", "b.example")
    room = Mailroom(
        head, Calm({"cochin": site}), lambda *_: protocol(), lambda *_: None, lambda *_: None, "x", SENTENCES
    )

    def step(session: Session) -> list[tuple[str, bytes]]:
        found = []
        for file in bench.files():
            for template in ("file_quarantined", "rows_held", "lab_files_refused", "lab_rows_to_correct"):
                facts = {
                    "file_id": file.id,
                    "file_ids": [file.id],
                    "lab": "CCH-PHARMACO",
                    "roles": ["laboratory"],
                }
                row = OutboxRow(
                    key=f"{file.id}", topic="x", site_id="cochin", staff_id="x", address="x@y.example",
                    template=template, facts=facts, message_id=f"<{file.id}@x>", language="fr", state="pending",
                    created_at=NOW, not_before=NOW,
                )  # fmt: skip
                try:
                    found.append((f"{template} {file.id}", write(session, row, room, NOW)))
                except Exception as error:
                    if "files[0]" not in str(error) and "list object" not in str(error):
                        raise
        return found

    yield from bench.db.transact(step)


def everything_kept(bench: Bench) -> list[str]:
    """Every trace in what is kept or said, apart from the archived originals."""
    found = []
    for file in bench.files():
        found += leaks(
            f"file {file.id} {file.verdict} {file.code}", json.dumps(file.receipt) + json.dumps(file.reason)
        )
    for row in bench.versions():
        found += leaks(f"row of file {row.file_id} {row.state}", repr(row.model_dump()))
    for path in (*(bench.root / "receipts").iterdir(), *(bench.root / "quarantine").glob("*.reason.txt")):
        found += leaks(f"receipt {path.name}", path.read_bytes())
    for what, content in mails(bench):
        found += leaks(what, content.replace(b"=\r\n", b""))
    with bench.db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    assert bench.db.url.database is not None

    return found or leaks("database", Path(bench.db.url.database).read_bytes())


def taken(bench: Bench, contents: Iterator[bytes]) -> int:
    count = 0
    for count, content in enumerate(dict.fromkeys(contents), 1):
        bench.drop(f"{count}.txt", content)
    while len(bench.files()) < count:
        before = len(bench.files())
        for _ in range(6):
            bench.look()
        assert len(bench.files()) > before
    return count


@pytest.mark.parametrize("form", FORMATS)
def test_no_name_birth_date_or_national_number_is_kept_or_said(bench: Bench, form: str) -> None:
    count = taken(bench, FORMATS[form]())
    assert count > 80
    found = everything_kept(bench)
    assert found == [], f"{len(found)} leaks of {count} files"


def test_no_name_in_a_workbook_is_kept_or_said(bench: Bench) -> None:
    columns = ("subject_id", "visit", "specimen_id", "value", "unit", "comment", "collected_at", "nom")
    taken(bench, (workbook_bytes([{**FULL, column: NAME}]) for column in columns))
    assert everything_kept(bench) == []


def test_the_laboratory_is_told_once_per_file(bench: Bench) -> None:
    rows = [
        {**FULL, "nom": NAME, "comment": NIR},
        {**FULL, "specimen_id": "26015-00871-2", "nom": NAME, "comment": NIR},
    ]
    taken(bench, iter([csv_bytes(rows)]))
    (file,) = bench.files()
    assert [note["code"] for note in file.receipt["notes"]] == ["D-01", "D-01.number"]


@pytest.mark.parametrize("column", ["specimen_id", "result_id", "collected_at", "reported_at"])
def test_a_row_whose_key_was_a_name_or_a_date_of_birth_is_never_accepted(bench: Bench, column: str) -> None:
    secret = NAME if column.endswith("id") else f"{BIRTH} 08:00"
    taken(bench, iter([csv_bytes([{**FULL, column: secret}])]))
    (row,) = bench.versions()
    assert row.state == "held"
    rules = {one["rule"] for one in row.findings if one["severity"] == "hold"}
    assert rules & {"D-01", "R-30", "R-31"}
    for _ in range(3):
        bench.look()
    assert [one.state for one in bench.versions()] == ["held"]


def test_a_code_of_the_studys_own_form_is_no_name(bench: Bench) -> None:
    plan = replace(protocol(), subject_pattern="SCLERO-[0-9]{2}", subject_check="none")
    study = replace(a_study(), protocol=plan)
    verdict = judge(
        None, read(csv_bytes([{**FULL, "subject_id": "SCLERO-07"}]), {}, study.setting), study, NOW
    )
    assert [row.entry.subject for row in verdict.rows] == ["SCLERO-07"]
    assert [row.state for row in verdict.rows] == ["accepted"]


# --- what is taken for what -----------------------------------------------------------------------------------

WORDS = words_of(a_study())


@pytest.mark.parametrize(
    "text",
    [
        "mg/L", "µmol/L", "mmol/L", "semaine 6", "Inclusion", "W6", "V2", "résiduel", "T30", "H0", "PLASMA_EDTA",
        "LCMSMS", "14,2", "<0,1", "en cours", "hémolysé", "CCH-PHARMACO", "15/01/2026 07:55", "2026-01-15T07:55",
        "", "########", "A0163", "23905-3",
    ],
)  # fmt: skip
def test_words_of_the_study_are_no_names(text: str) -> None:
    assert not could_identify(text, WORDS)


@pytest.mark.parametrize("text", [*SECRETS, "M. DUPONT", "née le 12.3.61", "2610375116001", "Éléonore"])
def test_names_dates_of_birth_and_national_numbers_are_noticed(text: str) -> None:
    assert could_identify(text, WORDS)


@pytest.mark.parametrize(
    "text", ["26015-00871-2", "GLIMS26015", "x-9", "s2", "260150087112", "tube 3", SUBJECT]
)
def test_numbers_of_tubes_are_no_names(text: str) -> None:
    assert not key_could_identify(text)


@pytest.mark.parametrize("text", ["Dupont", "DUPONT H30", "Dupont-3", NIR, "12/03/1961"])
def test_a_name_is_no_number_of_a_tube(text: str) -> None:
    assert key_could_identify(text)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (NIR, True), ("2 69 05 49 588 157 80", True), ("2 69 05 49 588 157 81", False),
        ("1 61 03 2A 116 001 39", False), ("161037511600138", False), ("26015008711234", False),
    ],
)  # fmt: skip
def test_a_national_number_has_the_right_key(text: str, right: bool) -> None:
    assert holds_national_number(f"x {text}, y") is right


def test_a_national_number_in_the_name_of_a_file_is_not_kept() -> None:
    assert safe_name(f"MPA_{NIR}.csv") == "MPA_NIR.csv"
    assert without_national_number("26015-00871-2") == "26015-00871-2"
