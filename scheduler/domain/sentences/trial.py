"""Eligibility, endpoints and exposure summaries."""

from __future__ import annotations

__all__ = ["TRIAL_SENTENCES"]

TRIAL_SENTENCES: dict[str, str] = {
    # the items of eligibility
    "item_age_years": "age in whole years",
    "item_thickening_spares_fingers": "skin thickening spares the fingers (the criteria then do not apply)",
    "item_better_explained_otherwise": (
        "a scleroderma-like disorder explains the picture better (the criteria then do not apply)"
    ),
    "item_thickening_proximal_to_mcp": (
        "skin thickening of the fingers of both hands extending proximal to the MCP joints, ever"
    ),
    "item_puffy_fingers": "puffy fingers, ever",
    "item_sclerodactyly": "sclerodactyly (distal to the MCP, proximal to the PIP joints), ever",
    "item_digital_tip_ulcers": "digital tip ulcers, ever",
    "item_pitting_scars": "fingertip pitting scars, ever",
    "item_telangiectasia": "telangiectasia, ever",
    "item_abnormal_nailfold_capillaries": "abnormal nailfold capillaries, ever",
    "item_pulmonary_arterial_hypertension": "pulmonary arterial hypertension by right-heart catheter, ever",
    "item_interstitial_lung_disease": (
        "interstitial lung disease (fibrosis on CT or X-ray, basal, or Velcro crackles, not otherwise "
        "explained), ever"
    ),
    "item_raynaud": "Raynaud's phenomenon, ever",
    "item_anti_centromere": "anti-centromere antibodies",
    "item_anti_topoisomerase_i": "anti-topoisomerase I antibodies",
    "item_anti_rna_polymerase_iii": "anti-RNA polymerase III antibodies",
    "item_diffuse_skin": "skin thickening above the elbows or knees",
    "item_first_sign": "first clinical sign other than Raynaud's, as far as known (2024, 2024-05 or 2024-05-17)",
    "item_other_immunosuppressant": (
        "another immunosuppressant now or in the last 3 months, corticosteroids excepted"
    ),
    "item_ild_on_imaging": "interstitial lung disease on chest CT or X-ray",
    "item_mmf_first_line": "MMF as first-line treatment",
    "item_mmf_after_cyclophosphamide": "MMF after cyclophosphamide",
    "item_biologic_last_6_months": "biotherapy in the last 6 months",
    "answer_yes": "yes",
    "answer_no": "no",
    "answer_unknown": "not known",
    # its criteria
    "criterion_answer": "{what}: {answer}",
    "criterion_age": "{age} years; 18 or older is required",
    "criterion_age_unknown": "the age is not known; 18 or older is required",
    "criterion_ssc_score": "ACR/EULAR 2013 score {score}; 9 or more is required",
    "criterion_ssc_range": "ACR/EULAR 2013 score between {low} and {high}, 9 or more is required; not known: {what}",
    "criterion_ssc_settled": (
        "ACR/EULAR 2013 score between {low} and {high}, as some items are not known; 9 or more is required"
    ),
    "criterion_ssc_sufficient": "ACR/EULAR 2013: the sufficient criterion is present (score {score})",
    "criterion_ssc_not_applicable": "the ACR/EULAR 2013 criteria do not apply: {why}",
    "criterion_ssc_exclusion_unknown": "ACR/EULAR 2013 score {score} or more, but it is not known: {what}",
    "criterion_onset": "first sign other than Raynaud's: {first_id}; less than 3 years before {on} is required",
    "criterion_onset_imprecise": (
        "first sign other than Raynaud's: {first_id}; too imprecise to say whether it is less than 3 "
        "years before {on}"
    ),
    "criterion_onset_unknown": "the first sign other than Raynaud's is not dated; less than 3 years is required",
    "criterion_line": "MMF first line: {first}; after cyclophosphamide: {after}; one of the two is required",
    # eligibility: what is wrong with answers
    "eligibility_key": "'{key_id}' is not asked. Use some of: {known_id}.",
    "eligibility_key_near": "'{key_id}' is not asked. Did you mean '{near_id}'?",
    "eligibility_no_birth": "'{key_id}': no date of birth is kept. Give age_years, in whole years.",
    "eligibility_answer": "{key_id} = '{value_id}': write yes, no or unknown.",
    "eligibility_age": "{key_id} = '{value_id}': write whole years from 0 to 120, or unknown.",
    "eligibility_date": "{key_id} = '{value_id}': write a date, as 2026-01-15.",
    "eligibility_partial_date": (
        "{key_id} = '{value_id}': write what is known, as 2024, 2024-05 or 2024-05-17, or unknown."
    ),
    "eligibility_on_future": "on = {on} is in the future. Give the day on which this was known.",
    "eligibility_first_sign_late": (
        "first_sign = {first_id} is after {on}, the day of the assessment. Check the two dates."
    ),
    "refused_file_or_interactive": "Give either a file or --interactive.",
    "refused_answers_shape": "{file} is not a list of answers. Write one line an answer, as raynaud = 'yes'.",
    "refused_eligibility_twice": "The eligibility as known on {on} is already recorded. Use 'correct' to change it.",
    "warned_no_eligibility": (
        "the eligibility is not recorded; 'eligibility record' does it, and without it no endpoint of an "
        "arm can be evaluated."
    ),
    "flag_eligibility_not_eligible": "by the answers the subject is not eligible: {why}",
    "flag_eligibility_undetermined": "the answers do not settle whether the subject is eligible: {why}",
    "closes_eligibility_open": "correct the answers, or acknowledge",
    # assessments
    "refused_value_missing": "{item} has no value. Give it, as {item}=VALUE.",
    "refused_site_twice": "A site of {item} is given twice. Give each once.",
    "refused_score_site_unknown": "{item} has no site or property '{site_id}'. Its sites: {known_id}.",
    "refused_site_score": "{site_id} = {value}: a site is scored from 0 to {high}.",
    "refused_total_of_some": (
        "{item} has a total although sites are missing: {sites_id}. Give all sites, or the total alone."
    ),
    "refused_total": "{item} = {value}, but its sites add up to {total}. Check the sites and the total.",
    "refused_measured_unit": "{item} is not measured in '{unit_id}'. Use one of: {known_id}.",
    "refused_measured": "{item} = {value} as measured is impossible: it must be above 0.",
    "refused_no_equation": "{item} is not predicted by an equation. Leave the equation out.",
    "refused_no_hb": "{item} is not corrected for haemoglobin. Leave hb_corrected out.",
    "refused_whole_number": "'{text}' is not a whole number.",
    # endpoints: why there is none, what is to be known
    "endpoint_sites_missing": "no total of the skin score; missing sites: {count} ({sites_id})",
    "endpoint_prorated": (
        "missing sites of the skin score, made up for by the mean of the others: {count} ({sites_id})"
    ),
    "endpoint_dlco_not_corrected": "DLCO of {visit} is not recorded as corrected for haemoglobin",
    "endpoint_no_baseline": "no baseline value: {item}",
    "endpoint_no_value": "no value from {first} to {last}: {item}",
    "endpoint_units_differ": "{item}: units differ ({one}, {other})",
    "endpoint_equations_differ": (
        "{item}: predicted by two equations ({one}, {other}); the same one is needed at both visits"
    ),
    "endpoint_equation_unknown": (
        "{item}: the prediction equation is not recorded at both visits; a change of equation would not "
        "be seen"
    ),
    "endpoint_assessor_unknown": "the assessor of the skin score is not recorded at both visits",
    "endpoint_assessors_differ": (
        "the skin score was taken by two assessors ({one}, {other}): the change includes the difference "
        "between them"
    ),
    "endpoint_no_eligibility": "the eligibility is not recorded, so that the arm is not known",
    "endpoint_arm_other_skin": "not of the skin arm",
    "endpoint_arm_other_lung": "not of the lung arm",
    "endpoint_arm_open_skin": "not known whether of the skin arm",
    "endpoint_arm_open_lung": "not known whether of the lung arm",
    "endpoint_low_baseline": "baseline skin score {value}; {operator_id} {floor} is required",
    "endpoint_event_non_responder": "{event} on {on}, before the endpoint: counts as no response",
    "endpoint_event_missing": "{event} on {on}, before the endpoint: counts as missing",
    "endpoint_change_unknown": "a change that it needs is not known",
    "endpoint_without_dlco": "without DLCO: only FVC could decide",
    "event_death": "death",
    "event_organ_failure": "organ failure",
    "event_rescue_treatment": "rescue treatment",
    "event_mmf_stopped": "MMF stopped",
    # endpoints: the definitions
    "definition_mcid_dcssc": "skin score down by 5 or more (diffuse)",
    "definition_mcid_dpen": "skin score down by 3.2 or more (lower end of 3.2 to 5.3)",
    "definition_eustar": "skin score down by more than 5 and by 25% or more",
    "definition_eustar_prog": "skin score up by more than 5 and by 25% or more",
    "definition_assist_skin": "skin score down by more than 25%, if above 14 at first",
    "definition_omeract_prog": "FVC down by 10% or more, or by 5% or more with DLCO by 15% or more (relative)",
    "definition_omeract_improve": "FVC up by 10% or more, or by 5% or more with DLCO up by 15% or more (relative)",
    "definition_mcid_fvc": "FVC up by 3.0 points or more (lower end of 3.0 to 5.3)",
    "definition_mcid_fvc_worse": "FVC down by 3.0 points or more (lower end of 3.0 to 3.3)",
    "definition_ppf_2022": "FVC down by 5 points or more, or DLCO corrected for haemoglobin by 10 points or more",
    "definition_assist_lung": "FVC up by more than 10% (taken as relative)",
    "definition_stable": "the lung is not worse (not omeract_prog)",
    "definition_skin_response": "response of the skin as the protocol defines it",
    "definition_skin_worse": "its mirror image: the skin is worse",
    "definition_lung_response": "response of the lung as the protocol defines it",
    "definition_lung_worse": "its mirror image: the lung is worse",
    "definition_assist": "skin score down by more than 25%, if above 14 at first, or FVC up by more than 10%",
    "definition_any": "a response in skin or lung",
    "definition_any_no_worsening": "a response in skin or lung, and neither is worse",
    "definition_all": "a response in every domain that can be evaluated",
    # exposure summaries
    "summary_single_occasion": "one AUC stands for the whole span",
    "summary_bridged": "an occasion in between is missing and bridged by a straight line",
    "summary_short_span": "the occasions lie less than 6 weeks apart",
    "summary_incomplete": "the first or last occasion of the span is missing; the mean is over the observed days",
}
