"""Every page of the console. A page is added by a line of `PAGES` in its module, and its module here."""

from __future__ import annotations

from scheduler.console import (
    lab_desk,
    login,
    overview,
    own_account,
    people,
    sampling,
    subject_pages,
    subjects,
    worklist,
)
from scheduler.console.page import Page

__all__ = ["PAGES"]

PAGES: tuple[Page, ...] = (
    *worklist.PAGES,
    *sampling.PAGES,
    *subjects.PAGES,
    *subject_pages.PAGES,
    *lab_desk.PAGES,
    *overview.PAGES,
    *people.PAGES,
    *own_account.PAGES,
    *login.PAGES,
)
