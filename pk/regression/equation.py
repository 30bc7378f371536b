"""A published limited-sampling equation as a value, and its reading from a parsed TOML table."""

from collections.abc import Mapping
from dataclasses import dataclass

from pk.values.errors import EquationError
from pk.values.file_defect import FileDefect, phrase
from pk.values.origin import Population, read_population
from pk.values.profile import Formulation
from pk.values.toml_table import Table, TableReader


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


def equations_from_mapping(document: Table) -> tuple[Equation, ...]:
    """Return every equation of a parsed file, in its order.

    Raises
    ------
    EquationError
        With every defect of every equation, each key preceded by `equation[position].`
    """
    tables = document.get("equation")
    remedy = phrase("The file holds [[equation]] only.")
    defects = [FileDefect(key, phrase("unknown key."), remedy) for key in document if key != "equation"]
    if not isinstance(tables, list) or not tables:
        remedy = phrase("Write one [[equation]] for each equation.")
        raise EquationError((*defects, FileDefect("equation", phrase("missing."), remedy)))
    readers = [
        TableReader(table, f"equation[{i}].", defects, "equation") for i, table in enumerate(tables, 1)
    ]
    read = [_read_equation(reader) for reader in readers]
    equations = tuple(equation for equation in read if equation is not None)
    ids = [equation.id for equation in equations]
    for repeated in sorted({name for name in ids if ids.count(name) > 1}):
        problem = phrase("{value} is used more than once.", value=repr(repeated))
        defects.append(FileDefect("equation.id", problem, phrase("Every equation needs its own id.")))
    if defects:
        raise EquationError(tuple(defects))
    return equations


def _read_equation(reader: TableReader) -> Equation | None:
    before = len(reader.defects)
    formulations = "|".join(Formulation)
    equation_id = reader.words("id", r"[a-z][a-z0-9_]*", phrase("a name in lower case such as pawinski_2002"))
    name = reader.words("name")
    quantity = reader.words("quantity", r"AUC\d+-\d+", phrase("what is estimated, such as AUC0-12"))
    intercept = reader.number("intercept", phrase("the constant of the equation in mg·h/L"))
    formulation = reader.words(
        "formulation", formulations, phrase("one of {known}", known=", ".join(Formulation))
    )
    interval = reader.number("interval_h", phrase("the hours between doses, above 0"), 0.0, above=True)
    days = reader.number("min_days_unchanged", phrase("the days of unchanged dose required, 0 or more"), 0.0)
    assays = reader.texts("assays", phrase('a list of assay names such as ["HPLC"]'))
    precision, source = reader.words("precision"), reader.words("source", wanted=phrase("the full citation"))
    population = read_population(
        reader.inner("population", phrase("a table with disease, comedication and n"))
    )
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


def _read_terms(reader: TableReader) -> tuple[Term, ...]:
    coefficients = reader.inner("terms", phrase("a table timepoint = coefficient"))
    timepoints = reader.inner("timepoints", phrase("a table of times for every timepoint"))
    if not coefficients.table and isinstance(reader.table.get("terms"), Mapping):
        reader.note("terms", phrase("empty."), phrase("Give at least one timepoint = coefficient."))
    terms = [_read_term(name, coefficients, timepoints) for name in coefficients.table]
    for name in timepoints.table:
        if name not in coefficients.table:
            timepoints.note(name, phrase("has no coefficient."), phrase("Add it to terms or remove it here."))
    return tuple(sorted(terms, key=lambda term: term.nominal_min))


def _read_term(name: str, coefficients: TableReader, timepoints: TableReader) -> Term:
    wanted = phrase("a table with nominal_min, tolerance_lower_min and tolerance_upper_min")
    times = timepoints.inner(name, wanted)
    term = Term(
        name,
        coefficients.number(name, phrase("the coefficient in h")),
        times.number("nominal_min", phrase("minutes after the dose, 0 for a pre-dose sample"), 0.0),
        times.number("tolerance_lower_min", phrase("how many minutes earlier is accepted, 0 or more"), 0.0),
        times.number("tolerance_upper_min", phrase("how many minutes later is accepted, 0 or more"), 0.0),
    )
    times.finish()
    if term.is_predose and term.tolerance_upper_min > 0:
        problem = phrase("a pre-dose sample cannot come after the dose.")
        times.note("tolerance_upper_min", problem, phrase("Give 0."))
    if not term.is_predose and term.window_min[0] <= 0:
        problem = phrase("the window reaches the dose.")
        times.note("tolerance_lower_min", problem, phrase("Give less than nominal_min."))
    return term
