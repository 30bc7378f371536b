"""One JSON object of `python -m pk estimate` as a request: what is asked, or everything wrong with it."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pk.command.fields import Fields
from pk.command.inline_model import inline_model
from pk.models.catalogue import CATALOGUE, covariate_problem
from pk.models.population import DoseBasis, PopulationModel
from pk.values.jsontypes import Json, JsonObject
from pk.values.profile import DoseTaken, Dosing, Formulation, Occasion, Sample
from pk.values.reading import IMPLAUSIBLE_MG_L
from pk.values.reason import Reason, short

INPUT_FIELDS = ("id", "regimen", "samples", "covariates", "assay", "model", "methods", "interval_draws")

DRAWS = 256
"""Draws for an interval unless a line asks for others; 0 asks for none."""

MOST_DRAWS = 16_384
LEAST_DRAWS = 128
_LONGEST_H = 100_000.0


class Method(StrEnum):
    """What may be asked for."""

    MAP = "map"
    REGRESSION = "regression"
    NCA = "nca"
    AVERAGE = "average"


class Drug(StrEnum):
    """The drugs as the input names them."""

    MMF = "MMF"
    EC_MPS = "EC-MPS"

    @property
    def formulation(self) -> Formulation:
        """The same in the package's terms."""
        return {Drug.MMF: Formulation.MMF, Drug.EC_MPS: Formulation.EC_MPS}[self]


@dataclass(frozen=True, slots=True)
class Request:
    """What one line asks for; its samples are named by their place, as `samples[0]`."""

    id: Json
    occasion: Occasion
    model: PopulationModel
    methods: tuple[Method, ...]
    draws: int


class Models:
    """The models that a line may name, and those it brings along; equal ones are read once."""

    def __init__(self, shipped: Sequence[PopulationModel]) -> None:
        self.shipped = tuple(shipped)
        self._by_id = {model.id: model for model in shipped}
        self._inline: dict[str, PopulationModel | tuple[Reason, ...]] = {}

    def named(self, fields: Fields) -> PopulationModel:
        """Return the model of a record; where there is none, the problem is noted and the default returned."""
        given, default = fields.content.get("model"), self.shipped[0]
        if given is None:
            return default
        if isinstance(given, str):
            if given not in self._by_id:
                fields.note("field_not_choice", "model", known=", ".join(self._by_id))
            return self._by_id.get(given, default)
        text = json.dumps(given)
        found = self._inline.get(text)
        if found is None:
            found = self._inline[text] = inline_model(given)
        if isinstance(found, PopulationModel):
            return found
        fields.problems += found
        return default


def request(record: JsonObject, models: Models) -> Request | tuple[Json, tuple[Reason, ...]]:
    """Return what a record asks for, or its id and every reason why it cannot be understood."""
    fields = Fields(record)
    fields.allow(INPUT_FIELDS)
    record_id = fields.identifier()
    methods = _methods(fields)
    model = models.named(fields)
    found = Request(
        record_id,
        Occasion(
            _samples(fields),
            _dosing(fields, model, required=set(methods) != {Method.NCA}),
            _assay(fields),
            _covariates(fields),
        ),
        model,
        methods,
        _draws(fields),
    )
    return (record_id, tuple(fields.problems)) if fields.problems else found


def _methods(fields: Fields) -> tuple[Method, ...]:
    named = fields.items("methods")
    if not fields.has("methods"):
        return (Method.MAP,)
    known = {one.value for one in Method}
    if not named or not all(isinstance(one, str) and one in known for one in named):
        if isinstance(fields.content["methods"], list):
            fields.note("field_not_choice", "methods", known=", ".join(Method))
        return (Method.MAP,)
    return tuple(dict.fromkeys(Method(str(one)) for one in named))


def _draws(fields: Fields) -> int:
    count = fields.whole("interval_draws", DRAWS, least=0)
    if 0 < count < LEAST_DRAWS:
        fields.note("field_too_small", "interval_draws", value=count, least=LEAST_DRAWS)
    elif count > MOST_DRAWS:
        fields.note("field_too_large", "interval_draws", value=count, most=MOST_DRAWS)
    else:
        return count
    return DRAWS


def _assay(fields: Fields) -> str | None:
    value = fields.content.get("assay")
    if value is None or isinstance(value, str):
        return value
    fields.wrong_kind(value, "assay", "string")
    return None


def _covariates(fields: Fields) -> tuple[tuple[str, float | str], ...]:
    given = fields.child("covariates")
    if given is None:
        return ()
    given.allow(CATALOGUE)
    read: list[tuple[str, float | str]] = []
    for name, value in given.content.items():
        if name not in CATALOGUE or value is None:
            continue
        problem = covariate_problem(name, value)
        if problem is not None:
            fields.problems.append(problem)
        elif isinstance(value, int | float | str):
            read.append((name, value))
    return tuple(read)


def _samples(fields: Fields) -> tuple[Sample, ...]:
    given = fields.items("samples", required=True)
    if not given and isinstance(fields.content.get("samples"), list):
        fields.note("field_empty", "samples")
    read = []
    for i, item in enumerate(given):
        name = f"samples[{i}]"
        if isinstance(item, dict):
            read.append(_sample(Fields(item, f"{name}.", fields.problems), name))
        else:
            fields.wrong_kind(item, name, "object")
    return tuple(read)


def _sample(fields: Fields, name: str) -> Sample:
    fields.allow(("time_h", "conc_mg_l", "below_lloq_mg_l"))
    time = _needed(fields, "time_h", least=-_LONGEST_H, most=_LONGEST_H)
    conc, limit = _conc(fields, "conc_mg_l", least=0.0), _conc(fields, "below_lloq_mg_l", above=0.0)
    if fields.has("conc_mg_l") and fields.has("below_lloq_mg_l"):
        fields.note("fields_exclusive", "conc_mg_l", other=f"{fields.path}below_lloq_mg_l")
    elif "conc_mg_l" not in fields.content and not fields.has("below_lloq_mg_l"):
        fields.note("field_missing", "conc_mg_l")
    return Sample(name, time, conc, below_lloq=limit is not None, lloq_mg_l=limit)


def _conc(
    fields: Fields, name: str, *, least: float | None = None, above: float | None = None
) -> float | None:
    found = fields.number(name, least=least, above=above)
    if found is not None and found > IMPLAUSIBLE_MG_L:
        fields.note("conc_unit_doubtful", name, value=short(found), limit=short(IMPLAUSIBLE_MG_L))
    return found


def _needed(
    fields: Fields,
    name: str,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
) -> float:
    """A number that must be given; 1 stands for one that is not."""
    if not fields.has(name):
        fields.note("field_missing", name)
        return 1.0
    found = fields.number(name, above=above, least=least, most=most)
    return 1.0 if found is None else found


def _dosing(fields: Fields, model: PopulationModel, *, required: bool) -> Dosing:
    given = fields.child("regimen")
    if given is None:
        if required and not fields.has("regimen"):
            fields.note("field_missing", "regimen")
        return Dosing(Formulation.MMF)
    given.allow(("drug", "dose_mg", "interval_h", "steady_state", "doses"))
    if not given.has("drug") and model.dose_basis is not DoseBasis.AS_GIVEN:
        given.note("field_missing", "drug")
    formulation = given.choice("drug", Drug.MMF).formulation
    steady = given.flag("steady_state", False) if given.has("steady_state") else None
    if given.has("doses"):
        return _history(given, formulation, steady)
    if steady is None and not given.has("steady_state"):
        given.note("field_missing", "steady_state")
    dose = _needed(given, "dose_mg", above=0.0)
    interval = _needed(given, "interval_h", above=0.0, most=_LONGEST_H)
    return Dosing(formulation, dose, interval, math.inf if steady else None)


def _history(fields: Fields, formulation: Formulation, steady: bool | None) -> Dosing:
    if fields.has("dose_mg"):
        fields.note("fields_exclusive", "dose_mg", other=f"{fields.path}doses")
    if steady:
        fields.note("fields_exclusive", "steady_state", other=f"{fields.path}doses")
    given = fields.items("doses")
    if not given and isinstance(fields.content["doses"], list):
        fields.note("field_empty", "doses")
    taken = []
    for i, item in enumerate(given):
        if isinstance(item, dict):
            taken.append(_dose(Fields(item, f"{fields.path}doses[{i}].", fields.problems)))
        else:
            fields.wrong_kind(item, f"doses[{i}]", "object")
    interval = fields.number("interval_h", above=0.0, most=_LONGEST_H)
    return Dosing(formulation, interval_h=interval, history=tuple(taken))


def _dose(fields: Fields) -> DoseTaken:
    fields.allow(("time_h", "dose_mg", "every_h"))
    return DoseTaken(
        _needed(fields, "time_h", least=-_LONGEST_H, most=_LONGEST_H),
        _needed(fields, "dose_mg", above=0.0),
        fields.number("every_h", above=0.0, most=_LONGEST_H),
    )
