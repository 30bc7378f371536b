"""What to know of an interval, an average over models, or a profile that no model explains, by code."""

POSTERIOR_SENTENCES: dict[str, str] = {
    "posterior_uncertain": (
        "The interval rests on about {effective} effective draws only and may be off; "
        "the samples fit the model badly or in several ways."
    ),
    # the average over models
    "average_one_model": (
        "{model} has {percent} % of the weight in the average over models (others in it: {others}): "
        "read it as an estimate by that model."
    ),
    "average_model_cannot_reach": (
        "{model} has no part in the average: it predicts no drug at the time of a sample that has some."
    ),
    # the profile as a whole
    "profile_unexplained": (
        "None of the models tried ({models}) explains these samples together: under each, fewer than {percent} % "
        "of profiles are so unusual. Most out of line: {timepoints}. Nothing was changed."
    ),
    "profile_looks_swapped": (
        "With the results of {first} and {second} exchanged, the profile would be ordinary: "
        "check the tubes. Nothing was exchanged."
    ),
    "profile_unit_suspected": (
        "With every result multiplied by {factor}, the profile would be ordinary, and 1 mg/L is {per} {unit}: "
        "check the unit and that it was converted once. Nothing was changed."
    ),
}
