"""The patient report: all that is on record about one subject, in both languages, in one file that needs no other."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from engine_desk import SUBJECT, Desk, at, speaker
from sqlmodel import Session

from config.language import Language
from pk.pictures.curve import ConcentrationCurve, DrawnSample
from scheduler.domain.facts import Assessed, Attended, SampleNotDrawn
from scheduler.domain.pictures import TitledAuc, curve_words
from scheduler.domain.speech import Speaker
from scheduler.engine.report.page import report_page
from scheduler.engine.report.patient_report import PatientReport, patient_report
from scheduler.engine.study import Study
from scheduler.store.database import Database
from scheduler.store.tables import SubjectRow

BOTH = [Language.EN, Language.FR]
_ENGLISH = re.compile(
    r"\b(the|of|is|are|was|has|this|that|with|from|since|after|before|when|what|why|visit|visits|window|drawn|"
    r"sample|samples|result|results|missing|method|booked|none|earlier|by|at|to|for|it|every|value)\b",
    re.IGNORECASE,
)


def report(
    desk: Desk, language: Language = Language.EN, curves: dict[str, ConcentrationCurve] | None = None
) -> PatientReport:
    def step(session: Session) -> PatientReport:
        row = session.get(SubjectRow, SUBJECT)
        assert row is not None
        found = patient_report(session, desk.study, row, speaker(desk.study, language), desk.now)
        return found.with_curves(curves or {})

    return desk.db.transact(step)


def page(
    desk: Desk, language: Language = Language.EN, curves: dict[str, ConcentrationCurve] | None = None
) -> str:
    return report_page(report(desk, language, curves), speaker(desk.study, language))


def a_curve(words: Speaker) -> ConcentrationCurve:
    return ConcentrationCurve(
        times_h=(0.0, 1.0, 12.0),
        individual_mg_l=(1.8, 12.0, 1.7),
        interval_h=12.0,
        samples=(DrawnSample("H0", -5 / 60, 1.85),),
        words=curve_words(words, SUBJECT, "INCLUSION", TitledAuc(None, 45.2, (38.1, 54.0))),
    )


class _Words(HTMLParser):
    """The words of a page without pictures and style, and every address that it would load or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.labels: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        leads = ("src", "href", "xlink:href", "action", "srcset", "data", "background")
        self.addresses += [value or "" for name, value in attrs if name in leads]
        self.labels += [value for name, value in attrs if name == "data-label" and value]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"svg", "style"} & set(self.open):
            self.words.append(data)


def read(html: str) -> _Words:
    parser = _Words()
    parser.feed(html)
    assert parser.open == []
    return parser


def words(html: str) -> str:
    return " ".join(" ".join(read(html).words).split())


@pytest.fixture
def desk(sqlite_db: Database, study: Study) -> Desk:
    return Desk(sqlite_db, study)


@pytest.fixture
def lived(desk: Desk) -> Desk:
    return live(desk)


def live(desk: Desk) -> Desk:
    """A sampling day with its results, one of them corrected since."""
    desk.sampled()
    desk.say(Assessed("INCLUSION", "mrss", at(9, 0), 18, "points"))
    desk.now = at(14, 0, 3)
    desk.lab()
    desk.now = at(14, 0, 9)
    desk.lab({"H2": "9.40"}, status="C", replaces="R-H2-1")
    return desk


def test_the_report_is_the_same_from_both_databases(db: Database, study: Study) -> None:
    assert "AUC0-12 53.4" in words(page(live(Desk(db, study))))


def test_it_tells_what_is_on_record(lived: Desk) -> None:
    said = words(page(lived))
    for known in (
        SUBJECT, "SCLERAMAC (NCT04244916)", "As the records stood on 9 September 2025 at 14:00", "not a medical device",
        "MMF 1000 mg every 12 h", "1 September 2025", "sclerosis-mpa-auc", "Dose of the sampling day",
        "H30 08:50 30 20 – 40 T-2 14.20 final result", "H0 08:15 −5 −60 – 0 T-1 1.85 final result",
        "H2 10:20 120 110 – 130 T-3 9.40 corrected result", "AUC0-12 53.4", "AUC0-12 46.1", "Earlier versions",
        "There is no H4 sample", "it is not known to have been validated in systemic sclerosis", "modified Rodnan",
        "kidney transplant, first month (borrowed): 30 – 60", "mpa-monitor", "Inputs of the estimates:",
    ):  # fmt: skip
        assert known in said.replace("\u00a0", " "), known


def test_the_french_report_is_french(lived: Desk) -> None:
    said = words(page(lived, Language.FR))
    assert "9,40 résultat corrigé" in said
    assert "AUC0-12 53,4" in said
    assert "pas un dispositif médical" in said
    # what the files of the configuration say is theirs: sources of the bands, units
    for theirs in ("as tabulated by", "sclerosis-mpa-auc"):
        said = said.replace(theirs, "")
    assert _ENGLISH.findall(said) == []
    assert _ENGLISH.findall(" ".join(read(page(lived, Language.FR)).labels)) == []


@pytest.mark.parametrize("language", BOTH)
def test_the_page_needs_nothing_else(lived: Desk, language: Language) -> None:
    html = page(lived, language, {"INCLUSION": a_curve(speaker(lived.study, language))})
    assert all(address.startswith("#") for address in read(html).addresses)
    assert not re.search(r"<(script|link|img|iframe|object|embed|base)\b|@import|\bon\w+=", html)
    assert set(re.findall(r"https?://[^\"\s<]+", html)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"url\((?!#)", html)


@pytest.mark.parametrize("language", BOTH)
def test_the_page_is_well_formed_and_every_id_its_own(lived: Desk, language: Language) -> None:
    html = page(lived, language, {"INCLUSION": a_curve(speaker(lived.study, language))})
    assert html.startswith("<!DOCTYPE html>")
    root = ElementTree.fromstring(html)
    assert root.get("lang") == language.value
    ids = [one.get("id") for one in root.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    assert "@page { size: A4" in html and 'name="viewport"' in html


def test_a_visit_has_a_picture_when_it_has_a_curve_and_else_none(lived: Desk) -> None:
    assert page(lived).count("<svg ") == 3  # the year at two widths, the AUCs over the visits
    with_curve = page(lived, curves={"INCLUSION": a_curve(speaker(lived.study, Language.EN))})
    assert with_curve.count("<svg ") == 4
    titles = re.findall(r"<title id=\"[^\"]*\">([^<]*)<", with_curve)
    assert titles == [
        f"The year of {SUBJECT}",
        f"The year of {SUBJECT}",
        f"{SUBJECT} AUC0-12 of MPA over the visits",
        f"{SUBJECT} · Inclusion AUC0-12 45.2 mg·h/L 90% interval: 38.1 – 54.0 mg·h/L",
    ]


def test_before_anything_happened_there_is_a_calendar_and_no_auc(desk: Desk) -> None:
    desk.enrol()
    html = page(desk)
    assert html.count("<svg ") == 2  # the year
    assert report(desk).course is None
    assert "Exposure by method" not in html
    assert words(html).count("planned for") == 5


def test_free_text_is_escaped_and_stays_text(desk: Desk) -> None:
    desk.enrol()
    desk.now = at(11, 0)
    desk.say(Attended("INCLUSION", at(8, 5)))
    desk.say(SampleNotDrawn("INCLUSION", "H30", at(8, 50), '<script>alert(1)</script> & "veine"'))
    html = page(desk)
    assert "<script" not in html
    assert 'not drawn: <script>alert(1)</script> & "veine"' in words(html)


def test_the_disagreement_of_the_methods_is_a_figure(lived: Desk) -> None:
    (inclusion, *_) = report(lived).visits
    values = [row["value"] for row in inclusion.estimates if row["quantity"] == "AUC0-12" and row["value"]]
    assert len(values) > 2 and inclusion.disagreement is not None
    assert "The methods differ: AUC0-12 from " in inclusion.disagreement
    assert f"{max(values):.1f} mg·h/L" in inclusion.disagreement
    assert f"{100 * (max(values) / min(values) - 1):.0f}% more" in inclusion.disagreement
    (weights,) = inclusion.weights
    assert re.fullmatch(r"(?:[\w ]+ \d{4} \d+%(?:, )?){5}", weights)


def test_an_estimate_that_was_withdrawn_is_an_earlier_version(lived: Desk) -> None:
    lived.now = at(14, 0, 12)
    lived.lab({"H2": ""}, status="W", replaces="R-H2-2")
    (inclusion, *_) = report(lived).visits
    assert {row["version"] for row in inclusion.superseded} == {1, 2}
    assert [row["value"] for row in inclusion.estimates if row["primary"]] == []
    assert "result withdrawn" in words(page(lived))


def test_flags_are_listed_with_what_became_of_them(lived: Desk) -> None:
    lived.now = at(9, 0, 27, 10)
    lived.reconcile()
    said = words(page(lived))
    assert "visit overdue" in said
    assert "book a date" in said
    lived.acknowledge(lived.flag("visit_overdue").id or 0)
    assert "acknowledged by a nurse" in words(page(lived))


def test_the_report_is_a_value(lived: Desk) -> None:
    assert report(lived) == report(lived)
    assert page(lived) == page(lived)
    assert replace(report(lived), state="x") != report(lived)
