"""A row among what is on record: its subject, the day of its visit, the versions of its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from scheduler.domain.civil import local_date
from scheduler.domain.reason import Param, because
from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import Finding, Severity
from scheduler.intake.layout.codes import NO_RESULT
from scheduler.intake.study import Context, IntakeStudy
from scheduler.store.lab.values import Entry, Key, KnownResult, KnownSubject, KnownVersion, KnownVisit, Place

__all__ = ["VISIT_UNNAMED", "Placement", "derived", "visit_of_day"]

VISIT_UNNAMED = "R-04.missing"
"""What is found of a row that names no visit."""

_Order = tuple[bool, datetime, int]
_DAY = timedelta(days=1)
_AMENDS = (ResultStatus.CORRECTED, ResultStatus.WITHDRAWN)


class Placement:
    """What is on record, growing by every row that is accepted."""

    def __init__(self, context: Context) -> None:
        self._study = context.study
        self._subjects = context.records.subjects if context.records is not None else None
        self._results: dict[Key, KnownResult] = {}
        self._at: dict[Place, set[Key]] = {}
        self._by_result_key: dict[tuple[str, str], Key] = {}
        self._expected: set[tuple[str, str]] = set()
        self._tubes = context.records.tubes if context.records is not None else {}
        for result in context.records.results if context.records is not None else ():
            self._note(result)

    def _note(self, result: KnownResult) -> None:
        self._results[result.key] = result
        self._at.setdefault(result.place, set()).add(result.key)
        for version in result.versions:
            if version.result_key is not None:
                self._by_result_key[result.key[0], version.result_key] = result.key

    def accept(self, entry: Entry) -> None:
        """The row is on record from here on."""
        version, known = KnownVersion.of(entry), self._results.get(entry.key)
        if known is None:
            self._note(KnownResult(entry.key, entry.place, (version,)))
        else:
            self._note(replace(known, versions=(*known.versions, version)))

    def expect(self, entry: Entry) -> None:
        """The row waits, and may be what another one waits for."""
        if entry.result_key is not None:
            self._expected.add((entry.lab, entry.result_key))

    def finals_differ(self, entries: Iterable[Entry]) -> bool:
        """Whether, among the versions on record, two of these entries of one specimen stand side by side that differ
        without a correction: neither is the better one."""
        told = [one for one in entries if one.status is not None and one.reported_at is not None]
        keys = {one.result_key for one in told} - {None}
        named = [
            one
            for one in told
            if one.status not in _AMENDS
            or one.replaces is None
            or one.replaces in keys
            or (one.lab, one.replaces) in self._by_result_key
        ]
        known = self._results.get(told[0].key) if told else None
        ours = [KnownVersion.of(one) for one in named]
        chain = _settled([*ours, *(known.versions if known is not None else ())])
        amended = _last_amended(chain)
        return any(
            _differs(earlier, later, amended) and earlier in ours and later in ours
            for earlier, later in pairwise(chain)
        )

    def place(self, row: int, entry: Entry) -> list[Finding]:
        """What the records say against the row, or of it."""
        return [
            *self._of_subject(row, entry),
            *self._of_tube(row, entry),
            *self._of_versions(row, entry),
            *self._of_place(row, entry),
        ]

    # --- subject and day

    def _of_subject(self, row: int, entry: Entry) -> Iterable[Finding]:
        if self._subjects is None:
            return
        subject = self._subjects.get(entry.subject)
        if subject is None:
            yield _hold("R-01", row, subject=entry.subject)
            return
        if not subject.active:
            yield _hold("R-03", row, subject=entry.subject)
        yield from self._of_visit(row, entry, subject)

    def _of_visit(self, row: int, entry: Entry, subject: KnownSubject) -> Iterable[Finding]:
        visit, zone = subject.visits.get(entry.visit), self._study.zone(entry.lab)
        if visit is None or zone is None:
            return
        if visit.is_off:
            yield _hold("R-04.cancelled", row, subject=entry.subject, visit=entry.visit)
        if entry.collected_at is None:
            return
        collected = local_date(entry.collected_at, zone)
        attended = local_date(visit.attended_at, zone) if visit.attended_at is not None else None
        first, last = _days(visit, attended)
        if not first - _DAY <= collected <= last + _DAY:
            code = "R-32" if first == last else "R-32.window"
            yield _hold(code, row, visit=entry.visit, collected=collected, first=first, last=last)

    def _of_tube(self, row: int, entry: Entry) -> Iterable[Finding]:
        """A specimen that the site drew from another subject; another draw of the same one is the engine's matter."""
        if entry.status not in NO_RESULT and self._tubes.get(entry.specimen, entry.subject) != entry.subject:
            yield _hold("S-06.tube", row, specimen=entry.specimen)

    # --- versions

    def _of_versions(self, row: int, entry: Entry) -> Iterable[Finding]:
        known = self._results.get(entry.key)
        replaces = (entry.lab, entry.replaces or "")
        target = self._by_result_key.get(replaces)
        if target is not None and target != entry.key:
            yield _hold("R-47", row, replaces=entry.replaces or "", specimen=entry.specimen)
        elif known is None or not known.versions:
            if entry.status in _AMENDS and self._subjects is not None:
                yield _hold("R-44", row, specimen=entry.specimen)
        elif known.place != entry.place:
            code = "R-47.place" if entry.status in _AMENDS else "S-06.known"
            yield _hold(code, row, specimen=entry.specimen, visit=known.place[1], timepoint=known.place[2])
        elif any(version.content_hash == entry.content_hash for version in known.versions):
            yield Finding(Severity.IGNORE, because("R-42", row=row))
        elif entry.status is not None:
            replaced = target is not None or replaces in self._expected
            yield from _new_version(row, entry, known.versions, replaced)

    def _of_place(self, row: int, entry: Entry) -> Iterable[Finding]:
        """Another specimen that stands for the same sampling point."""
        if entry.status in NO_RESULT:
            return
        for key in sorted(self._at.get(entry.place, set()) - {entry.key}):
            versions = self._results[key].versions
            if versions and _in_force(versions).status not in NO_RESULT:
                yield _hold("S-01", row, timepoint=entry.timepoint, specimen=entry.specimen, other=key[1])
                return


def _new_version(
    row: int, entry: Entry, versions: tuple[KnownVersion, ...], replaced: bool
) -> Iterable[Finding]:
    """A further version of a known result, with other content."""
    found = KnownVersion.of(entry)
    settled = _settled(versions)
    if entry.status is not ResultStatus.PRELIMINARY:
        unnamed = entry.replaces is not None and not replaced and all(one.result_key for one in versions)
        if entry.status in _AMENDS and unnamed:
            yield _hold("R-44.version", row, replaces=entry.replaces or "")
            return
        contradiction = _contradiction(found, entry.replaces, settled)
        if contradiction is not None:
            yield _hold(contradiction, row, specimen=entry.specimen)
            return
        if entry.status in _AMENDS:
            yield Finding(Severity.INFO, because("R-45", row=row))
        elif any(one is not None and one.measured == found.measured for one in _beside(found, settled)):
            yield Finding(Severity.INFO, because("R-42.unchanged", row=row))
    if settled and found.order < settled[-1].order:
        yield Finding(Severity.INFO, because("R-46", row=row))


def _settled(versions: Iterable[KnownVersion]) -> list[KnownVersion]:
    """All but the preliminary versions, in the laboratory's order."""
    settled = (one for one in versions if one.status is not ResultStatus.PRELIMINARY)
    return sorted(settled, key=lambda one: one.order)


def _last_amended(settled: Iterable[KnownVersion]) -> _Order | None:
    """Where the last correction or withdrawal stands."""
    return max((one.order for one in settled if one.status in _AMENDS), default=None)


def _differs(earlier: KnownVersion, later: KnownVersion, amended: _Order | None) -> bool:
    """Whether a version changes the one before it without saying so, and nothing later has overtaken both."""
    free = later.status in _AMENDS or earlier.status is ResultStatus.WITHDRAWN
    overtaken = amended is not None and amended > later.order
    return not free and not overtaken and earlier.measured != later.measured


def _beside(
    found: KnownVersion, settled: list[KnownVersion]
) -> tuple[KnownVersion | None, KnownVersion | None]:
    """The versions before and after a further one in the laboratory's order."""
    before = next((one for one in reversed(settled) if one.order <= found.order), None)
    return before, next((one for one in settled if one.order > found.order), None)


def _contradiction(found: KnownVersion, replaces: str | None, settled: list[KnownVersion]) -> str | None:
    """The rule that a version breaks at its place in the laboratory's order, whichever came first.

    There, only a correction may differ from the version before it, or what follows a withdrawal. What a later
    correction or withdrawal has overtaken no longer matters.
    """
    amended, (before, after) = _last_amended(settled), _beside(found, settled)
    if before is not None and _differs(before, found, amended):
        return "R-43"
    if after is not None and _differs(found, after, amended):
        return "R-43.order" if found.status in _AMENDS else "R-43"
    if before is not None and before.order == found.order and before.measured != found.measured:
        named = replaces is not None and replaces == before.result_key
        overtaken = amended is not None and amended > found.order
        if found.status is ResultStatus.CORRECTED and not named and not overtaken:
            return "R-43.order"
    return None


def _in_force(versions: tuple[KnownVersion, ...]) -> KnownVersion:
    return max(versions, key=lambda one: one.order)


def visit_of_day(study: IntakeStudy, subject: KnownSubject | None, entry: Entry) -> str | None:
    """The one sampling visit that the subject attended on the day of the collection, else the one booked for it."""
    zone = study.zone(entry.lab)
    if subject is None or zone is None or entry.collected_at is None:
        return None
    day = local_date(entry.collected_at, zone)
    sampling = {
        name: visit
        for name, visit in subject.visits.items()
        if (encounter := study.protocol.encounter(name)) is not None
        and encounter.sampling
        and not visit.is_off
    }
    attended = [
        name
        for name, visit in sampling.items()
        if visit.attended_at and local_date(visit.attended_at, zone) == day
    ]
    booked = [name for name, visit in sampling.items() if visit.attended_at is None and visit.booked == day]
    found = attended or booked
    return found[0] if len(found) == 1 else None


def derived(row: int, visit: str) -> Finding:
    """What is said of a row whose visit followed from its day."""
    return Finding(Severity.INFO, because("R-04.derived", row=row, visit=visit))


def _days(visit: KnownVisit, attended: date | None) -> tuple[date, date]:
    """The days on which the visit took place, will take place, or could."""
    day = attended or visit.booked
    return (day, day) if day is not None else (visit.first, visit.last)


def _hold(code: str, row: int, **params: Param) -> Finding:
    return Finding(Severity.HOLD, because(code, row=row, **params))
