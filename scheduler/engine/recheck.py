"""Whether a mail still makes sense when it is about to be written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from scheduler.domain.reason import Reason, because
from scheduler.engine.reconcile import Standing, standing
from scheduler.engine.study import Study
from scheduler.store.subjects import subject_row
from scheduler.store.tables import OutboxRow

__all__ = ["make_recheck"]


def make_recheck(study: Study) -> Callable[[Session, OutboxRow, datetime], Reason | None]:
    """The question that delivery asks before it renders: None to send, or why the mail is pointless now."""

    def look(session: Session, code: str, now: datetime) -> Standing | None:
        """The subject's standing; one look serves all mails of a transaction, for delivery records no facts."""
        key = ("standing", code, now)
        if key not in session.info:
            subject = subject_row(session, code)
            session.info[key] = standing(session, study, subject, now) if subject is not None else None
        found: Standing | None = session.info[key]
        return found

    def recheck(session: Session, row: OutboxRow, now: datetime) -> Reason | None:
        kind, *parts = row.topic.split("|")
        if row.subject is None or kind not in ("reminder", "booking"):
            return None
        found = look(session, row.subject, now)
        if found is None:
            return because("recheck_subject_gone")
        if kind == "reminder":
            still = any(one.key == row.topic and not one.expired for one in found.desired.reminders)
            return None if still else because("recheck_no_longer_due")
        plan = found.timeline.visit(row.visit or "")
        newer = plan is not None and plan.booking_sequence > int(parts[-1])
        return because("recheck_date_changed_again") if newer else None

    return recheck
