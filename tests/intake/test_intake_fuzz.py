"""Damaged tables and workbooks, and every case ever found: one verdict in words, no result that was not sent."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzz_cases import CSV_SEEDS, PIECES, SEEDS, damaged, damaged_workbook, one_verdict, read_workbook
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import THREE, context

from scheduler.intake.findings import State
from scheduler.intake.readers import Fault, Reading
from scheduler.intake.rules.validate import validate

CORPUS = Path(__file__).parent / "corpus"
FOUND = sorted(path for path in CORPUS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_case_that_was_found_gets_one_verdict(path: Path) -> None:
    """`make fuzz` starts from these; what it finds is put right and put here."""
    one_verdict(path.read_bytes())


def test_the_corpus_has_cases_of_every_reader() -> None:
    assert {path.parent.name for path in FOUND} >= {"csv", "er7", "fhir"}


@pytest.mark.parametrize("content", [content for seeds in SEEDS.values() for content in seeds])
def test_the_seeds_are_sound(content: bytes) -> None:
    found = one_verdict(content)
    assert isinstance(found, Reading)
    assert any(row.state is State.ACCEPTED for row in validate(found, context()).rows)


@settings(max_examples=400, deadline=None)
@given(damaged(CSV_SEEDS, PIECES["csv"]))
def test_a_damaged_table_gets_one_verdict_in_words(content: bytes) -> None:
    found = one_verdict(content)
    if isinstance(found, Reading):
        rows = [row.row for row in found.candidates]
        assert rows == sorted(set(rows))


@settings(max_examples=150, deadline=None)
@given(damaged_workbook())
def test_a_damaged_workbook_gets_one_verdict_in_words(content: bytes) -> None:
    found = read_workbook(content)
    one_verdict(content, found)
    if isinstance(found, Fault):
        assert found.reason.code.startswith("F-")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CSV_SEEDS[:3]), st.randoms(use_true_random=False))
def test_one_changed_byte_of_a_table_never_makes_a_value_that_was_not_sent(
    content: bytes, chance: random.Random
) -> None:
    """Outside numbers: whatever else is damaged, an accepted row has one of the values sent."""
    place = chance.randrange(len(content))
    if set(content[max(0, place - 1) : place + 2]) & set(b".,0123456789;\t"):
        return
    changed = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    verdict = validate(one_verdict(changed), context())
    sent = {row["value"].replace(",", ".") for row in THREE}
    for row in verdict.rows:
        if row.state is State.ACCEPTED and row.entry.conc_mg_l is not None:
            assert row.entry.value_raw.replace(",", ".") in sent
