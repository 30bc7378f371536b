"""A population model given inline as a JSON object: the model, or every reason why it is none."""

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from pk.command.fields import Fields
from pk.kinetics.structure import ErrorKind, ErrorModel, Structure
from pk.models.covariance import Flaw, Matrix, flaw
from pk.models.file import ERROR_NUMBERS, MOST_TRANSIT
from pk.models.population import LAG, DoseBasis, PopulationModel, own_parameters
from pk.values.jsontypes import Json
from pk.values.reason import Reason
from pk.values.toml_table import finite

FIELDS = ("structure", "dose_basis", "theta", "omega", "error", "n_transit", "id")
INLINE = "inline"

Word = TypeVar("Word", bound=StrEnum)
_FLAWS = {
    Flaw.NOT_SYMMETRIC: "model_matrix_not_symmetric",
    Flaw.NOT_POSITIVE_DEFINITE: "model_matrix_not_positive_definite",
}


def inline_model(given: Json, field: str = "model") -> PopulationModel | tuple[Reason, ...]:
    """Return the model that an object describes, or all that is wrong with it.

    Parameters
    ----------
    given : JSON value
        An object with `structure`, `dose_basis`, `theta` (typical value by parameter; a missing lag is
        0), `omega` (`parameters` and `matrix`), `error` (`type` and its numbers), `n_transit` where
        the structure has transit compartments, optionally `id`.
    field : str
        The path of the object, which precedes every field named in a reason.

    Returns
    -------
    PopulationModel or tuple of Reason
        An individual's parameter is theta · exp(eta). The model has no covariates, covers every
        formulation and is nobody's default.
    """
    if not isinstance(given, dict):
        return (Reason.of("model_not_readable", field=field),)
    fields = Fields(given, f"{field}.")
    fields.allow(FIELDS)
    structure = _word(fields, "structure", Structure)
    basis = _word(fields, "dose_basis", DoseBasis)
    theta = _theta(fields, structure)
    random, omega = _omega(fields, theta)
    error = _error(fields)
    n_transit = _transit(fields, structure)
    name = fields.identifier() if fields.has("id") else INLINE
    if fields.problems or structure is None or basis is None or error is None:
        return tuple(fields.problems)
    return PopulationModel(
        id=str(name),
        name=str(name),
        structure=structure,
        dose_basis=basis,
        parameters=tuple(theta),
        typical=tuple(theta.values()),
        random=random,
        omega=omega,
        error=error,
        n_transit=n_transit,
    )


def _needed(fields: Fields, name: str) -> bool:
    """Whether a field is given; that it is missing is noted."""
    if not fields.has(name):
        fields.note("field_missing", name)
    return fields.has(name)


def _word(fields: Fields, name: str, known: type[Word]) -> Word | None:
    before = len(fields.problems)
    found = fields.choice(name, next(iter(known))) if _needed(fields, name) else None
    return found if len(fields.problems) == before else None


def _inside(fields: Fields, name: str) -> Fields | None:
    return fields.child(name) if _needed(fields, name) else None


def _positive(fields: Fields, name: str) -> float:
    """A number above 0, NaN where it is missing or wrong."""
    found = fields.number(name, above=0.0) if _needed(fields, name) else None
    return math.nan if found is None else found


def _theta(fields: Fields, structure: Structure | None) -> dict[str, float]:
    """The typical values by own parameter, in the structure's order; an unusable one is NaN."""
    table = _inside(fields, "theta")
    if table is None or structure is None:
        return {}
    names = own_parameters(structure, frozenset(table.content))
    table.allow(names)
    return {
        name: table.number_or(name, 0.0, least=0.0) if name == LAG else _positive(table, name)
        for name in names
    }


def _omega(fields: Fields, theta: Mapping[str, float]) -> tuple[tuple[str, ...], Matrix]:
    table = _inside(fields, "omega")
    if table is None:
        return (), ()
    table.allow(("parameters", "matrix"))
    names = _varying(table, theta)
    matrix = _matrix(table, len(names)) if names else ()
    if matrix and (found := flaw(matrix)) is not None:
        table.note(_FLAWS[found], "matrix")
    return names, matrix


def _varying(table: Fields, theta: Mapping[str, float]) -> tuple[str, ...]:
    """The names of the parameters with a random effect; empty if one cannot be used."""
    before = len(table.problems)
    named = table.items("parameters", required=True)
    names = tuple(name for name in named if isinstance(name, str))
    if len(table.problems) > before:
        return ()
    if not names or len(names) < len(named):
        table.note("model_parameters_missing", "parameters")
    elif theta and not set(names) <= theta.keys():
        table.note("field_not_choice", "parameters", known=", ".join(theta))
    elif len(set(names)) < len(names):
        table.note("model_parameters_repeated", "parameters")
    elif LAG in names and theta.get(LAG) == 0:
        table.note("model_random_effect_on_zero", "parameters", parameter=LAG)
    else:
        return names
    return ()


def _matrix(table: Fields, count: int) -> Matrix:
    before = len(table.problems)
    rows = [row if isinstance(row, list) else [] for row in table.items("matrix", required=True)]
    if len(table.problems) > before:
        return ()
    if len(rows) != count or any(len(row) != count for row in rows):
        table.note("model_matrix_wrong_shape", "matrix", count=count)
        return ()
    read = tuple(tuple(item for value in row if (item := finite(value)) is not None) for row in rows)
    if any(len(row) != count for row in read):
        table.note("field_not_finite", "matrix")
        return ()
    return read


def _error(fields: Fields) -> ErrorModel | None:
    table = _inside(fields, "error")
    kind = None if table is None else _word(table, "type", ErrorKind)
    if table is None or kind is None:
        return None
    table.allow(("type", "prop", "add", "sigma"))
    used = ERROR_NUMBERS[kind]
    for other in ("prop", "add", "sigma"):
        if other not in used and table.content.get(other) not in (None, 0):
            table.note("fields_exclusive", other, other=f"{table.path}type '{kind}'")
    if kind is ErrorKind.COMBINED and 0 in (table.content.get("prop"), table.content.get("add")):
        used = tuple(name for name in used if table.content.get(name) != 0) or used
    read = {name: _positive(table, name) for name in used}
    return ErrorModel(kind, read.get("add", 0.0), read.get("prop", 0.0), read.get("sigma", 0.0))


def _transit(fields: Fields, structure: Structure | None) -> int:
    if structure is Structure.TWO_COMPARTMENT_TRANSIT:
        count = fields.whole("n_transit", 0, least=1) if _needed(fields, "n_transit") else 0
        if count > MOST_TRANSIT:
            fields.note("field_too_large", "n_transit", value=count, most=MOST_TRANSIT)
        return count
    if structure is not None and fields.content.get("n_transit") not in (None, 0):
        fields.note("fields_exclusive", "n_transit", other=f"{fields.path}structure '{structure}'")
    return 0
