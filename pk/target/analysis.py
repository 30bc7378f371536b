"""From patients to what may be said of them: the one way in."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pk.target.asked import Direction
from pk.target.association import correlation as associations
from pk.target.association.shape import Doubling, Shape, per_doubling, shape_of
from pk.target.caveats import warnings_of
from pk.target.cut.discrimination import area_test, bootstrap_interval, counted, roc_area
from pk.target.cut.max_selected import MaxSelected, max_selected
from pk.target.cut.prespecified import AtCut, at_cut
from pk.target.cutpoint import cutpoint
from pk.target.data.patients import Numbers, Patients, patients_of
from pk.target.findings import (
    Association,
    Conclusion,
    Cutpoint,
    Description,
    Gate,
    Missing,
    Odds,
    Roc,
    Settings,
    Spread,
    Standing,
    TargetAnalysis,
)
from pk.target.gates import Evidence, extra_gates, tier_gates
from pk.target.missing.bounds import LEAST_FOR_IMPUTATION, bounds
from pk.target.missing.changes import imputed_slope, rank_bounds
from pk.target.missing.imputation import imputed
from pk.target.pace import Step, unwatched
from pk.target.statistics.firth import firth
from pk.target.tiers import FROM_TIER, LARGEST_P, LEAST_FOR_DELONG, Allowance, Item, Tier, tier_of
from pk.values.arrays import Bools, Floats

_CANDIDATE_TIER = 4


def analyse(
    exposure: Numbers,
    outcome: Numbers,
    *,
    responder: Sequence[bool | None] | None = None,
    baseline: Numbers | None = None,
    others: Sequence[Numbers] = (),
    binary: bool = True,
    settings: Settings | None = None,
    step: Step = unwatched,
) -> TargetAnalysis:
    """Return what these patients allow to be said about exposure and outcome.

    What the number of patients forbids is not computed: it is None in the result.

    Parameters
    ----------
    exposure, outcome : sequence of float or None
        One per patient, None where missing. Exposure in mg·h/L (any number that is not negative); a negative one
        is left out and counted. The outcome is 0/1, or any number whose higher values are larger.
    responder : sequence of bool or None, optional
        Who responded, None where that is not known. Without it an outcome of nothing but 0 and 1 is taken to say so;
        any other outcome has no responders, and then no cut can be asked for.
    binary : bool
        Whether an outcome of nothing but 0 and 1 is taken so; False where it is a continuous one by chance.
    baseline : sequence of float or None, optional
        Adjusted for, where a model allows it.
    others : sequence of columns, optional
        What else missing responses are imputed from, beside exposure and baseline.
    settings : Settings, optional
    step : callable, optional
        Called `pace.STEPS` times, after every part.

    Raises
    ------
    ValueError
        If the columns differ in length or hold a number that is not finite.
    """
    settings = settings or Settings()
    if responder is None and binary and all(one is None or one in (0, 1) for one in outcome):
        responder = [None if one is None else one == 1 for one in outcome]
    others = others if baseline is None else (baseline, *others)
    return analysed(patients_of(exposure, outcome, responder, baseline, others), settings, step)


def analysed(patients: Patients, settings: Settings, step: Step = unwatched) -> TargetAnalysis:
    """Return what the patients allow to be said; see `analyse`."""
    n, smaller = patients.exposure.size, patients.smaller_group
    contrast = _contrast(patients)
    tier = tier_of(n, smaller, contrast=contrast and smaller != 0)
    may = Allowance(tier, settings.unlock_tier and contrast)
    both = patients.responder if smaller and contrast else None
    found = _association(patients, may, settings)
    step()
    roc = _roc(patients.exposure, both, settings) if both is not None and Item.AREA in may else None
    step()
    selected = None
    if both is not None and Item.MAX_SELECTED in may:
        selected = max_selected(counted(patients.exposure, both), settings.permutations, settings.seed)
    step()
    cut = cutpoint(patients.exposure, both, settings) if both is not None and Item.CUT in may else None
    step()
    odds = _odds(patients, both) if both is not None and Item.FIRTH in may else None
    doubling, shape = _shape(patients, both, may)
    step()
    missing = _missing(patients, both, may, settings) if contrast else None
    step()
    extra = extra_gates(_evidence(patients.exposure, roc, selected, cut))
    conclusion = _conclusion(tier.number, extra, found, roc)
    if cut is not None:
        cut = replace(cut, standing=_standing(conclusion))
    result = TargetAnalysis(
        settings=settings,
        data_hash=patients.data_hash(),
        n=n,
        n_responders=None if patients.responder is None else int(np.count_nonzero(patients.responder)),
        left_out=patients.left_out,
        tier=tier,
        gates=(*tier_gates(n, smaller), *extra),
        conclusion=conclusion,
        exposure=patients.exposure,
        outcome=patients.outcome,
        responder=patients.responder,
        description=_description(patients) if Item.DESCRIPTION in may and n > 0 else None,
        association=found,
        doubling=doubling,
        shape=shape,
        roc=roc,
        firth=odds,
        prespecified=_prespecified(patients.exposure, both, settings) if Item.PRESPECIFIED in may else (),
        max_selected=selected,
        cutpoint=cut,
        missing=missing,
        warnings=(),
    )
    return replace(result, warnings=warnings_of(result))


def associated(patients: Patients, settings: Settings) -> tuple[Tier, Association | None]:
    """Return tier and association alone, as `analysed` would: for many combinations of exposure and outcome."""
    smaller = patients.smaller_group
    tier = tier_of(patients.exposure.size, smaller, contrast=_contrast(patients) and smaller != 0)
    return tier, _association(patients, Allowance(tier), settings)


def _contrast(patients: Patients) -> bool:
    return (
        patients.exposure.size > 0
        and bool(np.ptp(patients.exposure) > 0)
        and bool(np.ptp(patients.outcome) > 0)
    )


def _association(patients: Patients, may: Allowance, settings: Settings) -> Association | None:
    """Correlations, and for an outcome of more than two values slopes; None without a contrast."""
    if Item.CORRELATION not in may:
        return None
    exposure, outcome = patients.exposure, patients.outcome
    rank = associations.spearman(
        exposure,
        outcome,
        permutations=settings.permutations,
        bootstrap=settings.bootstrap if Item.CORRELATION_INTERVAL in may else 0,
        seed=settings.seed,
    )
    if rank is None:
        return None
    linear = associations.pearson(exposure, outcome)
    if Item.SLOPE not in may or np.unique(outcome).size == 2:
        return Association(rank, linear, None, None, None, None, None)
    theil_sen = associations.theil_sen(exposure, outcome)
    slope, p = associations.linear_slope(exposure, outcome) or (None, None)
    adjusted, adjusted_p = None, None
    if patients.baseline is not None:
        known = np.isfinite(patients.baseline)
        found = associations.linear_slope(exposure[known], outcome[known], patients.baseline[known])
        adjusted, adjusted_p = found or (None, None)
    return Association(rank, linear, theil_sen, slope, p, adjusted, adjusted_p)


def _roc(exposure: Floats, responder: Bools, settings: Settings) -> Roc:
    """The area turned to the direction stated beforehand; DeLong's limits only from enough patients on."""
    sign = 1.0 if settings.direction is Direction.HIGHER else -1.0
    counts = counted(sign * exposure, responder)
    area, test = roc_area(counts), area_test(counts)
    if min(counts.responders.sum(), counts.others.sum()) >= LEAST_FOR_DELONG:
        return Roc(area.value, area.ci_delong, area.ci_logit_delong, None, area.separated, test)
    unstable = bootstrap_interval(counts, settings.bootstrap, settings.seed)
    return Roc(area.value, None, None, unstable, area.separated, test)


def _odds(patients: Patients, responder: Bools) -> Odds | None:
    """Firth's regression on exposure, and on exposure and baseline of those who have one."""
    alone = firth(patients.exposure[:, None], responder)
    if alone is None:
        return None
    adjusted = None
    if patients.baseline is not None:
        known = np.isfinite(patients.baseline)
        if 0 < np.count_nonzero(responder[known]) < np.count_nonzero(known):
            columns = np.column_stack([patients.exposure[known], patients.baseline[known]])
            adjusted = firth(columns, responder[known])
    return Odds(alone.coefficients[0], None if adjusted is None else adjusted.coefficients[0])


def _shape(patients: Patients, both: Bools | None, may: Allowance) -> tuple[Doubling | None, Shape | None]:
    """The effect per doubling of exposure, and whether the relation is straight."""
    if Item.SHAPE not in may or not _contrast(patients) or (patients.responder is not None and both is None):
        return None, None
    exposure, outcome = patients.exposure, patients.outcome
    return per_doubling(exposure, outcome, both), shape_of(exposure, outcome, both)


def _missing(
    patients: Patients, responder: Bools | None, may: Allowance, settings: Settings
) -> Missing | None:
    """What missing outcomes could change: imputed from enough patients on, bounds below."""
    without = patients.without_outcome
    if without.size == 0 or Item.MISSING not in may:
        return None
    if patients.responder is None:
        outcome, others = patients.outcome, (patients.others, patients.others_without)
        if outcome.size >= LEAST_FOR_IMPUTATION and Item.SLOPE in may:
            return imputed_slope(patients.exposure, outcome, without, others, settings.seed)
        return rank_bounds(patients.exposure, outcome, without, settings.permutations, settings.seed)
    if responder is None:
        return None
    if responder.size >= LEAST_FOR_IMPUTATION and Item.FIRTH in may:
        known = patients.exposure, responder
        return imputed(known, without, (patients.others, patients.others_without), settings.seed)
    return bounds(patients.exposure, responder, without, higher=settings.direction is Direction.HIGHER)


def _prespecified(exposure: Floats, responder: Bools | None, settings: Settings) -> tuple[AtCut, ...]:
    if responder is None:
        return ()
    higher = settings.direction is Direction.HIGHER
    return tuple(at_cut(exposure, responder, cut, higher=higher) for cut in settings.cuts)


def _description(patients: Patients) -> Description:
    def spread(of: Floats) -> Spread | None:
        if of.size == 0:
            return None
        quarter, median, three_quarters = np.quantile(of, [0.25, 0.5, 0.75])
        return Spread(of.size, float(median), float(quarter), float(three_quarters))

    everyone = spread(patients.exposure)
    assert everyone is not None
    if patients.responder is None:
        return Description(everyone, None, None)
    responders, others = patients.exposure[patients.responder], patients.exposure[~patients.responder]
    return Description(everyone, spread(responders), spread(others))


def _evidence(
    exposure: Floats, roc: Roc | None, selected: MaxSelected | None, cut: Cutpoint | None
) -> Evidence | None:
    if roc is None or cut is None:
        return None
    lower = None if roc.ci_logit_delong is None else roc.ci_logit_delong[0]
    p = None if selected is None else selected.p_permutation
    return Evidence(roc.area, lower, p, cut.value, cut.ci, exposure)


def _conclusion(tier: int, extra: tuple[Gate, ...], found: Association | None, roc: Roc | None) -> Conclusion:
    """By the tier that holds, also where it was unlocked."""
    if tier == 0 or found is None:
        return Conclusion.NOT_ESTIMABLE
    p = found.spearman.p if roc is None or tier < FROM_TIER[Item.AREA] else roc.test.p
    if found.spearman.p_method == "exact" and found.spearman.smallest_p >= LARGEST_P:
        return Conclusion.NOT_ESTIMABLE
    if tier >= FROM_TIER[Item.CUT] and all(gate.passed for gate in extra):
        return Conclusion.CANDIDATE if tier >= _CANDIDATE_TIER else Conclusion.EXPLORATORY
    return Conclusion.NO_USABLE_CUT if p < LARGEST_P else Conclusion.NO_EVIDENCE


def _standing(conclusion: Conclusion) -> Standing:
    if conclusion is Conclusion.CANDIDATE:
        return Standing.CANDIDATE
    return Standing.EXPLORATORY if conclusion is Conclusion.EXPLORATORY else Standing.ARBITRARY
