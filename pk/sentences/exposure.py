"""Why a method gives no exposure, and the caveats beside a value, by code."""

EXPOSURE_SENTENCES: dict[str, str] = {
    # the treatment does not fit the method
    "formulation_not_covered": (
        "{equation} was derived for {expected}, the subject takes {formulation}; "
        "no limited-sampling equation is used for another formulation than its own."
    ),
    "interval_unknown": "The dosing interval is not known; {equation} needs doses every {expected_h} h.",
    "interval_differs": (
        "Doses are {interval_h} h apart; {equation} holds for doses every {expected_h} h only."
    ),
    "steady_state_unknown": (
        "It is not known for how many days the dose has been unchanged; "
        "{equation} needs {min_days} days or more."
    ),
    "steady_state_too_short": (
        "The dose has been unchanged for {days} days; {equation} needs {min_days} days or more."
    ),
    # a sample cannot be used
    "sample_missing": "There is no {timepoint} sample; one drawn {nominal_min} min after the dose is needed.",
    "sample_repeated": "There are {count} {timepoint} samples; exactly one must be marked as the valid one.",
    "time_not_finite": "The time of {timepoint} is not a number; the actual time after the dose is needed.",
    "time_outside_window": (
        "{timepoint} was drawn at {actual_min} min from the dose; "
        "{equation} accepts {earliest_min} to {latest_min} min."
    ),
    "value_missing": "{timepoint} has no numeric result; a concentration in mg/L is needed.",
    "value_not_finite": (
        "The result of {timepoint} is not a finite number; a concentration in mg/L is needed."
    ),
    "value_negative": "The result of {timepoint} is {conc_mg_l} mg/L; a concentration is 0 or more.",
    "value_implausible": (
        "The result of {timepoint} is {conc_mg_l} mg/L, above {limit_mg_l} mg/L; check that the unit is mg/L."
    ),
    "above_uloq": (
        "{timepoint} is above the upper quantification limit; "
        "a result measured again after dilution is needed."
    ),
    "below_lloq": (
        "{timepoint} is below the quantification limit; after the dose a measurable concentration is needed: "
        "check that the dose was taken, and when."
    ),
    "lloq_unknown": (
        "{timepoint} is below the quantification limit, which is not known; the limit in mg/L is needed."
    ),
    "predose_after_dose": (
        "{timepoint} was drawn {actual_min} min after the dose; a pre-dose sample comes before it or with it."
    ),
    "not_after_dose": "{timepoint} was drawn at {actual_min} min from the dose; it must come after the dose.",
    "samples_out_of_order": (
        "{earlier} ({earlier_min} min) was not drawn before {later} ({later_min} min); "
        "check the times and the labels of both tubes."
    ),
    "sample_after_interval": (
        "{timepoint} was drawn at {actual_min} min; "
        "it must come before the end of the interval at {end_min} min."
    ),
    # an area cannot be computed
    "too_few_points": "Points: {count}; an area needs 2 or more.",
    "times_not_finite": "A sample time is not a finite number; every time must be one, in hours.",
    "times_repeated": "The time {time_h} h occurs more than once; every time must occur once.",
    "times_not_increasing": "The times are not in increasing order at {time_h} h; sort the samples by time.",
    "concentrations_not_finite": (
        "The concentration at {time_h} h is not a finite number; every concentration must be one, in mg/L."
    ),
    "concentrations_negative": "The concentration at {time_h} h is negative; every one must be 0 or more.",
    "interval_empty": "The interval {start_h} to {end_h} h is empty; its end must come after its start.",
    "interval_not_covered": (
        "The interval {start_h} to {end_h} h reaches beyond the samples ({first_h} to {last_h} h); "
        "nothing is extrapolated."
    ),
    "auc_not_finite": (
        "The computed area is not a finite number; check the size of the concentrations (mg/L) and times (h)."
    ),
    # caveats that accompany a value
    "other_population": (
        "{equation} comes from {n} patients ({disease}; {comedication}); "
        "it is not known to have been validated in systemic sclerosis."
    ),
    "assay_unknown": (
        "The assay is not recorded; {equation} was derived with {expected}, and nothing is converted."
    ),
    "assay_differs": (
        "The samples were measured by {assay}, {equation} was derived with {expected}; "
        "methods can differ and nothing is converted."
    ),
    "predose_half_lloq": (
        "{timepoint} is below the quantification limit of {lloq_mg_l} mg/L; half the limit was used, "
        "the bounds are the values with 0 and with the limit."
    ),
    "predose_zero": (
        "{timepoint} is below the quantification limit of {lloq_mg_l} mg/L; 0 was used, "
        "the bounds are the values with 0 and with the limit."
    ),
    "predose_zero_no_limit": (
        "{timepoint} is below a quantification limit that is not known; "
        "0 was used, and no bounds can be given."
    ),
    "predose_at_time_zero": (
        "{timepoint} was drawn {before_min} min before the dose; "
        "its concentration was taken as that at the dose."
    ),
    "predose_highest": (
        "{timepoint} is the highest of the samples; after an oral dose that is unusual: "
        "check the times, the tubes and when the dose was taken."
    ),
    "interval_shortened": (
        "{timepoint} was drawn at {actual_min} min; the area ends there and not at {end_min} min."
    ),
}
