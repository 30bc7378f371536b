"""The covariates of a model file and the relations of the model's parameters to them."""

from collections.abc import Mapping, Sequence

from pk.models.catalogue import CATALOGUE, Choice, Measure
from pk.models.population import Covariate, Decline, Effect, Factor, Linear, Power, RangeKind
from pk.values.file_defect import Phrase, phrase
from pk.values.toml_table import TableReader

FORMS = ("power", "factor", "linear", "decline")
ROUNDING = 0.01
"""How far a linear relation at the references may be from the printed typical value."""


def read_covariates(reader: TableReader) -> tuple[Covariate, ...]:
    """Return what the file says of each covariate, in clinical units; defects go to the reader."""
    tables = reader.inner("covariates", phrase("a table for each covariate"), optional=True)
    read: list[Covariate] = []
    for name in tables.table:
        one = tables.inner(name, phrase("a table with reference, unit and range"))
        kind = CATALOGUE.get(name)
        if kind is None:
            remedy = phrase("Known are {known}.", known=", ".join(CATALOGUE))
            tables.note(name, phrase("unknown covariate."), remedy)
            continue
        read.append(
            _read_choice(one, name, kind) if isinstance(kind, Choice) else _read_measure(one, name, kind)
        )
        one.finish()
    return tuple(read)


def _read_measure(reader: TableReader, name: str, kind: Measure) -> Covariate:
    units = dict(kind.units)
    unit = reader.words("unit", "|".join(units), phrase("one of {known}", known=", ".join(units)))
    factor = units.get(unit, 1.0)
    reference = reader.take("reference", phrase("the value the typical values hold at"), optional=True)
    if reference is not None:
        wanted = phrase(
            "a value from {low} to {high} {unit}",
            low=f"{kind.low / factor:g}",
            high=f"{kind.high / factor:g}",
            unit=unit or kind.unit,
        )
        number = reader.number("reference", wanted)
        reference = number * factor
        if unit and not kind.low <= reference <= kind.high:
            reader.refuse("reference", wanted)
    wanted = phrase("one of {known}", known=", ".join(RangeKind))
    range_name = reader.words("range_is", "|".join(RangeKind), wanted)
    low = high = None
    if range_name in (RangeKind.OBSERVED, RangeKind.INTERQUARTILE):
        limits = reader.numbers("range", phrase("the lowest and the highest value"), 2)
        if len(limits) == 2:
            low, high = (limit * factor for limit in limits)
            if not low < high:
                reader.refuse("range", phrase("the lower value first"))
    required = reader.flag("required", default=False)
    known = RangeKind(range_name) if range_name else RangeKind.UNKNOWN
    return Covariate(name, reference, low, high, known, (), required)


def _read_choice(reader: TableReader, name: str, kind: Choice) -> Covariate:
    known = ", ".join(kind.words)
    table = reader.inner("codes", phrase("a number for each of {known}", known=known))
    wanted = phrase("the number the model has for it")
    codes = tuple((word, table.number(word, wanted)) for word in kind.words)
    table.finish()
    word = reader.take("reference", phrase("the word the typical values hold for"), optional=True)
    if word is not None and word not in kind.words:
        reader.refuse("reference", phrase("one of {known}", known=known))
    required = reader.flag("required", default=False)
    return Covariate(name, dict(codes).get(word), None, None, RangeKind.UNKNOWN, codes, required)


def read_effects(
    reader: TableReader, typical: Mapping[str, float], covariates: Sequence[Covariate]
) -> tuple[Effect, ...]:
    """Return the relations; a parameter or covariate that is not known is a defect of the reader."""
    known = {one.name: one for one in covariates}
    read: list[Effect] = []
    for one in reader.inners("effects", phrase("a list of tables with parameter and form")):
        wanted = phrase("one of {known}", known=", ".join(typical))
        parameter = one.words("parameter", "|".join(typical) or ".*", wanted)
        form = one.words("form", "|".join(FORMS), phrase("one of {known}", known=", ".join(FORMS)))
        before = len(one.defects)
        effect = _read_effect(one, form, parameter, known) if form else None
        if form:
            one.finish()
        if effect is not None and len(one.defects) == before:
            _check_effect(one, effect, typical, known)
            if _is_sum(effect) and any(_is_sum(other) and other.parameter == parameter for other in read):
                remedy = phrase("Write one relation with all its terms.")
                one.note("form", phrase("a second sum on this parameter."), remedy)
            read.append(effect)
    used = {name for effect in read for name in effect.covariates}
    for name in sorted(known.keys() - used) if not reader.defects else ():
        remedy = phrase("Add one to effects or remove it here.")
        reader.note(f"covariates.{name}", phrase("has no relation."), remedy)
    return tuple(read)


def _is_sum(effect: Effect) -> bool:
    return isinstance(effect, Linear | Decline)


def _read_effect(
    reader: TableReader, form: str, parameter: str, known: Mapping[str, Covariate]
) -> Effect | None:
    if form == "linear":
        slopes = reader.inner("slopes", phrase("a table covariate = slope"))
        if not slopes.table:
            reader.note("slopes", phrase("empty."), phrase("Give at least one covariate = slope."))
        terms = tuple((name, slopes.number(name, phrase("the slope"))) for name in slopes.table)
        for name, _ in terms:
            if name not in known:
                slopes.note(name, phrase("is not among [covariates]."), _declare(known))
        wanted = phrase("the value where every covariate is 0")
        return Linear(parameter, reader.number("intercept", wanted), terms)
    covariate = reader.words("covariate", wanted=phrase("the name of a covariate"))
    if covariate and covariate not in known:
        problem = phrase("{value} is not among [covariates].", value=repr(covariate))
        reader.note("covariate", problem, _declare(known))
    match form:
        case "power":
            return Power(parameter, covariate, reader.number("exponent", phrase("the exponent")))
        case "factor":
            factor = reader.number("factor", phrase("a factor above 0"), 0.0, above=True)
            return Factor(parameter, covariate, factor)
        case _:
            delta = reader.number("delta", phrase("what is added at time 0, in the parameter's unit"))
            wanted = phrase("the rate of its decline in 1/h, above 0")
            rate = reader.number("rate_per_h", wanted, 0.0, above=True)
            return Decline(parameter, covariate, delta, rate)


def _declare(known: Mapping[str, Covariate]) -> Phrase:
    listed = ", ".join(known) or phrase("none yet")
    return phrase("Describe it there, or use one of {known}.", known=listed)


def _check_effect(
    reader: TableReader, effect: Effect, typical: Mapping[str, float], known: Mapping[str, Covariate]
) -> None:
    """Note what is missing for the relation to be computed, whatever covariates are given."""
    if effect.parameter in typical and typical[effect.parameter] == 0:
        problem = phrase("{name} is 0 and cannot change.", name=effect.parameter)
        reader.note("parameter", problem, phrase("Leave the relation out."))
    match effect:
        case Power(covariate=name):
            kind = CATALOGUE[name]
            if isinstance(kind, Choice) or kind.low <= 0 or known[name].reference is None:
                problem = phrase("{name} needs a reference above 0.", name=name)
                reader.note("covariate", problem, phrase("Give it, or use another form."))
        case Factor(covariate=name):
            if isinstance(CATALOGUE[name], Measure) or known[name].reference not in (None, 0.0):
                problem = phrase("{name} needs codes, 0 for its reference.", name=name)
                reader.note("covariate", problem, phrase("Or use another form."))
        case Decline(covariate=name):
            if name != "days_since_transplantation":
                problem = phrase("{name} is no time.", name=name)
                reader.note("covariate", problem, phrase("Use days_since_transplantation."))
        case Linear(intercept=intercept, slopes=slopes):
            _check_sum(reader, effect.parameter, intercept, slopes, typical, known)


def _check_sum(
    reader: TableReader,
    parameter: str,
    intercept: float,
    slopes: Sequence[tuple[str, float]],
    typical: Mapping[str, float],
    known: Mapping[str, Covariate],
) -> None:
    at = [(slope, known[name].reference) for name, slope in slopes]
    without = [name for name, _ in slopes if known[name].reference is None]
    if without and len(slopes) > 1:
        problem = phrase("{names} has no reference.", names=", ".join(without))
        reader.note("slopes", problem, phrase("Give it, or it cannot be left out alone."))
    if without or parameter not in typical:
        return
    value = intercept + sum(slope * reference for slope, reference in at if reference is not None)
    if abs(value / typical[parameter] - 1) > ROUNDING:
        problem = phrase("at the references {name} is {value}.", name=parameter, value=f"{value:.4g}")
        reader.note("intercept", problem, phrase("It must be the typical value but for rounding."))
