"""Configurations that tests may change, and one in which it is always an afternoon."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from config.settings import DEFAULT_DIR
from notifications.words.render import template_names
from scheduler.engine.study import Study, load_study

PROTOCOL = "protocols/sclerosis-mpa-auc.toml"


def fields_replaced(text: str, **values: str) -> str:
    """A TOML file with the values of some top-level keys replaced."""
    for name, value in values.items():
        text, count = re.subn(rf"(?m)^{name} = [^#\n]*", f"{name} = {value}  ", text, count=1)
        assert count == 1, name
    return text


def copy_of_config(directory: Path) -> Path:
    """The configuration as shipped, in a directory that the test may change."""
    directory.mkdir(parents=True)
    for folder in ("protocols", "sites", "labs", "models"):
        shutil.copytree(DEFAULT_DIR / folder, directory / folder)
    shutil.copy(DEFAULT_DIR / "regressions.toml", directory)
    return directory


def changed_study(directory: Path, file: str, *changes: tuple[str, str], beside: str | None = None) -> Study:
    """The study with texts of one file changed, each old one into a new one; or with the changed file `beside`."""
    config = copy_of_config(directory)
    path = config / file
    text = path.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (path.with_name(beside) if beside is not None else path).write_text(text, "utf-8")
    return load_study(config, template_names())


def hospital_config(directory: Path) -> Path:
    """The study as shipped at a site where it is always early afternoon of a working day, and no hour is quiet."""
    copy_of_config(directory)
    ahead = min(14, 15 - datetime.now(UTC).hour)
    zone = f'"Etc/GMT{-ahead:+d}"'  # these names count westwards
    site, lab = directory / "sites" / "cochin.toml", directory / "labs" / "cch-pharmaco.toml"
    always = {"open_weekdays": "[1, 2, 3, 4, 5, 6, 7]", "quiet_from": '"00:00"', "quiet_until": '"00:00"'}
    text = fields_replaced(site.read_text("utf-8"), zone=zone, **always)
    site.write_text(text.replace('holidays = "FR"', ""), "utf-8")
    lab.write_text(fields_replaced(lab.read_text("utf-8"), zone=zone), "utf-8")
    return directory
