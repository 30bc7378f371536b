"""What a reader of the console, or of a mail that links to it, is told where others are told a command."""

from __future__ import annotations

__all__ = ["PAGE_SENTENCES"]

_CORRECT = " Correct that record on the subject's page."

PAGE_SENTENCES: dict[str, str] = {
    "closes_result_in_question": "the laboratory sends the row anew, or a person decides on the page Laboratory",
    "closes_rows_held": "the laboratory sends corrected rows, or a person decides on the page Laboratory; "
    "then acknowledge",
    "flag_mailbox_dead": "the mailbox of {staff} is dead, no mail is sent to it: have whoever runs the service correct "
    "the address, or release it if it works again ({why})",
    "set_in_question": "row No. {row} on the page Laboratory is about {point} and may change its result",
    "settles_records": "the records, once they fit (looked at until {until}); or a person who decides",
    "settles_laboratory": "the laboratory, by a corrected row with: {what}; or a person who decides that it is not "
    "used",
    "settles_second": "another person than {by}, who proposed: {decision}",
    "settles_person": "a person who decides; or the laboratory, by a corrected row",
    "refused_row_lacks": "Row No. {number} lacks: {what}. Nothing is filled in here: ask the laboratory for a "
    "corrected row, or decide that it is not used.",
    "refused_row_point": "Row No. {number} is already of {point}. Use it as it stands.",
    "refused_row_other_proposal": "For row No. {number} {by} proposed on {at}: {decision}. Decide the same, or that it "
    "is not used.",
    "refused_subject_known": "{subject} is already enrolled. Correct the enrolment on the subject's page.",
    "refused_already_withdrawn": "The subject already left the study on {on}." + _CORRECT,
    "refused_attended_twice": "{visit} is already recorded as attended on {at}." + _CORRECT,
    "refused_dose_twice": "The dose of {visit} is already recorded at {at}." + _CORRECT,
    "refused_draw_twice": "{point} of {visit} is already recorded at {at}." + _CORRECT,
    "refused_assessed_twice": "{item} of {visit} is already recorded." + _CORRECT,
    "refused_eligibility_twice": "The eligibility as known on {on} is already recorded." + _CORRECT,
    "refused_already_booked": "{visit} is already booked for {at}. Move the appointment.",
    "refused_not_booked": "{visit} is not booked. Book a date first.",
    "refused_booking_past": "{at} is in the past. Book a date from today on, or record the attendance.",
    "refused_not_attended": "{visit} is not recorded as attended. Record the attendance first.",
    "refused_already_on_hold": "Participation is already on hold since {since}. Resume it first.",
    "refused_value_missing": "{item} has no value. Fill it in.",
    "refused_set_or_take_back": "Either change fields or take the record back, not both.",
    "refused_version_corrected": "Which version record {number} names cannot be corrected. Take the record back, and "
    "have the right version applied.",
    "refused_flag_unknown": "Flag No. {flag} is no longer open. The worklist shows those that are.",
}
