"""Changes of treatment and of taking part: regimen, pause, resumption, withdrawal, events that change the endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from scheduler.console.entry import Entry, Matter, form_page
from scheduler.console.page import RECORDERS, Asked
from scheduler.console.sheet import Field, Group, Kind, Sheet
from scheduler.console.visits import now_of
from scheduler.domain.facts import (
    Formulation,
    Intercurrent,
    Occurred,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    What,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.reason import because
from scheduler.domain.speech import Speaker
from scheduler.engine.account.accounts import Role

__all__ = ["PAGES", "read_regimen", "regimen_fields"]


def regimen_fields(speaker: Speaker, *, required: bool) -> tuple[Field, ...]:
    """How the drug is taken."""
    forms = (("", "–"), (Formulation.MMF.value, "MMF"), (Formulation.EC_MPS.value, "EC-MPS"))
    return (
        Field("formulation", speaker.text("Formulation"), Kind.SELECT, options=forms, required=required),
        Field("dose_mg", speaker.text("Dose"), Kind.NUMBER, unit="mg", required=required),
        Field("interval_h", speaker.text("Interval between doses"), Kind.NUMBER, unit="h", required=required),
    )


def read_regimen(sheet: Sheet) -> Regimen | None:
    """The regimen that was typed; None when something of it is missing or wrong."""
    formulation, dose, interval = (
        sheet.choice("formulation", Formulation),
        sheet.number("dose_mg"),
        sheet.number("interval_h"),
    )
    if formulation is None or dose is None or interval is None:
        return None
    return Regimen(formulation, dose, interval)


def _entry(
    asked: Asked,
    matter: Matter,
    title: str,
    button: str,
    make: Callable[[Sheet, datetime, str], What | None],
    *,
    first: Sequence[Field] = (),
    intro: str | None = None,
    closed: str | None = None,
) -> Entry:
    """A form with a moment and a reason, as all of these have."""
    say = matter.speaker

    def whats(sheet: Sheet) -> Sequence[What]:
        at, reason = sheet.instant("at"), sheet.words("reason")
        what = make(sheet, at or asked.now, reason or "")
        return [what] if what is not None and not sheet.problems else []

    at = Field("at", say.text("Since"), Kind.MOMENT, now_of(asked, matter))
    fields = (*first, at, Field("reason", say.text("Reason"), Kind.AREA))
    return Entry(title, button, [Group(fields)], whats, intro, closed)


def _regimen(asked: Asked, matter: Matter) -> Entry:
    say = matter.speaker

    def make(sheet: Sheet, at: datetime, reason: str) -> What | None:
        regimen = read_regimen(sheet)
        return RegimenChanged(at, regimen, reason) if regimen is not None else None

    return _entry(
        asked,
        matter,
        say.text("Change the treatment"),
        say.text("Record"),
        make,
        first=regimen_fields(say, required=True),
        intro=say.text("Steady state is reckoned from the moment of the change."),
    )


def _pause(asked: Asked, matter: Matter) -> Entry:
    say = matter.speaker
    return _entry(
        asked,
        matter,
        say.text("Put participation on hold"),
        say.text("Put on hold"),
        lambda _, at, reason: Paused(at, reason),
        intro=say.text("Nothing is due and nothing is reminded until participation is resumed."),
        closed=say.text("Participation is on hold already.") if _is_on_hold(matter) else None,
    )


def _resume(asked: Asked, matter: Matter) -> Entry:
    say = matter.speaker
    return _entry(
        asked,
        matter,
        say.text("Resume participation"),
        say.text("Resume"),
        lambda _, at, reason: Resumed(at, reason),
        intro=say.text("The original dates go on."),
        closed=None if _is_on_hold(matter) else say.say(because("refused_not_on_hold")),
    )


def _is_on_hold(matter: Matter) -> bool:
    pauses = matter.timeline.pauses
    return bool(pauses) and pauses[-1].end is None


def _withdraw(asked: Asked, matter: Matter) -> Entry:
    say, left_at = matter.speaker, matter.timeline.withdrawn_at
    causes = tuple((one.value, say.say(because(f"withdrawal_{one}"))) for one in Withdrawal)

    def make(sheet: Sheet, at: datetime, reason: str) -> What | None:
        cause = sheet.choice("cause", Withdrawal)
        return Withdrawn(at, cause, reason) if cause is not None else None

    return _entry(
        asked,
        matter,
        say.text("Record that the subject leaves the study"),
        say.text("Record"),
        make,
        first=[Field("cause", say.text("Cause"), Kind.RADIO, options=causes)],
        intro=say.text("Later visits are no longer due. What was recorded stays."),
        closed=say.say(because("refused_already_withdrawn", on=left_at)) if left_at is not None else None,
    )


def _intercurrent(asked: Asked, matter: Matter) -> Entry:
    say = matter.speaker
    events = tuple((one.value, say.status(one)) for one in Occurred)

    def make(sheet: Sheet, at: datetime, reason: str) -> What | None:
        event = sheet.choice("event", Occurred)
        return Intercurrent(at, event, reason) if event is not None else None

    return _entry(
        asked,
        matter,
        say.text("Record an intercurrent event"),
        say.text("Record"),
        make,
        first=[Field("event", say.text("Event"), Kind.RADIO, options=events)],
        intro=say.text("It changes what the endpoint at one year means; the protocol says how it counts."),
    )


PAGES = (
    form_page("/subjects/{subject}/regimen", RECORDERS | {Role.PHARMACIST}, _regimen),
    form_page("/subjects/{subject}/pause", RECORDERS, _pause),
    form_page("/subjects/{subject}/resume", RECORDERS, _resume),
    form_page("/subjects/{subject}/withdraw", RECORDERS, _withdraw),
    form_page("/subjects/{subject}/intercurrent", RECORDERS, _intercurrent),
)
