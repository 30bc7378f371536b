"""The same content in another form is the same content."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from intake_cases import H0, H2, H30, THREE, context, csv_text

from scheduler.intake.findings import FileVerdict
from scheduler.intake.readers import read
from scheduler.intake.rules.validate import validate

CASES: tuple[tuple[dict[str, str], ...], ...] = (
    THREE,
    ({**H0, "value": "<0,1", "lloq": "0,1"}, {**H30, "lloq": "0,1"}, {**H2, "unit": "", "lloq": "0,1"}),
    (
        H0,
        {**H30, "specimen_id": H0["specimen_id"]},
        {**H2, "comment": "échantillon hémolysé, voir l'étiquette"},
    ),
    (
        {**H0, "status": "validé"},
        {**H0, "status": "C", "value": "2,5", "reported_at": "15/01/2026 16:00"},
        H2,
    ),
    ({**H0, "value": "hémolysé"}, {**H0, "specimen_id": "other"}, {**H30, "unit": "µg/mL"}, H30),
)


def seen(verdict: FileVerdict) -> tuple[Any, ...]:
    """What a verdict says, without numbers of rows and names of columns."""
    rows = sorted(
        (row.entry.content_hash, row.state.value, tuple(one.reason.code for one in row.findings))
        for row in verdict.rows
    )
    return verdict.verdict, verdict.reason, tuple(rows)


@st.composite
def forms(draw: st.DrawFn) -> dict[str, Any]:
    delimiter = draw(st.sampled_from(";\t,"))
    return {
        "delimiter": delimiter,
        "decimal": "." if delimiter == "," else draw(st.sampled_from(",.")),
        "newline": draw(st.sampled_from(["\r\n", "\n", "\r"])),
        "french": draw(st.booleans()),
        "trailer": draw(st.booleans()),
        "encoding": draw(st.sampled_from(["cp1252", "utf-8", "utf-8-sig", "utf-16"])),
    }


@given(st.sampled_from(CASES), forms(), st.randoms(use_true_random=False))
def test_form_does_not_matter(
    rows: tuple[dict[str, str], ...], form: dict[str, Any], shuffled: random.Random
) -> None:
    expected = validate(read(csv_text(rows).encode("cp1252")), context())
    encoding = form.pop("encoding")
    quote = form["delimiter"] == ","
    columns = list(dict.fromkeys(name for row in rows for name in row))
    shuffled.shuffle(columns)
    other = [{name: row.get(name, "") for name in columns} for row in rows]
    shuffled.shuffle(other)
    if quote:
        other = [
            {name: f'"{text}"' if name == "comment" else text for name, text in row.items()} for row in other
        ]
    found = validate(read(csv_text(other, **form).encode(encoding)), context())
    assert seen(found) == seen(expected)


@given(st.permutations(CASES[3] + CASES[1][:1]))
def test_the_order_of_the_rows_does_not_matter(rows: list[dict[str, str]]) -> None:
    first = validate(read(csv_text([*CASES[3], CASES[1][0]]).encode()), context())
    assert seen(validate(read(csv_text(rows).encode()), context())) == seen(first)
