"""Reads the TOML files of a configuration directory and reports the defects of all of them at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from config.defects import UNREADABLE, Defect, unreadable
from config.said import said
from config.schema import LabFile, ProtocolFile, SiteFile
from config.shape_defects import shape_defects

__all__ = ["Files", "Loaded", "read_files"]

Content = TypeVar("Content", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Content]):
    """A file that has the right shape: its name, its content, and the hash of its text."""

    name: str
    content: Content
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Files:
    """Everything read from one configuration directory.

    Equations and models are the raw content of their files (models by file name): what they mean is
    checked where they are used.
    """

    protocols: tuple[Loaded[ProtocolFile], ...]
    sites: tuple[Loaded[SiteFile], ...]
    labs: tuple[Loaded[LabFile], ...]
    regressions: dict[str, Any]
    models: dict[str, dict[str, Any]]


def read_files(directory: Path) -> tuple[Files, list[Defect]]:
    """All files of `directory` that can be read, and every defect of those that cannot."""
    defects: list[Defect] = []
    protocols = _read_folder(directory, "protocols", ProtocolFile, defects)
    sites = _read_folder(directory, "sites", SiteFile, defects)
    labs = _read_folder(directory, "labs", LabFile, defects)
    regressions = _read_toml(directory / "regressions.toml", "regressions.toml", defects)
    document = regressions[1] if regressions is not None else {}
    models = {name: mapping for name, _, mapping in _tables(directory, "models", defects)}
    defects += _repeated(sites, "id", [loaded.content.id for loaded in sites])
    defects += _repeated(labs, "code", [loaded.content.code for loaded in labs])
    boxed = tuple(loaded for loaded in labs if loaded.content.folder is not None)
    defects += _repeated(boxed, "folder", [str(loaded.content.folder) for loaded in boxed])
    versions = [f"{one.content.study.id} {one.content.study.version}" for one in protocols]
    defects += _repeated(protocols, "study.version", versions)
    return Files(protocols, sites, labs, document, models), defects


def _read_folder(
    directory: Path, folder: str, shape: type[Content], defects: list[Defect]
) -> tuple[Loaded[Content], ...]:
    loaded = []
    for name, text, mapping in _tables(directory, folder, defects):
        try:
            content = shape.model_validate(mapping)
        except ValidationError as error:
            defects += shape_defects(name, error)
        else:
            loaded.append(Loaded(name, content, sha256(text.encode()).hexdigest(), text))
    return tuple(loaded)


def _tables(directory: Path, folder: str, defects: list[Defect]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, text and content of every TOML file of a folder that can be read."""
    paths = sorted((directory / folder).glob("*.toml"))
    if not paths:
        defects.append(
            Defect(
                f"{folder}/",
                "folder",
                said("There is no .toml file here."),
                said("Add one; see the documentation."),
            )
        )
    for path in paths:
        name = f"{folder}/{path.name}"
        raw = _read_toml(path, name, defects)
        if raw is not None:
            yield name, *raw


def _read_toml(path: Path, name: str, defects: list[Defect]) -> tuple[str, dict[str, Any]] | None:
    try:
        text = path.read_text("utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        remedy = said("Copy it from the project's config folder.")
        defects.append(Defect(name, "file", said("The file is missing."), remedy))
    except UNREADABLE as error:
        defects.append(unreadable(name, error))
    return None


def _repeated(files: tuple[Loaded[Content], ...], key: str, values: list[str]) -> list[Defect]:
    return [
        Defect(
            files[i].name,
            key,
            said("'{value}' is already used by {file}.", value=value, file=files[values.index(value)].name),
            said("Use another."),
        )
        for i, value in enumerate(values)
        if values.index(value) != i
    ]
