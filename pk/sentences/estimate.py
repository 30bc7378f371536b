"""What the estimation from a population model says: why there is no value, and caveats, by code."""

ESTIMATE_SENTENCES: dict[str, str] = {
    # the record
    "field_empty": "{field} is empty; give one or more.",
    "conc_unit_doubtful": "{field} is {value} mg/L, above {limit} mg/L; check that the unit is mg/L.",
    # the treatment
    "dose_unknown": "The dose is not known; {model} needs its label strength in mg, above 0.",
    "model_interval_unknown": "The dosing interval is not known; {model} needs it, or the doses that were taken.",
    "model_steady_state_unknown": (
        "It is not established that the dose has been unchanged for {min_days} days or more; "
        "{model} then needs the doses that were taken."
    ),
    "model_steady_state_too_short": (
        "The dose has been unchanged for {days} days, less than {min_days}; "
        "{model} then needs the doses that were taken."
    ),
    "history_not_usable": (
        "The history has a dose without a time, with an amount that is not above 0 mg or with an interval that is not."
    ),
    "history_without_dose_of_interest": (
        "No dose of the history is at 0 h; times must be hours after the dose of interest."
    ),
    # the samples
    "no_usable_sample": "There is no sample with a result; {model} needs one or more.",
    "value_zero": (
        "The result of {timepoint} is 0 mg/L, which the error of {model} does not allow; "
        "give the quantification limit that it is below."
    ),
    "sample_without_result": "{timepoint} has no result and was left out.",
    "one_sample_only": "The estimate rests on one sample: low confidence.",
    "predose_used_after_dose": (
        "{timepoint} was drawn {actual_min} min after the dose; it was used at that time."
    ),
    "sample_beyond_interval": (
        "{timepoint} was drawn at {time_h} h, after the next dose was due; "
        "doses were taken to go on every {interval_h} h."
    ),
    "sample_before_all_doses": (
        "{timepoint} is measurable, but the history has no dose before it: look for doses or times that are wrong."
    ),
    # the estimate
    "estimate_not_finite": "The estimate by {model} is not a finite number; check doses, concentrations and the model.",
    "map_not_converged": "The search for the most probable parameters did not converge.",
    "map_at_kink": (
        "The most probable lag makes the drug arrive exactly at a sample; "
        "there the probability has an edge and no slope."
    ),
    "map_tied_optima": "Another set of parameters is almost as probable and quite different.",
    "map_lag_at_bound": "The most probable lag is as long as the dosing interval, the longest that is looked at.",
    "auc_other_interval": (
        "Doses are {interval_h} h apart: AUC0-{interval_h} is {auc_tau}, AUC0-24 {auc_24} "
        "and half of that, the AUC0-12 equivalent, {equivalent} mg·h/L."
    ),
    "average_none": "No model applies; an average needs one or more.",
}
