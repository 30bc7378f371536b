"""Why a mail that was due is not sent, and what of one no longer holds."""

from __future__ import annotations

__all__ = ["MAIL_SENTENCES"]

MAIL_SENTENCES: dict[str, str] = {
    "recheck_subject_gone": "the subject is no longer on record",
    "recheck_no_longer_due": "no longer needed when it was about to be sent",
    "recheck_settled_meanwhile": "settled before it was sent",
    "mail_possibly_sent": "the database was restored from a backup of {at}, and this mail may have left since",
    "mail_visit_left_out": "version {version} has no such visit",
    "mail_window_changed": "it names the window from {was_first} to {was_last}; it would be {first} to {last}",
    "mail_appointment_outside": "the appointment on {on} would lie outside the window from {first} to {last}",
    "recheck_date_changed_again": "the date changed again before it was sent; the newer mail replaces it",
}
