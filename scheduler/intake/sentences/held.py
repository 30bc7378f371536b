"""What is said of held rows and of decisions about them, in English, by the code of the reason."""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {
    # what an accepted row cannot do without
    "lacks_subject": "a subject on record",
    "lacks_visit": "a visit with samples",
    "lacks_point": "a sampling time",
    "lacks_specimen": "a specimen number",
    "lacks_laboratory": "a laboratory that is known",
    "lacks_status": "a status",
    "lacks_value": "a value that is understood",
    "lacks_unit": "a unit that is accepted",
    "lacks_collected": "the time of collection",
    "lacks_reported": "the time of validation",
    # what settles a held row
    "settles_records": "the records, once they fit (looked at until {until}); or a person: 'lab review {number}'",
    "settles_laboratory": "the laboratory, by a corrected row with: {what}; or 'lab review {number} --reject'",
    "settles_second": "another person than {by}, who proposed: {decision}; 'lab review {number}'",
    "settles_person": "a person, by 'lab review {number}'; or the laboratory, by a corrected row",
    # why a decision is refused
    "refused_row_unknown": "There is no row No. {number}. 'lab held' lists those that wait.",
    "refused_row_accepted": "Row No. {number} was accepted as it came; there is nothing to decide.",
    "refused_row_decided": "Row No. {number} was decided on {at} by {by}: {decision}.",
    "refused_row_settled": "Row No. {number} no longer waits: the records or a later row of the laboratory settled it.",
    "refused_row_lacks": "Row No. {number} lacks: {what}. Nothing is filled in here: ask the laboratory for a "
    "corrected row, or use --reject.",
    "refused_row_against": "Row No. {number} cannot be accepted as long as this holds: {why}",
    "refused_row_point": "Row No. {number} is already of {point}. Use --accept.",
    "refused_row_same_person": "For row No. {number} {by} proposed on {at}: {decision}. Another person has to decide "
    "the same.",
    "refused_row_other_proposal": "For row No. {number} {by} proposed on {at}: {decision}. Decide the same, or use "
    "--reject.",
    "refused_one_decision": "Give one of --accept, --reject and --reassign TIMEPOINT.",
    # what was decided
    "decision_accept": "used as it stands",
    "decision_reject": "not used",
    "decision_reassign": "used for {timepoint}",
    "review.accepted": "Row {row}: accepted after a person had looked at it.",
    "review.reassigned": "Row {row}: accepted for {timepoint} after a person had looked at it; it had said {before}.",
}
