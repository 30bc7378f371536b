"""Records for `python -m pk nca`, and the lines that come out."""

import io
import json
from typing import Any

from json_schema import problems
from pk_cases import lines

from pk.command.json_parser import schema_text
from pk.command.jsonlines import transform
from pk.command.nca_record import analysed

INPUT, OUTPUT = json.loads(schema_text("nca-input")), json.loads(schema_text("nca-output"))
STEADY = {"id": "S1", "times_h": [0, 1, 2, 4, 8, 12], "conc_mg_l": [2, 6, 10, 8, 4, 2], "method": "linear"}


def run(content: bytes) -> list[dict[str, Any]]:
    target = io.BytesIO()
    transform(io.BytesIO(content), target, lambda records: [analysed(one) for one in records])
    written = target.getvalue()
    assert written.isascii()
    results = [json.loads(line) for line in written.splitlines()]
    for result in results:
        assert problems(result, OUTPUT) == []
    return results


def result(**changes: object) -> dict[str, Any]:
    (only,) = run(lines({**STEADY, **changes}))
    return only


def faults(result: dict[str, Any]) -> list[tuple[str | None, str]]:
    assert result["status"] == "error"
    return [(one["field"], one["code"]) for one in result["reasons"]]
