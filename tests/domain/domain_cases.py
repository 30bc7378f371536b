"""Protocols, histories and a ledger in memory for the tests of `scheduler.domain`; every default can be overridden."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from config.defects import Defect
from config.schema import ProtocolFile
from scheduler.domain.civil import DayCalendar, at_local
from scheduler.domain.exposure import Exposure, VisitExposures, set_is_settled
from scheduler.domain.facts import (
    Assessed,
    Attended,
    DoseGiven,
    Enrolled,
    Fact,
    Formulation,
    SampleDrawn,
    Source,
    VisitBooked,
    VisitMoved,
    What,
)
from scheduler.domain.history import History
from scheduler.domain.plan import Desired, assess
from scheduler.domain.protocol import Protocol, VisitStatus
from scheduler.domain.protocol_file.compile import compile_protocol
from scheduler.domain.reason import because
from scheduler.domain.results import ResultStatus, ResultVersion
from scheduler.domain.status import VisitView
from scheduler.domain.timeline import StudyPlan, Timeline, build_timeline

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "config" / "protocols" / "sclerosis-mpa-auc.toml"
TEMPLATES = frozenset(
    one.name for one in (ROOT / "templates" / "email").iterdir() if one.is_dir() and one.name[0] != "_"
) | {"visit_incomplete", "visit_missed", "mail_failed"}

PARIS = ZoneInfo("Europe/Paris")
CODE = "MPA-0042-7"
BASELINE = date(2025, 9, 1)  # a Monday

# --- protocols --------------------------------------------------------------------------------------------------


def document() -> dict[str, Any]:
    """The shipped protocol file as plain values, to be spoiled at will."""
    return copy.deepcopy(_shipped())


@cache
def _shipped() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text("utf-8"))


def defects_of(content: dict[str, Any]) -> list[Defect]:
    """What the loader says of a protocol file that has the right shape."""
    protocol, defects = compile_protocol(ProtocolFile.model_validate(content), "p.toml", TEMPLATES)
    assert (protocol is None) == bool(defects)
    return defects


def protocol_from(content: dict[str, Any], key: str = "") -> Protocol:
    protocol, defects = compile_protocol(ProtocolFile.model_validate(content), "p.toml", TEMPLATES, key)
    assert protocol is not None, defects
    return protocol


@cache
def shipped_protocol() -> Protocol:
    return protocol_from(document(), "shipped")


def encounter(name: str, **timing: Any) -> dict[str, Any]:
    """An encounter of a protocol file without samples or assessments."""
    label = {"en": name, "fr": name}
    given = {"type": "after", "relative_to": "INCLUSION", "value": "P6W"} | timing
    return {"id": name, "code": f"C-{name}", "label": label, "timing": given, "sampling": False}


def small_document(*encounters: dict[str, Any], reminders: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """A protocol of an inclusion and the encounters given, without notices."""
    content = document()
    content["encounters"] = [
        encounter("INCLUSION", type="fixed", value="P0D", relative_to=None),
        *encounters,
    ]
    content["reminders"] = list(reminders)
    content["notices"] = []
    return content


def shipped_with(**changes: Mapping[str, Any]) -> Protocol:
    """The shipped protocol with keys of some encounters' timings replaced: shipped_with(W6={"grace": "P3D"})."""
    content = document()
    for one in content["encounters"]:
        one["timing"] |= changes.get(one["id"], {})
    return protocol_from(content)


def amended_document(version: str = "2") -> dict[str, Any]:
    """A later version: W6 a week later, narrower and with an assessment, W12 gone, M9 new, H30 in a wider window."""
    content = document()
    content["study"]["version"] = version
    encounters = {one["id"]: one for one in content["encounters"]}
    encounters["W6"]["timing"] |= {"value": "P7W", "window_lower": "P3D", "window_upper": "P3D"}
    encounters["W6"] |= {"required": ["mrss"], "optional": ["fvc", "dlco"]}
    del encounters["W12"]
    year = encounters.pop("Y1")
    m9 = copy.deepcopy(encounters["M6"]) | {"id": "M9", "code": "V9"}
    m9["timing"]["value"] = "P9M"
    content["encounters"] = [*encounters.values(), m9, year]
    content["sampling"]["points"][1] |= {"window_lower": "PT15M", "window_upper": "PT15M"}
    return content


# --- sites ------------------------------------------------------------------------------------------------------


@cache
def _french_holidays() -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=range(2000, 2041)))


def calendar(
    zone: ZoneInfo = PARIS, open_weekdays: Iterable[int] = range(1, 6), closed: Iterable[date] | None = None
) -> DayCalendar:
    days = _french_holidays() if closed is None else frozenset(closed)
    return DayCalendar(zone, frozenset(open_weekdays), days)


def study_plan(protocol: Protocol | None = None, where: DayCalendar | None = None) -> StudyPlan:
    return StudyPlan(protocol or shipped_protocol(), "cochin", where or calendar())


@cache
def shipped_plan() -> StudyPlan:
    return study_plan()


# --- facts ------------------------------------------------------------------------------------------------------


def local(day: date, hour: int = 9, minute: int = 0, zone: ZoneInfo = PARIS) -> datetime:
    """The instant of a local time of the site."""
    return at_local(day, time(hour, minute), zone)


def enrolled(baseline: date = BASELINE, **more: Any) -> Enrolled:
    return Enrolled(baseline, **more)


def booked(visit: str, day: date, hour: int = 9, minute: int = 0) -> VisitBooked:
    return VisitBooked(visit, datetime.combine(day, time(hour, minute)))


def moved(visit: str, day: date, hour: int = 9, minute: int = 0, reason: str = "asked") -> VisitMoved:
    return VisitMoved(visit, datetime.combine(day, time(hour, minute)), reason)


def dose(visit: str, at: datetime, mg: float = 1000.0, interval_h: float = 12.0) -> DoseGiven:
    return DoseGiven(visit, at, mg, Formulation.MMF, interval_h)


def drawn(visit: str, point: str, at: datetime) -> SampleDrawn:
    return SampleDrawn(visit, point, at, f"{visit}-{point}")


POINT_MINUTES = {"H0": -5, "H30": 30, "H2": 120}
CONC = {"H0": Decimal("1.6"), "H30": Decimal("4.8"), "H2": Decimal("3.2")}  # an ordinary profile


def sampling_day(visit: str, day: date, *, without: Iterable[str] = (), hour: int = 9) -> list[What]:
    """Attended, the dose, and the three draws on time."""
    dose_at = local(day, hour)
    draws = [
        drawn(visit, point, dose_at + timedelta(minutes=minutes))
        for point, minutes in POINT_MINUTES.items()
        if point not in without
    ]
    return [Attended(visit, dose_at - timedelta(minutes=30)), dose(visit, dose_at), *draws]


def assessed(visit: str, day: date, items: Iterable[str] = ("mrss", "fvc", "dlco")) -> list[What]:
    return [Assessed(visit, item, local(day, 11), 20.0, "points") for item in items]


def result(
    visit: str = "W6",
    point: str = "H0",
    status: ResultStatus = ResultStatus.FINAL,
    *,
    number: int = 1,
    day: date = date(2025, 10, 13),
    reported_at: datetime | None = None,
    **more: Any,
) -> ResultVersion:
    collected = local(day) + timedelta(minutes=POINT_MINUTES[point])
    reported = reported_at or collected + timedelta(days=2)
    given: dict[str, Any] = {
        "id": number,
        "visit": visit,
        "timepoint": point,
        "specimen": f"{visit}-{point}",
        "status": status,
        "conc_mg_l": CONC[point],
        "below_lloq": False,
        "above_uloq": False,
        "lloq_mg_l": Decimal("0.1"),
        "collected_at": collected,
        "reported_at": reported,
        "recorded_at": reported + timedelta(minutes=10),
        "method": "HPLC",
    }
    return ResultVersion(**(given | more))


def results_of(visit: str, day: date, first_id: int = 1) -> list[ResultVersion]:
    return [result(visit, point, number=first_id + i, day=day) for i, point in enumerate(POINT_MINUTES)]


def numbered(whats: Iterable[What], recorded_at: datetime | None = None) -> tuple[Fact, ...]:
    """Facts with the numbers 1, 2, 3 … in the order given, each recorded a minute after the one before."""
    start = recorded_at or local(BASELINE, 8)
    return tuple(
        Fact(i, what, start + timedelta(minutes=i), "tester", Source.CLI) for i, what in enumerate(whats, 1)
    )


def history(
    *whats: What, results: Iterable[ResultVersion] = (), baseline: date = BASELINE, code: str = CODE
) -> History:
    """The history of a subject enrolled on `baseline`, then what is given."""
    return History(code, numbered([enrolled(baseline), *whats]), tuple(results))


def timeline(
    *whats: What,
    results: Iterable[ResultVersion] = (),
    baseline: date = BASELINE,
    plan: StudyPlan | None = None,
    amended: Mapping[str, StudyPlan] = MappingProxyType({}),
) -> Timeline:
    past = history(*whats, results=results, baseline=baseline)
    found = build_timeline(plan or shipped_plan(), past, amended)
    assert found is not None
    return found


# --- what is true at an instant ---------------------------------------------------------------------------------


def stand(line: Timeline, now: datetime) -> Desired:
    return assess(line, fake_exposures(line), now)


def view(line: Timeline, visit: str, now: datetime) -> VisitView:
    return next(one for one in stand(line, now).views if one.plan.id == visit)


def status(line: Timeline, visit: str, now: datetime) -> VisitStatus:
    return view(line, visit, now).status


def statuses(line: Timeline, now: datetime) -> dict[str, VisitStatus]:
    return {one.plan.id: one.status for one in stand(line, now).views}


def flag_codes(line: Timeline, visit: str, now: datetime) -> set[str]:
    return {str(flag.code) for flag in stand(line, now).flags if flag.visit == visit}


def fake_exposures(line: Timeline) -> dict[str, VisitExposures]:
    """An AUC for every settled sampling day: a value when all three results are there, else a refusal."""
    found = {}
    for plan in line.visits:
        if plan.attended_at is None or not set_is_settled(plan):
            continue
        concs = [d.result.version.conc_mg_l for d in plan.draws if d.result is not None and d.result.is_final]
        whole = len(concs) == len(plan.draws) and all(c is not None for c in concs)
        value = float(sum(c for c in concs if c is not None)) * 4 if whole else None
        reasons = () if whole else (because("pk_sample_missing"),)
        one = Exposure("fake", "AUC0-12", value, None, None, "mg·h/L", (0.0, 12.0), reasons, ())
        found[plan.id] = VisitExposures(f"{concs}", (one,), "{}")
    return found


def snapshot(desired: Desired) -> tuple[Any, ...]:
    """Everything in `desired` that anybody can see."""
    return (
        tuple((v.status, v.reason, v.missing, v.since, v.results_overdue) for v in desired.views),
        {flag.key: (flag.reason, flag.since, flag.severity) for flag in desired.flags},
        {one.key: one.expired for one in desired.reminders},
    )


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def naive(year: int, month: int, day: int, hour: int = 9, minute: int = 0) -> datetime:
    """A local time without zone, as appointments are written."""
    return datetime.combine(date(year, month, day), time(hour, minute))
