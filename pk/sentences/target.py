"""What the analysis of exposure and outcome says, by code: caveats, tiers, findings, gates, plans."""

_CAVEATS: dict[str, str] = {
    "C1": "Observational: doses are adapted to exposure and to the course of the disease, which confounds both.",
    "C2": "An exposure measured at the time of the outcome cannot have caused it; month 12 is left out of the metric.",
    "C3": "The skin score improves by itself in about one patient in four.",
    "C4": "The definition of response was chosen by the analyst; the registry states none.",
    "C5": "A cut chosen from the data looks better than it is and needs validation in other patients.",
    "C6": "Thresholds of other diseases, endpoints or assays cannot be carried over.",
    "C7": "Total MPA depends on albumin, on renal function and on the assay.",
    "C8": "An association is no dosing instruction: research use only; not a medical device.",
    "C9": "An earlier study in systemic sclerosis (52 patients) found no relation of MPA AUC with change at one year.",
    "C10": "Analyses run in all: {count}.",
    "C11": "Exposures that rest on a single or bridged occasion: {count}.",
    "C12": "An interval could not be estimated.",
}

_TIERS: dict[str, str] = {
    "target_tier_0": (
        "Tier 0, listing: fewer than 3 patients, or no difference in exposure or outcome. "
        "Patients are listed; nothing is tested or estimated."
    ),
    "target_tier_1": (
        "Tier 1, descriptive: fewer than 10 patients, or fewer than 4 in the smaller group. "
        "Medians, exact tests and cuts chosen beforehand; no cut from the data."
    ),
    "target_tier_2": "Tier 2, association: it may be estimated; a cut from these data is not shown.",
    "target_tier_3": "Tier 3, exploratory cut: shown with its interval, and never to be called a target.",
    "target_tier_4": (
        "Tier 4, candidate: a cut that passes every gate may be called a candidate target that needs "
        "validation in other patients; no dose follows from it."
    ),
    "target_tier_5": (
        "Tier 5, estimate: a cut that passes every gate is a candidate target known more closely; "
        "it still needs validation or a randomised trial."
    ),
    "target_no_response_defined": (
        "The outcome has no responders; without a rule for response no cut can be asked for."
    ),
    "target_watermark": (
        "UNLOCKED, FOR CHECKING METHODS ONLY: tier {tier} does not support all of these numbers; never quote them."
    ),
    "target_two_patients": (
        "Two patients cannot identify a target. Any correlation is +1 or -1 by construction; with one responder "
        "and one non-responder the ROC area is 0 or 1 and is 'perfect' half of the time under no effect; the "
        "smallest possible p is 1.00. Individual exposures are listed against literature thresholds for "
        "description only."
    ),
    "target_no_patients": "No patient has both exposure and outcome.",
    "target_one_patient": "One patient has both exposure and outcome; nothing can be compared.",
}

_CONCLUSIONS: dict[str, str] = {
    "target_conclusion_not_estimable": "Conclusion: not estimable.",
    "target_conclusion_no_evidence": "Conclusion: no evidence of association.",
    "target_conclusion_no_usable_cut": "Conclusion: association, no usable cut.",
    "target_conclusion_exploratory": "Conclusion: exploratory cut.",
    "target_conclusion_candidate": "Conclusion: candidate target, needs validation in other patients.",
}

_WARNINGS: dict[str, str] = {
    "target_exposure_missing": "Rows without exposure, left out: {count}.",
    "target_exposure_negative": "Rows with an exposure below 0, which cannot be, left out: {count}; check them.",
    "target_outcome_missing": "Rows without outcome, left out: {count}. A missing outcome is not non-response.",
    "target_baseline_missing": "Patients without baseline value, left out of the adjusted analyses: {count}.",
    "target_exposure_constant": "All exposures are {value}; how the outcome goes with exposure cannot be told.",
    "target_outcome_constant": "All outcomes are {value}; how they go with exposure cannot be told.",
    "target_response_constant": "Either all patients respond or none does; nothing can be told apart.",
    "target_separated": (
        "Exposure separates responders from the others completely; the interval of the ROC area is not estimable."
    ),
    "target_opposite": "The association goes against the direction stated beforehand.",
    "target_binormal_differs": "The binormal cut and Youden's are {apart} apart, more than {limit}.",
    "target_ties": "Equally good cuts: {count}, from {low} to {high}; the middle one is given.",
    "target_influence": "Leaving out one patient moves the cut between {low} and {high}.",
    "target_measurement_error": (
        "With a measurement error of {percent} % on every exposure, "
        "95 % of the cuts found lie between {low} and {high}."
    ),
}

_FINDINGS: dict[str, str] = {
    "target_patients": "Patients with exposure and outcome: {n}; responders: {responders}.",
    "target_patients_no_response": "Patients with exposure and outcome: {n}.",
    "target_listed": "Exposure {exposure}, outcome {outcome}; cuts chosen beforehand that it reaches: {cuts}.",
    "target_listed_none": "Exposure {exposure}, outcome {outcome}; it reaches none of the cuts chosen beforehand.",
    "target_medians": "Median exposure: {responders} in responders, {others} in the others.",
    "target_median": "Median exposure: {median} (quartiles {quarter} and {three_quarters}).",
    "target_spearman": "Spearman's correlation of exposure and outcome: {rho}.",
    "target_spearman_ci": "Spearman's correlation of exposure and outcome: {rho} (95 % interval {low} to {high}).",
    "target_test": "Permutation test, two-sided: p = {p}.",
    "target_test_below": "Permutation test, two-sided: p below {p}.",
    "target_smallest_p": "These patients could not have given a p below {p}.",
    "target_slope": "Change of the outcome per 10 units of exposure: {slope} (95 % interval {low} to {high}).",
    "target_slope_adjusted": (
        "Adjusted for baseline, change of the outcome per 10 units of exposure: {slope} "
        "(95 % interval {low} to {high})."
    ),
    "target_odds": "Odds of response per 10 units of exposure (Firth): times {odds} (95 % interval {low} to {high}).",
    "target_odds_adjusted": (
        "Adjusted for baseline, odds of response per 10 units of exposure (Firth): times {odds} "
        "(95 % interval {low} to {high})."
    ),
    "target_area": "ROC area: {area}.",
    "target_area_ci": "ROC area: {area} (95 % interval {low} to {high}, DeLong on the logit scale).",
    "target_area_unstable": "ROC area: {area} (95 % interval {low} to {high}, bootstrap: unstable, so few patients).",
    "target_area_test": "Mann-Whitney test, two-sided: p = {p}.",
    "target_area_test_below": "Mann-Whitney test, two-sided: p below {p}.",
    "target_at_cut": (
        "Cut {cut}, chosen beforehand: {tp} of {responders} responders and {fp} of {others} others lie where "
        "response is expected; Fisher's p = {p}."
    ),
    "target_at_cut_below": (
        "Cut {cut}, chosen beforehand: {tp} of {responders} responders and {fp} of {others} others lie where "
        "response is expected; Fisher's p below {p}."
    ),
    "target_max_selected": "Any cut at all, maximally selected test: p = {p}.",
    "target_max_selected_below": "Any cut at all, maximally selected test: p below {p}.",
    "target_cut_arbitrary": (
        "Youden's cut {cut} (95 % interval {low} to {high}) is arbitrary: not every gate is passed."
    ),
    "target_cut_exploratory": "Exploratory cut (Youden): {cut} (95 % interval {low} to {high}).",
    "target_cut_candidate": (
        "Candidate target (Youden): {cut} (95 % interval {low} to {high}); it needs validation in other patients."
    ),
    "target_cut_performance": (
        "Sensitivity {sensitivity} and specificity {specificity} in these data; "
        "{sensitivity_corrected} and {specificity_corrected} corrected for optimism."
    ),
    "target_cut_binormal": "Binormal cut: {cut}.",
    "target_cut_topleft": "Cut closest to the corner of the ROC plot: {cut}.",
}

_SHAPE: dict[str, str] = {
    "target_doubling": "Per doubling of exposure, change of the outcome: {value} (95 % interval {low} to {high}).",
    "target_doubling_odds": (
        "Per doubling of exposure, odds of response (Firth): times {value} (95 % interval {low} to {high})."
    ),
    "target_shape": (
        "Is the relation straight? Curvature of a restricted cubic spline with knots at {first}, {middle} and {last}: "
        "p = {p}."
    ),
    "target_shape_below": (
        "Is the relation straight? Curvature of a restricted cubic spline with knots at {first}, {middle} and {last}: "
        "p below {p}."
    ),
    "target_shape_fitted": (
        "The spline's outcome: {y1} at exposure {x1}, {y2} at {x2}, {y3} at {x3}, {y4} at {x4}, {y5} at {x5}."
    ),
    "target_shape_fitted_response": (
        "The spline's chance of response: {y1} at exposure {x1}, {y2} at {x2}, {y3} at {x3}, {y4} at {x4}, "
        "{y5} at {x5}."
    ),
}

_UPPER: dict[str, str] = {
    "target_upper_events": "Adverse events ({column_id}): {events} of {n} patients have one.",
    "target_upper_not_estimable": "Above which exposure they grow more frequent is not estimable.",
    "target_upper_no_evidence": "There is no evidence that they go with exposure.",
    "target_upper_no_usable_cut": "They go with exposure, but no exposure can be named above which they do.",
    "target_upper_opposite": "They are fewer at a higher exposure: no upper bound.",
    "target_upper_exploratory": (
        "They grow more frequent above {cut} (95 % interval {low} to {high}): an exploratory bound, not to be used."
    ),
    "target_upper_candidate": (
        "They grow more frequent above {cut} (95 % interval {low} to {high}): a candidate bound that needs validation "
        "in other patients."
    ),
    "target_upper_at_cut": "Adverse events at or above {cut}: {tp} of {above} patients; below: {fn} of {below}.",
    "target_window": (
        "From {low}, response is likelier; from {high}, adverse events are. Neither is a reason to change a dose."
    ),
    "target_window_none": (
        "The cut for response, {low}, lies above that for adverse events, {high}: these data show no window."
    ),
}

_GATES: dict[str, str] = {
    "target_gate_roc_lower_limit": "Gate closed: the lower limit of the ROC area must be above 0.5.",
    "target_gate_max_selected_p": "Gate closed: the p of the maximally selected test must be below 0.05.",
    "target_gate_cut_interval_width": "Gate closed: the interval of the cut must not be wider than 20 units.",
    "target_gate_smaller_side_share": "Gate closed: at least 10 % of patients must lie on each side of the cut.",
    "target_gate_cut_above_p10": "Gate closed: the cut must not lie below the 10th percentile of exposure.",
    "target_gate_cut_below_p90": "Gate closed: the cut must not lie above the 90th percentile of exposure.",
    "target_gate_direction": "Gate closed: the association must have the direction stated beforehand.",
}

_PLANNING: dict[str, str] = {
    "target_plan_needed": (
        "Youden's cut, given the data so far: about {n} patients in all to tell {low} from {high} "
        "({percent} % of simulated studies do)."
    ),
    "target_plan_needed_binormal": (
        "Binormal cut, given the data so far: about {n} patients in all to tell {low} from {high} "
        "({percent} % of simulated studies do)."
    ),
    "target_plan_not_reached": (
        "Youden's cut, given the data so far: more than {n} patients to tell {low} from {high} "
        "(with {n}, {percent} % of simulated studies do)."
    ),
    "target_plan_not_reached_binormal": (
        "Binormal cut, given the data so far: more than {n} patients to tell {low} from {high} "
        "(with {n}, {percent} % of simulated studies do)."
    ),
    "target_plan_too_few": (
        "How many patients would tell {low} from {high} cannot be said: "
        "at least {least} responders and {least} others are needed for that."
    ),
}

TARGET_SENTENCES: dict[str, str] = {
    **_CAVEATS,
    **_TIERS,
    **_CONCLUSIONS,
    **_WARNINGS,
    **_FINDINGS,
    **_SHAPE,
    **_UPPER,
    **_GATES,
    **_PLANNING,
}
