"""The population models that come with the program, read from its `config` folder."""

import tomllib
from functools import cache
from importlib.resources import files

from pk.models.file import model_from_mapping
from pk.models.population import PopulationModel


@cache
def shipped_models() -> tuple[PopulationModel, ...]:
    """Return the models of `config/models/`, the default first, the others by id."""
    folder = files("config").joinpath("models")
    read = [
        model_from_mapping(tomllib.loads(file.read_text(encoding="utf-8")))
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(read, key=lambda model: (not model.is_default, model.id)))
