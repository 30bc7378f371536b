"""The cast: twelve patients to each of whom something happens, and as many ordinary ones as are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from scheduler.domain.civil import at_local
from scheduler.domain.facts import (
    Attended,
    Formulation,
    Paused,
    Regimen,
    RegimenChanged,
    Resumed,
    VisitMoved,
    Withdrawal,
    Withdrawn,
)
from scheduler.domain.subject_code import check_digit
from scheduler.domain.timeline import StudyPlan
from scheduler.runtime.rehearsal.labfile import file_of
from scheduler.runtime.rehearsal.script import Correct, Drop, Patient, Step, lab_file_name, round_to_minute
from scheduler.runtime.rehearsal.spool import Spool

__all__ = ["FIRST_DAY", "cast", "subject_code"]

FIRST_DAY = date(2025, 8, 25)
_EVENING = time(18)
_LATER = ("W6", "W12", "M6", "Y1")


def subject_code(number: int) -> str:
    """The code of the n-th synthetic subject, with its check digit."""
    digits = f"{number:04d}"
    return f"MPA-{digits}-{check_digit(digits)}"


def cast(plan: StudyPlan, subjects: int, seed: int) -> Spool:
    """The whole script in the order in which it happens. The same seed gives the same script."""
    return Spool(_steps(plan, subjects, seed))


def _steps(plan: StudyPlan, subjects: int, seed: int) -> Iterator[Step]:
    """Everybody's steps, and every evening the laboratory's file about the ordinary patients."""
    daily: dict[date, list[str]] = {}
    for number in range(1, subjects + 1):
        yield from _patient(plan, number, seed, daily).steps
    for day, lines in sorted(daily.items()):
        at = at_local(day, _EVENING, plan.calendar.zone).astimezone(UTC)
        yield Step(at, Drop(lab_file_name(f"{day:%Y%m%d}"), file_of(lines)))


def _patient(plan: StudyPlan, number: int, seed: int, daily: dict[date, list[str]]) -> Patient:
    rng = Random(f"{seed}:{number}")  # noqa: S311
    if number <= len(_CHARACTERS):
        play, baseline = _CHARACTERS[number - 1]
        patient = Patient(plan, subject_code(number), baseline, rng)
    else:
        play, baseline = _ordinary, _open_day(plan, FIRST_DAY + timedelta(days=rng.randrange(7, 60)))
        patient = Patient(plan, subject_code(number), baseline, rng, daily=daily)
    play(patient)
    return patient


def _open_day(plan: StudyPlan, day: date, step: int = 1) -> date:
    """This day if it is open, else the next one that is; with a step of -1, the last one before it."""
    while not plan.calendar.is_open(day):
        day += timedelta(days=step)
    return day


def _on_time(patient: Patient) -> None:
    patient.inclusion()
    for visit in _LATER:
        patient.usual(visit)


def _moved(patient: Patient) -> None:
    """W6 is moved by four days after the reminder of three days before went out."""
    patient.inclusion()
    day = patient.book("W6")
    later = _open_day(patient.plan, day + timedelta(days=3))
    told = patient.local(day - timedelta(days=1), 9, 10)
    local = datetime.combine(later, time(8, 30))
    patient.say(told, VisitMoved("W6", local, "le patient n'est pas disponible"))
    patient.laboratory("W6", patient.attend("W6", later))
    for visit in _LATER[1:]:
        patient.usual(visit)


def _late(patient: Patient) -> None:
    """M6 takes place on the last open days of its window."""
    patient.inclusion()
    for visit in _LATER:
        last = patient.planned(visit).last
        patient.usual(visit, _open_day(patient.plan, last, -1) if visit == "M6" else None)


def _missed(patient: Patient) -> None:
    """W12 never takes place and nobody says why."""
    patient.inclusion()
    patient.usual("W6")
    patient.usual("M6")
    patient.usual("Y1")


def _missing_h30(patient: Patient) -> None:
    patient.inclusion()
    patient.laboratory("W6", patient.attend("W6", patient.book("W6"), not_drawn="H30"))
    for visit in _LATER[1:]:
        patient.usual(visit)


def _wrong_unit(patient: Patient) -> None:
    """The laboratory sends W12 in g/L, then in mg/L; and a file whose columns are wrong."""
    patient.inclusion()
    patient.usual("W6")
    dose_at = patient.attend("W12", patient.book("W12"))
    patient.laboratory("W12", dose_at, unit="g/L")
    again = round_to_minute(dose_at) + timedelta(days=6, hours=3)
    patient.drop(again, patient.rows("W12", again - timedelta(minutes=10)), f"{patient.code}_W12_bis")
    broken = round_to_minute(dose_at) + timedelta(days=3)
    content = "Patient;Résultat\r\n" + f"{patient.code};7,4\r\n"
    patient.do(broken, Drop(f"export {patient.code}.csv", content.encode("cp1252")))
    for visit in _LATER[2:]:
        patient.usual(visit)


def _corrected(patient: Patient) -> None:
    """The laboratory corrects H2 of W6 ten days later: the AUC changes."""
    patient.inclusion()
    dose_at = patient.usual("W6")
    at = round_to_minute(dose_at) + timedelta(days=12, hours=4)
    row = next(row for row in patient.rows("W6", at - timedelta(minutes=15)) if row.timepoint == "H2")
    value = f"{float(row.value) * 1.4:.2f}"
    corrected = replace(
        row, value=value, status="C", result_id=row.result_id[:-1] + "2", replaces=row.result_id
    )
    patient.drop(at, [corrected], f"{patient.code}_W6_corrige")
    for visit in _LATER[1:]:
        patient.usual(visit)


def _out_of_window(patient: Patient) -> None:
    """H2 of W12 is drawn 25 minutes late."""
    patient.inclusion()
    patient.usual("W6")
    patient.laboratory("W12", patient.attend("W12", patient.book("W12"), minutes={"H2": 145}))
    patient.usual("M6")
    patient.usual("Y1")


def _withdrawn(patient: Patient) -> None:
    """Leaves the study one day before the reminder of M6."""
    patient.inclusion()
    patient.usual("W6")
    patient.usual("W12")
    day = patient.book("M6")
    at = patient.local(day - timedelta(days=4), 15)
    patient.say(at, Withdrawn(at, Withdrawal.CONSENT, "retrait du consentement"))


def _end_of_month(patient: Patient) -> None:
    """Included on 31 August: six months later is the last day of February."""
    patient.inclusion()
    for visit in _LATER:
        patient.usual(visit)


def _clock_changes(patient: Patient) -> None:
    """Attends W6 and M6 on the two Sundays on which the clocks change; a wrong dose time is corrected."""
    patient.inclusion()
    patient.usual("W6", date(2025, 10, 26))
    patient.usual("W12")
    dose_at = patient.usual("M6", date(2026, 3, 29))
    wrong = {"at": (dose_at + timedelta(minutes=2)).isoformat()}
    reason = "heure lue sur la mauvaise horloge"
    patient.do(dose_at + timedelta(hours=4), Correct(patient.code, "dose_given", "M6", wrong, reason))
    patient.usual("Y1")


def _other_formulation(patient: Patient) -> None:
    """Changes to EC-MPS before M6: the equation no longer applies. On hold for two weeks in between."""
    patient.inclusion()
    patient.usual("W6")
    patient.usual("W12")
    at = patient.local(patient.planned("W12").last + timedelta(days=10), 14)
    patient.say(at, Paused(at, "hospitalisation"))
    back = at + timedelta(days=14)
    patient.say(back, Resumed(back, "reprise du suivi"))
    patient.regimen = Regimen(Formulation.EC_MPS, 720.0, 12.0)
    patient.say(
        back + timedelta(hours=1), RegimenChanged(back, patient.regimen, "intolérance digestive au MMF")
    )
    patient.usual("M6")
    patient.usual("Y1")


def _ordinary(patient: Patient) -> None:
    """Mostly as foreseen; now and then something goes wrong."""
    rng = patient.rng
    patient.inclusion()
    for visit in _LATER:
        chance = rng.random()
        if chance < 0.03:
            continue  # missed
        day = patient.book(visit)
        if chance < 0.06:
            later = _open_day(patient.plan, day + timedelta(days=2))
            at = patient.local(day - timedelta(days=2), 16)
            patient.say(at, VisitMoved(visit, datetime.combine(later, time(8, 30)), "empêchement"))
            day = later
        if chance > 0.99:
            arrival = patient.local(day, 9)
            patient.say(arrival, Attended(visit, arrival))
            continue  # came, but nothing could be drawn or recorded
        not_drawn = "H30" if 0.06 <= chance < 0.08 else None
        minutes = {"H2": 140} if 0.08 <= chance < 0.10 else None
        dose_at = patient.attend(visit, day, not_drawn=not_drawn, minutes=minutes)
        if chance < 0.12:
            patient.laboratory(visit, dose_at, days=8)
        else:
            patient.laboratory(visit, dose_at)


_CHARACTERS: list[tuple[Callable[[Patient], None], date]] = [
    (_on_time, date(2025, 9, 1)),
    (_moved, date(2025, 9, 2)),
    (_late, date(2025, 9, 3)),
    (_missed, date(2025, 9, 4)),
    (_missing_h30, date(2025, 9, 5)),
    (_wrong_unit, date(2025, 9, 8)),
    (_corrected, date(2025, 9, 9)),
    (_out_of_window, date(2025, 9, 10)),
    (_withdrawn, date(2025, 9, 11)),
    (_end_of_month, date(2025, 8, 31)),
    (_clock_changes, date(2025, 9, 15)),
    (_other_formulation, date(2025, 9, 12)),
]
