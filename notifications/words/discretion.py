"""What may be said in a mail. Mail is read on phones and forwarded: values and free text stay in the program. Pure."""

from __future__ import annotations

from scheduler.domain.discreet import discreet_tube
from scheduler.domain.reason import Param, Reason, because

__all__ = ["discreet", "discreet_file_reason", "one_line"]

_LONGEST = 120  # of a text from outside, in characters
_DATES = frozenset({"target", "first", "last", "closed", "missed", "at", "since", "until", "on"})
_MAIL = frozenset({"answer", "at", "by", "error", "since", "site", "staff", "template", "why", "roles"})

# Reason code → the parameters that a mail may show.
_SAFE: dict[str, frozenset[str]] = {
    "status_planned": _DATES,
    "status_blocked": frozenset({"anchor"}),
    "status_window_open": _DATES,
    "status_booked": _DATES,
    "status_unconfirmed": _DATES,
    "status_overdue": _DATES,
    "status_missed": _DATES,
    "status_incomplete": frozenset({"missing"}),
    "missing_dose": frozenset({"item"}),
    "missing_draw": frozenset({"item"}),
    "missing_result": frozenset({"item"}),
    "missing_assessment": frozenset({"item"}),
    "mail_missing_draw_lost": frozenset({"item"}),
    "mail_missing_result_lost": frozenset({"item"}),
    "mail_auc_to_read": frozenset({"subject"}),
    "mail_eligibility_open": frozenset({"subject"}),
    "mail_subject_parked": frozenset({"subject"}),
    "mail_auc_not_computable": frozenset({"subject", "visit_id"}),
    "mail_result_in_question": frozenset({"visit_id"}),
    "mail_set_held": frozenset({"subject", "visit_id"}),
    "mail_profile_unusual": frozenset({"subject", "visit_id"}),
    "flag_no_open_day": _DATES,
    "flag_visit_out_of_window": _DATES,
    "flag_endpoint_missing": frozenset({"item"}),
    "flag_sample_out_of_window": frozenset({"point", "minutes", "low", "high"}),
    "flag_result_overdue": frozenset({"point", "on"}),
    "flag_result_without_draw": frozenset({"point", "specimen"}),
    "flag_file_quarantined": frozenset({"name", "why"}),
    "flag_rows_held": frozenset({"count", "name", "why"}),
    "flag_mail_failed": _MAIL,
    "flag_mailbox_dead": _MAIL,
    "flag_no_recipient": _MAIL,
    "flag_mail_channel": _MAIL,
    "flag_mail_not_written": _MAIL,
}
# A reason that tells a value, a free text or how an AUC turned out → what is said instead.
_INSTEAD = {
    "flag_auc_below_band": "mail_auc_to_read",
    "flag_auc_above_band": "mail_auc_to_read",
    "flag_auc_below_band_interval": "mail_auc_to_read",
    "flag_auc_above_band_interval": "mail_auc_to_read",
    "flag_auc_not_computable": "mail_auc_not_computable",
    "flag_result_in_question": "mail_result_in_question",
    "flag_set_held": "mail_set_held",
    "flag_profile_unusual": "mail_profile_unusual",
    "missing_draw_lost": "mail_missing_draw_lost",
    "missing_result_lost": "mail_missing_result_lost",
    "flag_subject_parked": "mail_subject_parked",
    "flag_eligibility_not_eligible": "mail_eligibility_open",
    "flag_eligibility_undetermined": "mail_eligibility_open",
}
_OF_SUBJECT = frozenset({"mail_eligibility_open", "mail_subject_parked"})
_OF_VISIT = frozenset(
    {
        "mail_auc_to_read",
        "mail_auc_not_computable",
        "mail_result_in_question",
        "mail_set_held",
        "mail_profile_unusual",
    }
)  # say of which visit
# In reasons about laboratory files: where it is wrong, and numbers of rows. What stood there is not said.
_IN_FILE_REASONS = frozenset(
    {
        "at", "collected", "column", "column_name", "columns", "count", "delimiter", "encoding", "expected", "factor",
        "file", "first", "format", "found", "known", "last", "limit", "name", "pattern", "quality", "row", "rows",
        "status", "subjects", "timepoint", "unknown", "visit", "why",
    }
)  # fmt: skip
# These may be said when they look like a number or code, which no name does.
_CODES_IN_FILE_REASONS = frozenset({"other", "replaces", "specimen", "subject"})


def discreet(reason: Reason, subject: str = "", visit: str = "") -> Reason:
    """The reason as a mail may give it: known codes only, without values and without free text."""
    code = _INSTEAD.get(reason.code, reason.code)
    if code in _OF_SUBJECT:
        return because(code, subject=subject)
    if code in _OF_VISIT:
        return because(code, subject=subject, visit_id=visit)
    if code.startswith(("mail_", "role_", "closes_")) and code not in _SAFE:
        return reason
    allowed = _SAFE.get(code)
    if allowed is None:
        return discreet_file_reason(reason)
    return Reason(code, tuple((name, _shown(name, value, name in allowed)) for name, value in reason.params))


def one_line(text: str) -> str:
    """A text from outside on one line, cut where it is long.

    >>> one_line(" a   b "), len(one_line("x" * 500))
    ('a b', 120)
    """
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def discreet_file_reason(reason: Reason) -> Reason:
    """A reason about a laboratory file: where it is wrong is said, what stood there is not."""
    return Reason(
        reason.code,
        tuple((name, _in_file(name, value)) for name, value in reason.params),
    )


def _in_file(name: str, value: Param) -> Param:
    if name in _CODES_IN_FILE_REASONS:
        return discreet_tube(value) if isinstance(value, str) else "…"
    return _shown(name, value, name in _IN_FILE_REASONS)


def _shown(name: str, value: Param, allowed: bool) -> Param:
    if not allowed or (name == "why" and isinstance(value, str)):  # a person's own words
        return "…"
    if isinstance(value, Reason):
        return discreet(value)
    if isinstance(value, tuple):
        return tuple(discreet(one) for one in value)
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, float):
        return "…"
    return value
