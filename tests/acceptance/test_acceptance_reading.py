"""The commands that only look: JSON, both languages, dry runs."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from acceptance_cases import Installation, stored

pytestmark = pytest.mark.process

SAMPLES = Path(__file__).parent.parent / "intake" / "samples"
SUBJECT = "MPA-0001-3"
VERDICT = ("file", "verdict", "code", "reason", "accepted", "held", "ignored")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
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


def test_no_mail_of_a_rehearsal_leads_to_the_console_that_is_in_use(rehearsed: Installation) -> None:
    """The numbers in its links are those of real subjects there."""
    files = [path for path in (rehearsed.home / "out" / "mail").glob("*/*/*") if path.is_file()]
    mails = [message_from_bytes(path.read_bytes(), policy=default) for path in files]
    texts = [
        part.get_content() for mail in mails for part in mail.walk() if part.get_content_maintype() == "text"
    ]
    assert any("http://127.0.0.1:8000/of/" in text for text in texts)
    assert not any("console.hospital.example" in text for text in texts)


def test_a_sample_mail_leads_to_no_real_record_unless_it_is_asked_to(rehearsed: Installation) -> None:
    real = {"MPA_CONSOLE__URL": "https://mpa.hospital.example"}
    known = replace(rehearsed, settings={**rehearsed.settings, **real})
    asked = ("template", "preview", "visit_overdue")

    def hosts(at: Installation, *words: str) -> set[str]:
        both = at.ok(*asked, *words).out + at.ok(*asked, "--html", *words).out
        return set(re.findall(r"https?://[^/\s\"]+", both))

    assert hosts(rehearsed) == set()
    assert hosts(known) == {"https://console.example"}
    assert hosts(known, "--console", "https://other.example/") == {"https://other.example"}


def test_the_address_of_a_sample_mail_is_checked_as_that_of_the_settings(rehearsed: Installation) -> None:
    asked = ("template", "preview", "visit_overdue", "--console")
    for wrong in ("console.hospital.example", "https://a b.example", "https://u:hush@c.example", ""):
        assert rehearsed.refused(*asked, wrong) == (
            "The console is known by scheme, host and port only. Write it as 'https://console.hospital.example' or "
            "'https://console.hospital.example:8443': no user, password, path, space or accent.\n"
        )
    assert rehearsed.refused("--language", "fr", *asked, "http://c.example") == (
        "Sans TLS, la console est réservée à cette machine. Écrivez une adresse qui commence par https://.\n"
    )
