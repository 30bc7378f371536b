"""Files from elsewhere: exactly one verdict each, in words that help, and never an accepted result."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from elsewhere_cases import ELSEWHERE
from intake_cases import NOW, THREE, Bench, a_study, csv_text

from config.language import Language
from scheduler.intake.bounded import Bounds
from scheduler.intake.check import check_file
from scheduler.intake.receipts import speakers
from scheduler.intake.sentences import SENTENCES
from scheduler.store.tables import LabFileRow

ROOT = Path(__file__).parents[2]
ASKED = ("verdict", "code", "accepted", "held", "ignored")
# What a file holds decides its verdict, also where everything is slow (coverage, a busy machine).
UNHURRIED = Bounds(cpu_s=600.0)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_one_verdict_with_a_reason_and_no_result(name: str, tmp_path: Path) -> None:
    make, code = ELSEWHERE[name]
    path = tmp_path / "file"
    path.write_bytes(make())
    said = {language: check_file(path, a_study(), NOW, language, bounds=UNHURRIED) for language in Language}
    for answer in said.values():
        assert (answer["verdict"] in ("quarantined", "ignored"), answer["code"]) == (True, code)
        assert answer["accepted"] == answer["held"] == 0
    english, french = (str(said[language]["reason"]) for language in (Language.EN, Language.FR))
    assert english.endswith((".", '"')) and len(english) > 30
    assert french != english and "{" not in french + english


def test_the_folder_gives_the_verdicts_of_the_dry_run(bench: Bench) -> None:
    """All of them at once: nothing gets in the way of anything, and looking first changes nothing."""
    for number, (make, _) in enumerate(ELSEWHERE.values()):
        bench.drop(f"{number:03}.dat", make())
    lying = {path.name: path.stat().st_mtime_ns for path in (bench.root / "in").iterdir()}
    dry = {
        name: bench.db.transact(
            lambda s, name=name: check_file(
                bench.root / "in" / name, bench.study, NOW, Language.EN, s, bounds=UNHURRIED
            )
        )
        for name in sorted(lying)
    }
    assert {path.name: path.stat().st_mtime_ns for path in (bench.root / "in").iterdir()} == lying
    assert bench.files() == [] and bench.names("receipts") == []
    for _ in range(200):
        if not bench.names("in"):
            break
        bench.look()
    found: dict[str, LabFileRow] = {row.original_name: row for row in bench.files()}
    assert found.keys() == dry.keys()
    for name, row in found.items():
        assert (row.verdict, row.code, row.accepted, row.held, row.ignored) == tuple(
            dry[name][key] for key in ASKED
        )
    assert bench.versions() == []
    assert len(bench.names("receipts")) == 2 * len(found)


def test_the_dry_run_tells_what_a_receipt_would_tell(tmp_path: Path) -> None:
    """Every row with every rule, and the notes about the whole file."""
    path = tmp_path / "file.csv"
    rows = [{**THREE[0], "method": "?", "value": "1 850,0"}, *THREE[1:]]
    path.write_bytes(csv_text(rows, trailer=False).encode())
    found = check_file(path, a_study(), NOW, Language.FR)
    told = [(row["row"], row["verdict"], row["code"]) for row in cast("list[dict[str, Any]]", found["rows"])]
    assert sorted(told) == [(2, "held", "R-09"), (2, "held", "R-10")]
    assert [note["code"] for note in cast("list[dict[str, Any]]", found["notes"])] == ["F-11"]


def test_every_reason_has_its_french(bench: Bench) -> None:
    say = speakers(bench.study.home_zone)
    for code in {code for _, code in ELSEWHERE.values()}:
        assert any(one.partition(".")[0] == code for one in SENTENCES)
    assert say.fr.language is Language.FR


@pytest.mark.process
@pytest.mark.parametrize(
    "name",
    [
        "workbook of 300 MB",
        "a million rows",
        "a line of a million segments",
        "five million commas",
    ],
)
def test_looking_at_the_nastiest_of_them_stays_within_half_a_gigabyte(name: str, tmp_path: Path) -> None:
    """Measured by the system for a process of its own and for its children."""
    path = tmp_path / "file"
    path.write_bytes(ELSEWHERE[name][0]())
    program = (
        "import sys, json, resource; from pathlib import Path\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]\n"
        "from intake_cases import NOW, a_study; from config.language import Language\n"
        "from scheduler.intake.check import check_file\n"
        "answer = check_file(Path(sys.argv[1]), a_study(), NOW, Language.FR)\n"
        "own = next(one for one in Path('/proc/self/status').read_text().splitlines() if one.startswith('VmHWM'))\n"
        "most = max(int(own.split()[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
        "print(json.dumps({'code': answer['code'], 'kib': most}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    found = json.loads(done.stdout)
    assert found["code"] == ELSEWHERE[name][1]
    assert found["kib"] * 1024 < 512 * 1024 * 1024


@pytest.mark.parametrize("bounds", [Bounds(cpu_s=0.02), Bounds(memory=1_000_000)], ids=["time", "memory"])
def test_F13_a_dry_run_ends_within_its_bounds(tmp_path: Path, bounds: Bounds) -> None:
    """Whatever a reader does with the file; and the program goes on without them."""
    path = tmp_path / "file"
    path.write_bytes(b'{"resourceType":"Bundle","entry":[' + b"1," * 2_400_000 + b"1]}")
    space = resource.getrlimit(resource.RLIMIT_AS)
    assert check_file(path, a_study(), NOW, Language.FR, bounds=bounds)["code"] == "F-13"
    assert resource.getrlimit(resource.RLIMIT_AS) == space
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    path.write_bytes(csv_text().encode())
    assert check_file(path, a_study(), NOW, Language.FR)["accepted"] == 3


def test_a_laboratorys_own_words_do_not_make_them_acceptable(tmp_path: Path) -> None:
    """Not even a laboratory that reads every unit and keeps no specimen back."""
    study = a_study(accept_mg_per_dl=True, substance_units=True, blocking_qualities=())
    path = tmp_path / "file"
    for name, (make, _) in ELSEWHERE.items():
        content = make() if "workbook" not in name else b""
        if len(content) < 100_000:
            path.write_bytes(content)
            assert check_file(path, study, NOW, Language.EN)["accepted"] == 0, name
