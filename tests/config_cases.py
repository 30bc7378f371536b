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


_SLIPS: dict[str, tuple[tuple[str, str], ...]] = {
    PROTOCOL: (
        ('subject_pattern = "MPA-[0-9]{4}-[0-9]"', 'subject_pattern = "MPA-[0-9"'),
        ('code = "V2"', 'code = "V1"'),
        ('relative_to = "INCLUSION", window_lower = "P7D"', 'relative_to = "V0", window_lower = "PT7H"'),
        ('optional = ["mrss", "fvc", "dlco"]', 'optional = ["mrss", "fcv"]'),
        ("maximum = 51 ", "maximum = 17 "),
        ("with_dlco_threshold = 5", "with_dlco_threshold = 12"),
        ('window_lower = "PT10M"', 'window_lower = "PT40M"'),
        ('complete_within = "P2D"', 'complete_within = "PT2H"'),
        ('trigger = "target"', 'trigger = "cible"'),
        ('while = ["booked"]\nvalid_for = "P3D"', 'while = ["complete"]\nvalid_for = "PT3H"'),
        ('event = "visit_moved"', 'event = "visit_move"'),
        ('template = "visit_cancelled"', 'template = "annulation"'),
        ('at = "07:30"\nto = ["coordinator"', 'at = "07:30"\nto = ["chef"'),
    ),
    "sites/cochin.toml": (
        ('zone = "Europe/Paris"', 'zone = "Paris"'),
        ('id = "coordinator-2"', 'id = "coordinator-1"'),
        ('roles = ["pharmacist"]', 'roles = ["pharmacienne"]'),
    ),
    "sites/lyon.toml": (
        ('id = "cochin"', 'id = "Lyon Sud"'),
        ("format = 1", "format = 2"),
        ("open_weekdays = [1, 2, 3, 4, 5]", "open_weekdays = [0, 1, 2.5]"),
        ("closed = [] ", 'closed = ["24/12/2026"] '),
        ('quiet_from = "20:00"', 'quiet_from = "20h"'),
        ('email = "coordinator-1@cochin.example"', 'email = "Marie <marie@lyon.example>"'),
        ('language = "en"', 'language = "de"'),
        ('roles = ["investigator"]', "roles = []"),
        ('name = "Data manager 1"\n', ""),
    ),
    "labs/cch-pharmaco.toml": (
        ("substance_units = false", 'substance_units = "jamais"'),
        ("accept_mg_per_dl = false", "accept_mg_dl = false"),
        ('matrices = ["PLASMA_EDTA"]', 'matrices = "PLASMA_EDTA"'),
        ('sending_facility = "CCH-PHARMACO"', 'sending_facility = ""'),
    ),
    "models/yu-2017.toml": (
        ("CL = 18.3", "CL = -18.3"),
        ("ka = 1.89", "kA = 1.89"),
        ("weight_kg = 0.0916", "height_cm = 0.0916"),
    ),
    "regressions.toml": (
        ("interval_h = 12", 'interval_h = "12 h"'),
        ("tolerance_upper_min = 0 }", "tolerance_upper_min = 5 }"),
        ('quantity = "AUC0-12"\n', ""),
    ),
}


def slipped_config(directory: Path) -> Path:
    """The study as shipped with slips in every kind of file."""
    copy_of_config(directory)
    site, model = directory / "sites" / "cochin.toml", directory / "models" / "mizaki-2023.toml"
    shutil.copy(site, directory / "sites" / "lyon.toml")
    for name, slips in _SLIPS.items():
        text = (directory / name).read_text("utf-8")
        for right, slip in slips:
            assert right in text, (name, right)
            text = text.replace(right, slip, 1)
        (directory / name).write_text(text, "utf-8")
    model.write_text(model.read_text("utf-8").replace('id = "mizaki_2023"', "id = mizaki_2023"), "utf-8")
    return directory
