"""A configuration with slips in every kind of file, read by the real command in both languages."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from acceptance_cases import Installation, Nursery
from config_cases import copy_of_config, slipped_config

from scheduler.store.database import Database
from scheduler.store.operations import CONFIGURATION, beat

pytestmark = pytest.mark.process


def asked(nursery: Nursery, home: Path, config: Path, *words: str, **settings: str) -> list[str]:
    """The lines by which a configuration is refused."""
    at = Installation(nursery, home, {"MPA_CONFIG": str(config), **settings})
    return at.refused(*words, "protocol", "check").splitlines()


def parts(line: str, colon: str) -> tuple[str, str, set[str]]:
    """File, key and sentences of a line."""
    file, key, said = line.split(colon, 2)
    return file, key, set(re.split(r"(?<=[.]) ", said))


def test_every_slip_is_told_in_either_language(nursery: Nursery, tmp_path: Path) -> None:
    config = slipped_config(tmp_path / "config")
    english, french = (asked(nursery, tmp_path, config, "--language", one) for one in ("en", "fr"))
    assert len(english) == len(french) >= 40
    for one, other in zip(english, french, strict=True):
        file, key, said = parts(one, ": ")
        fichier, clef, dit = parts(other, "\u202f: ")
        assert (fichier, clef) == (file, {"file": "fichier"}.get(key, key))
        assert len(said) >= 2 and not said & dit, other
        typed = re.findall(r"(?<!\w)'([^']+)'(?!\w)", " ".join(said))
        assert [name for name in typed if name not in other] == [], other
    assert (
        "sites/cochin.toml: zone: 'Paris' is not a time zone. Use an IANA name such as Europe/Paris."
        in english
    )
    assert (
        "models/mizaki-2023.toml\u202f: fichier\u202f: Ligne 5, colonne 6\u202f: ce n'est pas du TOML valide "
        "(Invalid value). Corrigez la ligne."
    ) in french


@pytest.mark.parametrize(
    ("words", "settings", "on_file"),
    [
        (("--language", "fr"), {}, ""),
        ((), {"MPA_LANGUAGE": "fr"}, ""),
        ((), {}, 'language = "fr"\n'),
    ],
    ids=["option", "variable", "file"],
)
def test_settings_that_cannot_be_used_are_refused_in_the_readers_language(
    nursery: Nursery, tmp_path: Path, words: tuple[str, ...], settings: dict[str, str], on_file: str
) -> None:
    config = copy_of_config(tmp_path / "config")
    file = config / "settings.toml"
    file.write_text(f"{on_file}colour = 1\n[mail]\nport = 0\n", "utf-8")
    assert asked(nursery, tmp_path, config, *words, MPA_HURRY="1", **settings) == [
        "environnement\u202f: MPA_HURRY\u202f: Cette variable ne signifie rien pour mpa-monitor. "
        "Supprimez-la ou corrigez son nom.",
        "réglages\u202f: colour\u202f: Cette clé n'existe pas ici. Supprimez la clé ou corrigez son orthographe.",
        "réglages\u202f: mail.port\u202f: Cette valeur est trop petite. Indiquez 1 ou plus.",
    ]


def test_a_list_in_a_variable_that_is_no_json_is_a_defect_of_the_variable(
    nursery: Nursery, tmp_path: Path
) -> None:
    config = copy_of_config(tmp_path / "config")
    name = "MPA_CONSOLE__TRUSTED_PROXIES"
    (line,) = asked(nursery, tmp_path, config, **{name: "10.0.0.1"})
    assert line.startswith(f"environment: {name}: A list or a group of settings is written as JSON")
    (line,) = asked(nursery, tmp_path, config, "--language", "fr", **{name: "[10.0.0.1]"})
    assert line == (
        f"environnement\u202f: {name}\u202f: Dans une variable, une liste ou un groupe de réglages s'écrit en JSON. "
        'Écrivez-le ainsi, par exemple ["10.0.0.1"] (entre apostrophes dans un shell), '
        "ou indiquez-le dans settings.toml."
    )


def test_a_protocol_file_that_is_no_text_is_refused_with_its_name(hospital: Installation) -> None:
    (hospital.home / "new.toml").write_bytes(b"format = '\xe9'")
    assert hospital.refused("protocol", "diff", "1", "new.toml") == (
        "new.toml: file: The file is not UTF-8 text. Save it as UTF-8.\n"
    )


def test_a_file_that_is_nested_too_deeply_is_refused_with_its_name(hospital: Installation) -> None:
    (hospital.home / "deep.toml").write_text(f"x = {'[' * 5000}", "utf-8")
    (hospital.home / "deep.json").write_text("[" * 500_000, "utf-8")
    assert hospital.refused("--language", "fr", "protocol", "diff", "1", "deep.toml") == (
        "deep.toml\u202f: fichier\u202f: Ce fichier comporte trop de niveaux imbriqués. "
        "Écrivez ses listes et ses tables avec moins de niveaux.\n"
    )
    for name in ("deep.toml", "deep.json"):
        said = hospital.refused("eligibility", "check", name)
        assert name in said and "Traceback" not in said


def test_what_is_no_settings_file_and_no_folder_is_not_passed_over(nursery: Nursery, tmp_path: Path) -> None:
    config = copy_of_config(tmp_path / "config")
    (config / "settings.toml").mkdir()
    assert asked(nursery, tmp_path, config, "--language", "fr") == [
        "settings.toml\u202f: fichier\u202f: Ce n'est pas un fichier. Mettez un fichier à sa place, ou supprimez-le."
    ]
    file = config / "regressions.toml"
    assert asked(nursery, tmp_path, file) == [
        f"settings: config: '{file}' is not a folder. "
        "Name the folder that holds settings.toml, protocols, sites, labs and models."
    ]
    assert asked(nursery, tmp_path, config, "--language", "fr", "--config", str(file)) == [
        f"réglages\u202f: config\u202f: «\u202f{file}\u202f» n'est pas un dossier. "
        "Indiquez le dossier qui contient settings.toml, protocols, sites, labs et models."
    ]


def test_a_command_that_ends_by_a_defect_says_it_in_the_language_of_the_settings(
    nursery: Nursery, tmp_path: Path
) -> None:
    config = slipped_config(tmp_path / "config")
    (config / "settings.toml").write_text('language = "fr"\n', "utf-8")
    at = Installation(nursery, tmp_path, {"MPA_CONFIG": str(config)})
    assert at.refused("outbox", "list").startswith(
        "labs/cch-pharmaco.toml\u202f: accept_mg_dl\u202f: Cette clé"
    )


@pytest.mark.parametrize(
    "noted",
    [
        "sites/cochin.toml: zone: It is wrong.",
        "5",
        "[]",
        '{"file": "sites/cochin.toml"}',
        '{"file": "a", "key": "b", "problem": "It is wrong.", "remedy": {}}',
        '{"file": "a", "key": "b", "problem": {"english": "c", "values": []}, "remedy": {}}',
        '{"file": "a", "key": "b", "problem": {"english": "{c}", "values": {}}, '
        '"remedy": {"english": "d", "values": {}}}',
    ],
    ids=["line", "number", "list", "part", "text", "values", "blank"],
)
def test_a_defect_that_another_version_noted_otherwise_is_shown_as_it_is(
    hospital: Installation, noted: str
) -> None:
    with closing(Database(hospital.settings["MPA_DATABASE"])) as db:
        db.transact(lambda session: beat(session, CONFIGURATION, datetime.now(UTC), 1, noted))
    assert hospital("status", "--json").json["configuration"] == {"defects": 1, "first": noted}
    assert noted in hospital("--language", "fr", "status").out.replace("\n", " ")
