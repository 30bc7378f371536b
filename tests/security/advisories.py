"""Asks pip-audit for advisories about the pinned packages: `make check` and `make audit` call it.

    python tests/security/advisories.py --reachable    # exit code 0 when somebody can be asked; else says why not
    python tests/security/advisories.py                # asks; exit code 1 when there is an advisory

Nobody is asked twice on one day about the same packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
ASKED = ROOT / "var" / "advisories-asked"
SERVICE = "https://pypi.org/pypi/pip/24.0/json"  # as pip-audit asks about each package; some mirrors have no such page
ANSWERS_WITHIN_S = 4.0
WITHIN_S = 120


def reachable(service: str = SERVICE, within_s: float = ANSWERS_WITHIN_S) -> bool:
    """Whether the service of advisories answers, and soon."""
    answers: list[bool] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(service, timeout=within_s) as answer:
                answers.append("vulnerabilities" in json.load(answer))
        except (OSError, ValueError):
            return

    asking = threading.Thread(target=ask, daemon=True)  # a name that is looked up in vain may take longer
    asking.start()
    asking.join(within_s)
    return answers == [True]


def today(requirements: bytes, now: datetime) -> str:
    """What is noted once these packages were asked about on this day."""
    return f"{now:%Y-%m-%d} {sha256(requirements).hexdigest()}"


def main(arguments: list[str]) -> int:
    """Look whether anybody can be asked, or ask, and say what was found."""
    mark = today(REQUIREMENTS.read_bytes(), datetime.now(UTC))
    if "--reachable" in arguments:
        if ASKED.exists() and ASKED.read_text("ascii") == mark:
            print("Advisories about the pinned packages were asked for today, and there was none.")
            return 1
        if reachable():
            return 0
        print("The service of advisories cannot be reached from here: they were not looked at.")
        return 1
    found = advisories()
    if found is None:
        print(
            "The service of advisories did not answer, or knows none of the packages: they were not looked at."
        )
        return 0
    packages, unknown, lines = found
    print("\n".join(lines) or f"No advisory about {packages} packages.")
    if unknown:
        print(f"Not known to the service of advisories: {', '.join(unknown)}.")
    if not lines and not unknown:
        ASKED.parent.mkdir(parents=True, exist_ok=True)
        ASKED.write_text(mark, "ascii")
    return 1 if lines else 0


def advisories() -> tuple[int, list[str], list[str]] | None:
    """Of how many packages the service knows, which it does not, and a line for each with an advisory; None when nobody
    answered."""
    program = Path(sys.executable).with_name("pip-audit")  # `make audit` installs it
    command = [str(program), "--requirement", str(REQUIREMENTS), "--require-hashes", "--no-deps"]
    try:
        done = subprocess.run(
            [*command, "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"],
            capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip
        return judged(json.loads(done.stdout)["dependencies"])
    except (KeyError, OSError, subprocess.TimeoutExpired, ValueError):
        return None


def judged(dependencies: list[dict[str, Any]]) -> tuple[int, list[str], list[str]] | None:
    """pip-audit's answer about each package; None when the service knew none of them, which is no good news."""
    unknown = [str(one["name"]) for one in dependencies if "skip_reason" in one]
    lines = [
        f"{one['name']} {one['version']}: {', '.join(vuln['id'] for vuln in one['vulns'])}"
        for one in dependencies
        if one.get("vulns")
    ]
    known = len(dependencies) - len(unknown)
    return (known, unknown, lines) if known else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
