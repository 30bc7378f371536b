"""Why each flag is open, and what closes it."""

from __future__ import annotations

__all__ = ["FLAG_SENTENCES"]

FLAG_SENTENCES: dict[str, str] = {
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
    "flag_rows_held": "held rows of the laboratory file {name}: {count}; {why}",
    "flag_folder_trouble": "in the laboratory's folder, {name}: {why}",
    "flag_database_damaged": "the database file is damaged: {why}",
    "flag_audit_broken": "the audit chain does not hold at row {row}: {why}",
    "flag_disk_nearly_full": "only {free} MB are free on the disk of {folder}",
    "flag_mailbox_dead": "the mailbox of {staff} is dead, no mail is sent to it: correct the address in the site file "
    "and run 'init', or if it works again 'mpa-monitor outbox release {staff}' ({why})",
    "flag_mail_failed": "mail to {staff} cannot be delivered: {why}",
    "flag_subject_parked": "this subject's data cannot be processed ({why}); the other subjects go on",
    # what is wrong with the audit chain
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
    # the bands of the shipped protocol
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
