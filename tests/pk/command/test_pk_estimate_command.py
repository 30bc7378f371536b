"""`python -m pk estimate` as a program."""

import json
import subprocess
import sys

import pytest
from estimate_cases import RECORD, result
from pk_cases import ROOT, lines

from pk.__main__ import main
from pk.command.json_parser import schema_text


def piped(content: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "error", "-m", "pk", "estimate", *options]
    return subprocess.run(command, input=content, cwd=ROOT, capture_output=True, check=False)


@pytest.mark.process
def test_the_command_reads_standard_input_and_writes_standard_output() -> None:
    done = piped(lines(RECORD, {"id": 2}, b"x"))
    assert (done.returncode, done.stderr) == (0, b"")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["id"], one["status"]) for one in found] == [("S1", "ok"), (2, "error"), (None, "error")]
    assert found[0] == result()


@pytest.mark.process
def test_many_lines_are_shared_out_and_come_back_in_order() -> None:
    records = [
        {**RECORD, "id": i, "model": "van_hest_2007", "interval_draws": 0} if i % 7 else {"id": i}
        for i in range(2_100)
    ]
    done = piped(lines(*records))
    assert (done.returncode, done.stderr) == (0, b"")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in found] == list(range(len(records)))
    assert {(one["id"] % 7 == 0, one["status"]) for one in found} == {(True, "error"), (False, "ok")}
    alone = result(model="van_hest_2007", interval_draws=0)["methods"]["map"]["auc_0_12_mg_h_l"]
    aucs = {one["methods"]["map"]["auc_0_12_mg_h_l"] for one in found if one["status"] == "ok"}
    assert list(aucs) == [pytest.approx(alone, rel=1e-9)]


@pytest.mark.parametrize(("argv", "side"), [(["--schema"], "input"), (["--schema", "output"], "output")])
def test_the_schemas_can_be_printed(capsys: pytest.CaptureFixture[str], argv: list[str], side: str) -> None:
    assert main(["estimate", *argv]) == 0
    assert capsys.readouterr().out == schema_text(f"estimate-{side}")
