"""Every template in both languages: complete, translated, and silent about what a mail must not say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import UndefinedError

from config.language import LOCALE_DIR, Language, catalogue
from notifications.outbox.states import State
from notifications.words.discretion import discreet, discreet_file_reason
from notifications.words.preview import preview, sample_values
from notifications.words.render import EMAIL_DIR, render, template_names
from notifications.words.sentences import LINKED_SENTENCES, MAIL_SENTENCES
from scheduler.domain.discreet import discreet_code, discreet_tube
from scheduler.domain.flags import FlagCode
from scheduler.domain.reason import Reason, because
from scheduler.domain.sentences import SENTENCES
from scheduler.domain.speech import Speaker

NAMES = template_names()
BOTH = [Language.EN, Language.FR]
CONSOLES = ["", "https://console.hospital.example"]
SENTENCES_OF_MAILS = {*MAIL_SENTENCES.values(), *LINKED_SENTENCES.values()}
FILES = ("**.txt", "**.html", "**.jinja")
JINJA = {"trimmed": "true", "newstyle_gettext": "true"}


def _messages() -> set[str]:
    found = extract_from_dir(
        EMAIL_DIR,
        method_map=[(name, "jinja2") for name in FILES],
        options_map=dict.fromkeys(FILES, JINJA),
    )
    said = ([message] if isinstance(message, str) else message for _, _, message, _, _ in found)
    return {one for messages in said for one in messages}


def _catalogue_file() -> dict[str, str]:
    with (LOCALE_DIR / "fr" / "mails.po").open("rb") as file:
        return {one.id: one.string for one in read_po(file) if isinstance(one.id, str) and one.id}


def test_every_folder_is_a_complete_message() -> None:
    assert set(NAMES) == {one.name for one in EMAIL_DIR.iterdir() if one.is_dir()}


def test_every_message_the_study_needs_exists() -> None:
    assert set(NAMES) >= {
        "book_visit", "visit_soon", "sampling_day", "sample_due", "window_closes", "visit_unconfirmed",
        "visit_overdue", "visit_overdue_escalation", "visit_missed", "visit_incomplete", "results_awaited",
        "visit_booked", "date_changed", "visit_cancelled", "auc_available", "auc_amended", "auc_withdrawn",
        "file_quarantined", "rows_held", "mail_failed", "digest",
    }  # fmt: skip


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", NAMES)
def test_a_sample_fills_its_template(name: str, language: Language, console: str) -> None:
    subject, text, html = preview(name, language, console)
    assert subject.startswith("[SCLERAMAC]")
    assert "\n" not in subject
    assert text.count("\n\n\n") == 0
    first = text.splitlines()[0]
    assert first.endswith((".", ":"))
    assert len(first) < 200
    assert first[:40] in re.sub(r"&#39;", "'", html)


@pytest.mark.parametrize("for_laboratory", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_the_laboratory_gets_no_commands(name: str, for_laboratory: bool) -> None:
    to_laboratory = {
        "sampling_day",
        "results_awaited",
        "file_quarantined",
        "rows_held",
        "date_changed",
        "visit_cancelled",
        "visit_booked",
        "visit_replanned",
    }
    values = {**sample_values(name, Language.EN), "for_laboratory": for_laboratory}
    text = render(name, _speaker(Language.EN), values).text
    if (for_laboratory and name in to_laboratory) or name.startswith("lab_"):
        assert "mpa-monitor" not in text
    elif name not in to_laboratory:
        assert "mpa-monitor" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_template_without_a_value_is_an_error_not_a_gap(name: str) -> None:
    values = {"study": {"acronym": "X", "registry_id": "Y"}, "site": {"name": "S"}}
    with pytest.raises(UndefinedError):
        render(name, _speaker(Language.EN), values)


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("language", BOTH)
@pytest.mark.parametrize("name", NAMES)
def test_every_mail_says_whose_it_is_and_that_it_is_no_medical_device(
    name: str, language: Language, console: str
) -> None:
    _, text, html = preview(name, language, console)
    words = "not a medical device" if language is Language.EN else "pas un dispositif médical"
    for part in (text, html.replace("&#39;", "'")):
        assert words in part
        assert "SCLERAMAC · NCT04244916" in part


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.loads += [f"{tag} {name}" for name, value in attrs if name in ("src", "href", "background")]
        self.loads += [f"{tag} url" for name, value in attrs if "url(" in (value or "")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("name", NAMES)
def test_html_is_well_formed_and_loads_nothing(name: str, console: str) -> None:
    parser = _Tags()
    parser.feed(preview(name, Language.FR, console)[2])
    assert parser.open == []
    assert set(parser.loads) <= ({"a href"} if console else set())


def test_html_is_escaped_and_text_is_not() -> None:
    values = sample_values("file_quarantined", Language.EN)
    values["file"]["name"] = "<b>&.csv"
    mail = render("file_quarantined", _speaker(Language.EN), values)
    assert "<b>&.csv" in mail.text
    assert "&lt;b&gt;&amp;.csv" in mail.html
    assert "<b>" not in mail.html


# --- French ---------------------------------------------------------------------------------------------------


def test_every_sentence_of_the_mails_has_its_french() -> None:
    french = _catalogue_file()
    needed = _messages() | SENTENCES_OF_MAILS
    assert {one for one in needed if not french.get(one)} == set()


def test_no_french_sentence_is_left_over() -> None:
    spoken = {"{day} at {clock}", "Study visit. The study code stands for the subject; add no name here."}
    commands_py = EMAIL_DIR.parent.parent / "notifications" / "commands" / "mails.py"
    commands = set(re.findall(r'\.text\(\s*"([^"]+)"', commands_py.read_text("utf-8")))
    assert set(_catalogue_file()) - _messages() - SENTENCES_OF_MAILS - spoken - commands == set()


def test_french_fills_the_same_fields() -> None:
    for english, french in _catalogue_file().items():
        fields = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
        assert sorted(fields.findall(english)) == sorted(fields.findall(french)), english


def test_the_catalogues_do_not_contradict_each_other() -> None:
    ours = _catalogue_file()
    for english, french in catalogue(Language.FR).items():
        if english in ours:
            assert ours[english] == french, english


_ENGLISH = re.compile(
    r"\b(the|and|of|is|are|was|were|has|have|been|not|this|that|with|from|until|since|before|after|when|what|who|"
    r"visit|window|booked|book|record|mail|sample|result|missing|held|row|file|today|tomorrow|by|at|on|to|for|it)\b"
)


@pytest.mark.parametrize("console", CONSOLES)
@pytest.mark.parametrize("name", NAMES)
def test_a_french_mail_has_no_english_words(name: str, console: str) -> None:
    values = {**_without_domain_words(sample_values(name, Language.FR)), "console": console}
    mail = render(name, _speaker(Language.FR), values)
    left_out = ("    mpa-monitor", "    https://", "  https://")
    kept = [line for line in mail.text.splitlines() if not line.startswith(left_out)]
    text = re.sub(
        r"mpa-monitor( [a-z]+)*|visit_soon|550 5.1.1 unknown|MPA-AUC_\w+.csv|data manager",
        "",
        "\n".join(kept),
    )
    assert _ENGLISH.findall(f"{mail.subject}\n{text}") == []


def _without_domain_words(value: Any) -> Any:
    """The sample without sentences whose French is in another catalogue that does not stand yet."""
    french = catalogue(Language.FR)
    if isinstance(value, Reason):
        english = SENTENCES.get(value.code)
        return because("mail_reason_withheld") if english is not None and english not in french else value
    if isinstance(value, dict):
        return {name: _without_domain_words(one) for name, one in value.items()}
    return [_without_domain_words(one) for one in value] if isinstance(value, list) else value


def _speaker(language: Language) -> Speaker:
    shared = json.loads((EMAIL_DIR / "_sample.json").read_text("utf-8"))
    return Speaker(language, ZoneInfo("Europe/Paris"), shared["names"][language], MAIL_SENTENCES)


# --- one and several ------------------------------------------------------------------------------------------


def _counted(name: str, language: Language, number: int, **values: Any) -> str:
    """The mail when the thing that it counts is there so many times."""
    sample = sample_values(name, language)
    return render(name, _speaker(language), {**sample, **_deep(sample, values, number)}).text


def _deep(sample: dict[str, Any], values: dict[str, Any], number: int) -> dict[str, Any]:
    """The values of a sample with the named ones, at any depth, set to a number or cut to as many."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found[key] = {**sample[key], **_deep(sample[key], value, number)}
        else:
            found[key] = sample[key][:number] if isinstance(sample[key], list) else number
    return found


COUNTED = [
    ("digest", {"digest": {"flags": ...}}, "the following matter today.", "the following 2 matters today,",
     "le point suivant.", "les 2 points suivants,"),
    ("digest", {"digest": {"waiting": ...}}, "1 mail should have left and is still", "2 mails should have left and are",
     "1 courriel aurait dû", "2 courriels auraient dû"),
    ("digest", {"digest": {"older": ...}}, "1 older matter is", "2 older matters are",
     "1 point plus ancien,", "2 points plus anciens,"),
    ("lab_reconciliation", {"open": ..., "more": ...}, "1 tube that is missing", "2 tubes that are missing",
     "1 tube manquant ou", "2 tubes manquants ou"),
    ("lab_reconciliation", {"more": ...}, "1 more is not", "2 more are not",
     "1 autre ne figure pas", "2 autres ne figurent pas"),
    ("lab_rows_to_correct", {"count": ...}, "Correct 1 row and send it", "Correct 2 rows and send them",
     "corriger 1 ligne et la renvoyer", "corriger 2 lignes et les renvoyer"),
    ("rows_held", {"file": {"held": ...}}, "Settle 1 held row of", "Settle 2 held rows of",
     "régler 1 ligne en attente", "régler 2 lignes en attente"),
    ("rows_held", {"file": {"held": ...}, "for_laboratory": ...}, "Check 1 row of", "Check 2 rows of",
     "vérifier 1 ligne du fichier", "vérifier 2 lignes du fichier"),
    ("sampling_day", {"points": ..., "for_laboratory": ...}, "Expect 1 blood sample of", "Expect 2 blood samples of",
     "la réception de 1 prélèvement de", "la réception de 2 prélèvements de"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "what", "one", "two", "une", "deux"), COUNTED)
def test_what_is_counted_reads_right_for_one_and_for_several(
    name: str, what: dict[str, Any], one: str, two: str, une: str, deux: str
) -> None:
    assert one in _counted(name, Language.EN, 1, **what)
    assert two in _counted(name, Language.EN, 2, **what)
    assert une in _counted(name, Language.FR, 1, **what)
    assert deux in _counted(name, Language.FR, 2, **what)


# --- discretion -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["", "_interval"])
@pytest.mark.parametrize("side", ["below", "above"])
def test_an_auc_outside_a_band_is_only_said_to_be_there(side: str, kind: str) -> None:
    code = f"flag_auc_{side}_band{kind}"
    said = discreet(because(code, value=23.4, low=30, band=because("band_transplant")), "MPA-0042-7", "W6")
    assert said == because("mail_auc_to_read", subject="MPA-0042-7", visit_id="W6")


@pytest.mark.parametrize("code", ["set_held", "profile_unusual"])
def test_what_is_wrong_with_samples_is_not_told_by_mail(code: str) -> None:
    why = (because("profile_trough_high", point="H0", limit=15), because("set_below_lloq", point="H30"))
    said = discreet(because(f"flag_{code}", why=why), "MPA-0042-7", "W6")
    assert said == because(f"mail_{code}", subject="MPA-0042-7", visit_id="W6")


def test_a_free_text_is_not_said() -> None:
    lost = because("missing_draw_lost", item="H2", why="Mme Dupont refused")
    said = discreet(because("status_incomplete", missing=(lost,)))
    assert "Dupont" not in str(said)
    assert said == because(
        "status_incomplete", missing=(because("mail_missing_draw_lost", item="H2", why="…"),)
    )


def test_what_stood_in_a_laboratory_file_is_not_said() -> None:
    reason = because(
        "R-10", column="valeur", row=4, text="12,7", specimen="26-0042", subject="Dupont Marie", value=12.7
    )
    said = dict(discreet_file_reason(reason).params)
    assert said == {
        "column": "valeur", "row": 4, "text": "…", "specimen": "26-0042", "subject": "…", "value": "…",
    }  # fmt: skip


def test_what_kind_of_file_it_was_and_how_much_of_it_there_is_may_be_said() -> None:
    for reason in (because("F-07", format="PDF"), because("F-10", row=2, found=15, expected=14)):
        assert discreet_file_reason(reason) == reason


@pytest.mark.parametrize("code", [f"flag_{one}" for one in FlagCode] + ["unknown_code"])
def test_no_number_with_decimals_is_ever_said(code: str) -> None:
    said = discreet(because(code, value=23.4, conc=1.25, why="free text about Mme Dupont", low=30.5))
    assert "23.4" not in str(said)
    assert "1.25" not in str(said)
    assert "30.5" not in str(said)
    assert "Dupont" not in str(said)


def test_a_name_where_a_code_should_stand_is_not_said() -> None:
    assert discreet_code("MPA-0042-7", "MPA-[0-9]{4}-[0-9]") == "MPA-0042-7"
    assert discreet_code("Dupont Marie", "MPA-[0-9]{4}-[0-9]") == "…"
    assert discreet_tube("26-00412") == "26-00412"
    assert discreet_tube("Dupont") == "…"
    assert discreet_tube("Marie Dupont 1950") == "…"


def test_the_documentation_names_every_message_and_every_state() -> None:
    text = (EMAIL_DIR.parent.parent / "docs" / "messages.md").read_text("utf-8")
    assert [name for name in (*NAMES, *State) if f"| `{name}` |" not in text] == []
