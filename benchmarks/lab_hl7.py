"""The HL7 reader alone beside python-hl7 and hl7apy, on the message of the specification: three results, 1.5 kB."""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import hl7
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from config.files import read_files
from config.settings import DEFAULT_DIR
from scheduler.intake.readers import Reading, Setting, read
from scheduler.intake.readers.messages import messages_of

_WORDS = {"v2": ("visit", "W6"), **{point.lower(): ("timepoint", point) for point in ("H0", "H30", "H2")}}
_TUBES = (("H0", "0755", "1.85"), ("H30", "0831", "14.2"), ("H2", "1002", "6.40"))
_RESULTS = frozenset({("ORU", "R01")})
_ROUNDS = 9  # in turns, so that a busy machine is busy for all
_SECONDS = 0.3


def a_message() -> str:
    """One ORU^R01 2.5.1 as a hospital's system writes it, with what a study does not need."""
    lines = [
        "MSH|^~\\&|GLIMS|CCH-PHARMACO|MPA|CCH|20260115143000||ORU^R01^ORU_R01|26015143000001|P|2.5.1||||||8859/15",
        "PID|1||MPA-0042-7^^^MPA-AUC~8001234567^^^APHP^PI||ANONYME^ANONYME||19000101|U|||^^PARIS^^75014",
        "PV1|1|O|UF-HDJ^^^CCH||||PRESC^MEDECIN|||||||||||8100200300|||||||||||||||||||||||||202601150700",
    ]
    for no, (point, clock, value) in enumerate(_TUBES, 1):
        order = f"26015-00871-{no}"
        lines += [
            f"ORC|RE|{order}|{order}||CM||||202601150700|||PRESC^MEDECIN",
            f"OBR|{no}|{order}|{order}|23905-3^Mycophenolate^LN|||20260115{clock}||||||V2 {point}"
            "|202601151100||||||||20260115142500||LAB|F",
            f"OBX|1|NM|23905-3^Acide mycophenolique^LN^A9^MPA^L||{value}|mg/L^mg/L^UCUM|1.0-3.5||||"
            "F|||||PHARM|LCMSMS",
            "NTE|1|L|lloq: 0.1",
            f"SPM|{no}|^{order}||PLASMA_EDTA^Plasma EDTA^L|||||||||||||20260115{clock}|202601151100",
        ]
    return "\r".join(lines) + "\r"


def measure() -> dict[str, Any]:
    """Messages per second of each, and how many times faster ours is. Ours goes on to the rows of the study's
    layout, with escapes undone and contradictions found; its splitter alone does what python-hl7 does."""
    text = a_message()
    content = text.encode("iso8859-15")
    files, defects = read_files(DEFAULT_DIR)
    assert not defects
    labs = tuple(one.content for one in files.labs)
    setting = Setting("MPA-AUC", r"MPA-[0-9]{4}-[0-9]", _WORDS, labs)
    found = read(content, {}, setting)
    assert isinstance(found, Reading)
    assert [one.text("value") for one in found.candidates] == [value for _, _, value in _TUBES]
    contenders: dict[str, Callable[[], object]] = {
        "ours": lambda: read(content, {}, setting),
        "ours, split only": lambda: messages_of(content, _RESULTS),
        "python-hl7": lambda: hl7.parse(text),
        "hl7apy tolerant": lambda: parse_message(text),
        "hl7apy strict": lambda: parse_message(text, validation_level=VALIDATION_LEVEL.STRICT),
    }
    rounds = [{name: _rate(work) for name, work in contenders.items()} for _ in range(_ROUNDS)]
    rates = {name: median(one[name] for one in rounds) for name in contenders}
    return {
        "bytes": len(content),
        "messages_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "ours_is_times_faster": {
            name: round(rates["ours"] / rate, 1)
            for name, rate in rates.items()
            if not name.startswith("ours")
        },
    }


def _rate(work: Callable[[], object]) -> float:
    work()
    done, start = 0, perf_counter()
    while perf_counter() - start < _SECONDS:
        work()
        done += 1
    return done / (perf_counter() - start)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
