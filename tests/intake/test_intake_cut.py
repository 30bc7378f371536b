"""Sound files cut at every byte: never taken for whole where the format or the laboratory says where the end is.

Where nothing says so, what is left is at most whole rows, and the file is said not to prove that it is all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fhir_cases import fhir_bytes
from intake_cases import THREE, context, csv_bytes, csv_text
from message_cases import DOTTED, batch, hl7_bytes, hprim_bytes, oul_lines
from reading_cases import read_message
from workbook_cases import as_excel_writes, workbook_bytes

from scheduler.intake.findings import State
from scheduler.intake.readers import Fault, Reading, workbook
from scheduler.intake.rules.validate import validate

QUOTED = csv_text([{**row, "comment": '"à relire ; voir ""note"""'} for row in THREE])

# Files that say themselves where they end, and how many bytes of their end mean nothing.
WITH_AN_END = {
    "csv": (csv_bytes(), 2),
    "csv, quoted": (QUOTED.encode("utf-8-sig"), 2),
    "csv, utf-16": (csv_text(delimiter="\t").encode("utf-16"), 4),
    "csv, a last line of two digits": (csv_bytes([THREE[0]] * 12, newline="\n"), 1),
    "hl7 batch": (batch([hl7_bytes()]), 1),
    "hl7 batch of two": (batch([hl7_bytes(lines=oul_lines), hl7_bytes(number="M2")], newline=b"\r\n"), 2),
    "hl7 frame": (b"\x0b" + hl7_bytes() + b"\x1c\r", 1),
    "hprim": (hprim_bytes(), 1),
    "hprim, continued": (hprim_bytes(width=60, newline="\r\n", encoding="utf-8"), 2),
    "fhir": (fhir_bytes(), 0),
    "fhir report": (fhir_bytes(form="report"), 0),
}
WITHOUT_AN_END = {
    "csv": csv_bytes(trailer=False),
    "csv, quoted": QUOTED.rpartition("#FIN")[0].encode(),
    "csv, utf-16": csv_text(delimiter="\t", trailer=False).encode("utf-16"),
    "hl7": hl7_bytes(),
    "hl7, a doubtful specimen": hl7_bytes([{**row, "specimen_quality": "HEM"} for row in DOTTED]),
    "hl7, two messages": hl7_bytes() + hl7_bytes(lines=oul_lines, number="M2"),
}


def cuts(content: bytes) -> Iterator[tuple[int, Reading | Fault]]:
    for end in range(1, len(content)):
        yield end, read_message(content[:end])


@pytest.mark.parametrize("name", WITH_AN_END)
def test_a_file_that_says_where_it_ends_is_never_read_without_its_end(name: str) -> None:
    content, meaningless = WITH_AN_END[name]
    whole = read_message(content)
    assert isinstance(whole, Reading)
    for end, found in cuts(content):
        if end < len(content) - meaningless:
            assert isinstance(found, Fault) or not found.complete, end
            assert (
                isinstance(found, Fault) or found.candidates == whole.candidates[: len(found.candidates)]
            ), end
        elif isinstance(found, Reading):
            assert found.candidates == whole.candidates


@pytest.mark.parametrize("name", [name for name in WITH_AN_END if not name.startswith("csv")])
def test_messages_and_documents_are_refused_outright(name: str) -> None:
    content, meaningless = WITH_AN_END[name]
    for end, found in cuts(content):
        if end < len(content) - meaningless:
            assert isinstance(found, Fault), end


@pytest.mark.parametrize("name", WITHOUT_AN_END)
def test_without_an_end_whole_rows_are_read_and_the_file_proves_nothing(name: str) -> None:
    content = WITHOUT_AN_END[name]
    whole = read_message(content)
    assert isinstance(whole, Reading) and not whole.complete
    lines = read_as_lines = 0
    for end, found in cuts(content):
        if isinstance(found, Fault):
            assert found.reason.code.startswith(("F-0", "F-1")), end
            continue
        lines += 1
        assert not found.complete
        assert any(note.code in ("F-11.unproven", "F-11.unbatched") for note in found.notes), end
        read_as_lines += [one.row for one in found.candidates] == [
            one.row for one in whole.candidates[: len(found.candidates)]
        ]
    assert lines == read_as_lines > 0


@pytest.mark.parametrize("name", WITHOUT_AN_END)
def test_what_is_accepted_of_a_cut_file_is_what_the_whole_one_says(name: str) -> None:
    content = WITHOUT_AN_END[name]
    whole = {row.entry.content_hash for row in validate(read_message(content), context()).rows}
    for end, found in cuts(content):
        if isinstance(found, Fault):
            continue
        for row in validate(found, context()).rows:
            if row.state is State.ACCEPTED:
                assert row.entry.content_hash in whole, end


@pytest.mark.parametrize(
    "content", [workbook_bytes(THREE), as_excel_writes(workbook_bytes(THREE, typed=True))]
)
def test_a_workbook_cut_at_any_byte_is_refused(content: bytes) -> None:
    """By the program that opens workbooks, called here without its process; the directory stands at the end."""
    assert "sheets" in workbook._answer(content, workbook.LIMITS)
    for end in range(1, len(content)):
        answer = workbook._answer(content[:end], workbook.LIMITS)
        assert answer.get("fault") in ("F-11.package", "F-07"), end
