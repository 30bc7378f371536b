"""Every file of a configuration that cannot be read is named with what is wrong, all of them at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from config_cases import copy_of_config
from pydantic import TypeAdapter, ValidationError

from config.files import read_files
from config.schema.shapes import Duration, FolderName
from config.settings import DEFAULT_DIR

PROTOCOL, SITE, LAB = "protocols/sclerosis-mpa-auc.toml", "sites/cochin.toml", "labs/cch-pharmaco.toml"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return copy_of_config(tmp_path / "config")


def said(config: Path) -> list[tuple[str, str, str]]:
    return [(one.file, one.key, str(one.problem)) for one in read_files(config)[1]]


def in_its_place_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_the_configuration_as_shipped_has_no_defect() -> None:
    files, defects = read_files(DEFAULT_DIR)
    assert defects == []
    assert files.protocols and files.sites and files.labs and files.models and files.regressions


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda path: path.write_bytes(b"name = '\xe9'"), "The file is not UTF-8 text."),
        (lambda path: path.write_text("format = ", "utf-8"), "Not valid TOML: "),
        (lambda path: path.write_text(f"x = {'[' * 5000}", "utf-8"), "The file is nested too deeply."),
        (lambda path: path.write_text(f"x = {'9' * 5000}", "utf-8"), "Not valid TOML: Exceeds the limit"),
        (in_its_place_a_folder, "It cannot be read: Is a directory."),
    ],
)
@pytest.mark.parametrize("name", [PROTOCOL, SITE, LAB, "models/mizaki-2023.toml", "regressions.toml"])
def test_a_file_that_cannot_be_read_is_named(
    config: Path, name: str, spoil: Callable[[Path], object], problem: str
) -> None:
    spoil(config / name)
    ((file, key, found),) = said(config)
    assert (file, key) == (name, "file")
    assert found.startswith(problem)


def test_a_missing_file_and_an_empty_folder_are_named(config: Path) -> None:
    (config / "regressions.toml").unlink()
    shutil.rmtree(config / "labs")
    assert said(config) == [
        ("labs/", "folder", "There is no .toml file here."),
        ("regressions.toml", "file", "The file is missing."),
    ]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        (PROTOCOL, "study.version", "sclerosis-mpa-auc 1"),
        (SITE, "id", "cochin"),
        (LAB, "code", "CCH-PHARMACO"),
    ],
)
def test_two_files_with_one_name_are_a_defect_of_the_second(
    config: Path, name: str, key: str, value: str
) -> None:
    second = (config / name).with_name("the-same.toml")
    shutil.copy(config / name, second)
    file = second.relative_to(config).as_posix()
    assert said(config) == [(file, key, f"'{value}' is already used by {name}.")]


def test_two_laboratories_may_share_the_drop_folder_and_no_folder_of_their_own(config: Path) -> None:
    text = (config / LAB).read_text("utf-8")
    (config / "labs" / "other.toml").write_text(text.replace("CCH-PHARMACO", "OTHER"), "utf-8")
    assert said(config) == []
    for path in (config / "labs").iterdir():
        path.write_text(path.read_text("utf-8").replace('# folder = "', 'folder = "'), "utf-8")
    assert said(config) == [("labs/other.toml", "folder", f"'cch-pharmaco' is already used by {LAB}.")]


def test_the_files_without_a_defect_are_read_beside_those_with_one(config: Path) -> None:
    site = config / SITE
    site.write_text(site.read_text("utf-8").replace("open_weekdays", "open_weekday"), "utf-8")
    files, defects = read_files(config)
    assert [(one.file, one.key, str(one.remedy)) for one in defects] == [
        (SITE, "open_weekday", "Remove the key or correct its spelling.")
    ]
    assert not files.sites
    assert files.protocols and files.labs


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Duration, "P"),
        (Duration, "P1DT"),
        (Duration, "-P1D"),
        (FolderName, "com1"),
        (FolderName, "Upper"),
        (FolderName, "a/b"),
    ],
)
def test_what_names_no_length_of_time_and_no_folder_of_every_system_is_refused(
    form: object, text: str
) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(form).validate_python(text)
