"""The covariates of a model file and the relations of the model's parameters to them."""

from collections.abc import Mapping, Sequence

from pk.models.catalogue import CATALOGUE, Choice, Measure
from pk.models.population import Covariate, Decline, Effect, Factor, Linear, Power, RangeKind
from pk.values.toml_table import TableReader

FORMS = ("power", "factor", "linear", "decline")
ROUNDING = 0.01
"""How far a linear relation at the references may be from the printed typical value."""


def read_covariates(reader: TableReader) -> tuple[Covariate, ...]:
    """Return what the file says of each covariate, in clinical units; defects go to the reader."""
    tables = reader.inner("covariates", "a table for each covariate", optional=True)
    read: list[Covariate] = []
    for name in tables.table:
        one = tables.inner(name, "a table with reference, unit and range")
        kind = CATALOGUE.get(name)
        if kind is None:
            tables.note(name, f"unknown covariate; known are {', '.join(CATALOGUE)}")
            continue
        read.append(
            _read_choice(one, name, kind) if isinstance(kind, Choice) else _read_measure(one, name, kind)
        )
        one.finish()
    return tuple(read)


def _read_measure(reader: TableReader, name: str, kind: Measure) -> Covariate:
    units = dict(kind.units)
    unit = reader.words("unit", "|".join(units), f"one of {', '.join(units)}")
    factor = units.get(unit, 1.0)
    reference = reader.take("reference", "the value the typical values hold at", optional=True)
    if reference is not None:
        wanted = f"a value from {kind.low / factor:g} to {kind.high / factor:g} {unit}"
        number = reader.number("reference", wanted)
        reference = number * factor
        if not kind.low <= reference <= kind.high:
            reader.refuse("reference", wanted)
    range_name = reader.words("range_is", "|".join(RangeKind), f"one of {', '.join(RangeKind)}")
    low = high = None
    if range_name in (RangeKind.OBSERVED, RangeKind.INTERQUARTILE):
        limits = reader.numbers("range", "the lowest and the highest value", 2)
        if len(limits) == 2:
            low, high = (limit * factor for limit in limits)
            if not low < high:
                reader.refuse("range", "the lower value first")
    required = reader.flag("required", default=False)
    known = RangeKind(range_name) if range_name else RangeKind.UNKNOWN
    return Covariate(name, reference, low, high, known, (), required)


def _read_choice(reader: TableReader, name: str, kind: Choice) -> Covariate:
    table = reader.inner("codes", f"a number for each of {', '.join(kind.words)}")
    codes = tuple((word, table.number(word, "the number the model has for it")) for word in kind.words)
    table.finish()
    word = reader.take("reference", "the word the typical values hold for", optional=True)
    if word is not None and word not in kind.words:
        reader.refuse("reference", f"one of {', '.join(kind.words)}")
    required = reader.flag("required", default=False)
    return Covariate(name, dict(codes).get(word), None, None, RangeKind.UNKNOWN, codes, required)


def read_effects(
    reader: TableReader, typical: Mapping[str, float], covariates: Sequence[Covariate]
) -> tuple[Effect, ...]:
    """Return the relations; a parameter or covariate that is not known is a defect of the reader."""
    known = {one.name: one for one in covariates}
    read: list[Effect] = []
    for one in reader.inners("effects", "a list of tables with parameter and form"):
        parameter = one.words("parameter", "|".join(typical) or ".*", f"one of {', '.join(typical)}")
        form = one.words("form", "|".join(FORMS), f"one of {', '.join(FORMS)}")
        before = len(one.defects)
        effect = _read_effect(one, form, parameter, known) if form else None
        if form:
            one.finish()
        if effect is not None and len(one.defects) == before:
            _check_effect(one, effect, typical, known)
            if _is_sum(effect) and any(_is_sum(other) and other.parameter == parameter for other in read):
                one.note("form", "a second sum on this parameter; write one relation with all its terms")
            read.append(effect)
    used = {name for effect in read for name in effect.covariates}
    for name in sorted(known.keys() - used) if not reader.defects else ():
        reader.note(f"covariates.{name}", "has no relation; add one to effects or remove it here")
    return tuple(read)


def _is_sum(effect: Effect) -> bool:
    return isinstance(effect, Linear | Decline)


def _read_effect(
    reader: TableReader, form: str, parameter: str, known: Mapping[str, Covariate]
) -> Effect | None:
    if form == "linear":
        slopes = reader.inner("slopes", "a table covariate = slope")
        if not slopes.table:
            reader.note("slopes", "empty; give at least one covariate = slope")
        terms = tuple((name, slopes.number(name, "the slope")) for name in slopes.table)
        for name, _ in terms:
            if name not in known:
                slopes.note(name, _undeclared(known))
        return Linear(parameter, reader.number("intercept", "the value where every covariate is 0"), terms)
    covariate = reader.words("covariate", wanted="the name of a covariate")
    if covariate and covariate not in known:
        reader.note("covariate", f"{covariate!r} {_undeclared(known)}")
    match form:
        case "power":
            return Power(parameter, covariate, reader.number("exponent", "the exponent"))
        case "factor":
            return Factor(parameter, covariate, reader.number("factor", "a factor above 0", 0.0, above=True))
        case _:
            delta = reader.number("delta", "what is added at time 0, in the parameter's unit")
            rate = reader.number("rate_per_h", "the rate of its decline in 1/h, above 0", 0.0, above=True)
            return Decline(parameter, covariate, delta, rate)


def _undeclared(known: Mapping[str, Covariate]) -> str:
    return f"is not among [covariates]; describe it there, or use one of {', '.join(known) or 'none yet'}"


def _check_effect(
    reader: TableReader, effect: Effect, typical: Mapping[str, float], known: Mapping[str, Covariate]
) -> None:
    """Note what is missing for the relation to be computed, whatever covariates are given."""
    if effect.parameter in typical and typical[effect.parameter] == 0:
        reader.note("parameter", f"{effect.parameter} is 0 and cannot change; leave the relation out")
    match effect:
        case Power(covariate=name):
            kind = CATALOGUE[name]
            if isinstance(kind, Choice) or kind.low <= 0 or known[name].reference is None:
                reader.note("covariate", f"{name} needs a reference above 0; give it, or use another form")
        case Factor(covariate=name):
            if isinstance(CATALOGUE[name], Measure) or known[name].reference not in (None, 0.0):
                reader.note("covariate", f"{name} needs codes, 0 for its reference; or use another form")
        case Decline(covariate=name):
            if name != "days_since_transplantation":
                reader.note("covariate", f"{name} is no time; use days_since_transplantation")
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
        reader.note(
            "slopes", f"{', '.join(without)} has no reference; give it, or it cannot be left out alone"
        )
    if without or parameter not in typical:
        return
    value = intercept + sum(slope * reference for slope, reference in at if reference is not None)
    if abs(value / typical[parameter] - 1) > ROUNDING:
        reader.note(
            "intercept",
            f"at the references {parameter} is {value:.4g}; it must be the typical value but for rounding",
        )
