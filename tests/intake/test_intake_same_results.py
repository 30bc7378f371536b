"""The same three results in every form that a laboratory may send: identical rows in the database."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fhir_cases import fhir_bytes
from intake_cases import H0, H2, H30, NOW, Bench, a_study, csv_text
from message_cases import batch, hl7_bytes, hprim_bytes, oul_lines
from sqlmodel import Session, select
from workbook_cases import as_excel_writes, workbook_bytes

from scheduler.intake.arrival import Arrival
from scheduler.intake.ingest import ingest
from scheduler.store.tables import LabFileRow, LabResultVersionRow

# A value, a limit and a specimen that could not be used; a sign that each character set writes in another way.
ROWS = (
    {**H0, "value": "<0.1", "lloq": "0.1", "unit": "µg/mL", "received_at": "15/01/2026 11:00"},
    {**H30, "value": "14.20", "lloq": "0.1", "unit": "µg/mL", "specimen_quality": "HEM"},
    {**H2, "value": "", "unit": "", "lloq": "", "status": "X", "specimen_quality": "QNS"},
)
_OWN = {"id", "result_id", "file_id", "row_no", "recorded_at", "findings"}


def csv_forms() -> Iterator[tuple[str, bytes]]:
    """Every encoding with every delimiter, decimal sign, language and trailer; columns and rows in any order."""
    columns = list(dict.fromkeys(name for row in ROWS for name in row))
    orders = itertools.cycle([columns, columns[::-1], sorted(columns), columns[7:] + columns[:7]])
    row_orders = itertools.cycle(itertools.permutations(ROWS))
    newlines = itertools.cycle(["\r\n", "\n", "\r"])
    encodings = ("cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-be")
    for encoding, delimiter, decimal in itertools.product(encodings, ";\t,", ",."):
        if delimiter == decimal:
            continue
        for french, trailer in itertools.product((True, False), repeat=2):
            order = next(orders)
            rows = [{name: row.get(name, "") for name in order} for row in next(row_orders)]
            form = {"delimiter": delimiter, "decimal": decimal, "french": french, "trailer": trailer}
            mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
            content = mark + csv_text(in_signs(rows, decimal), newline=next(newlines), **form).encode(
                encoding
            )
            yield f"csv {encoding} {delimiter!r} {decimal} {french} {trailer}", content


def in_signs(rows: Sequence[dict[str, str]], decimal: str) -> list[dict[str, str]]:
    return [
        {
            name: text.replace(".", decimal) if name in ("value", "lloq", "uloq") else text
            for name, text in row.items()
        }
        for row in rows
    ]


def forms() -> Iterator[tuple[str, bytes]]:
    yield from csv_forms()
    for typed, french in itertools.product((True, False), repeat=2):
        yield f"xlsx {typed} {french}", workbook_bytes(ROWS, typed=typed, french=french)
    yield "xlsx as Excel writes it", as_excel_writes(workbook_bytes(ROWS, typed=True))
    yield "xlsx with a comma", workbook_bytes(in_signs(ROWS, ","))
    for lines, newline in itertools.product((None, oul_lines), ("\r", "\n", "\r\n")):
        more: dict[str, Any] = {} if lines is None else {"lines": lines}
        name = f"hl7 {'ORU' if lines is None else 'OUL'} {newline!r}"
        yield name, hl7_bytes(ROWS, newline=newline, **more)
        yield f"{name} 8859/15", hl7_bytes(ROWS, newline=newline, charset="8859/15", **more)
    yield "hl7 in a batch", batch([hl7_bytes(ROWS)])
    yield "hl7 one message a tube", b"".join(hl7_bytes([row], number=f"M{i}") for i, row in enumerate(ROWS))
    yield "hl7 in a frame", b"\x0b" + hl7_bytes(ROWS) + b"\x1c\r"
    for marks, width, encoding in itertools.product(
        ("|~^\\&", "|^~\\&", "|^~&\\"), (None, 40), ("cp1252", "utf-8")
    ):
        yield (
            f"hprim {marks} {width} {encoding}",
            hprim_bytes(ROWS, marks=marks, width=width, encoding=encoding),
        )
    for kind in ("transaction", "batch", "collection", "document", "message", "searchset", "urn", "report"):
        yield f"fhir {kind}", fhir_bytes(ROWS, kind)
    yield "fhir indented", fhir_bytes(ROWS, indent=2)


FORMS = dict(forms())


def stored(bench: Bench, name: str, content: bytes) -> list[dict[str, Any]]:
    """What the database holds after this file alone; taken back afterwards."""
    found: list[dict[str, Any]] = []

    def once(session: Session) -> None:
        outcome = ingest(session, Arrival.of(name, content), a_study(), NOW, bench.handle)
        file = session.get(LabFileRow, outcome.file_id)
        assert file is not None and file.accepted == 3, (name, file and file.receipt)
        for row in session.exec(select(LabResultVersionRow)):
            kept = row.model_dump(exclude=_OWN)
            kept["value_raw"] = kept["value_raw"].replace(",", ".")
            kept["rules"] = sorted((one["rule"], one["severity"]) for one in row.findings)
            found.append(kept)
        session.rollback()

    bench.db.transact(once)
    return sorted(found, key=lambda row: row["timepoint"])


def test_every_form_is_stored_alike(bench: Bench) -> None:
    first, *others = FORMS.items()
    expected = stored(bench, *first)
    assert [row["conc_mg_l"] for row in expected] == [None, None, "14.20"]
    assert [(row["comparator"], row["quality"]) for row in expected] == [
        ("<", None),
        (None, "QNS"),
        (None, "HEM"),
    ]
    for name, content in others:
        assert stored(bench, name, content) == expected, name


def test_a_second_form_of_known_results_stores_nothing(bench: Bench) -> None:
    """Whatever form comes first, every other one is already known."""
    for name in ("fhir report", "csv utf-16 '\\t' , True True", "hl7 in a batch", "xlsx with a comma"):
        content = FORMS[name]
        bench.db.transact(
            lambda s, name=name, content=content: ingest(
                s, Arrival.of(name, content), a_study(), NOW, bench.handle
            )
        )
    assert [row.code for row in bench.files()] == [None, "R-42", "R-42", "R-42"]
    assert len(bench.versions()) == 3


@pytest.mark.parametrize("name", ["csv", "xlsx", "hl7", "hprim", "fhir"])
def test_every_format_is_among_them(name: str) -> None:
    assert sum(one.startswith(name) for one in FORMS) > 5
