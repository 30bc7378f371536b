"""How an AUC was estimated, and what does not fit about the samples of a day."""

from __future__ import annotations

__all__ = ["EXPOSURE_SENTENCES"]

EXPOSURE_SENTENCES: dict[str, str] = {
    "method_regression": "{equation} (regression)",
    "method_map": "{model} (MAP)",
    "method_average": "average of the models",
    "method_partial": "observed samples, linear-up/log-down",
    "method_withdrawn": "no longer stands",
    "method_held": "not computed",
    "auc_fewer_samples": "From {count} of {expected} samples only ({points}): the interval is wider than with all.",
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
