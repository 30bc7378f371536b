"""What was drawn and what the laboratory sent, held against each other tube by tube. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from scheduler.domain.discreet import discreet_code, discreet_tube
from scheduler.domain.protocol import Protocol
from scheduler.domain.reason import Reason
from scheduler.domain.results import ResultStatus
from scheduler.domain.speech import Speaker

__all__ = [
    "SETTLED",
    "Drawn",
    "Line",
    "LineState",
    "Place",
    "Sent",
    "answered_by_lab",
    "discreet_place",
    "drawn_for",
    "table_of",
    "tally",
]

Place = tuple[str, str, str]  # subject, visit, sampling point

# What a laboratory cannot answer: its row is right as far as it can know, and waits for the study or is read there.
_OF_THE_STUDY = frozenset({"R-01", "R-03", "R-04.cancelled", "R-04.missing", "R-32", "R-32.window", "R-33"})

SETTLED = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED, ResultStatus.NOT_OBTAINED})
"""The statuses after which nothing more is awaited of a tube."""


class LineState(StrEnum):
    """Where a sampling point stands between the site and its laboratory."""

    MISSING = "missing"
    HELD = "held"
    WITHOUT_DRAW = "without_draw"
    AWAITED = "awaited"
    RECEIVED = "received"


_ORDER = list(LineState)
_OPEN = (LineState.MISSING, LineState.HELD, LineState.AWAITED)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A tube that was drawn; `overdue` when its final result is later than the protocol allows."""

    place: Place
    tube: str | None
    drawn_at: datetime
    status: str | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A row that the laboratory sent and that is in force or held, with the reasons for which it is held."""

    place: Place
    tube: str
    received_at: datetime
    status: str | None
    held: bool = False
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the list."""

    place: Place
    tube: str
    state: LineState
    drawn_at: datetime | None = None
    received_at: datetime | None = None
    status: str | None = None
    reasons: tuple[Reason, ...] = ()


def answered_by_lab(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Those of the reasons for which a row is held that only the laboratory can answer.

    Whether a subject is enrolled, when a visit took place, what a comment means for the study is not for it to say.
    """
    return tuple(one for one in reasons if one.code not in _OF_THE_STUDY)


def drawn_for(
    lab: str, drawn: Iterable[Drawn], senders: Mapping[tuple[str, str], Collection[str]]
) -> list[Drawn]:
    """The tubes that this laboratory measures. `senders` are the laboratories by subject and visit.

    No record says where a tube went: it went where others of its visit were measured, else others of its subject;
    when nothing of the subject has been measured yet, every laboratory of the site may have it.
    """
    of_subject: dict[str, set[str]] = {}
    for (subject, _), labs in senders.items():
        of_subject.setdefault(subject, set()).update(labs)
    found = []
    for one in drawn:
        subject, visit, _ = one.place
        known = senders.get((subject, visit)) or of_subject.get(subject)
        if not known or lab in known:
            found.append(one)
    return found


def tally(drawn: Iterable[Drawn], sent: Sequence[Sent], first: datetime, until: datetime) -> tuple[Line, ...]:
    """Every tube that is missing, held or awaited, whatever its age, and what was drawn or received from `first` to
    before `until`; the most urgent first."""
    accepted = {one.place: one for one in sorted(sent, key=lambda one: one.received_at) if not one.held}
    held: dict[Place, Sent] = {one.place: one for one in sent if one.held}
    lines, places = [], set()
    for one in drawn:
        places.add(one.place)
        lines.append(_of_draw(one, accepted.get(one.place), held.get(one.place)))
    lines += [_of_row(one, LineState.HELD) for one in sent if one.held and one.place not in places]
    lines += [
        _of_row(one, LineState.WITHOUT_DRAW)
        for place, one in accepted.items()
        if place not in places and one.status in SETTLED
    ]
    shown = [one for one in lines if one.state in _OPEN or _within(one, first, until)]
    return tuple(sorted(shown, key=_in_order))


def _in_order(line: Line) -> tuple[int, str, str, Place, str]:
    """The most urgent first, then by subject, in the order in which the tubes were drawn."""
    at = line.drawn_at or line.received_at
    moment = at.astimezone(UTC).isoformat() if at is not None else ""
    return _ORDER.index(line.state), line.place[0], moment, line.place, line.tube


def _of_draw(drawn: Drawn, accepted: Sent | None, held: Sent | None) -> Line:
    tube = drawn.tube or (accepted.tube if accepted is not None else "")
    if held is not None:
        state, of = LineState.HELD, held
        return Line(drawn.place, tube, state, drawn.drawn_at, of.received_at, drawn.status, of.reasons)
    received_at = accepted.received_at if accepted is not None else None
    state = LineState.MISSING if drawn.overdue else LineState.AWAITED
    if drawn.status in SETTLED:
        state = LineState.RECEIVED
    return Line(drawn.place, tube, state, drawn.drawn_at, received_at, drawn.status)


def _of_row(sent: Sent, state: LineState) -> Line:
    return Line(sent.place, sent.tube, state, None, sent.received_at, sent.status, sent.reasons)


def _within(line: Line, first: datetime, until: datetime) -> bool:
    """Whether something happened in the period: a result came, or, where none is known to have come, a draw."""
    at = line.received_at if line.state is LineState.WITHOUT_DRAW else (line.received_at or line.drawn_at)
    drawn = line.drawn_at
    return (at is not None and first <= at < until) or (drawn is not None and first <= drawn < until)


def table_of(
    lines: Iterable[Line], speaker: Speaker, protocol: Protocol
) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the list in the reader's language."""
    header = [
        speaker.text("Subject"), speaker.text("Visit"), speaker.text("Sampling time"), speaker.text("Tube"),
        speaker.text("Drawn"), speaker.text("Result received"), speaker.text("State"), speaker.text("Status"),
        speaker.text("Why"),
    ]  # fmt: skip
    return header, [_cells(line, speaker, protocol) for line in lines]


def _cells(line: Line, speaker: Speaker, protocol: Protocol) -> list[str]:
    subject, visit, point = discreet_place(line.place, protocol)
    return [
        subject, speaker.name(visit), point, discreet_tube(line.tube) if line.tube else "",
        *(_local(at, speaker) for at in (line.drawn_at, line.received_at)),
        speaker.status(line.state), line.status or "", speaker.listed(map(speaker.say, line.reasons)),
    ]  # fmt: skip


def _local(at: datetime | None, speaker: Speaker) -> str:
    """A time as a spreadsheet in any language reads it."""
    return f"{at.astimezone(speaker.zone):%Y-%m-%d %H:%M}" if at is not None else ""


def discreet_place(place: Place, protocol: Protocol) -> Place:
    """The place as the protocol names it; whatever else a file gave could be a name."""
    subject, visit, point = place
    return (
        discreet_code(subject, protocol.subject_pattern),
        visit if protocol.encounter(visit) is not None else "…",
        point if protocol.point(point) is not None else "…",
    )
