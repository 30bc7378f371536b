"""`python -m pk` without a command: the exposures of three concentrations given as options."""

import argparse
import json
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from pk.command.options import not_negative, number, positive
from pk.exposure import PK_VERSION, estimates, inputs_hash
from pk.regression.equation import Equation, equations_from_mapping
from pk.regression.shipped import shipped_equations
from pk.values.errors import EquationError
from pk.values.estimate import Estimate
from pk.values.profile import Dosing, Formulation, Occasion, Sample

DISCLAIMER = "Research use only; not a medical device."
TIMEPOINTS = (("H0", "0", 0.0), ("H30", "30", 30.0), ("H2", "2", 120.0))


@dataclass(frozen=True, slots=True)
class _Result:
    """A concentration as typed: a number, or one only known to be below or above a limit."""

    conc_mg_l: float | None
    lloq_mg_l: float | None = None
    above: bool = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the concentrations, their times, the treatment, and what is printed."""
    conc_help = "in mg/L; '<0.4' below a quantification limit of 0.4, '>15' above the upper limit"
    for name, option, nominal_min in TIMEPOINTS:
        parser.add_argument(
            f"--c{option}", type=_result, metavar="CONC", help=f"concentration at {name} {conc_help}"
        )
        parser.add_argument(
            f"--t{option}",
            type=number,
            default=nominal_min,
            metavar="MIN",
            help=f"actual minutes from the dose (default: the nominal time, {nominal_min:g})",
        )
    parser.add_argument("--formulation", choices=list(Formulation), default="mmf", help="default: mmf")
    parser.add_argument("--dose", type=positive, metavar="MG", help="label strength of one dose")
    parser.add_argument("--interval", type=positive, metavar="H", help="hours between doses")
    parser.add_argument("--days", type=not_negative, metavar="D", help="days the dose has been unchanged")
    parser.add_argument("--assay", metavar="NAME", help="what measured the samples, such as HPLC")
    parser.add_argument("--regressions", metavar="FILE", help="equations (default: config/regressions.toml)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def samples_of(asked: argparse.Namespace) -> tuple[Sample, ...]:
    """Return the samples whose concentration was given."""
    given = [(name, getattr(asked, f"c{o}"), getattr(asked, f"t{o}")) for name, o, _ in TIMEPOINTS]
    return tuple(
        Sample(name, time_min / 60, r.conc_mg_l, r.lloq_mg_l is not None, r.above, r.lloq_mg_l)
        for name, r, time_min in given
        if r is not None
    )


def run(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Print the estimates and return 0; without a concentration, or without equations, end with exit code 2."""
    samples = samples_of(asked)
    if not samples:
        parser.error("no concentration was given; give at least one of --c0, --c30, --c2 in mg/L")
    try:
        equations = _equations(asked.regressions)
    except (OSError, ValueError, RecursionError, EquationError) as problem:
        parser.error(
            f"the equations cannot be read from {asked.regressions or 'the default file'}: {problem}"
        )
    dosing = Dosing(Formulation(asked.formulation), asked.dose, asked.interval, asked.days)
    occasion = Occasion(samples, dosing, asked.assay)
    found = estimates(occasion, equations)
    sys.stdout.write(_as_json(found, inputs_hash(occasion, equations)) if asked.json else _as_text(found))
    return 0


def _equations(path: str | None) -> tuple[Equation, ...]:
    """The equations of a TOML file, by default the project's own."""
    if path is None:
        return shipped_equations()
    with open(path, "rb") as file:  # noqa: PTH123 - pk stays free of pathlib
        return equations_from_mapping(tomllib.load(file))


def _result(text: str) -> _Result:
    if text.startswith("<"):
        return _Result(None, lloq_mg_l=positive(text[1:]))
    if text.startswith(">"):
        positive(text[1:])
        return _Result(None, above=True)
    return _Result(not_negative(text))


def _as_text(found: Sequence[Estimate]) -> str:
    lines = [DISCLAIMER]
    for estimate in found:
        lines.append("")
        lines.append(f"{estimate.method}  {estimate.quantity}: {_value(estimate)}")
        lines += [f"  why not: {reason.text()}" for reason in estimate.reasons]
        lines += [f"  note: {note.text()}" for note in estimate.notes]
    return "\n".join(lines) + "\n"


def _value(estimate: Estimate) -> str:
    if estimate.value_mg_h_l is None:
        return "no value"
    said = f"{estimate.value_mg_h_l:.2f} {estimate.unit}"
    if estimate.low_mg_h_l is None:
        return said
    return f"{said} ({estimate.low_mg_h_l:.2f} to {estimate.high_mg_h_l:.2f})"


def _as_json(found: Sequence[Estimate], digest: str) -> str:
    described = []
    for estimate in found:
        content = asdict(estimate)
        for kind in ("reasons", "notes"):
            content[kind] = [
                {"code": reason.code, "params": dict(reason.params), "text": reason.text()}
                for reason in getattr(estimate, kind)
            ]
        described.append(content)
    content = {
        "disclaimer": DISCLAIMER,
        "pk_version": PK_VERSION,
        "inputs_hash": digest,
        "estimates": described,
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"
