"""The scenario: two patients of the short study, from enrolment to the last visit one of them misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from torture_clock import EPOCH

from scheduler.runtime.rehearsal.labfile import LabRow, lab_file

__all__ = ["SCENE", "SCRIPT", "SHORT", "A", "B", "Step", "moved"]

PARIS = ZoneInfo("Europe/Paris")
A, B = "MPA-0042-7", "MPA-0003-7"
_DAY = EPOCH.astimezone(PARIS).date()


@dataclass(frozen=True, slots=True)
class Step:
    """What people and the laboratory do at an instant. `server` says whether the mail server is there."""

    name: str
    at: datetime
    commands: Sequence[Sequence[str]] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    server: bool = True


def _at(day: int, clock: str) -> datetime:
    return datetime.combine(_DAY + timedelta(days=day), time.fromisoformat(clock), tzinfo=PARIS)


def _said(day: int, clock: str) -> str:
    return f"{_at(day, clock):%Y-%m-%d %H:%M}"


def _enrolled(subject: str) -> list[str]:
    return [
        "enrol", subject, "--inclusion", str(_DAY), "--treatment-start", str(_DAY - timedelta(days=100)),
        "--formulation", "mmf", "--dose-mg", "1000", "--interval-h", "12",
    ]  # fmt: skip


def _tube(subject: str, visit: str, point: str) -> str:
    return f"{subject[4:8]}-{visit}-{point}"


def _sampled(subject: str, visit: str, day: int) -> list[list[str]]:
    """A sampling morning as it is recorded in the afternoon."""
    drawn = {"H0": "08:15", "H30": "08:50", "H2": "10:20"}
    draws = [
        ["draw", subject, visit, point, "--tube", _tube(subject, visit, point), "--at", _said(day, clock)]
        for point, clock in drawn.items()
    ]
    dose = ["dose", subject, visit, "--mg", "1000", "--formulation", "mmf", "--interval-h", "12"]
    return [draws[0], [*dose, "--at", _said(day, "08:20")], *draws[1:]]


def _results(subject: str, visit: str, code: str, day: int, change: str = "", status: str = "F") -> bytes:
    drawn = {"H0": ("08:15", "1.85"), "H30": ("08:50", "14.2"), "H2": ("10:20", "6.40")}
    rows = [
        LabRow(
            "MPA-AUC", subject, code, point, _tube(subject, visit, point), _at(day, clock), _at(day, "13:30"),
            change if change and point == "H2" else value, f"R-{_tube(subject, visit, point)}", status=status,
        )
        for point, (clock, value) in drawn.items()
    ]  # fmt: skip
    return lab_file(rows, PARIS)


SCRIPT = (
    Step("two patients are enrolled and sampled", _at(0, "14:30"),
         [_enrolled(A), _enrolled(B), *_sampled(A, "INCLUSION", 0), *_sampled(B, "INCLUSION", 0)],
         {"first.csv": _results(A, "INCLUSION", "V1", 0), "note.csv": b"rien;a;lire\r\n"}),
    Step("their next visits are booked", _at(1, "10:00"),
         [["book", A, "W6", "--at", _said(21, "09:00")], ["book", B, "W6", "--at", _said(21, "10:00")]],
         {"second.csv": _results(B, "INCLUSION", "V1", 0)}),
    Step("one is moved, a result is corrected", _at(2, "10:00"),
         [["move", A, "W6", "--at", _said(24, "09:00"), "--reason", "holiday"]],
         {"corrected.csv": _results(A, "INCLUSION", "V1", 0, "7.10", "C"),
          "again.csv": _results(B, "INCLUSION", "V1", 0)}),
    Step("a reminder is due while the mail server is away", _at(18, "10:00"), server=False),
    Step("its visit is moved before it could leave", _at(18, "15:00"),
         [["move", B, "W6", "--at", _said(24, "10:00"), "--reason", "no room"]]),
    Step("reminders of both", _at(21, "10:00")),
    Step("one withdraws on the eve", _at(23, "10:00"), [["withdraw", A, "--cause", "consent", "--reason", "moves",
                                               "--at", _said(23, "09:30")]]),
    Step("the other is sampled", _at(24, "15:00"), _sampled(B, "W6", 24),
         {"third.csv": _results(B, "W6", "V2", 24)}),
    Step("a visit nobody booked", _at(46, "10:00")),
    Step("it is overdue", _at(57, "10:00")),
)  # fmt: skip
SHORT = (
    Step("a patient is enrolled", _at(0, "14:30"), [_enrolled(B)],
         {"first.csv": _results(B, "INCLUSION", "V1", 0), "note.csv": b"rien;a;lire\r\n"}),
    Step("her next visit is booked, after the reminder to book it left", _at(1, "10:00"),
         [["book", B, "W6", "--at", _said(21, "10:00")]]),
    Step("a reminder is due while the mail server is away", _at(18, "10:00"), server=False),
    Step("its visit is moved before it could leave", _at(18, "15:00"),
         [["move", B, "W6", "--at", _said(24, "10:00"), "--reason", "no room"]]),
)  # fmt: skip
SCENE = Step(
    "everything at once", _at(0, "14:30"),
    [_enrolled(B), ["book", B, "W6", "--at", _said(21, "10:00")],
     ["move", B, "W6", "--at", _said(24, "10:00"), "--reason", "x"]],
    {"first.csv": _results(B, "INCLUSION", "V1", 0), "note.csv": b"rien;a;lire\r\n"},
)  # fmt: skip


def moved(subject: str, number: int) -> list[str]:
    """The W6 appointment given yet another hour."""
    at = _said(22 + number % 6, f"{8 + number // 6 % 8:02d}:{number // 48 % 60:02d}")
    return ["move", subject, "W6", "--at", at, "--reason", f"change {number}"]


def _dropped(number: int) -> dict[str, bytes]:
    """A laboratory's day: a new file, one under a name used before, the bytes of another once more, one cut short."""
    good = _results(B, "INCLUSION", "V1", 0, f"{6 + number / 10:.2f}", "C")
    return {
        f"day {number}.csv": good,
        "results.csv": _results(A, "INCLUSION", "V1", 0, f"{5 + number / 10:.2f}", "C"),
        f"copy {number}.csv": good,
        f"cut {number}.csv": good[: -40 - number],
        f"note {number}.csv": f"rien;a;lire;{number}\r\n".encode(),
    }


DROPS = (
    Step("two patients are enrolled", _at(0, "14:30"), [_enrolled(A), _enrolled(B)]),
    *(Step(f"files of day {day}", _at(day, "10:00"), files=_dropped(day)) for day in range(1, 9)),
)
