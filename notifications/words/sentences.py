"""The English sentence of every reason code of this package. French is in templates/locale/fr/mails.po."""

from __future__ import annotations

from scheduler.domain.sentences.pages import PAGE_SENTENCES

__all__ = ["LINKED_SENTENCES", "MAIL_SENTENCES", "SENTENCES_WITH_PAGES"]

MAIL_SENTENCES: dict[str, str] = {
    # why a mail did not leave, or not yet
    "mail_found_sent": "found among the mails that left",
    "mail_said_sent": "{by} says that it left",
    "mail_expired": "it could not leave before it lost its use, on {at}",
    "mail_superseded": "the appointment changed before it left",
    "mail_person_left": "{staff} no longer works at the site",
    "mail_cancelled_by_person": "taken back by {by}",
    "mail_mailbox_dead": "the mailbox does not exist or is switched off ({answer})",
    "mail_suppressed": "the mailbox of {staff} is known not to exist",
    "mail_refused_address": "the mail server does not accept the address ({answer})",
    "mail_refused_content": "the mail server does not accept the mail itself ({answer})",
    "mail_refused_relay": "the mail server does not pass mail on to this address ({answer})",
    "mail_unsendable": "the address cannot be used ({answer})",
    "mail_later": "the mail server asks to try again later ({answer})",
    "mail_given_up": "the mail server put it off until it was too late ({answer})",
    "mail_channel": "the mail server cannot be reached ({answer})",
    "mail_configuration": "the mail server does not accept our connection ({answer})",
    "mail_uncertain": "the connection broke before the mail server confirmed it ({answer})",
    "mail_uncertain_twice": "sent twice, never confirmed; it may have arrived ({answer})",
    "mail_uncertain_stopped": "the program stopped before it knew whether the mail had left",
    "mail_not_written": "it could not be written ({error})",
    "mail_no_recipient": "nobody at {site} is active with the role {roles}",
    "role_coordinator": "coordinator",
    "role_investigator": "investigator",
    "role_pharmacist": "pharmacist",
    "role_laboratory": "laboratory",
    "role_data_manager": "data manager",
    # flags that this package raises
    "flag_no_recipient": "a mail ({template}) has no recipient: {why}",
    "flag_mail_channel": "mail has been held since {since}: {why}",
    "flag_mail_not_written": "the mail '{template}' to {staff} did not leave: {why}",
    # what may be said in a mail instead of values and free text
    "mail_auc_to_read": "an AUC0-12 is to be read: mpa-monitor auc {subject}",
    "mail_auc_not_computable": "AUC0-12 cannot be estimated; the reason: mpa-monitor explain {subject} {visit_id}",
    "mail_result_in_question": "a row of the laboratory about {visit_id} is held, no AUC: mpa-monitor lab held",
    "mail_set_held": "the samples of {visit_id} do not fit together, no AUC: mpa-monitor flags {subject}",
    "mail_profile_unusual": "the tubes of {visit_id} are to be checked: mpa-monitor flags {subject}",
    "mail_missing_draw_lost": "sample {item} (not drawn)",
    "mail_missing_result_lost": "result of {item} (could not be measured)",
    "mail_eligibility_open": "the eligibility is in doubt: mpa-monitor flags {subject}",
    "mail_subject_parked": "this subject's data cannot be processed: mpa-monitor flags {subject}",
    "mail_reason_withheld": "the reason is not given by mail",
}
# where a link to the matter stands below the sentence
LINKED_SENTENCES: dict[str, str] = {
    "mail_auc_to_read": "an AUC0-12 is to be read",
    "mail_auc_not_computable": "AUC0-12 cannot be estimated",
    "mail_result_in_question": "a row of the laboratory about {visit_id} is held, no AUC",
    "mail_set_held": "the samples of {visit_id} do not fit together, no AUC",
    "mail_profile_unusual": "the tubes of {visit_id} are to be checked",
    "mail_eligibility_open": "the eligibility is in doubt",
    "mail_subject_parked": "this subject's data cannot be processed",
}
# said instead in a mail that leads to pages
SENTENCES_WITH_PAGES: dict[str, str] = {**PAGE_SENTENCES, **LINKED_SENTENCES}
