"""Damaged FHIR: one verdict in words, no result that was not sent; and what fhir.resources says of sound FHIR."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from fhir.resources import get_fhir_model_class
from fhir.resources.R4B import get_fhir_model_class as get_r4b_model_class
from fhir_cases import Exactly, alone, bundle, fhir_bytes, report, to_bytes
from fuzz_cases import one_verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_cases import context
from message_cases import DOTTED, rows
from reading_cases import read_message

from scheduler.intake.findings import State
from scheduler.intake.readers import Fault
from scheduler.intake.rules.validate import validate

_FULL = [{**row, "specimen_quality": "HEM", "comment": "é ~ « x »", "lloq": "0.1"} for row in DOTTED]
SEEDS = tuple(fhir_bytes(one, form) for one in (DOTTED, _FULL) for form in ("transaction", "urn", "report"))
_ODD: tuple[Any, ...] = (
    None,
    True,
    5,
    -1.5,
    "",
    "x",
    [],
    {},
    [None],
    [[]],
    {"value": []},
    "#",
    Exactly("1e999"),
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = replaced(document[path[0]], path[1:], value)
    return changed


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([bundle(_FULL), report(_FULL), alone(_FULL[0])]), st.sampled_from(_ODD), st.data())
def test_an_odd_value_anywhere_gets_one_verdict_in_words(
    document: Any, odd: Any, data: st.DataObject
) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        document = replaced(document, data.draw(st.sampled_from(places(document))), odd)
    one_verdict(to_bytes(document))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_damaged_bytes_get_one_verdict_and_make_no_result(content: bytes, chance: random.Random) -> None:
    place = chance.randrange(len(content))
    if set(content[max(0, place - 1) : place + 2]) & set(b".0123456789"):  # a number itself
        return
    changed = content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :]
    verdict = validate(one_verdict(changed), context())
    sent = {row["value"] for row in DOTTED}
    accepted = [
        row for row in verdict.rows if row.state is State.ACCEPTED and row.entry.conc_mg_l is not None
    ]
    assert {row.entry.value_raw for row in accepted} <= sent


@pytest.mark.parametrize("content", SEEDS)
def test_cut_anywhere_it_is_never_read(content: bytes) -> None:
    for end in range(1, len(content)):
        found = one_verdict(content[:end]) if end % 97 == 0 else read_message(content[:end])
        assert isinstance(found, Fault), end
        assert found.reason.code in ("F-11.json", "F-15.json", "F-08.json")


def as_number(text: str) -> tuple[str, float]:
    """Its sign of comparison, if it has one, and the number."""
    number = text.lstrip("<>")
    return text.removesuffix(number), float(number)


@settings(max_examples=25, deadline=None)
@given(rows(), st.sampled_from(["collection", "transaction", "searchset"]))
def test_what_we_write_in_the_tests_is_fhir_and_means_the_same_to_the_library(
    three: list[dict[str, str]], kind: str
) -> None:
    """fhir.resources accepts the bundles, in R4B and R5, and finds the same values and statuses as the reader."""
    three = [{**row, "visit": row["visit"] or "V2", "timepoint": row["timepoint"] or "H0"} for row in three]
    document = json.loads(to_bytes(bundle(three, kind)))
    found = one_verdict(to_bytes(bundle(three, kind)))
    assert not isinstance(found, Fault)
    for model in (get_fhir_model_class("Bundle"), get_r4b_model_class("Bundle")):
        read = model.model_validate(document)
        theirs = [one.resource for one in read.entry if one.resource.get_resource_type() == "Observation"]
        for ours, their in zip(found.candidates, theirs, strict=True):
            quantity = their.valueQuantity
            if quantity is None:
                assert (ours.text("value"), ours.text("unit")) == (their.valueString or "", "")
            else:
                value = f"{quantity.comparator or ''}{quantity.value}"
                assert as_number(ours.text("value")) == as_number(value)
                assert ours.text("unit") == (quantity.unit or "")
            assert their.issued.isoformat() == ours.text("reported_at")
