"""What the non-compartmental analysis says: reasons for having no value, and caveats, by code."""

NCA_SENTENCES: dict[str, str] = {
    # the profile as given
    "samples_missing": "Samples without a concentration, left out: {count}.",
    "predose_moved": "The sample at {time_h} h, before the dose, was taken as the concentration at the dose.",
    "predose_left_out": "Samples before the dose, left out: {count}; a later one stands for the dose.",
    "starts_after_dose": (
        "The first sample is at {first_h} h; areas begin there and not at the dose, where nothing is known."
    ),
    "conc_implausible": (
        "The concentration at {time_h} h is {conc_mg_l} mg/L, above {limit_mg_l} mg/L; check that the unit is mg/L."
    ),
    "all_below_lloq": "No sample is measurable; the value follows from what they were counted as.",
    "nothing_measurable": "No sample has a measurable concentration; one above the quantification limit is needed.",
    "blq_number_too_high": (
        "Samples below quantification cannot count as {number_mg_l} mg/L: "
        "that is above their limit or the lowest measured concentration, {limit_mg_l} mg/L."
    ),
    "blq_handled": (
        "Samples below quantification: {dropped} left out, {zero} counted as 0, {number} as the number asked for."
    ),
    # the terminal phase
    "lambda_z_too_few_points": (
        "Measurable samples after the maximum: {count}; the terminal slope needs {min_points} or more."
    ),
    "lambda_z_no_decline": "No run of {min_points} or more last samples declines; a terminal slope must.",
    "lambda_z_rise_fits_better": (
        "The run of last samples with the best fit rises; the slope is that of the best run that declines."
    ),
    "lambda_z_adjusted_r2_low": (
        "The adjusted R² of the terminal slope is {adjusted_r2}; {min_adjusted_r2} or more is asked."
    ),
    "lambda_z_span_short": (
        "The samples of the terminal slope span {span_ratio} half-lives; {min_span_ratio} or more are asked."
    ),
    "lambda_z_needed": "This follows from lambda_z, which has no value.",
    "extrapolated_share_high": "{percent} % of the AUC to infinity is extrapolated; {max_percent} % or less is asked.",
    # areas over intervals
    "interval_before_first": (
        "The interval begins at {start_h} h, before the first sample at {first_h} h; "
        "give the concentration at the dose (0 for a first oral dose)."
    ),
    "interval_needs_lambda_z": (
        "The interval {start_h} to {end_h} h reaches beyond the last measurable sample at {last_h} h; "
        "that needs lambda_z, which has no value."
    ),
    "interval_extrapolated": (
        "{percent} % of the area lies after the last measurable sample at {last_h} h and is extrapolated."
    ),
    "tau_not_given": "The dosing interval is not given; tau_h is needed.",
    "quantity_not_finite": "The value is too large or too small to compute; check concentrations (mg/L) and times (h).",
}
