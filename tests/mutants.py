"""What became of the changes that `make mutate` made: by file how many a test noticed, and every one that none did."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

NOTICED, UNNOTICED, UNREACHED = "noticed", "not noticed", "reached by no test"
_OF_EXIT = {0: UNNOTICED, 33: UNREACHED}  # of pytest, and mutmut's own for what no test calls


def outcomes(folder: Path) -> dict[str, dict[str, str]]:
    """By file, then by the name of the change, what became of it; changes that were not tried are left out."""
    found = {}
    for path in sorted(folder.rglob("*.meta")):
        codes = json.loads(path.read_text("utf-8"))["exit_code_by_key"]
        tried = {name: _OF_EXIT.get(code, NOTICED) for name, code in codes.items() if code is not None}
        if tried:
            found[str(path.relative_to(folder)).removesuffix(".meta")] = tried
    return found


def main() -> None:
    every = outcomes(Path("mutants"))
    for file, tried in every.items():
        counts = Counter(tried.values())
        share = 100 * counts[NOTICED] / len(tried)
        print(f"{file}: {counts[NOTICED]} of {len(tried)} noticed ({share:.1f} %)")
    for tried in every.values():
        for name, became in tried.items():
            if became != NOTICED:
                print(f"  {became}: {name}")
    noticed = sum(became == NOTICED for tried in every.values() for became in tried.values())
    print(f"{100 * noticed / sum(map(len, every.values())):.1f} % of {sum(map(len, every.values()))}")


if __name__ == "__main__":
    main()
