"""What cannot be: exit codes, sentences, and nothing stored."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from acceptance_cases import Installation, stored
from config_cases import copy_of_config

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("visits MPA-0001-4", "Did you mean MPA-0001-3"),
        ("explain MPA-9999-9", "There is no subject MPA-9999-9"),
        ("explain MPA-0001-3 W7", "There is no visit 'W7'. Use one of INCLUSION, W6, W12, M6, Y1"),
        ("attend MPA-0001-3 Y1 --at 2099-01-01T08:00", "is in the future"),
        ("attend MPA-0001-3 Y1 --at yesterday", "'yesterday' is not a"),
        ("draw MPA-0001-3 W6 H0", "Give either --tube NUMBER or --not-drawn REASON"),
        ("draw MPA-0001-3 W6 H9 --tube T", "There is no sampling time 'H9'"),
        ("assess MPA-0001-3 W6 mrss", "is not of the form name=value"),
        ("correct MPA-0001-3 1 --reason x", "Give either --set field=value or --take-back"),
        ("correct MPA-0001-3 99999 --take-back --reason x", "has no record 99999"),
        ("acknowledge 99999 --reason x", "There is no open flag '99999'"),
        (f"enrol MPA-0001-3 --inclusion {TODAY}", "is already enrolled"),
        (f"enrol MPA-0001-4 --inclusion {TODAY}", "cannot be a subject code"),
        ("enrol", "Give a subject code and --inclusion DATE"),
        ("outbox show 99999", "There is no mail 99999"),
        ("outbox cancel 99999", "cannot be changed"),
        ("outbox retry 1", "cannot be changed"),
        ("protocol show --site nowhere", "There is no site 'nowhere'"),
        ("lab check nowhere.csv", "cannot be read"),
        ("eligibility check", "Give either a file or --interactive"),
        ("eligibility check nowhere.toml", "cannot be read"),
        ("eligibility record MPA-0001-3 nowhere.toml", "cannot be read"),
        ("assess MPA-0001-3 W6 mrss.face=2.5", "'2.5' is not a whole number"),
        ("assess MPA-0001-3 W6 mrss.nose=1", "has no site or property 'nose'"),
        ("assess MPA-0001-3 W6 dlco.hb_corrected=perhaps", "'perhaps' is not one of yes, no"),
        ("endpoints MPA-0001-4", "Did you mean MPA-0001-3"),
    ],
)
def test_bad_input_is_refused_with_a_sentence_and_stores_nothing(
    rehearsed: Installation, command: str, words: str
) -> None:
    before = stored(rehearsed)
    said = rehearsed.refused(*command.split())
    assert words in said
    assert "Traceback" not in said
    assert stored(rehearsed) == before


def test_a_refusal_is_said_in_french_to_whoever_reads_french(rehearsed: Installation) -> None:
    english = rehearsed.refused("--language", "en", "explain", "MPA-9999-9")
    french = rehearsed.refused("--language", "fr", "explain", "MPA-9999-9")
    assert "MPA-9999-9" in french and french != english
    assert "There is" not in french


def test_an_unknown_command_or_option_is_bad_input(rehearsed: Installation) -> None:
    for words in (["enroll"], ["board", "--colour"], ["demo", "--subjects", "none"]):
        done = rehearsed(*words)
        assert (done.code, done.out) == (2, ""), words
        assert done.err


def test_a_missing_database_is_a_failure_that_says_what_to_do(rehearsed: Installation) -> None:
    for url in (f"sqlite:///{rehearsed.home}/nowhere/study.db", f"sqlite:///{rehearsed.home}/empty.db"):
        done = rehearsed("--database", url, "board")
        assert (done.code, done.out) == (1, "")
        assert "mpa-monitor init" in done.err


def test_a_server_that_is_not_there_is_a_failure_that_keeps_the_password(rehearsed: Installation) -> None:
    done = rehearsed("--database", "postgresql://monitor:secret@127.0.0.1:9/study", "board")
    assert done.code == 1
    assert "does not answer" in done.err
    assert "secret" not in done.err


def test_every_defect_of_every_file_is_listed_at_once(hospital: Installation, tmp_path: Path) -> None:
    config = copy_of_config(tmp_path / "broken")
    protocol, site = config / "protocols" / "sclerosis-mpa-auc.toml", config / "sites" / "cochin.toml"
    text = protocol.read_text("utf-8").replace('month_rule = "', 'moth_rule = "')
    text = text.replace(
        'window_lower = "P14D", window_upper = "P14D"', 'window_lower = "P99W", window_upper = "P14D"'
    )
    protocol.write_text(text.replace('template = "visit_soon"', 'template = "no_such_mail"'), "utf-8")
    site.write_text(
        site.read_text("utf-8").replace('zone = "Europe/Paris"', 'zone = "Europe/Pari"') + "\ncolour = 3\n",
        "utf-8",
    )
    (config / "labs" / "cch-pharmaco.toml").write_text("format = 1\ncode = [", "utf-8")
    for command in (["protocol", "check"], ["board"], ["init"], ["run"]):
        done = hospital("--config", str(config), *command)
        assert (done.code, done.out) == (2, ""), (command, done)
        for words in (
            "sclerosis-mpa-auc.toml",
            "no_such_mail",
            "cochin.toml",
            "cch-pharmaco.toml",
            "Not valid TOML",
        ):
            assert words in done.err, (command, words)
        assert "Traceback" not in done.err


def test_every_defect_of_the_settings_is_listed_at_once(hospital: Installation) -> None:
    settings = {
        **hospital.settings,
        "MPA_MAIL__PORT": "mail",
        "MPA_DAEMON__LONGEST_WAIT_S": "3600",
        "MPA_MAIL__SENDR": "x",
        "MPA_COLOUR": "blue",
    }
    done = hospital.nursery.live(["board"], settings=settings, cwd=hospital.home)
    assert done is not None
    assert (done.code, done.out) == (2, "")
    for words in ("mail.port", "daemon.longest_wait_s", "MPA_MAIL__SENDR", "MPA_COLOUR"):
        assert words in done.err
    assert "Traceback" not in done.err


def test_mail_in_the_clear_leaves_this_machine_under_no_setting(hospital: Installation) -> None:
    settings = {
        **hospital.settings,
        "MPA_MAIL__TRANSPORT": "smtp",
        "MPA_MAIL__SECURITY": "none",
        "MPA_MAIL__HOST": "mail.example",
    }
    done = hospital.nursery.live(["board"], settings=settings, cwd=hospital.home)
    assert done is not None and done.code == 2
    assert "starttls" in done.err


def test_a_rehearsal_writes_only_into_its_own_folder(hospital: Installation) -> None:
    busy = hospital.home / "busy"
    busy.mkdir()
    (busy / "thesis.txt").write_text("mine", "utf-8")
    said = hospital.refused("demo", "--out", str(busy), "--subjects", "1")
    assert "was not made by a rehearsal" in said
    assert [path.name for path in busy.iterdir()] == ["thesis.txt"]
