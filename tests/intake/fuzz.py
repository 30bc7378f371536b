"""Coverage-guided fuzzing of the readers, by libFuzzer through atheris: `make fuzz`.

Starts from the seeds of fuzz_cases.py and the cases in corpus/, mutates them for the seconds given, and stops at the
first input that breaks what must hold of every file. That input is left in the folder it says; once it is put right,
it belongs into corpus/, where the test suite runs it for good.

    python tests/intake/fuzz.py {csv,er7,fhir} SECONDS
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

with atheris.instrument_imports(include=["scheduler.intake"]):
    from fuzz_cases import SEEDS, one_verdict

MOST_BYTES = 8192
TIMEOUT_S = 10  # for one input; a reader that takes longer counts as broken


def main(kind: str, seconds: str) -> None:
    """Fuzz one kind of files. Ends the process: 0 when nothing was found."""
    own = Path(tempfile.mkdtemp(prefix=f"fuzz-{kind}-"))
    for number, content in enumerate(SEEDS[kind]):
        (own / f"seed-{number}").write_bytes(content)
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MOST_BYTES}",
        f"-timeout={TIMEOUT_S}",
        "-rss_limit_mb=1024",
    ]
    places = [f"-artifact_prefix={own}/found-", str(own), str(HERE / "corpus" / kind)]
    atheris.Setup([sys.argv[0], *options, *places], lambda content: one_verdict(content) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:3])
