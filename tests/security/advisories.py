"""Asks pip-audit for advisories about the pinned packages: `python tests/security/advisories.py`, or `make audit`.

Exit code 1 when there is one; 0 when there is none, and when nobody can be asked, which is said.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
WITHIN_S = 60


def main() -> int:
    """Ask, and say what was found."""
    program = Path(sys.executable).with_name("pip-audit")
    if not program.exists():
        print("pip-audit is not installed: advisories were not looked at ('make audit' installs it).")
        return 0
    command = [str(program), "--requirement", str(ROOT / "requirements.txt"), "--require-hashes", "--no-deps"]
    try:
        done = subprocess.run(
            [*command, "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"],
            capture_output=True, text=True, timeout=WITHIN_S, check=False,
        )  # fmt: skip
        answer = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        print("The service of advisories cannot be reached: they were not looked at.")
        return 0
    found = [
        f"{one['name']} {one['version']}: {', '.join(vuln['id'] for vuln in one['vulns'])}"
        for one in answer["dependencies"]
        if one.get("vulns")
    ]
    print("\n".join(found) or f"No advisory about {len(answer['dependencies'])} packages.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
