"""A patient report as one HTML file that needs nothing else: pictures and style are inside, nothing is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from pk.pictures.image import Picture, svg
from scheduler.domain.pictures import range_of
from scheduler.domain.speech import Speaker
from scheduler.engine.export.audit_trail import AuditPage
from scheduler.engine.pages import environment
from scheduler.engine.picture.year import NARROW, WIDE, year_svg
from scheduler.engine.report.patient_report import PatientReport

if TYPE_CHECKING:
    from scheduler.engine.target.report import TargetReport

__all__ = ["audit_page", "report_page", "target_page"]


def report_page(report: PatientReport, speaker: Speaker) -> str:
    """The page in the speaker's language; it is well-formed XML too."""
    template = environment("report", speaker.language).get_template("patient.html")
    years = {
        name: year_svg(report.year, speaker, width=width, name=name)
        for name, width in (("narrow", NARROW), ("wide", WIDE))
    }
    return template.render(report=report, speaker=speaker, picture=_picture, range_of=range_of, years=years)


def target_page(report: TargetReport, speaker: Speaker) -> str:
    """The report of the study's question as a page; well-formed XML too."""
    from scheduler.engine.target.page import page_values  # the numerics are loaded by whoever asks

    template = environment("report", speaker.language).get_template("target.html")
    return template.render(report=report, found=report.found, speaker=speaker, **page_values(report, speaker))


def audit_page(page: AuditPage, speaker: Speaker) -> str:
    """The audit trail as a page; well-formed XML too."""
    return (
        environment("report", speaker.language).get_template("audit.html").render(page=page, speaker=speaker)
    )


def _picture(picture: Picture, name: str) -> Markup:
    # What svg() writes is markup of ours; the words inside it are escaped there.
    return Markup(svg(picture, name=name).decode("utf-8"))  # noqa: S704
