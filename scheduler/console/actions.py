"""What to do about a matter: one action each, and whom it is for first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from scheduler.console.page import RECORDERS
from scheduler.domain.flags import FlagCode
from scheduler.engine.accounts import Role

__all__ = ["ACKNOWLEDGERS", "FIRST_FOR", "Action", "Verb", "action_for"]

# Choice: who is expected to see to it; everybody of the team sees every row.
FIRST_FOR: Mapping[FlagCode, Role] = {
    FlagCode.VISIT_OVERDUE: Role.COORDINATOR,
    FlagCode.VISIT_MISSED: Role.COORDINATOR,
    FlagCode.VISIT_UNCONFIRMED: Role.COORDINATOR,
    FlagCode.VISIT_INCOMPLETE: Role.NURSE,
    FlagCode.VISIT_OUT_OF_WINDOW: Role.COORDINATOR,
    FlagCode.NO_OPEN_DAY: Role.COORDINATOR,
    FlagCode.SAMPLE_OUT_OF_WINDOW: Role.NURSE,
    FlagCode.RESULT_OVERDUE: Role.LABORATORY,
    FlagCode.RESULT_WITHOUT_DRAW: Role.NURSE,
    FlagCode.RESULT_IN_QUESTION: Role.LABORATORY,
    FlagCode.SET_HELD: Role.PHARMACIST,
    FlagCode.PROFILE_UNUSUAL: Role.PHARMACIST,
    FlagCode.AUC_NOT_COMPUTABLE: Role.PHARMACIST,
    FlagCode.AUC_OUTSIDE_BAND: Role.INVESTIGATOR,
    FlagCode.ENDPOINT_MISSING: Role.INVESTIGATOR,
    FlagCode.ELIGIBILITY_OPEN: Role.INVESTIGATOR,
    FlagCode.FILE_QUARANTINED: Role.LABORATORY,
    FlagCode.ROWS_HELD: Role.LABORATORY,
    FlagCode.FOLDER_TROUBLE: Role.DATA_MANAGER,
    FlagCode.STORAGE_TROUBLE: Role.DATA_MANAGER,
    FlagCode.MAIL_FAILED: Role.DATA_MANAGER,
    FlagCode.SUBJECT_PARKED: Role.DATA_MANAGER,
}

ACKNOWLEDGERS = RECORDERS | {Role.PHARMACIST, Role.DATA_MANAGER}


class Verb(StrEnum):
    """What the action's button says."""

    OPEN = "open the subject"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Action:
    """A button: its words and where it leads."""

    verb: Verb
    url: str


def action_for(
    code: FlagCode, flag: int, subject: str | None, visit: str | None, roles: Collection[Role]
) -> Action:
    """The one obvious thing to do about a flag, among those that the reader may do."""
    if subject is not None:
        return Action(Verb.OPEN, f"/subjects/{quote(subject)}")
    return Action(Verb.LOOK, f"/flags/{flag}")
