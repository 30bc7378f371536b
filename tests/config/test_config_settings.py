"""Settings: where each comes from, which are refused, and what changes with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from config_cases import copy_of_config

from config.defects import ConfigurationInvalidError
from config.fingerprint import configuration_hash
from config.language import Language, counter, translator
from config.settings import Settings, language_to_fail_in, load_settings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return copy_of_config(tmp_path / "config")


def written(config: Path, text: str) -> Path:
    path = config / "settings.toml"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    return config


def refused(**given: object) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationInvalidError) as caught:
        load_settings(**given)
    return [(one.key, str(one.problem)) for one in caught.value.defects]


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(
        config, 'database = "sqlite:///file.db"\nlanguage = "fr"\n[mail]\nhost = "file.example"\nport = 25\n'
    )
    monkeypatch.setenv("MPA_DATABASE", "sqlite:///environment.db")
    monkeypatch.setenv("MPA_MAIL__HOST", "environment.example")
    found = load_settings(config=config)
    assert (found.database, found.language) == ("sqlite:///environment.db", Language.FR)
    assert (found.mail.host, found.mail.port) == ("environment.example", 25)
    assert load_settings(config=config, database="sqlite:///given.db").database == "sqlite:///given.db"
    assert load_settings(config=config, database=None).database == "sqlite:///environment.db"


def test_the_folder_of_the_configuration_may_come_from_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPA_CONFIG", str(written(config, "[daemon]\ngive_up_after = 3\n")))
    found = load_settings()
    assert (found.config, found.daemon.give_up_after) == (config, 3)


@pytest.mark.parametrize("name", ["MPA_COLOUR", "MPA_MAIL__SENDR", "MPA_MAIL__HOST__X", "MPA_DATABASE__X"])
def test_a_variable_that_means_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    assert (name, "This variable means nothing to mpa-monitor.") in refused()


@pytest.mark.parametrize(
    "wrong",
    [
        {"MPA_CONSOLE__TRUSTED_PROXIES": "10.0.0.1"},
        {"mpa_console__trusted_proxies": "10.0.0.1"},
        {"MPA_MAIL": "smtp", "MPA_CONSOLE__TRUSTED_PROXIES": "[10.0.0.1]"},
        {"MPA_CONSOLE__TRUSTED_PROXIES": "[" * 100_000},
        {"MPA_CONSOLE": ""},
    ],
    ids=["list", "small", "group", "deep", "empty"],
)
def test_every_variable_that_must_be_json_and_is_not_is_named_as_it_was_set(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    for name, value in {"MPA_MAIL__HOST": "[not JSON", "MPA_CONSOLE__IDLE_MIN": "20", **wrong}.items():
        monkeypatch.setenv(name, value)
    problem = "A list or a group of settings is written as JSON in a variable."
    assert sorted(refused()) == [(name, problem) for name in sorted(wrong)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MPA_CONSOLE__TRUSTED_PROXIES", '["10.0.0.1", "10.0.0.2"]'),
        ("MPA_CONSOLE", '{"trusted_proxies": ["10.0.0.1", "10.0.0.2"]}'),
    ],
)
def test_a_list_and_a_group_may_be_given_as_json(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert load_settings().console.trusted_proxies == ("10.0.0.1", "10.0.0.2")


def test_every_defect_of_the_settings_is_said_at_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(config, "[mail]\nport = 0\n[daemon]\nlongest_wait_s = 31\nhurry = true\n")
    monkeypatch.setenv("MPA_COLOUR", "blue")
    keys = {key for key, _ in refused(config=config)}
    assert keys == {"MPA_COLOUR", "mail.port", "daemon.longest_wait_s", "daemon.hurry"}


def test_a_settings_file_that_is_no_toml_is_a_defect(config: Path) -> None:
    ((key, problem),) = refused(config=written(config, "mail = x\n"))
    assert key == "file"
    assert "line 1" in problem


def test_a_settings_file_that_cannot_be_read_is_a_defect(config: Path) -> None:
    (config / "settings.toml").write_bytes(b"database = '\xe9'")
    assert refused(config=config) == [("file", "The file is not UTF-8 text.")]
    (config / "settings.toml").unlink()
    (config / "settings.toml").symlink_to("/proc/self/mem")  # a file that nobody can read, root included
    assert refused(config=config) == [("file", "It cannot be read: Input/output error.")]


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        (f"x = {'[' * 5000}", ("file", "The file is nested too deeply.")),
        (f"x = {'{a = ' * 5000}", ("file", "The file is nested too deeply.")),
        (f"x{'.x' * 5000} = 1\n", ("x", "There is no such key here.")),
        (f"mail{'.host' * 5000} = 1\n", ("mail.host", "It is not a text.")),
    ],
    ids=["brackets", "braces", "points", "below"],
)
def test_a_settings_file_that_is_nested_too_deeply_is_a_defect(
    config: Path, text: str, defect: tuple[str, str]
) -> None:
    assert refused(config=written(config, text)) == [defect]
    assert language_to_fail_in(None, config) is Language.EN


def test_what_stands_in_the_place_of_the_settings_file_and_is_none_is_a_defect(config: Path) -> None:
    path = config / "settings.toml"
    for make, clear in (
        (path.mkdir, path.rmdir),
        (lambda: os.mkfifo(path), path.unlink),  # nobody ever writes into it
        (lambda: path.symlink_to("gone.toml"), path.unlink),
        (lambda: path.symlink_to("settings.toml"), path.unlink),
    ):
        make()
        assert refused(config=config) == [("file", "It is not a file.")]
        assert language_to_fail_in(None, config) is Language.EN
        clear()
    assert load_settings(config=config).config == config


def test_a_folder_of_the_configuration_that_is_a_file_is_a_defect_and_one_that_is_to_come_is_none(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = config / "regressions.toml"
    assert refused(config=wrong) == [("config", f"'{wrong}' is not a folder.")]
    monkeypatch.setenv("MPA_CONFIG", str(wrong))
    assert refused() == [("config", f"'{wrong}' is not a folder.")]
    assert load_settings(config=config / "to-come").config == config / "to-come"  # where a restore puts it


def test_a_name_that_no_folder_can_have_is_a_defect() -> None:
    assert refused(config=Path("x" * 300)) == [("file", "It cannot be read: File name too long.")]


@pytest.mark.parametrize(
    ("host", "fine"), [("localhost", True), ("127.0.0.1", True), ("mail.example", False)]
)
def test_mail_in_the_clear_goes_to_this_machine_only(config: Path, host: str, fine: bool) -> None:
    written(config, f'[mail]\ntransport = "smtp"\nsecurity = "none"\nhost = "{host}"\n')
    if fine:
        assert load_settings(config=config).mail.host == host
    else:
        ((key, problem),) = refused(config=config)
        assert key == "mail"
        assert "only for a mail server on this machine" in problem


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://console.hospital.example/", "https://console.hospital.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://console.hospital.example", None),
        ("https://console.hospital.example/mpa", None),
        ("console.hospital.example", None),
        ("HTTPS://Console.hospital.example:8443", "https://Console.hospital.example:8443"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://console hospital.example", None),
        (" https://console.hospital.example", None),
        ("https://console.hospital\\t.example", None),
        ("https://console.hospital.example:abc", None),
        ("https://console.hospital.example:65536", None),
        ("https://console.hospital.example:0", None),
        ("https://console.hospital.example:", None),
        ("https://console.hospital.example:٨٤٤٣", None),
        ("https://console.hospital.example#top", None),
        ("https://console.hospital.example#", None),
        ("https://console.hospital.example?", None),
        ("https://marie@console.hospital.example", None),
        ("https://marie:hush@console.hospital.example", None),
        ("https://hôpital.example", None),
        ("https://[::1", None),
        ("https://", None),
    ],
)
def test_the_address_of_the_console_is_a_host_and_encrypted_elsewhere_than_here(
    config: Path, url: str, found: str | None
) -> None:
    written(config, f'[console]\nurl = "{url}"\n')
    if found is not None:
        assert load_settings(config=config).console.url == found
    else:
        assert [key for key, _ in refused(config=config)] == ["console.url"]


def test_the_hash_of_the_configuration_changes_with_settings_and_files_and_not_with_secrets(
    config: Path,
) -> None:
    def hashed(text: str = "") -> str:
        return configuration_hash(load_settings(config=written(config, text)))

    plain = hashed()
    assert hashed('database = "postgresql://mpa:hush@db.example/mpa"\n[mail]\npassword = "hush"\n') == hashed(
        'database = "sqlite:///other.db"\n[mail]\npassword = "other"\n'
    )
    assert hashed("[daemon]\ngive_up_after = 3\n") != plain
    site = config / "sites" / "cochin.toml"
    site.write_text(site.read_text("utf-8") + "\n", "utf-8")
    assert hashed() != plain


def test_settings_cannot_be_changed_once_they_are_read(config: Path) -> None:
    found: Settings = load_settings(config=config)
    with pytest.raises(ValueError, match="frozen"):
        found.database = "sqlite:///x.db"


def test_a_sentence_without_french_stays_english() -> None:
    french = translator(Language.FR)
    assert french("visit overdue") == "visite en retard"
    assert french("nobody ever says this") == "nobody ever says this"
    assert translator(Language.EN)("visit overdue") == "visit overdue"


@pytest.mark.parametrize(
    ("language", "forms"),
    [(Language.EN, ["subjects", "subject", "subjects"]), (Language.FR, ["patient", "patient", "patients"])],
)
def test_french_speaks_of_none_as_of_one_and_english_as_of_several(
    language: Language, forms: list[str]
) -> None:
    count = counter(language)
    said = [count("%(count)s subject", "%(count)s subjects", number) for number in (0, 1, 2)]
    assert said == [f"%(count)s {form}" for form in forms]
