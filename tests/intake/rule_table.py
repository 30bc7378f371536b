"""The rules as docs/lab-files.md lists them: `python tests/intake/rule_table.py` writes the table, a test compares it.

What a rule is about and what happens stand here; the sentences are those of the program. A rule without a sentence,
a sentence without a rule and a rule that no test names are failures of test_intake_rules.py.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from scheduler.domain.sentences import SENTENCES as OF_DOMAIN  # noqa: E402
from scheduler.intake.sentences import SENTENCES as OF_INTAKE  # noqa: E402

PAGE = ROOT / "docs" / "lab-files.md"
BEGIN, END = "<!-- rules -->\n", "<!-- end of rules -->\n"
CODE = re.compile(r"([FRSDE]-[A-Z0-9]+)(?:\.[a-z]+)?")

_REFUSED = "file refused"
_IGNORED = "file ignored"
_HELD = "row held"
_WARNED = "row accepted, told"
_DOUBT = "**no AUC** until corrected or acknowledged (flag `set_held`)"
_UNUSUAL = "flag `profile_unusual`; the AUC is computed"

# rule → what it is about, what happens
RULES: dict[str, tuple[str, str]] = {
    "F-01": ("temporary or hidden name, marker without its file", "left where it is; told after 24 hours"),
    "F-02": ("link, pipe, anything but an ordinary file", "not opened; told"),
    "F-03": ("nothing in it", _REFUSED),
    "F-04": ("too large, too many rows, lines or repetitions", f"{_REFUSED}, not read further"),
    "F-05": ("the same bytes again", "nothing recorded again; moved to `duplicates`"),
    "F-06": ("format not recognised", _REFUSED),
    "F-07": ("format recognised and not read, or not set up", f"{_REFUSED}; the sentence says what to send"),
    "F-08": ("characters that cannot be read", _REFUSED),
    "F-09": ("column missing, not recognised, or twice", _REFUSED),
    "F-10": ("a row wider or narrower than the header, an open quote", _REFUSED),
    "F-11": ("cut, or not what trailer, batch or marker announce", f"{_REFUSED}; without any of them told"),
    "F-12": ("decimal comma and dot in one file", _REFUSED),
    "F-13": ("built to exhaust or deceive whoever opens it", _REFUSED),
    "F-14": ("formula, error, merged or hidden cells, dates of Excel's making", _REFUSED),
    "F-15": ("not of the form that its kind has", f"{_REFUSED}; one wrong entry of a bundle holds that row"),
    "F-16": ("another kind of message", f"{_IGNORED}; among results passed over and told"),
    "F-17": ("another study, patient or analyte", f"{_IGNORED}; a mixture of studies is refused"),
    "F-18": ("test message in production", _REFUSED),
    "F-19": ("over 30 % of four or more subjects unknown, shifted columns", _REFUSED),
    "F-20": ("the folder of another laboratory", _REFUSED),
    "R-01": ("subject unknown", f"{_HELD}; looked at again for 14 days"),
    "R-02": ("check digit of the subject's code", _HELD),
    "R-03": ("subject no longer in the study", f"{_HELD}; looked at again"),
    "R-04": ("visit unknown, without samples, cancelled, or not named", f"{_HELD}; looked at again"),
    "R-05": ("sampling time unknown, or not that of the code", f"{_HELD}; the code of a peak is told"),
    "R-06": ("another analyte", "row not recorded; a code nobody listed is held"),
    "R-07": ("glucuronide under a code of MPA", _HELD),
    "R-08": ("not plasma on EDTA", _HELD),
    "R-09": ("laboratory, specimen, method, quality; places that differ", _HELD),
    "R-10": ("value not understood", _HELD),
    "R-11": ("no value under a final status", _HELD),
    "R-12": ("a value where none can be", _HELD),
    "R-13": ("negative, not a number, infinite", _HELD),
    "R-14": (
        "above 50 mg/L; above 15 mg/L before the dose; all values alike",
        f"{_HELD} above 50 mg/L; else told, and {_UNUSUAL}",
    ),
    "R-15": ("unit missing", _HELD),
    "R-16": ("unit not in the table, or not enabled", _HELD),
    "R-17": ("unit converted", _WARNED),
    "R-18": ("unit against the kind of code", _HELD),
    "R-19": (
        "below or above quantification",
        f"{_WARNED}; after the dose below, or above anywhere: {_DOUBT}",
    ),
    "R-20": ("limit beside the sign without or against the column", _WARNED),
    "R-21": (
        "quality of the specimen",
        f"{_WARNED}; where the laboratory says so, the sample is left out of the AUC",
    ),
    "R-22": ("specimen not usable", "recorded as not obtained: no result will come"),
    "R-30": ("time unreadable, too coarse, skipped or repeated by the clocks", _HELD),
    "R-31": ("in the future, or before the collection", _HELD),
    "R-32": ("more than a day from the visit", f"{_HELD}; looked at again"),
    "R-33": ("a comment that needs reading (erroné, inversion, autre patient …)", _HELD),
    "R-40": ("preliminary", "recorded; waits for the final result"),
    "R-41": ("status unknown, or against that of its order or report", _HELD),
    "R-42": ("already known", "nothing recorded; unchanged at another time: recorded, nothing changes"),
    "R-43": ("changed without the status of a correction", f"{_HELD}; looked at again; no AUC meanwhile"),
    "R-44": ("correction of a result that never came", f"{_HELD}; looked at again"),
    "R-45": (
        "correction or withdrawal of a result on record",
        "recorded; the AUC is computed anew or taken back, by mail",
    ),
    "R-46": ("older than what is known", "recorded, not used"),
    "R-47": ("correction that points to another specimen or place", _HELD),
    "S-01": (
        "two specimens for one sampling time",
        f"{_HELD}, each of them within a file; else looked at again",
    ),
    "S-02": ("collected outside the protocol's window, by the laboratory's word alone", _DOUBT),
    "S-03": ("H30 or H2 before the dose, H0 after it, by the laboratory's word alone", _DOUBT),
    "S-04": ("times in the reverse order of the sampling times", f"told; {_DOUBT}"),
    "S-05": (
        "H0 above H30; what the models suspect (pk-methods.md)",
        f"told; {_UNUSUAL}; with EC-MPS a remark in the report",
    ),
    "S-06": (
        "one tube for two sampling times, visits or subjects",
        f"{_HELD}; a tube that the site recorded for another draw: {_DOUBT}",
    ),
    "S-07": ("different methods in one visit", f"told; {_UNUSUAL}"),
    "S-08": ("time of the dose not recorded", "the AUC waits and comes with it; `visits` and `board` say so"),
    "S-09": (
        "a result that did not come with the others of its day",
        "flag `result_overdue` after the protocol's `complete_within`; with none at all after `results_within`",
    ),
    "D-01": ("names, birth dates, national numbers", "told and not recorded"),
    "E-POISON": ("failed twice for a reason of ours", _REFUSED),
}

# Sentences of other parts of the program that a rule is seen by.
ELSEWHERE = {
    "R-14": ("profile_identical", "profile_trough_high"),
    "R-19": ("set_below_lloq", "set_above_uloq"),
    "R-45": ("set_in_question",),
    "S-02": ("set_out_of_window", "flag_sample_out_of_window"),
    "S-03": ("set_before_dose", "set_after_dose"),
    "S-04": ("set_out_of_order",),
    "S-05": ("profile_predose_high",),
    "S-06": ("set_other_tube",),
    "S-07": ("profile_methods_differ",),
    "S-08": ("missing_dose",),
    "S-09": ("flag_result_overdue",),
}


def codes_of(rule: str) -> list[str]:
    """The codes of the intake's sentences that belong to a rule."""
    return sorted(code for code in OF_INTAKE if code.partition(".")[0] == rule)


def sentences_of(rule: str) -> list[str]:
    """Every English sentence that a rule is seen by."""
    own = [OF_INTAKE[code] for code in codes_of(rule)]
    return own + [OF_DOMAIN[code] for code in ELSEWHERE.get(rule, ())]


def table() -> str:
    """The table as it stands in the page."""
    lines = ["| rule | about | what happens | sentences |", "|---|---|---|---|"]
    for rule, (about, effect) in RULES.items():
        said = "<br>".join(
            sentence.replace("|", "\\|").replace("<r", "&lt;r") for sentence in sentences_of(rule)
        )
        lines.append(f"| {rule} | {about} | {effect} | {said} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
