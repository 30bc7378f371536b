"""A row among what is on record: its subject, the day of its visit, the versions of its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from scheduler.domain.civil import local_date
from scheduler.domain.reason import Param, because
from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import Finding, Severity
from scheduler.intake.study import Context
from scheduler.store.lab_values import Entry, Key, KnownResult, KnownSubject, KnownVersion, KnownVisit, Place

__all__ = ["Placement"]

_DAY = timedelta(days=1)
_AMENDS = (ResultStatus.CORRECTED, ResultStatus.WITHDRAWN)
_NOTHING_STANDS = (ResultStatus.WITHDRAWN, ResultStatus.NOT_OBTAINED)


class Placement:
    """What is on record, growing by every row that is accepted."""

    def __init__(self, context: Context) -> None:
        self._study = context.study
        self._subjects = context.records.subjects if context.records is not None else None
        self._results: dict[Key, KnownResult] = {}
        self._at: dict[Place, set[Key]] = {}
        self._by_result_key: dict[tuple[str, str], Key] = {}
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
        assert entry.status is not None and entry.reported_at is not None
        version = KnownVersion(entry.status, entry.reported_at, entry.content_hash, entry.result_key)
        known = self._results.get(entry.key)
        if known is None:
            self._note(KnownResult(entry.key, entry.place, (version,)))
        else:
            self._note(replace(known, versions=(*known.versions, version)))

    def place(self, row: int, entry: Entry) -> list[Finding]:
        """What the records say against the row, or of it."""
        return [*self._of_subject(row, entry), *self._of_versions(row, entry), *self._of_place(row, entry)]

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

    # --- versions

    def _of_versions(self, row: int, entry: Entry) -> Iterable[Finding]:
        known = self._results.get(entry.key)
        target = self._by_result_key.get((entry.lab, entry.replaces)) if entry.replaces is not None else None
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
        else:
            yield from _new_version(row, entry, known.versions, target is not None)

    def _of_place(self, row: int, entry: Entry) -> Iterable[Finding]:
        """Another specimen that stands for the same sampling point."""
        if entry.status in _NOTHING_STANDS:
            return
        for key in sorted(self._at.get(entry.place, set()) - {entry.key}):
            versions = self._results[key].versions
            if versions and _in_force(versions).status not in _NOTHING_STANDS:
                yield _hold("S-01", row, timepoint=entry.timepoint, specimen=entry.specimen, other=key[1])
                return


def _new_version(
    row: int, entry: Entry, versions: tuple[KnownVersion, ...], replaced: bool
) -> Iterable[Finding]:
    """A further version of a known result, with other content."""
    assert entry.reported_at is not None
    settled = [version for version in versions if version.status is not ResultStatus.PRELIMINARY]
    newest = max(settled, key=lambda version: version.reported_at, default=None)
    if entry.status in _AMENDS:
        if entry.replaces is not None and not replaced and all(version.result_key for version in versions):
            yield _hold("R-44.version", row, replaces=entry.replaces)
            return
        yield Finding(Severity.INFO, because("R-45", row=row))
    elif (
        entry.status is not ResultStatus.PRELIMINARY
        and newest is not None
        and not _may_follow(entry, settled, newest)
    ):
        yield _hold("R-43", row, specimen=entry.specimen)
        return
    if newest is not None and (
        entry.status is ResultStatus.PRELIMINARY or entry.reported_at < newest.reported_at
    ):
        yield Finding(Severity.INFO, because("R-46", row=row))


def _may_follow(entry: Entry, settled: list[KnownVersion], newest: KnownVersion) -> bool:
    """Whether a result may stand beside the versions there are without the status of a correction.

    A preliminary one always; a final one after a withdrawal, or as the older original of a correction that came first.
    """
    assert entry.reported_at is not None
    if entry.status is ResultStatus.PRELIMINARY:
        return True
    if newest.status is ResultStatus.WITHDRAWN and entry.reported_at > newest.reported_at:
        return True
    originals = (ResultStatus.FINAL, ResultStatus.NOT_OBTAINED)
    return entry.reported_at < newest.reported_at and all(
        version.status not in originals for version in settled
    )


def _in_force(versions: tuple[KnownVersion, ...]) -> KnownVersion:
    return max(versions, key=lambda v: (v.status is not ResultStatus.PRELIMINARY, v.reported_at))


def _days(visit: KnownVisit, attended: date | None) -> tuple[date, date]:
    """The days on which the visit took place, will take place, or could."""
    day = attended or visit.booked
    return (day, day) if day is not None else (visit.first, visit.last)


def _hold(code: str, row: int, **params: Param) -> Finding:
    return Finding(Severity.HOLD, because(code, row=row, **params))
