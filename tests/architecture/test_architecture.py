"""The house stands as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "pk", "scheduler", "notifications")


def _files(*packages: str) -> list[Path]:
    """The code of these packages; migrations are generated and never edited."""
    found = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    written = [path for path in found if "migrations" not in path.parts]
    return written + ([ROOT / "main.py", ROOT / "composition.py"] if "main" in packages else [])


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


@pytest.mark.process
def test_the_import_rules_hold() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_imports_what_puts_the_packages_together() -> None:
    above = {"main", "composition"}
    assert [_name(path) for path in _files(*PACKAGES) if above & set(_imports(path))] == []


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("apscheduler", "scheduler/runtime/alarm.py"),
        ("aiosmtplib", "notifications/delivery/smtp.py"),
        ("watchfiles", "scheduler/runtime/watch.py"),
    ],
)
def test_a_library_that_may_be_replaced_is_known_in_one_file(library: str, only: str) -> None:
    users = [
        _name(path)
        for path in _files(*PACKAGES, "main")
        if any(name == library or name.startswith(f"{library}.") for name in _imports(path))
    ]
    assert users == [only]


# What the help and the status of the service load of other people's: they are asked often, and by people who wait.
RUNTIME_PACKAGES = {
    re.split(r"[^\w-]", line)[0].replace("argon2-cffi", "argon2").replace("-", "_")
    for line in (ROOT / "requirements.in").read_text("utf-8").splitlines()
    if not line.startswith("#")
}
MAY_BE_LOADED = {
    "--help": {"babel", "rich", "typer"},
    "status": {
        "babel",
        "pydantic",
        "pydantic_settings",
        "pysqlite3",
        "rich",
        "sqlalchemy",
        "sqlmodel",
        "typer",
    },
}


@pytest.mark.process
@pytest.mark.parametrize("words", [["--help"], ["status"]], ids=" ".join)
def test_help_and_status_load_no_library_that_they_do_not_use(words: list[str], sqlite_url: str) -> None:
    program = (
        "import sys, main, contextlib\nwith contextlib.suppress(SystemExit): main.main()\nprint(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        env={**os.environ, "MPA_DATABASE": sqlite_url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Traceback" not in done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert loaded & RUNTIME_PACKAGES == MAY_BE_LOADED[words[0]]


_CLOCK = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|datetime\.today|time\.time)\(")


def test_only_the_clock_reads_the_wall_clock() -> None:
    readers = [_name(p) for p in _files(*PACKAGES, "main") if _CLOCK.search(p.read_text("utf-8"))]
    assert readers == ["scheduler/clock.py"]


def test_the_pure_rooms_touch_no_system() -> None:
    forbidden = {
        "asyncio",
        "logging",
        "structlog",
        "os",
        "time",
        "sqlalchemy",
        "sqlmodel",
        "pathlib",
        "subprocess",
    }
    touching = {
        _name(path): sorted(forbidden & {name.partition(".")[0] for name in _imports(path)})
        for path in _files("pk", "scheduler/domain")
    }
    assert {name: found for name, found in touching.items() if found} == {}


def test_files_stay_small() -> None:
    sizes = {_name(path): len(path.read_text("utf-8").splitlines()) for path in _files(*PACKAGES, "main")}
    assert {name: size for name, size in sizes.items() if size > 330} == {}


def test_functions_stay_small() -> None:
    large = {}
    for path in _files(*PACKAGES, "main"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                if length > 60:
                    large[f"{_name(path)}:{node.name}"] = length
    assert large == {}


def test_no_room_is_named_for_lacking_a_concept() -> None:
    vague = {"utils", "helpers", "common", "manager", "misc"}
    assert [_name(path) for path in _files(*PACKAGES) if path.stem in vague] == []


@pytest.mark.process
def test_no_tracked_file_holds_a_machine_path_or_an_index_address() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert listed.returncode == 0, "the tests run in a git checkout"
    bad = re.compile(
        rf"{re.escape(str(ROOT))}/|^\s*(--(extra-)?index-url|--find-links|-i\s)|https?://\S+\.(whl|tar\.gz)",
        re.MULTILINE,
    )
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".txt", ".in", ".toml", ".cfg", ".lock", ".yml", ""}
            and path.is_file()
        ):
            text = path.read_text("utf-8", errors="replace")
            if bad.search(text):
                found.append(name)
    assert found == []
