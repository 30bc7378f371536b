"""Flags: what needs a person, with its reason, since when, and what closes it."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple

from scheduler.domain.reason import Reason, because

__all__ = ["CLOSED_BY_PERSON", "SEVERITY", "Flag", "FlagCode", "Severity", "flag_key"]


class FlagCode(StrEnum):
    VISIT_OVERDUE = "visit_overdue"
    VISIT_MISSED = "visit_missed"
    VISIT_UNCONFIRMED = "visit_unconfirmed"
    VISIT_INCOMPLETE = "visit_incomplete"
    VISIT_OUT_OF_WINDOW = "visit_out_of_window"
    NO_OPEN_DAY = "no_open_day"
    SAMPLE_OUT_OF_WINDOW = "sample_out_of_window"
    RESULT_OVERDUE = "result_overdue"
    RESULT_WITHOUT_DRAW = "result_without_draw"
    RESULT_IN_QUESTION = "result_in_question"
    SET_HELD = "set_held"
    PROFILE_UNUSUAL = "profile_unusual"
    AUC_NOT_COMPUTABLE = "auc_not_computable"
    AUC_OUTSIDE_BAND = "auc_outside_band"
    ENDPOINT_MISSING = "endpoint_missing"
    ELIGIBILITY_OPEN = "eligibility_open"
    FILE_QUARANTINED = "file_quarantined"
    ROWS_HELD = "rows_held"
    FOLDER_TROUBLE = "folder_trouble"
    STORAGE_TROUBLE = "storage_trouble"
    MAIL_FAILED = "mail_failed"
    SUBJECT_PARKED = "subject_parked"


class Severity(IntEnum):
    """How soon a person should look: now, this week, when convenient."""

    NOW = 1
    SOON = 2
    KNOW = 3


SEVERITY = {
    FlagCode.VISIT_OVERDUE: Severity.NOW,
    FlagCode.VISIT_UNCONFIRMED: Severity.NOW,
    FlagCode.FILE_QUARANTINED: Severity.NOW,
    FlagCode.ROWS_HELD: Severity.NOW,
    FlagCode.FOLDER_TROUBLE: Severity.NOW,
    FlagCode.STORAGE_TROUBLE: Severity.NOW,
    FlagCode.MAIL_FAILED: Severity.NOW,
    FlagCode.SUBJECT_PARKED: Severity.NOW,
    FlagCode.RESULT_OVERDUE: Severity.NOW,
    FlagCode.VISIT_INCOMPLETE: Severity.SOON,
    FlagCode.RESULT_WITHOUT_DRAW: Severity.SOON,
    FlagCode.RESULT_IN_QUESTION: Severity.NOW,
    FlagCode.SET_HELD: Severity.SOON,
    FlagCode.PROFILE_UNUSUAL: Severity.SOON,
    FlagCode.NO_OPEN_DAY: Severity.SOON,
    FlagCode.ENDPOINT_MISSING: Severity.SOON,
    FlagCode.ELIGIBILITY_OPEN: Severity.SOON,
    FlagCode.VISIT_MISSED: Severity.SOON,
    FlagCode.AUC_NOT_COMPUTABLE: Severity.KNOW,
    FlagCode.AUC_OUTSIDE_BAND: Severity.KNOW,
    FlagCode.VISIT_OUT_OF_WINDOW: Severity.KNOW,
    FlagCode.SAMPLE_OUT_OF_WINDOW: Severity.KNOW,
}

# Flags about files and mails, not about one subject: a person closes them by acknowledging.
CLOSED_BY_PERSON = frozenset(
    {
        FlagCode.FILE_QUARANTINED,
        FlagCode.ROWS_HELD,
        FlagCode.FOLDER_TROUBLE,
        FlagCode.STORAGE_TROUBLE,
        FlagCode.MAIL_FAILED,
        FlagCode.SUBJECT_PARKED,
    }
)


class Flag(NamedTuple):
    """One open flag. `detail` tells two flags of the same code on one visit apart."""

    code: FlagCode
    subject: str
    visit: str | None
    detail: str
    reason: Reason
    since: datetime

    @property
    def key(self) -> str:
        return flag_key(self.code, self.subject, self.visit, self.detail)

    @property
    def severity(self) -> Severity:
        return SEVERITY[self.code]

    @property
    def closes(self) -> Reason:
        """What makes the flag go away."""
        return because(f"closes_{self.code}")


def flag_key(code: FlagCode, subject: str, visit: str | None, detail: str) -> str:
    return "|".join((subject, visit or "-", code, detail or "-"))
