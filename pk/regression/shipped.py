"""The equations that come with the program, read from its `config` folder."""

import tomllib
from functools import cache
from importlib.resources import files

from pk.regression.equation import Equation, equations_from_mapping


@cache
def shipped_equations() -> tuple[Equation, ...]:
    """Return the equations of `config/regressions.toml`, in its order."""
    text = files("config").joinpath("regressions.toml").read_text(encoding="utf-8")
    return equations_from_mapping(tomllib.loads(text))
