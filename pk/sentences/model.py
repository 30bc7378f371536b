"""What is wrong with a population model or its covariates, and caveats, by code."""

MODEL_SENTENCES: dict[str, str] = {
    # the model does not fit the treatment
    "model_not_for_formulation": "{model} describes {expected}; the subject takes {formulation}.",
    "model_lag_too_long": (
        "{model} has a lag of {lag_h} h, which must be shorter than the dosing interval of {interval_h} h."
    ),
    # covariates
    "covariate_not_number": "{field} is not a finite number; give it in {unit}.",
    "covariate_implausible": (
        "{field} is {value} {unit}; only values from {low} to {high} {unit} are accepted: check the unit."
    ),
    "covariate_required": "{model} is not defined without {field}; give a value above 0 or use another model.",
    "covariate_effect_impossible": "With the covariates given, {parameter} of {model} would be {value}.",
    "covariate_at_reference": "{field} is not given; the reference of {model} was used, {reference} {unit}.",
    "covariate_as_for": "{field} is not given; {model} was used as for '{reference}'.",
    "covariate_at_typical": "{field} is not given; the typical {parameter} of {model} was used, {value}.",
    "covariate_outside_range": (
        "{field} is {value} {unit}; the patients of {model} had {low} to {high} {unit}, "
        "and its relation was continued beyond them."
    ),
    "covariate_outside_quartiles": (
        "{field} is {value} {unit}; the middle half of the patients of {model} had {low} to {high} {unit}, "
        "and their full range is not known."
    ),
    "covariate_range_unknown": (
        "{field} is {value} {unit}; which values the patients of {model} had is not known."
    ),
    # a model given inline
    "model_not_readable": "{field} is neither the name of a model nor a description of one.",
    "model_random_effect_on_zero": "{field} names {parameter}, which is 0 and cannot vary by a factor.",
    "model_parameters_missing": "{field} must name one parameter or more.",
    "model_parameters_repeated": "{field} names a parameter more than once.",
    "model_matrix_wrong_shape": (
        "{field} must be a square matrix, {count} by {count}: a row and a column for each parameter."
    ),
    "model_matrix_not_symmetric": "{field} is not symmetric; a covariance is the same in both directions.",
    "model_matrix_not_positive_definite": (
        "{field} is not positive definite; variances must be above 0 and correlations between -1 and 1."
    ),
}
