"""The command line as people and programs use it: exit codes, JSON, French, dry runs, refusals."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from acceptance_cases import Installation
from config_cases import copy_of_config
from sqlalchemy import text

from scheduler.store.database import Database

pytestmark = pytest.mark.process

SAMPLES = Path(__file__).parent.parent / "intake" / "samples"
SUBJECT = "MPA-0001-3"
TODAY = datetime.now(UTC).date()


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def stored(at: Installation) -> dict[str, list[Any]]:
    """Everything that a refusal must leave alone."""
    with closing(Database(at.settings["MPA_DATABASE"])) as db:
        return {
            table: db.transact(
                lambda session, table=table: list(session.execute(text(f"SELECT * FROM {table}")))
            )
            for table in (
                "subject",
                "fact",
                "visit",
                "sampling",
                "flag",
                "reminder",
                "outbox",
                "audit",
                "review",
            )
        }


def test_every_reading_command_speaks_json(rehearsed: Installation) -> None:
    for command in (
        "board", f"visits {SUBJECT}", "flags", f"flags {SUBJECT} --closed",
        f"explain {SUBJECT}", f"explain {SUBJECT} W6", "results", f"results {SUBJECT}", "auc",
        f"auc {SUBJECT} --history", f"auc {SUBJECT} W6", "lab files", "lab reconciliation --from 2020-01-01",
        "endpoints", f"endpoints {SUBJECT}", "exposures", "overview", "overview --site cochin",
        "outbox list", "outbox show 1", "template preview digest",
        "protocol check", "protocol show --inclusion 2026-01-05", "audit verify",
    ):  # fmt: skip
        done = rehearsed.ok(*command.split(), "--json")
        assert done.json, command
        assert done.err == "", command


def test_flags_are_listed_by_site_and_kind(rehearsed: Installation) -> None:
    everything = rehearsed.ok("flags", "--json").json
    kinds = {one["code"] for one in everything}
    assert kinds
    for kind in kinds:
        found = rehearsed.ok("flags", "--site", "cochin", "--only", kind, "--json").json
        assert found == [one for one in everything if one["code"] == kind]


def test_the_same_commands_speak_to_people_in_both_languages(rehearsed: Installation) -> None:
    said = {}
    for language in ("fr", "en"):
        said[language] = [
            rehearsed.ok("--language", language, *command.split()).out
            for command in (
                "board",
                f"visits {SUBJECT}",
                f"explain {SUBJECT} W6",
                "auc",
                "outbox list",
                "lab files",
                "endpoints",
                f"endpoints {SUBJECT}",
                "exposures",
            )
        ]
    for french, english in zip(said["fr"], said["en"], strict=True):
        assert french.strip() and english.strip()
        assert french != english
    assert "6 semaines" in said["fr"][0] and "6 weeks" in said["en"][0]
    assert "recherche" in said["fr"][3] and "not a medical device" in said["en"][3]


def test_flags_are_listed_by_site_and_by_kind(rehearsed: Installation) -> None:
    """One command for what a coordinator asks: draws without a result, results without a draw, of one site."""
    every = rehearsed.ok("flags", "--closed", "--json").json
    assert rehearsed.ok("flags", "--closed", "--site", "cochin", "--json").json == every
    assert rehearsed.ok("flags", "--closed", "--site", "elsewhere", "--json").json == []
    codes = {row["code"] for row in every}
    assert codes and "set_held" not in codes
    for code in (*sorted(codes), "set_held"):
        found = rehearsed.ok("flags", "--closed", "--only", code, "--json").json
        assert found == [row for row in every if row["code"] == code]


def test_eligibility_is_checked_saved_and_read_again(rehearsed: Installation) -> None:
    file, saved = rehearsed.home / "answers.json", rehearsed.home / "saved.toml"
    answers = {"age_years": 54, "raynaud": "yes", "sclerodactyly": "oui", "pitting_scars": True}
    file.write_text(json.dumps(answers | {"on": "2026-01-15", "first_sign": "2025-05"}), "utf-8")
    found = rehearsed.ok("eligibility", "check", str(file), "--save", str(saved), "--json").json
    assert (found["score_min"], found["classification"], found["status"]) == (
        10,
        "indeterminate",
        "undetermined",
    )
    assert rehearsed.ok("eligibility", "check", str(saved), "--json").json == found
    french = rehearsed.ok("--language", "fr", "eligibility", "check", str(file)).out
    assert "au moins 18 ans sont requis" in french
    file.write_text(json.dumps({"raynod": "yes", "date_of_birth": "1970-01-01", "on": "soon"}), "utf-8")
    said = rehearsed.refused("eligibility", "check", str(file))
    assert "Did you mean 'raynaud'?" in said and "no date of birth is kept" in said and "write a date" in said


def test_the_data_set_has_a_line_a_subject_with_exposure_and_outcome(rehearsed: Installation) -> None:
    file = rehearsed.home / "data.csv"
    rehearsed.ok("endpoints", "--csv", str(file))
    outcomes = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    rehearsed.ok("exposures", "--csv", str(file))
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    assert outcomes == [{name: row[name] for name in outcomes[0]} for row in rows]
    assert [row["subject"] for row in rows] == [
        row["subject"] for row in rehearsed.ok("exposures", "--json").json
    ]
    for row in rows:
        assert float(row["twa_6_26"]) > 0
        assert row["response"] in ("0", "1", "")


def test_status_says_that_the_service_does_not_run(rehearsed: Installation) -> None:
    done = rehearsed("status", "--json")
    assert done.code == 1
    assert done.json["healthy"] is False


def test_a_finished_study_rebuilds_without_a_difference(rehearsed: Installation) -> None:
    done = rehearsed("rebuild", "--json")
    assert (done.code, done.json) == (0, {"subjects": 2, "differences": {}})
    assert rehearsed.ok("audit", "verify", "--json").json["intact"] is True


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


VERDICT = ("file", "verdict", "code", "reason", "accepted", "held", "ignored")


def test_the_dry_run_of_laboratory_files_prints_a_line_each_and_touches_nothing(
    rehearsed: Installation,
) -> None:
    before, in_database = snapshot(SAMPLES), stored(rehearsed)
    files = sorted(str(path) for path in SAMPLES.iterdir())
    done = rehearsed.ok("lab", "check", *files)
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert len(lines) == len(files)
    for line in lines:
        assert list(line) == [*VERDICT, "notes", "rows"]
        assert line["verdict"] in ("accepted", "held", "ignored", "quarantined")
    assert snapshot(SAMPLES) == before
    assert stored(rehearsed) == in_database


def test_the_dry_run_needs_no_database_and_makes_none(rehearsed: Installation) -> None:
    url = f"sqlite:///{rehearsed.home}/never-made.db"
    sample = next(SAMPLES.glob("MPA-AUC*.csv"))
    rehearsed.ok("--database", url, "lab", "check", str(sample))
    assert not (rehearsed.home / "never-made.db").exists()


def test_every_template_can_be_seen_in_both_languages(rehearsed: Installation) -> None:
    names = rehearsed.ok("template", "preview").out.split()
    assert {"visit_booked", "auc_available", "digest"} <= set(names)
    for name in ("visit_booked", "digest"):
        french = rehearsed.ok("template", "preview", name, "--in", "fr").out
        english = rehearsed.ok("template", "preview", name, "--in", "en").out
        assert french.startswith("Objet") and english.startswith("Subject line: ")
        assert french != english
        assert "<html" in rehearsed.ok("template", "preview", name, "--html").out
    done = rehearsed("template", "preview", "no_such")
    assert (done.code, done.out) == (2, "")


def test_enrolling_from_a_file_is_all_or_nothing(hospital: Installation) -> None:
    path = hospital.home / "patients.csv"
    good = "subject;inclusion;treatment_start;formulation;dose_mg;interval_h\r\n"
    good += f"MPA-0001-3;{TODAY:%d/%m/%Y};{TODAY - timedelta(200):%d/%m/%Y};mmf;1000;12\r\n"
    path.write_bytes((good + f"MPA-0002-2;{TODAY};;;;\r\nMPA-0003-7;tomorrow;;;;\r\n").encode("utf-8-sig"))
    before = stored(hospital)
    said = hospital.refused("enrol", "--from", str(path))
    assert "Row 3" in said and "Row 4" in said  # every refusal of every row at once
    assert stored(hospital) == before
    path.write_text(good + f"MPA-0002-1;{TODAY};;;;\n", "utf-8")
    assert hospital.ok("enrol", "--from", str(path)).out.startswith("2 ")
    assert {row["subject"] for row in hospital.ok("board", "--json").json} == {"MPA-0001-3", "MPA-0002-1"}
    said = hospital.refused("enrol", "--from", str(path))
    assert "already enrolled" in said


def test_a_waiting_mail_can_be_shown_cancelled_and_sent_again(hospital: Installation) -> None:
    hospital.ok("enrol", SUBJECT, "--inclusion", str(TODAY - timedelta(2)))
    hospital.ok("book", SUBJECT, "W12", "--at", f"{TODAY + timedelta(80)} 09:00")
    number = str(hospital.ok("outbox", "list", "--state", "pending", "--json").json[0]["id"])
    hospital.ok("outbox", "cancel", number)
    assert hospital.ok("outbox", "show", number, "--json").json["state"] == "cancelled"
    hospital.refused("outbox", "cancel", number)
    hospital.ok("outbox", "retry", number)
    assert hospital.ok("outbox", "show", number, "--json").json["state"] == "retry"
    assert hospital.ok("audit", "verify", "--json").json["intact"] is True


def test_a_record_is_corrected_and_explained_with_its_number(hospital: Installation) -> None:
    hospital.ok("enrol", SUBJECT, "--inclusion", str(TODAY - timedelta(2)))
    hospital.ok("attend", SUBJECT, "INCLUSION", "--at", f"{TODAY - timedelta(2)} 08:30")
    records = hospital.ok("explain", SUBJECT, "--json").json["records"]
    number = next(one["number"] for one in records if one["kind"] == "attended")
    said = hospital.refused("correct", SUBJECT, str(number), "--set", "when=08:30", "--reason", "x")
    assert "has no 'when'" in said
    hospital.ok(
        "correct",
        SUBJECT,
        str(number),
        "--set",
        f"at={TODAY - timedelta(2)} 09:30",
        "--reason",
        "wrong clock",
    )
    states = {
        one["number"]: one["state"] for one in hospital.ok("explain", SUBJECT, "--json").json["records"]
    }
    assert states[number] == "corrected"
    row = next(one for one in hospital.ok("visits", SUBJECT, "--json").json if one["visit"] == "INCLUSION")
    attended = datetime.fromisoformat(row["attended"]).astimezone(hospital.zone)
    assert f"{attended:%Y-%m-%d %H:%M}" == f"{TODAY - timedelta(2)} 09:30"
    assert "wrong clock" not in hospital.ok("outbox", "list").out


def test_an_amendment_is_compared_shown_applied_and_explained(hospital: Installation) -> None:
    hospital.ok("enrol", SUBJECT, "--inclusion", str(TODAY - timedelta(2)))
    first = hospital.home / "config" / "protocols" / "sclerosis-mpa-auc.toml"
    text = first.read_text("utf-8").replace('version = "1"', 'version = "2"')
    (first.parent / "second.toml").write_text(text.replace('value = "P12W"', 'value = "P13W"'), "utf-8")
    compared = hospital.ok("protocol", "diff", "1", "2", "--json").json["differences"]
    assert [(one["item"], one["field"]) for one in compared] == [("", "version"), ("W12", "value")]
    assert "84\xa0jours → 91\xa0jours" in hospital.ok("--language", "fr", "protocol", "diff", "1", "2").out
    call = ("protocol", "apply", "2", "--from", str(TODAY), "--reason", "amendment 1")
    before = stored(hospital)
    shown = hospital.ok(*call, "--dry-run", "--json").json
    assert stored(hospital) == before
    assert [one["visit"] for one in shown["subjects"][0]["visits"]] == ["W12"]
    assert "Enregistré" in hospital.ok("--language", "fr", *call).out
    steps = hospital.ok("explain", SUBJECT, "W12", "--json").json["visits"][0]["steps"]
    assert steps[0].startswith("protocol version 2, followed from ")
    assert "already followed under version 2" in hospital.refused(*call)
    assert "no protocol version '9'" in hospital.refused("protocol", "diff", "1", "9")
    assert hospital.ok("audit", "verify", "--json").json["intact"] is True


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
