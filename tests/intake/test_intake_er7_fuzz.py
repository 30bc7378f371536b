"""Damaged messages: never a crash, always one verdict with words for it, and no result that was not sent."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import context
from message_cases import DOTTED, batch, hl7_bytes, hprim_bytes, oul_lines, read_message, usual_study

from config.language import Language
from scheduler.intake.findings import State, Verdict
from scheduler.intake.readers import Fault, Reading
from scheduler.intake.receipts import receipt_csv, receipt_json, receipt_of, speakers
from scheduler.intake.sentences import SENTENCES
from scheduler.intake.validate import validate

_QUALITY = {"specimen_quality": "HEM", "comment": "v\\|^ & ~ é", "lloq": "0.1"}
SEEDS = (
    hl7_bytes(),
    hl7_bytes([{**row, **_QUALITY} for row in DOTTED], charset="8859/15", newline="\r\n"),
    batch([hl7_bytes(lines=oul_lines), hl7_bytes(lines=oul_lines, number="M2")]),
    b"\x0b" + hl7_bytes() + b"\x1c\r",
    hprim_bytes(),
    hprim_bytes([{**row, **_QUALITY} for row in DOTTED], marks="|^~&\\", width=60, encoding="utf-8"),
)
_PIECES = (
    b"",
    b"|",
    b"^",
    b"~",
    b"\\",
    b"&",
    b"\r",
    b"\n",
    b"MSH|",
    b"OBX|",
    b'""',
    b"\x00",
    b"\x0b",
    b"\xe9",
    b"9",
    b"-",
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One of the seeds with pieces cut out, doubled, moved and put in."""
    content = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        piece = draw(st.sampled_from((*_PIECES, content[start:end] * 2)))
        content = content[:start] + piece + content[end:]
    return content


def one_verdict(content: bytes) -> Reading | Fault:
    """The reading, after everything that is said of it has been put into words."""
    found = read_message(content)
    verdict = validate(found, context())
    assert verdict.verdict in set(Verdict)
    receipt = receipt_of("x", "0" * 64, context().now, found, verdict)
    say = speakers(usual_study().home_zone)
    receipt_csv(receipt, say)
    receipt_json(receipt, say)
    said = [verdict.decisive] if verdict.decisive is not None else []
    for reason in (*said, *verdict.notes, *(f.reason for row in verdict.rows for f in row.findings)):
        assert reason.code in SENTENCES
        assert reason.code not in say.en.say(reason) and say.en.language is Language.EN
    assert (verdict.verdict is Verdict.ACCEPTED) or verdict.decisive is not None or not verdict.rows
    return found


@settings(max_examples=400, deadline=None)
@given(damaged())
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
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
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
