"""The sampling day on the nurse's phone: one form a step, each of which works without any script."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import assert_never
from urllib.parse import quote

from sqlmodel import Session
from starlette.responses import JSONResponse, Response

from scheduler.console.page import CLINICAL, TEAM, Asked, Page
from scheduler.console.show import go, refused, show
from scheduler.domain.civil import local_date
from scheduler.domain.facts import Attended, DoseGiven, Formulation, SampleDrawn, SampleNotDrawn, Source, What
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.speech import Speaker
from scheduler.engine.recording.moments import parse_instant
from scheduler.engine.recording.record import record
from scheduler.engine.recording.request import Who
from scheduler.engine.recording.typed_assessments import read_number
from scheduler.engine.report.sampling_day import DrawState, SamplingDay, days_of_sampling, sampling_day
from scheduler.store.tables import SubjectRow

__all__ = ["PAGES"]

_TAP_TRAVELS = timedelta(minutes=15)
_LONGEST = 200


class _Step(StrEnum):
    ATTEND = "attend"
    DOSE = "dose"
    DRAW = "draw"
    NOT_DRAWN = "not_drawn"


# Beside which field a refusal stands; what is not named here stands above the fields of its step.
_FIELDS: Mapping[str, str] = {
    "refused_tube_used": "tube",
    "refused_tube_needed": "tube",
    "refused_text_needed": "reason",
    "refused_dose_mg": "dose_mg",
    "refused_number": "dose_mg",
    "refused_formulation_needed": "formulation",
    "refused_interval": "interval_h",
    "refused_future": "at",
    "refused_time": "at",
    "refused_time_needed": "at",
    "refused_date": "at",
    "refused_time_skipped": "at",
    "refused_instant_twice": "at",
    "refused_before_enrolment": "at",
    "refused_other_day": "at",
    "refused_draw_order": "at",
    "refused_draw_before_dose": "at",
    "refused_dose_after_draw": "at",
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a step was not recorded: which step, and the sentences by field (`""` for the step as a whole)."""

    step: str
    point: str
    by_field: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _today(asked: Asked) -> Response:
    day = local_date(asked.now, asked.speaker.zone)
    found = asked.desk.database.read(
        lambda session: days_of_sampling(session, asked.desk.study, asked.sites, day)
    )
    return show(asked, "sampling_today.html", day=day, found=found)


def _sampling(asked: Asked) -> Response:
    return _record(asked) if asked.posted else _page(asked)


def _page(asked: Asked, refusal: _Refusal | None = None) -> Response:
    found = asked.desk.database.read(lambda session: _day(session, asked))
    if found is None:
        return refused(asked, 404)
    day, speaker = found
    return show(
        asked,
        "sampling.html",
        status=200 if refusal is None else 422,
        day=day,
        site_speaker=speaker,
        refusal=refusal or _Refusal("", ""),
        given=asked.form,
        done=asked.query.get("done", ""),
        formulations=list(Formulation),
        may_record=bool(asked.roles & CLINICAL),
        here=_here(asked),
        other_day=_other_day(day, asked.now, speaker),
        past_day=_past_day(day, asked.now, speaker),
        DrawState=DrawState,
    )


def _other_day(day: SamplingDay, now: datetime, speaker: Speaker) -> date | None:
    """The day of the appointment, while nobody has come and it is not today's."""
    if day.attended_at is not None or day.booked_at is None:
        return None
    booked = local_date(day.booked_at, speaker.zone)
    return booked if booked != local_date(now, speaker.zone) else None


def _past_day(day: SamplingDay, now: datetime, speaker: Speaker) -> date | None:
    """The day on which the visit took place, when it is not today: what it lacks is recorded with the times of that
    day."""
    if day.attended_at is None:
        return None
    attended = local_date(day.attended_at, speaker.zone)
    return attended if attended != local_date(now, speaker.zone) else None


def _day(session: Session, asked: Asked) -> tuple[SamplingDay, Speaker] | None:
    row = session.get(SubjectRow, asked.path["subject"])
    assert row is not None  # `decide` found its site
    day = sampling_day(session, asked.desk.study, row, asked.path["visit"], asked.now)
    return (day, asked.desk.speaker(asked.language, row.site_id)) if day is not None else None


def _now(asked: Asked) -> Response:
    """The time of the server, and the newest record: what the countdown is set by."""
    found = asked.desk.database.read(lambda session: _day(session, asked))
    if found is None:
        return refused(asked, 404)
    return JSONResponse({"now": asked.now.isoformat(), "record": found[0].record})


def _record(asked: Asked) -> Response:
    """Record a step. A second tap on the same button finds it done and records nothing."""
    step, point = asked.form.get("step", ""), asked.form.get("point", "")
    if step not in set(_Step):
        return refused(asked, 400)

    def take(session: Session) -> bool:
        # Whoever taps at the same time waits here, and then finds what the first one recorded.
        session.get(SubjectRow, asked.path["subject"], with_for_update=True)
        found = _day(session, asked)
        if found is None:
            return False
        day, speaker = found
        if not _is_done(day, _Step(step), asked.form):
            what = _what(asked, _Step(step), day, speaker)
            who = Who(asked.name, Source.CONSOLE)
            record(session, asked.desk.study, day.subject, what, who, asked.now, asked.desk.handle)
        return True

    try:
        if not asked.desk.database.transact(take):
            return refused(asked, 404)
    except RefusedError as error:
        return _page(asked, _Refusal(step, point, _by_field(error.reasons, asked.speaker)))
    return go(f"{_here(asked)}?done={quote(point or step)}")


def _here(asked: Asked) -> str:
    return f"/subjects/{quote(asked.path['subject'])}/visits/{quote(asked.path['visit'])}/sampling"


def _by_field(reasons: list[Reason], speaker: Speaker) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for reason in reasons:
        name = _FIELDS.get(reason.code, "")
        found[name] = (*found.get(name, ()), speaker.say(reason))
    return found


def _is_done(day: SamplingDay, step: _Step, form: Mapping[str, str]) -> bool:
    """Whether what a form says is on record: sent twice, or by somebody else a moment ago."""
    draw = next((one for one in day.draws if one.point == form.get("point")), None)
    match step:
        case _Step.ATTEND:
            return day.attended_at is not None
        case _Step.DOSE:
            return day.dose is not None
        case _Step.DRAW:
            return draw is not None and draw.tube is not None and draw.tube == _typed(form, "tube")
        case _Step.NOT_DRAWN:
            return draw is not None and draw.state is DrawState.NOT_DRAWN
    assert_never(step)


def _what(asked: Asked, step: _Step, day: SamplingDay, speaker: Speaker) -> What:
    form, visit = asked.form, day.visit
    at = _moment_of_step(asked, step, day, speaker)
    match step:
        case _Step.ATTEND:
            return Attended(visit, at)
        case _Step.DOSE:
            formulation = form.get("formulation", "")
            if formulation not in set(Formulation):
                raise RefusedError([because("refused_formulation_needed")])
            dose, interval = (read_number(_typed(form, name)) for name in ("dose_mg", "interval_h"))
            return DoseGiven(visit, at, dose, Formulation(formulation), interval)
        case _Step.DRAW:
            tube = _typed(form, "tube")
            if not tube:
                raise RefusedError([because("refused_tube_needed")])
            return SampleDrawn(visit, form.get("point", ""), at, tube)
        case _Step.NOT_DRAWN:
            reason = _typed(form, "reason")
            if not reason:
                raise RefusedError([because("refused_text_needed")])
            return SampleNotDrawn(visit, form.get("point", ""), at, reason)
    assert_never(step)


def _moment_of_step(asked: Asked, step: _Step, day: SamplingDay, speaker: Speaker) -> datetime:
    """When a step was. Days after the visit dose and draws need a time that is typed. Raises RefusedError."""
    try:
        at = _moment(asked.form, asked.now, speaker, day.attended_at)
    except RefusedError as error:
        is_past = _past_day(day, asked.now, speaker) is not None
        if is_past and any(one.code == "refused_time" for one in error.reasons):
            raise RefusedError([because("refused_time_needed")]) from error
        raise
    is_typed = bool(_typed(asked.form, "at")) or step not in (_Step.DOSE, _Step.DRAW)
    if not is_typed and _past_day(day, at, speaker) is not None:
        raise RefusedError([because("refused_time_needed")])
    return at


def _typed(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()[:_LONGEST]


def _moment(
    form: Mapping[str, str], now: datetime, speaker: Speaker, attended_at: datetime | None = None
) -> datetime:
    """When it was: as typed, a time alone on the day of the attendance; else when the button was tapped, where the
    page's script says it; else now."""
    typed = _typed(form, "at")
    if typed:
        return parse_instant(typed, attended_at or now, speaker.zone)
    try:
        tapped = datetime.fromisoformat(form.get("tapped", ""))
    except ValueError:
        return now
    is_believed = tapped.tzinfo is not None and now - _TAP_TRAVELS <= tapped <= now
    return tapped if is_believed else now


def _typed_before(asked: Asked) -> Mapping[str, str]:
    """What was typed, with the moment of the tap as the time of what happened: it is shown, and may be changed."""
    form = dict(asked.form)
    if not _typed(form, "at"):
        at = _moment(form, asked.now, asked.speaker).astimezone(asked.speaker.zone)
        form["at"] = at.strftime("%Y-%m-%d %H:%M")
    return form | {"tapped": ""}


PAGES = (
    Page("/sampling", TEAM, _today, nav="sampling"),
    Page(
        "/subjects/{subject}/visits/{visit}/sampling",
        TEAM,
        _sampling,
        posts=True,
        keeps=_typed_before,
        post_roles=CLINICAL,
    ),
    Page("/subjects/{subject}/visits/{visit}/sampling/now", TEAM, _now, quiet=True),
)
