"""From a parsed TOML file to a population model, with all defects of the file at once."""

import math
import re
from collections.abc import Mapping, Sequence

from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.models.covariance import Flaw, Matrix, Reading, Spread, combined, flaw
from pk.models.population import LAG, DoseBasis, PopulationModel, own_parameters
from pk.models.relations import read_covariates, read_effects
from pk.values.errors import ModelError
from pk.values.file_defect import FileDefect, Phrase, phrase
from pk.values.origin import read_population
from pk.values.profile import Formulation
from pk.values.toml_table import Table, TableReader

LONGEST_LAG_H = 12.0
"""A typical lag must be shorter than the interval between two doses of the study."""

MOST_TRANSIT = 100
"""More compartments than anyone has estimated; each costs computing time."""

ERROR_NUMBERS = {
    ErrorKind.ADDITIVE: ("add",),
    ErrorKind.PROPORTIONAL: ("prop",),
    ErrorKind.COMBINED: ("prop", "add"),
    ErrorKind.LOG_ADDITIVE: ("sigma",),
}
"""The numbers of each residual error: `add` in mg/L, `prop` and `sigma` fractions."""


def model_from_mapping(mapping: Table) -> PopulationModel:
    """Return the model a parsed file of `config/models/` describes.

    Raises
    ------
    ModelError
        With every defect at once: missing, unknown and ill-typed keys, parameters that are not those
        of the structure, a covariance that is none, relations to unknown parameters or covariates.
    """
    defects: list[FileDefect] = []
    model = _read_model(TableReader(mapping, "", defects, "file"))
    if defects or model is None:
        raise ModelError(tuple(defects))
    return model


def set_defects(models: Sequence[PopulationModel]) -> tuple[FileDefect, ...]:
    """Return what is wrong with sound models as a set: ids used twice, not exactly one default.

    >>> str(set_defects([])[0])
    'default: no model has default = true; exactly one must be the prior used when none is named'
    """
    found: list[FileDefect] = []
    ids = [model.id for model in models]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}):
        problem = phrase("{value} is used by more than one model.", value=repr(repeated))
        found.append(FileDefect("id", problem, phrase("Every model needs its own id.")))
    defaults = [model.id for model in models if model.is_default]
    if len(defaults) != 1:
        problem = phrase("no model has default = true.")
        if defaults:
            problem = phrase("{names} have default = true.", names=", ".join(defaults))
        remedy = phrase("Exactly one must be the prior used when none is named.")
        found.append(FileDefect("default", problem, remedy))
    return tuple(found)


def _read_model(reader: TableReader) -> PopulationModel | None:
    before = len(reader.defects)
    model_id = reader.words("id", r"[a-z][a-z0-9_]*", phrase("a name in lower case such as mizaki_2023"))
    name = reader.words("name")
    structure_name = _choice(reader, "structure", list(Structure))
    basis = _choice(reader, "dose_basis", [DoseBasis.MG_MMF, DoseBasis.MG_MPA])
    formulations = _formulations(reader)
    wanted = phrase("a list of assay names, [] where they are not known")
    assays = reader.texts("assays", wanted, optional=True)
    wanted = phrase("the limit of quantification in mg/L, left out if unknown")
    lloq = reader.number("lloq_mg_l", wanted, 0.0, above=True, optional=0.0)
    citation = reader.words("citation", wanted=phrase("the source, as far as it is confirmed"))
    choices = reader.texts("choices", phrase("a list of what the study team decided"), optional=True)
    wanted = phrase("a table with disease, comedication and n")
    population = read_population(reader.inner("population", wanted))
    error = _read_error(reader.inner("error", phrase("a table with type and its numbers")))
    is_default = reader.flag("default", default=False)
    structure = Structure(structure_name) if structure_name else None
    n_transit = _read_transit(reader, structure)
    typical = _read_typical(reader.inner("typical", phrase("a table parameter = typical value")), structure)
    random, omega = _read_omega(reader, typical)
    covariates = read_covariates(reader)
    effects = read_effects(reader, typical, covariates)
    reader.finish()
    if len(reader.defects) > before or structure is None or error is None:
        return None
    return PopulationModel(
        id=model_id,
        name=name,
        structure=structure,
        dose_basis=DoseBasis(basis),
        parameters=tuple(typical),
        typical=tuple(typical.values()),
        random=random,
        omega=omega,
        error=error,
        n_transit=n_transit,
        formulations=formulations,
        effects=effects,
        covariates=covariates,
        population=population,
        assays=assays,
        lloq_mg_l=lloq or None,
        citation=citation,
        choices=choices,
        is_default=is_default,
    )


def _choice(reader: TableReader, key: str, known: Sequence[str]) -> str:
    wanted = phrase("one of {known}", known=", ".join(known))
    return reader.words(key, "|".join(map(re.escape, known)), wanted)


def _formulations(reader: TableReader) -> tuple[Formulation, ...]:
    wanted = phrase("a list of some of {known}", known=", ".join(Formulation))
    named = reader.texts("formulations", wanted)
    if set(named) <= set(Formulation):
        return tuple(Formulation(one) for one in named)
    reader.refuse("formulations", wanted)
    return ()


def _read_error(reader: TableReader) -> ErrorModel | None:
    kind = _choice(reader, "type", list(ErrorKind))
    if not kind:
        return None
    numbers = {
        name: reader.number(
            name, phrase("mg/L above 0" if name == "add" else "a fraction above 0"), 0.0, above=True
        )
        for name in ERROR_NUMBERS[ErrorKind(kind)]
    }
    reader.finish()
    return ErrorModel(
        ErrorKind(kind), numbers.get("add", 0.0), numbers.get("prop", 0.0), numbers.get("sigma", 0.0)
    )


def _read_transit(reader: TableReader, structure: Structure | None) -> int:
    if structure is not Structure.TWO_COMPARTMENT_TRANSIT:
        return 0
    wanted = phrase("the number of transit compartments, a whole number from 1 to {most}", most=MOST_TRANSIT)
    count = reader.number("n_transit", wanted, 1.0)
    if not count.is_integer() or count > MOST_TRANSIT:
        reader.refuse("n_transit", wanted)
    return int(count)


def _read_typical(reader: TableReader, structure: Structure | None) -> dict[str, float]:
    """The typical values by own parameter, in the structure's order; empty if it is not known."""
    if structure is None:
        return {}
    names = own_parameters(structure, frozenset(reader.table))
    typical: dict[str, float] = {}
    for name in names:
        if name == LAG:
            wanted = phrase("hours, 0 or more and less than {longest}", longest=f"{LONGEST_LAG_H:g}")
            typical[name] = reader.number(name, wanted, 0.0, optional=0.0)
            if typical[name] >= LONGEST_LAG_H:
                reader.refuse(name, wanted)
        else:
            typical[name] = reader.number(name, phrase("a typical value above 0"), 0.0, above=True)
        if typical[name] == 0 and (name != LAG or reader.table.get(name) not in (None, 0)):
            typical[name] = math.nan  # noted already: nothing that depends on it is
    for key in sorted(set(reader.table) - set(names)):
        reader.seen.add(key)
        reader.note(key, phrase("is no parameter of this structure."), _parameters(structure, names))
    return typical


def _parameters(structure: Structure, names: Sequence[str]) -> Phrase:
    """Which parameters a structure has, and by which others the flow to V2 may be given."""
    listed = {"structure": structure, "names": ", ".join(names)}
    if "V2" not in names:
        return phrase("{structure} has {names}.", **listed)
    return phrase("{structure} has {names} (k12 and k21 may stand for Q and V2).", **listed)


def _read_omega(reader: TableReader, typical: Mapping[str, float]) -> tuple[tuple[str, ...], Matrix]:
    """The parameters with a random effect, and their covariance on one occasion."""
    before = len(reader.defects)
    between = _read_spreads(
        reader.inner("iiv", phrase("a table parameter = {{ printed, reading }}")), typical
    )
    within = _read_spreads(reader.inner("iov", phrase("such a table"), optional=True), typical)
    random = tuple(name for name in typical if name in between or name in within)
    correlations = _read_correlations(reader, tuple(between))
    if len(reader.defects) > before:
        return (), ()
    if not random:
        reader.note("iiv", phrase("empty."), phrase("Give the variability of at least one parameter."))
        return (), ()
    at = {name: i for i, name in enumerate(random)}
    omega = combined(
        [between.get(name, 0.0) for name in random],
        [(at[one], at[other], r) for one, other, r in correlations],
        [within.get(name, 0.0) for name in random],
    )
    if flaw(omega) is Flaw.NOT_POSITIVE_DEFINITE:
        problem = phrase("with its correlations is not positive definite.")
        reader.note("iiv", problem, phrase("Correct correlations or variances."))
    return random, omega


def _read_spreads(reader: TableReader, typical: Mapping[str, float]) -> dict[str, float]:
    """The variances of a table of variabilities, by parameter."""
    variances: dict[str, float] = {}
    for name in reader.table:
        spread = reader.inner(name, phrase("a table with printed and reading"))
        if typical and not typical.get(name):
            problem = phrase(
                "is 0 here and cannot vary by a factor."
                if name in typical
                else "is no parameter of the model."
            )
            known = ", ".join(one for one in typical if typical[one])
            reader.note(name, problem, phrase("Known are {known}.", known=known))
        wanted = phrase("the variability as printed, above 0")
        printed = spread.number("printed", wanted, 0.0, above=True)
        reading = _choice(spread, "reading", list(Reading))
        wanted = phrase("the largest variance that is believed")
        cap = spread.number("cap_omega2", wanted, 0.0, above=True, optional=1e6)
        spread.finish()
        if reading:
            variances[name] = Spread(printed, Reading(reading), cap).variance
    return variances


def _read_correlations(reader: TableReader, varying: tuple[str, ...]) -> tuple[tuple[str, str, float], ...]:
    read: list[tuple[str, str, float]] = []
    for one in reader.inners("correlations", phrase("a list of tables with between and r")):
        wanted = phrase("two different parameters of {known}", known=", ".join(varying))
        pair = one.texts("between", wanted)
        if pair and not (len(pair) == len(set(pair)) == 2 and set(pair) <= set(varying)):
            one.refuse("between", wanted)
        wanted = phrase("a number between -1 and 1")
        r = one.number("r", wanted, -1.0, above=True)
        if r >= 1:
            one.refuse("r", wanted)
        one.finish()
        if any(set(pair) == {first, second} for first, second, _ in read):
            problem = phrase("{value} is given twice.", value=repr(pair))
            one.note("between", problem, phrase("Give every pair once."))
        elif len(pair) == 2:
            read.append((pair[0], pair[1], r))
    return tuple(read)
