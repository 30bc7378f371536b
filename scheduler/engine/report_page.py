"""A patient report as one HTML file that needs nothing else: pictures and style are inside, nothing is loaded."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from config.language import TEMPLATE_DIR, Language, translator
from pk.picture import Picture, svg
from scheduler.domain.pictures import range_of
from scheduler.domain.speech import Speaker
from scheduler.engine.patient_report import PatientReport
from scheduler.engine.target_report import TargetReport, page_values
from scheduler.engine.year_svg import NARROW, WIDE, year_svg

__all__ = ["REPORT_DIR", "report_page", "target_page"]

REPORT_DIR = TEMPLATE_DIR / "report"


def report_page(report: PatientReport, speaker: Speaker) -> str:
    """The page in the speaker's language; it is well-formed XML too."""
    template = _environment(speaker.language).get_template("patient.html")
    years = {
        name: year_svg(report.year, speaker, width=width, name=name)
        for name, width in (("narrow", NARROW), ("wide", WIDE))
    }
    return template.render(report=report, speaker=speaker, picture=_picture, range_of=range_of, years=years)


def target_page(report: TargetReport, speaker: Speaker) -> str:
    """The report of the study's question as a page; well-formed XML too."""
    template = _environment(speaker.language).get_template("target.html")
    return template.render(report=report, found=report.found, speaker=speaker, **page_values(report, speaker))


def _picture(picture: Picture, name: str) -> Markup:
    # What svg() writes is markup of ours; the words inside it are escaped there.
    return Markup(svg(picture, name=name).decode("utf-8"))


@cache
def _environment(language: Language) -> Environment:
    jinja = Environment(
        loader=FileSystemLoader(REPORT_DIR),
        undefined=StrictUndefined,
        autoescape=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # the template is part of the program
    )
    jinja.policies["ext.i18n.trimmed"] = True
    translate = translator(language)

    def plural(one: str, many: str, number: int) -> str:
        return translate(one if number == 1 else many)

    jinja.install_gettext_callables(translate, plural, newstyle=True)  # type: ignore[attr-defined]
    return jinja
