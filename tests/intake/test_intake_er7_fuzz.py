"""Damaged messages: never a crash, always one verdict with words for it, and no result that was not sent."""

from __future__ import annotations

import random

from fuzz_cases import ER7_SEEDS, damaged, one_verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import context
from message_cases import DOTTED
from reading_cases import read_message

from scheduler.intake.findings import State
from scheduler.intake.readers import Reading
from scheduler.intake.rules.validate import validate


@settings(max_examples=400, deadline=None)
@given(damaged(ER7_SEEDS))
def test_a_damaged_message_gets_one_verdict_in_words(content: bytes) -> None:
    found = one_verdict(content)
    if isinstance(found, Reading):
        rows = [row.row for row in found.candidates]
        assert rows == sorted(set(rows))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"MSH|^~\\&|", b"FHS|^~\\&|\r", b"BHS|^~\\&\r", b"H|~^\\&|", b"\x0bMSH|"]),
    st.binary(max_size=300),
)
def test_anything_after_a_header_gets_one_verdict_in_words(head: bytes, rest: bytes) -> None:
    one_verdict(head + rest)
    one_verdict(head + rest + b"\r")


@settings(deadline=None)
@given(st.sampled_from(ER7_SEEDS), st.randoms(use_true_random=False))
def test_one_changed_byte_never_makes_a_value_that_was_not_sent(
    content: bytes, chance: random.Random
) -> None:
    """Outside the value itself: whatever else is damaged, an accepted row has one of the values sent."""
    place = chance.randrange(len(content))
    values = [row["value"].encode() for row in DOTTED]
    starts = [(content.find(v), content.find(v) + len(v)) for v in values]
    if any(start - 1 <= place <= end for start, end in starts) or content[place : place + 1].isdigit():
        return
    changed = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    verdict = validate(read_message(changed), context())
    sent = {row["value"] for row in DOTTED}
    for row in verdict.rows:
        if row.state is State.ACCEPTED and row.entry.conc_mg_l is not None:
            assert row.entry.value_raw in sent
