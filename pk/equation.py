"""A published limited-sampling equation as a value, and its reading from a parsed TOML table."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pk.errors import EquationError
from pk.profile import Formulation

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """One sample of an equation: its coefficient (h) and when it must be drawn (min after the dose).

    The sample is accepted from `nominal_min - tolerance_lower_min` to
    `nominal_min + tolerance_upper_min`, both included.
    """

    timepoint: str
    coefficient_h: float
    nominal_min: float
    tolerance_lower_min: float
    tolerance_upper_min: float

    @property
    def is_predose(self) -> bool:
        """Whether the sample belongs before the dose."""
        return self.nominal_min == 0

    @property
    def window_min(self) -> tuple[float, float]:
        """First and last accepted minute after the dose."""
        return self.nominal_min - self.tolerance_lower_min, self.nominal_min + self.tolerance_upper_min


@dataclass(frozen=True, slots=True)
class Population:
    """In whom the equation was derived."""

    disease: str
    comedication: str
    n: int


@dataclass(frozen=True, slots=True)
class Equation:
    """AUC = intercept + sum of coefficient times concentration, and where it is valid.

    `source` is the full citation, `precision` what was published about it; both are words for
    people and change no estimate.
    """

    id: str
    name: str
    quantity: str
    intercept_mg_h_l: float
    terms: tuple[Term, ...]
    formulation: Formulation
    interval_h: float
    min_days_unchanged: float
    population: Population
    assays: tuple[str, ...]
    precision: str
    source: str

    @property
    def timepoints(self) -> tuple[str, ...]:
        """The samples the equation needs, in order of time."""
        return tuple(term.timepoint for term in self.terms)


def equation_from_mapping(mapping: Table) -> Equation:
    """Return the equation a parsed TOML table describes.

    Parameters
    ----------
    mapping : Mapping
        One `[[equation]]` of `config/regressions.toml`; that file names every key.

    Raises
    ------
    EquationError
        With every defect at once: missing, unknown and ill-typed keys, terms without a timepoint.
    """
    defects: list[str] = []
    equation = _read_equation(_Reader(mapping, "", defects))
    if defects or equation is None:
        raise EquationError(tuple(defects))
    return equation


def equations_from_mapping(document: Table) -> tuple[Equation, ...]:
    """Return every equation of a parsed file, in its order.

    Raises
    ------
    EquationError
        With every defect of every equation, each key preceded by `equation[position].`
    """
    defects: list[str] = []
    tables = document.get("equation")
    defects += [
        f"{key}: unknown key; the file holds [[equation]] only" for key in document if key != "equation"
    ]
    if not isinstance(tables, list) or not tables:
        raise EquationError((*defects, "equation: missing; write one [[equation]] for each equation"))
    read = [_read_equation(_Reader(table, f"equation[{i}].", defects)) for i, table in enumerate(tables, 1)]
    equations = tuple(equation for equation in read if equation is not None)
    ids = [equation.id for equation in equations]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        defects.append(f"equation.id: {repeated!r} is used more than once; every equation needs its own id")
    if defects:
        raise EquationError(tuple(defects))
    return equations


class _Reader:
    """Reads one table key by key; a defect is noted and reading goes on with a stand-in."""

    def __init__(self, table: object, where: str, defects: list[str]) -> None:
        self.where = where
        self.defects = defects
        self.seen: set[str] = set()
        if not isinstance(table, Mapping):
            self.note("", f"{table!r} is not a table; write key = value lines")
            table = {}
        self.table: Table = table

    def note(self, key: str, problem: str) -> None:
        self.defects.append(f"{(self.where + key).rstrip('.') or 'equation'}: {problem}")

    def take(self, key: str, wanted: str) -> Any:
        self.seen.add(key)
        if key not in self.table:
            self.note(key, f"missing; give {wanted}")
        return self.table.get(key)

    def words(self, key: str, pattern: str = r"(?s).*\S.*", wanted: str = "some text") -> str:
        value = self.take(key, wanted)
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        if key in self.table:
            self.note(key, f"{value!r} cannot be used; give {wanted}")
        return ""

    def number(self, key: str, wanted: str, least: float = -math.inf, *, above: bool = False) -> float:
        value = self.take(key, wanted)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number) and (number > least if above else number >= least):
                return number
        if key in self.table:
            self.note(key, f"{value!r} cannot be used; give {wanted}")
        return 0.0

    def texts(self, key: str, wanted: str) -> tuple[str, ...]:
        value = self.take(key, wanted)
        if (
            isinstance(value, list)
            and value
            and all(isinstance(item, str) and item.strip() for item in value)
        ):
            return tuple(value)
        if key in self.table:
            self.note(key, f"{value!r} cannot be used; give {wanted}")
        return ()

    def inner(self, key: str, wanted: str) -> "_Reader":
        value = self.take(key, wanted)
        return _Reader({} if value is None else value, f"{self.where}{key}.", self.defects)

    def finish(self) -> None:
        for key in self.table:
            if key not in self.seen:
                self.note(key, f"unknown key; known here: {', '.join(sorted(self.seen))}")


def _read_equation(reader: _Reader) -> Equation | None:
    before = len(reader.defects)
    formulations = "|".join(Formulation)
    equation_id = reader.words("id", r"[a-z][a-z0-9_]*", "a name in lower case such as pawinski_2002")
    name = reader.words("name")
    quantity = reader.words("quantity", r"AUC\d+-\d+", "what is estimated, such as AUC0-12")
    intercept = reader.number("intercept", "the constant of the equation in mg·h/L")
    formulation = reader.words("formulation", formulations, f"one of {', '.join(Formulation)}")
    interval = reader.number("interval_h", "the hours between doses, above 0", 0.0, above=True)
    days = reader.number("min_days_unchanged", "the days of unchanged dose required, 0 or more", 0.0)
    assays = reader.texts("assays", 'a list of assay names such as ["HPLC"]')
    precision, source = reader.words("precision"), reader.words("source", wanted="the full citation")
    population = _read_population(reader.inner("population", "a table with disease, comedication and n"))
    terms = _read_terms(reader)
    reader.finish()
    if len(reader.defects) > before:
        return None
    return Equation(
        equation_id,
        name,
        quantity,
        intercept,
        terms,
        Formulation(formulation),
        interval,
        days,
        population,
        assays,
        precision,
        source,
    )


def _read_population(reader: _Reader) -> Population:
    count = reader.number("n", "the number of patients, a whole number above 0", 0.0, above=True)
    if not count.is_integer():
        reader.note("n", f"{count!r} cannot be used; give a whole number of patients")
    population = Population(reader.words("disease"), reader.words("comedication"), int(count))
    reader.finish()
    return population


def _read_terms(reader: _Reader) -> tuple[Term, ...]:
    coefficients = reader.inner("terms", "a table timepoint = coefficient")
    timepoints = reader.inner("timepoints", "a table of times for every timepoint")
    if not coefficients.table and isinstance(reader.table.get("terms"), Mapping):
        reader.note("terms", "empty; give at least one timepoint = coefficient")
    terms = [_read_term(name, coefficients, timepoints) for name in coefficients.table]
    for name in timepoints.table:
        if name not in coefficients.table:
            timepoints.note(name, "has no coefficient; add it to terms or remove it here")
    return tuple(sorted(terms, key=lambda term: term.nominal_min))


def _read_term(name: str, coefficients: _Reader, timepoints: _Reader) -> Term:
    times = timepoints.inner(name, "a table with nominal_min, tolerance_lower_min and tolerance_upper_min")
    term = Term(
        name,
        coefficients.number(name, "the coefficient in h"),
        times.number("nominal_min", "minutes after the dose, 0 for a pre-dose sample", 0.0),
        times.number("tolerance_lower_min", "how many minutes earlier is accepted, 0 or more", 0.0),
        times.number("tolerance_upper_min", "how many minutes later is accepted, 0 or more", 0.0),
    )
    times.finish()
    if term.is_predose and term.tolerance_upper_min > 0:
        times.note("tolerance_upper_min", "a pre-dose sample cannot come after the dose; give 0")
    if not term.is_predose and term.window_min[0] <= 0:
        times.note("tolerance_lower_min", "the window reaches the dose; give less than nominal_min")
    return term
