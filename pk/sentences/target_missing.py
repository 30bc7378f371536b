"""What missing outcomes leave open in the analysis of exposure and outcome, by code."""

TARGET_MISSING_SENTENCES: dict[str, str] = {
    # responses
    "target_missing_bounds": (
        "Outcomes missing: {count}. Were they known, Spearman's correlation would lie between {worst} (worst case for "
        "the expected direction) and {best} (best case)."
    ),
    "target_missing_never": "No answer of these patients would make the association significant as expected.",
    "target_missing_always": "Whatever they answer, the association stays significant as expected.",
    "target_missing_depends": (
        "Whether the association is significant as expected depends on them: not, once {tipping} of the {count} "
        "answer otherwise than in the best case."
    ),
    "target_missing_imputed_beyond": (
        "Outcomes missing: {count}, imputed {imputations} times from exposure and what else is known: the odds of "
        "response then have no limits that a number could give."
    ),
    "target_missing_imputed": (
        "Outcomes missing: {count}, imputed {imputations} times from exposure and what else is known: odds of response "
        "per 10 units of exposure times {odds} (95 % interval {low} to {high}); {percent} % of its variance comes "
        "from the missing outcomes."
    ),
    "target_missing_odds_none": (
        "That takes missing outcomes to be like known ones of the same exposure. Whether it is significant stays the "
        "same if their odds of response are up to {times} times higher or lower."
    ),
    "target_missing_odds_likelier": (
        "That takes missing outcomes to be like known ones of the same exposure. Whether it is significant turns if "
        "their odds of response are {times} times higher."
    ),
    "target_missing_odds_rarer": (
        "That takes missing outcomes to be like known ones of the same exposure. Whether it is significant turns if "
        "their odds of response are {times} times lower."
    ),
    # outcomes that are numbers
    "target_missing_ranks": (
        "Outcomes missing: {count}. Were they known, Spearman's correlation would lie between {lowest} and {highest}."
    ),
    "target_missing_ranks_never": "Whatever they are, the association would not be significant.",
    "target_missing_ranks_always": "Whatever they are, the association stays significant.",
    "target_missing_ranks_depends": "Whether the association is significant depends on them.",
    "target_missing_slope": (
        "Outcomes missing: {count}, imputed {imputations} times from exposure and what else is known: change of the "
        "outcome per 10 units of exposure {slope} (95 % interval {low} to {high}), with the known ones alone {known}; "
        "{percent} % of its variance comes from the missing outcomes."
    ),
    "target_missing_no_tipping": (
        "That takes missing outcomes to be like known ones of the same exposure and baseline. Whether it is "
        "significant stays the same if they are up to {shift} higher or lower than that."
    ),
    "target_missing_tipping_higher": (
        "That takes missing outcomes to be like known ones of the same exposure and baseline. Whether it is "
        "significant turns if they are {shift} higher than that on average."
    ),
    "target_missing_tipping_lower": (
        "That takes missing outcomes to be like known ones of the same exposure and baseline. Whether it is "
        "significant turns if they are {shift} lower than that on average."
    ),
}
