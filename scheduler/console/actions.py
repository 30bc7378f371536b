"""What to do: one action for each matter and whom it is for first; the forms about a subject and a visit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from scheduler.console.page import CLINICAL, RECORDERS
from scheduler.domain.flags import FlagCode
from scheduler.domain.protocol import VisitStatus
from scheduler.domain.reason import Reason
from scheduler.engine.account.accounts import Role

__all__ = [
    "ACKNOWLEDGERS",
    "CORRECTORS",
    "FIRST_FOR",
    "Action",
    "Verb",
    "action_for",
    "subject_actions",
    "visit_actions",
]

ACKNOWLEDGERS = RECORDERS | {Role.PHARMACIST, Role.DATA_MANAGER}
CORRECTORS = CLINICAL | {Role.DATA_MANAGER}

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


class Verb(StrEnum):
    """What a button says."""

    LOOK = "look"
    BOOK = "book a date"
    MOVE = "move"
    CANCEL = "cancel"
    ATTEND = "record the attendance"
    ASSESS = "record assessments"
    REGIMEN = "change the treatment"
    PAUSE = "put on hold"
    RESUME = "resume"
    WITHDRAW = "record the withdrawal"
    INTERCURRENT = "record an event"


@dataclass(frozen=True, slots=True)
class Action:
    """A button: its words and where it leads."""

    verb: Verb
    url: str


_OF_VISIT = {
    Verb.BOOK: "book",
    Verb.MOVE: "book",
    Verb.CANCEL: "cancel",
    Verb.ATTEND: "attend",
    Verb.ASSESS: "assess",
}
_OF_MATTER = {
    FlagCode.VISIT_OVERDUE: Verb.BOOK,
    FlagCode.NO_OPEN_DAY: Verb.BOOK,
    FlagCode.VISIT_UNCONFIRMED: Verb.ATTEND,
    FlagCode.ENDPOINT_MISSING: Verb.ASSESS,
}


def action_for(
    code: FlagCode, flag: int, subject: str | None, visit: str | None, reason: Reason, roles: Collection[Role]
) -> Action:
    """The one obvious thing to do about a flag, when the reader may do it; else to look at it."""
    verb = _OF_MATTER.get(code)
    if code is FlagCode.VISIT_INCOMPLETE and _lacks_assessment(reason):
        verb = Verb.ASSESS
    if verb is None or subject is None or visit is None or not CLINICAL & set(roles):
        return Action(Verb.LOOK, f"/flags/{flag}")
    return Action(verb, _visit_url(subject, visit, verb))


def _lacks_assessment(reason: Reason) -> bool:
    missing = reason.get("missing")
    return isinstance(missing, tuple) and any(one.code == "missing_assessment" for one in missing)


def _visit_url(subject: str, visit: str, verb: Verb) -> str:
    return f"/subjects/{quote(subject)}/visits/{quote(visit)}/{_OF_VISIT[verb]}"


def visit_actions(
    subject: str, visit: str, status: VisitStatus, roles: Collection[Role], *, is_booked: bool
) -> Iterator[Action]:
    """What the reader may do about a visit as it stands, the likeliest first."""
    if not CLINICAL & set(roles):
        return
    match status:
        case VisitStatus.ATTENDED | VisitStatus.INCOMPLETE:
            verbs = [Verb.ASSESS]
        case VisitStatus.COMPLETE | VisitStatus.NOT_APPLICABLE:
            verbs = []
        case _ if is_booked:
            verbs = [Verb.ATTEND, Verb.MOVE, Verb.CANCEL]
        case _:
            verbs = [Verb.BOOK, Verb.ATTEND, Verb.CANCEL]
    yield from (Action(verb, _visit_url(subject, visit, verb)) for verb in verbs)


def subject_actions(subject: str, state: str, roles: Collection[Role]) -> Iterator[Action]:
    """What the reader may do about a subject as a whole."""
    mine, there = set(roles), f"/subjects/{quote(subject)}"
    if state == "withdrawn":
        return
    if mine & (RECORDERS | {Role.PHARMACIST}):
        yield Action(Verb.REGIMEN, f"{there}/regimen")
    if mine & RECORDERS:
        paused = state == "on_hold"
        yield Action(Verb.RESUME, f"{there}/resume") if paused else Action(Verb.PAUSE, f"{there}/pause")
        yield Action(Verb.INTERCURRENT, f"{there}/intercurrent")
        yield Action(Verb.WITHDRAW, f"{there}/withdraw")
