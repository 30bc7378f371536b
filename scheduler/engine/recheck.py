"""Whether a mail still makes sense when it is about to be written."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from sqlmodel import Session

from scheduler.domain.protocol import Event
from scheduler.domain.reason import Reason, because
from scheduler.domain.timeline import VisitPlan
from scheduler.engine.reconcile import Standing, standing, standings
from scheduler.engine.study import Study
from scheduler.store.reconciliation import asked_rows, overdue_tubes, refused_files
from scheduler.store.subjects import subject_row, subject_rows
from scheduler.store.tables import OutboxRow

__all__ = ["make_foresee", "make_recheck"]


def make_recheck(study: Study) -> Callable[[Session, OutboxRow, datetime], Reason | None]:
    """The question that delivery asks before it renders: None to send, or why the mail is pointless now."""

    def look(session: Session, code: str, now: datetime) -> Standing | None:
        """The subject's standing; one look serves all mails of a transaction, for delivery records no facts."""
        known = _known(session, now)
        if code not in known:
            subject = subject_row(session, code)
            known[code] = standing(session, study, subject, now) if subject is not None else None
        return known[code]

    def recheck(session: Session, row: OutboxRow, now: datetime) -> Reason | None:
        kind, *parts = row.topic.split("|")
        if "lab" in row.facts:
            return _about_laboratory(session, row, now)
        if row.subject is None or not _depends_on_the_subject(row):
            return None
        found = look(session, row.subject, now)
        if found is None:
            return because("recheck_subject_gone")
        if kind == "reminder":
            still = any(one.key == row.topic and not one.expired for one in found.desired.reminders)
            return None if still else because("recheck_no_longer_due")
        plan = found.timeline.visit(row.visit or "")
        if kind == "replanned":
            told = (row.facts["new_first"], row.facts["new_last"])
            holds = plan is not None and told == _days(plan)
            return None if holds else because("recheck_date_changed_again")
        newer = plan is not None and plan.booking_sequence > int(parts[-1])
        return because("recheck_date_changed_again") if newer else None

    return recheck


def make_foresee(study: Study) -> Callable[[Session, Collection[OutboxRow], datetime], None]:
    """Reads what `recheck` will ask about these mails, for all of them together."""

    def foresee(session: Session, rows: Collection[OutboxRow], now: datetime) -> None:
        codes = {row.subject for row in rows if row.subject is not None and _depends_on_the_subject(row)}
        known = _known(session, now)
        subjects = subject_rows(session, sorted(codes - known.keys()))
        if subjects:
            known |= standings(session, study, subjects, now)

    return foresee


def _known(session: Session, now: datetime) -> dict[str, Standing | None]:
    """The standings at this instant that were looked up in this transaction."""
    found: dict[str, Standing | None] = session.info.setdefault(("standings", now), {})
    return found


def _depends_on_the_subject(row: OutboxRow) -> bool:
    return "lab" not in row.facts and row.topic.partition("|")[0] in ("reminder", "booking", "replanned")


def _days(plan: VisitPlan) -> tuple[str | None, str | None]:
    """The window of a visit; none where the version that the subject follows has no such visit."""
    planned = plan.planned
    return (None, None) if plan.left_out_by is not None else (str(planned.first), str(planned.last))


def _about_laboratory(session: Session, row: OutboxRow, now: datetime) -> Reason | None:
    """A laboratory is not asked for what came, was decided or was sent anew meanwhile."""
    facts = row.facts
    match facts.get("event"), facts.get("tubes"):
        case Event.FILE_QUARANTINED, _:
            still = bool(refused_files(session, facts["file_ids"]))
        case Event.ROWS_HELD, _:
            still = bool(asked_rows(session, facts["file_ids"]))
        case _, [*tubes] if tubes:
            still = bool(overdue_tubes(session, row.site_id, facts["lab"], now))
        case _:
            return None
    return None if still else because("recheck_settled_meanwhile")
