"""The English sentence of every reason code of the domain. French is in templates/locale/fr/domain.po."""

from __future__ import annotations

from scheduler.domain.amendment_sentences import AMENDMENT_SENTENCES
from scheduler.domain.console_sentences import CONSOLE_SENTENCES
from scheduler.domain.store_sentences import STORE_SENTENCES
from scheduler.domain.trial_sentences import TRIAL_SENTENCES

__all__ = ["SENTENCES"]

SENTENCES: dict[str, str] = {
    # statuses
    "status_planned": "planned for {target}; the window opens on {first}",
    "status_blocked": "no date until {anchor} has taken place",
    "status_window_open": "the window is open from {first} to {last}; nothing is booked",
    "status_booked": "booked for {at}",
    "status_unconfirmed": "was booked for {at}; nothing has been recorded since",
    "status_overdue": "the window closed on {closed} and no visit is recorded",
    "status_missed": "the window closed on {closed} and the visit can no longer be made up",
    "status_cancelled": "will not take place: {why}",
    "status_left_out": "version {version} of the protocol has no such visit",
    "status_withdrawn": "the subject left the study on {on} ({cause})",
    "status_on_hold": "participation is on hold since {since}",
    "status_paused": "the window closed while participation was on hold, from {since} to {until}",
    "status_attended": "attended on {at}",
    "status_incomplete": "still missing: {missing}",
    "status_complete": "everything required is recorded",
    "withdrawal_consent": "consent withdrawn",
    "withdrawal_death": "death",
    "withdrawal_lost": "lost to follow-up",
    "withdrawal_other": "other reason",
    # what a visit lacks
    "missing_dose": "time of the MMF dose",
    "missing_draw": "sample {item}",
    "missing_draw_lost": "sample {item} (not drawn: {why})",
    "missing_result": "result of {item}",
    "missing_result_lost": "result of {item} (the laboratory could not measure it)",
    "missing_assessment": "{item}",
    # flags
    "flag_no_open_day": "no day from {first} to {last} is a working day of the site; the target was not shifted",
    "flag_visit_out_of_window": "attended on {at}, outside the window from {first} to {last}",
    "flag_endpoint_missing": "{item} is required at this visit and is not recorded",
    "flag_sample_out_of_window": "{point} was drawn {minutes} min after the dose; expected from {low} to {high} min",
    "flag_result_overdue": "{point} was drawn on {on} and no final result has arrived",
    "flag_result_without_draw": "a result of {point} arrived (tube {specimen}) but no draw is recorded",
    "flag_result_in_question": "no AUC until the laboratory's row is settled: {why}",
    "flag_set_held": "no AUC until this is settled: {why}",
    "flag_profile_unusual": "check the tubes: {why}",
    "flag_auc_not_computable": "AUC0-12 cannot be estimated: {why}",
    "flag_auc_below_band": "AUC0-12 is {value} mg·h/L, below {low} mg·h/L ({band}; not a target of this disease)",
    "flag_auc_above_band": "AUC0-12 is {value} mg·h/L, above {high} mg·h/L ({band}; not a target of this disease)",
    "flag_auc_below_band_interval": "AUC0-12 is {value} mg·h/L ({method}, 90% interval {least} to {most}), "
    "below {low} mg·h/L ({band}; not a target of this disease)",
    "flag_auc_above_band_interval": "AUC0-12 is {value} mg·h/L ({method}, 90% interval {least} to {most}), "
    "above {high} mg·h/L ({band}; not a target of this disease)",
    "flag_file_quarantined": "the laboratory file {name} was refused: {why}",
    "flag_rows_held": "{count} row(s) of the laboratory file {name} are held: {why}",
    "flag_folder_trouble": "in the laboratory's folder, {name}: {why}",
    "flag_database_damaged": "the database file is damaged: {why}",
    "audit_row_changed": "this row was changed after it was written",
    "audit_row_removed": "this row was removed",
    "audit_removed_before": "one or more rows before this one were removed, and the later ones renumbered",
    "audit_row_added": "this row was slipped in afterwards",
    "audit_row_replaced": "row {next} does not follow it: one of the two was written anew",
    "audit_reason_changed": "the text of its reason was changed",
    "audit_reason_removed": "the text of its reason was removed",
    "audit_reason_added": "a reason was added to it afterwards",
    "audit_tail_cut": "an anchor names it, and the chain ends at row {last}: its end was cut off, or it is an old copy",
    "audit_rewritten": "an anchor names another row here: the chain up to it was written anew",
    "flag_audit_broken": "the audit chain does not hold at row {row}: {why}",
    "flag_disk_nearly_full": "only {free} MB are free on the disk of {folder}",
    "flag_mailbox_dead": "the mailbox of {staff} is dead, no mail is sent to it: correct the address in the site file "
    "and run 'init', or if it works again 'mpa-monitor outbox release {staff}' ({why})",
    "flag_mail_failed": "mail to {staff} cannot be delivered: {why}",
    "flag_subject_parked": "this subject's data cannot be processed ({why}); the other subjects go on",
    "band_transplant": "kidney transplant band, borrowed",
    "band_lupus": "lupus threshold, borrowed",
    # what closes a flag
    "closes_visit_overdue": "record the attendance, or book a date; it becomes 'missed' when it is too late",
    "closes_visit_missed": "record the attendance if it took place after all, or acknowledge",
    "closes_visit_unconfirmed": "record the attendance, or move or cancel the appointment",
    "closes_visit_incomplete": "record what is missing, or acknowledge that it cannot be had",
    "closes_visit_out_of_window": "correct the date if it is wrong, or acknowledge",
    "closes_no_open_day": "book the visit",
    "closes_sample_out_of_window": "correct the time if it is wrong, or acknowledge",
    "closes_result_overdue": "the laboratory sends the result",
    "closes_result_without_draw": "record the draw with its time and tube",
    "closes_result_in_question": "the laboratory sends the row anew, or a person decides: 'lab held', 'lab review'",
    "closes_set_held": "correct the time or tube, or have the result corrected; once acknowledged, the samples "
    "are used as they are",
    "closes_profile_unusual": "check tubes and times with the laboratory, then correct or acknowledge",
    "closes_auc_not_computable": "correct what is wrong, or acknowledge",
    "closes_auc_outside_band": "for information; acknowledge once read",
    "closes_endpoint_missing": "record the assessment, or acknowledge that it cannot be had",
    "closes_file_quarantined": "the laboratory sends a corrected file; then acknowledge",
    "closes_rows_held": "the laboratory sends corrected rows, or a person decides: 'lab held'; then acknowledge",
    "closes_folder_trouble": "put the folder or the disk right, then acknowledge",
    "closes_storage_trouble": "whoever runs the server puts it right; closes by itself",
    "closes_mail_failed": "correct the address and send again, or acknowledge",
    "closes_subject_parked": "put the cause right, then acknowledge: that releases the subject",
}
SENTENCES |= {
    # why something is refused: what is wrong, what would be right
    "refused_subject_unknown": "There is no subject {subject}. Check the code, or enrol the subject first.",
    "refused_subject_unknown_near": "There is no subject {subject}. Did you mean {near}?",
    "refused_other_site": "{subject} belongs to the site {site}. Leave out --site or the subject.",
    "refused_nobody_enrolled": "There is no subject to be followed under it. Check --site and --subject.",
    "refused_parked": "{subject} is parked ({why}). Acknowledge its flag, which releases it, "
    "then apply the version again.",
    "refused_other_study": "{subject} takes part in {study}; this version belongs to {other}.",
    "refused_left_before": "{subject} left the study on {on}, not after that day.",
    "refused_version_far": "{on} is more than a year away from today. Check the year.",
    "refused_version_followed": "{subject} is already followed under version {version} on {on}.",
    "refused_version_unknown": "There is no protocol version '{version}'. Use a file or one of {known}.",
    "refused_version_several": "'{version}' names several protocol versions. Use one of {known}.",
    "refused_version_elsewhere": "The file of version {version} is not in the folder protocols/ of the configuration. "
    "Put it there, and check it with 'protocol check'.",
    "refused_version_corrected": "Which version record {number} names cannot be corrected. Take the record back with "
    "--take-back and apply the right version.",
    "refused_reason_missing": "A reason is needed: --reason.",
    "refused_subject_known": "{subject} is already enrolled. Use 'correct' to change the enrolment.",
    "refused_copy_daemon": "A daemon works on one of the two databases. Stop it first, then copy again.",
    "refused_copy_not_empty": "The database to copy to is not empty: {table} has {count} rows. Use an empty database.",
    "refused_copy_count": "Of {table} there are {before} rows here and {after} there.",
    "refused_copy_chain": "The audit chain is broken at row {row}: {why}. See 'audit verify'.",
    "refused_copy_chain_differs": "The audit chain is not the same in both databases.",
    "refused_site_unknown": "There is no site '{site}'. Use one of {known}.",
    "refused_visit_unknown": "There is no visit '{visit}'. Use one of {known}.",
    "refused_point_unknown": "There is no sampling time '{point}'. Use one of {known}.",
    "refused_item_unknown": "There is no assessment '{item}'. Use one of {known}.",
    "refused_baseline_far": "The inclusion date {on} is more than a year ahead. Check the year.",
    "refused_baseline_old": "The inclusion date {on} is more than five years ago. Check the year.",
    "refused_treatment_far": "The start of treatment {on} is more than a year ahead. Check the year.",
    "refused_future": "{at} is in the future (it is {now}). Record what has happened, not what is planned.",
    "refused_before_enrolment": "{at} is before the inclusion date {on}. Check the date, or correct the enrolment.",
    "refused_after_withdrawal": "{at} is after the subject left the study on {on}. Check the date.",
    "refused_withdrawn": "The subject left the study on {on}: no appointment can be made or changed.",
    "refused_already_withdrawn": "The subject already left the study on {on}. Use 'correct' to change it.",
    "refused_already_attended": "{visit} already took place on {at}.",
    "refused_visit_left_out": "Version {version} of the protocol, under which the subject is followed, has no {visit}.",
    "refused_already_booked": "{visit} is already booked for {at}. Use 'move' to change the date.",
    "refused_not_booked": "{visit} is not booked. Use 'book' to give it a date.",
    "refused_time_skipped": "{at} does not exist: the clocks go forward over it. Choose another time.",
    "refused_time_twice": "{at} exists twice: the clocks go back over it. Choose another time.",
    "refused_booking_past": "{at} is in the past. Book a date from today on, or record the visit with 'attend'.",
    "refused_booking_far": "{at} is more than three years ahead. Check the year.",
    "refused_no_sampling": "{visit} has no blood samples in the protocol.",
    "refused_other_day": "{at} is another day than {visit}, attended on {attended}. Check the date.",
    "refused_attended_twice": "{visit} is already recorded as attended on {at}. Use 'correct' to change it.",
    "refused_same_day_as": "{other} already took place on {on}; {visit} cannot be the same day. Check visit and date.",
    "refused_dose_twice": "The dose of {visit} is already recorded at {at}. Use 'correct' to change it.",
    "refused_dose_after_draw": "{point} was drawn at {at}, before this dose. Check the two times.",
    "refused_draw_twice": "{point} of {visit} is already recorded at {at}. Use 'correct' to change it.",
    "refused_draw_before_dose": "{point} at {at} is before the dose at {dose}. Check the two times.",
    "refused_draw_order": "{point} at {at} does not fit {other} at {other_at}. Check the times or the tubes.",
    "refused_tube_used": "Tube {tube} is already recorded for {subject}, {visit}, {point}. Check the label.",
    "refused_not_foreseen": "{item} is not foreseen at {visit}. Foreseen: {foreseen}.",
    "refused_assessed_twice": "{item} of {visit} is already recorded. Use 'correct' to change it.",
    "refused_out_of_range": "{item} = {value} is impossible: it lies from {low} to {high} {unit}.",
    "refused_not_whole": "{item} = {value} is not a whole number.",
    "refused_not_attended": "{visit} is not recorded as attended. Use 'attend' first.",
    "refused_dose_mg": "A dose of {dose} mg is impossible. Give it in mg, above 0 and at most 5000.",
    "refused_interval": "An interval of {interval} h is impossible. Give the hours between doses, from 1 to 48.",
    "refused_already_on_hold": "Participation is already on hold since {since}. Use 'resume' first.",
    "refused_not_on_hold": "Participation is not on hold.",
    "refused_resumed_before_pause": "Participation was put on hold on {since}, later than this. Check the date.",
    "refused_fact_unknown": "{subject} has no record {number}. 'explain {subject}' lists the records.",
    "refused_correction_of_correction": "Record {number} is itself a correction. Correct record {original} again.",
    "refused_field_unknown": "A record of this kind has no '{field}'. It has: {known}.",
    "refused_field_value": "'{value}' does not fit '{field}'. {why}",
    "refused_flag_unknown": "There is no open flag '{flag}'. 'flags' lists them with their numbers.",
    "refused_backup_exists": "{path_id} exists already. A backup replaces nothing: name another folder.",
    "refused_backup_chain": "The audit chain does not hold at row {row}: {why}",
    "refused_restore_no_backup": "{path_id} is not a backup: it has no readable manifest.json.",
    "refused_restore_newer": "The backup was made by a newer program. Install that version first.",
    "refused_restore_missing": "The backup is not whole: {file_id} is missing.",
    "refused_restore_changed": "The backup is damaged: {file_id} is not what was saved.",
    "refused_restore_added": "The backup was changed: {file_id} was not saved with it.",
    "refused_restore_damaged": "The database of the backup is damaged: {why}",
    "refused_restore_other": "The database of the backup is not the one that its manifest names.",
    "refused_restore_database": "There is a database already: {path_id}. A restore needs an empty place.",
    "refused_restore_folder": "The drop folder {path_id} is not empty. A restore needs an empty place.",
    "refused_text_needed": "A reason is needed.",
    "refused_code_pattern": "'{code}' is not a subject code of this study. It looks like {example}.",
    "refused_row": "Row {row}: {why}",
    # what deserves a second look
    "warned_closed_day": "{on} is not a working day of the site.",
    "warned_out_of_window": "{on} is outside the window from {first} to {last}.",
    "warned_left_out": "version {version} of the protocol has no {visit}; as it took place, it counts under the "
    "version before",
    "warned_was_cancelled": "{visit} had been cancelled; it now counts as attended.",
}
SENTENCES["refused_void_enrolment"] = (
    "The enrolment of {subject} cannot be taken back. Use 'withdraw' if the subject leaves the study."
)
SENTENCES |= {
    # why a mail that was due is not sent
    "recheck_subject_gone": "the subject is no longer on record",
    "recheck_no_longer_due": "no longer needed when it was about to be sent",
    "recheck_settled_meanwhile": "settled before it was sent",
    "mail_possibly_sent": "the database was restored from a backup of {at}, and this mail may have left since",
    "mail_visit_left_out": "version {version} has no such visit",
    "mail_window_changed": "it names the window from {was_first} to {was_last}; it would be {first} to {last}",
    "mail_appointment_outside": "the appointment on {on} would lie outside the window from {first} to {last}",
    "recheck_date_changed_again": "the date changed again before it was sent; the newer mail replaces it",
}
SENTENCES |= {
    "refused_date": "'{text}' is not a date. Write 2026-01-15 or 15/01/2026.",
    "refused_time": "'{text}' is not a time. Write '2026-01-15 08:31', or '08:31' for today.",
    "refused_instant_twice": "{at} exists twice: the clocks go back over it. "
    "Add the offset, as in 2026-10-25T02:30+02:00.",
    "refused_pair": "'{text}' is not of the form name=value.",
    "refused_number": "'{text}' is not a number.",
    "refused_choice": "'{text}' is not one of {known}.",
}
SENTENCES |= {
    "refused_enrol_incomplete": "Give a subject code and --inclusion DATE, or --from FILE.csv.",
    "refused_file": "The file {file} cannot be read: {why}",
    "refused_columns": "{file} needs the columns subject and inclusion, and may have only: {known}.",
    "refused_tube_or_reason": "Give either --tube NUMBER or --not-drawn REASON.",
    "refused_set_or_take_back": "Give either --set field=value or --take-back.",
}
SENTENCES |= {
    "refused_code": "'{subject}' cannot be a subject code: {why}.",
}
SENTENCES |= {
    # how an AUC was estimated
    "method_regression": "{equation} (regression)",
    "method_map": "{model} (MAP)",
    "method_average": "average of the models",
    "method_partial": "observed samples, linear-up/log-down",
    "method_withdrawn": "no longer stands",
    "method_held": "not computed",
    "auc_fewer_samples": "From {count} of {expected} samples only ({points}): the interval is wider than with all.",
}
SENTENCES |= {
    # what does not fit about the samples of a day
    "set_in_question": "row No. {row} of 'lab held' is about {point} and may change its result",
    "set_out_of_window": "{point} was collected {minutes} min after the dose, says the laboratory; expected from {low} "
    "to {high} min, and no draw is recorded",
    "set_before_dose": "{point} was collected {minutes} min after the dose, which is before it, says the laboratory; "
    "expected from {low} to {high} min, and no draw is recorded",
    "set_after_dose": "{point} was collected after the dose ({minutes} min), says the laboratory; expected from {low} "
    "to {high} min, and no draw is recorded",
    "set_out_of_order": "the times of {first} ({at}) and {second} ({other_at}) are in the reverse order",
    "set_other_tube": "the result of {point} is of tube {specimen}, which is recorded for {other} of {visit}",
    "set_above_uloq": "{point} is above the upper limit of quantification; a diluted measurement is needed",
    "set_below_lloq": "{point} is below the limit of quantification after the dose; was the dose taken?",
    "profile_methods_differ": "the samples were measured by different methods ({methods})",
    "profile_identical": "all {count} samples have the same value",
    "profile_trough_high": "{point} is above {limit} mg/L before the dose",
    "profile_predose_high": "{point}, before the dose, is higher than {lower} after it; the tubes may be exchanged",
}
SENTENCES |= TRIAL_SENTENCES | AMENDMENT_SENTENCES | STORE_SENTENCES
SENTENCES |= CONSOLE_SENTENCES
