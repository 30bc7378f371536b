"""Every page of the console. A page is added by a line of `PAGES` in its module, and its module here."""

from __future__ import annotations

from scheduler.console import (
    appointments,
    corrections,
    enrolment,
    flags,
    lab_desk,
    links,
    login,
    overview,
    own_account,
    participation,
    people,
    sampling,
    subject_pages,
    subjects,
    visits,
    worklist,
)
from scheduler.console.page import Page

__all__ = ["PAGES"]

PAGES: tuple[Page, ...] = (
    *worklist.PAGES,
    *flags.PAGES,
    *links.PAGES,
    *sampling.PAGES,
    *subjects.PAGES,
    *subject_pages.PAGES,
    *enrolment.PAGES,
    *appointments.PAGES,
    *visits.PAGES,
    *participation.PAGES,
    *corrections.PAGES,
    *lab_desk.PAGES,
    *overview.PAGES,
    *people.PAGES,
    *own_account.PAGES,
    *login.PAGES,
)
