"""What must be said beside any result: the standing caveats, and what these patients are short of."""

from collections.abc import Iterator

from pk.target.association.correlation import LEAST_FOR_BOOTSTRAP
from pk.target.findings import TargetAnalysis
from pk.values.reason import Reason, short

STANDING = ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9")

FARTHEST_APART = 10.0
"""mg·h/L between the binormal cut and Youden's beyond which the assumption is in doubt."""


def warnings_of(found: TargetAnalysis) -> tuple[Reason, ...]:
    """Return the caveats of an analysis: the standing ones first, then its own, by code."""
    own = (*_of_rows(found), *_of_contrast(found), *_of_direction(found), *_of_cut(found))
    return (*(Reason.of(code) for code in STANDING), *_counted(found), *own)


def _counted(found: TargetAnalysis) -> Iterator[Reason]:
    yield Reason.of("C10", count=found.settings.analyses_run)
    if found.settings.flagged_exposures:
        yield Reason.of("C11", count=found.settings.flagged_exposures)
    if _interval_missing(found):
        yield Reason.of("C12")


def _interval_missing(found: TargetAnalysis) -> bool:
    """Whether something stands here whose interval cannot be estimated, or may not be."""
    if found.association is None:
        return True
    spearman = found.association.spearman
    area = found.roc is not None and found.roc.ci_logit_delong is None and found.roc.ci_bootstrap is None
    odds = found.firth is not None and found.firth.exposure.ci is None
    return area or odds or (spearman.ci is None and found.n < LEAST_FOR_BOOTSTRAP)


def _of_rows(found: TargetAnalysis) -> Iterator[Reason]:
    left = found.left_out
    for code, count in (
        ("target_exposure_missing", left.exposure_missing),
        ("target_exposure_negative", left.exposure_negative),
        ("target_outcome_missing", left.outcome_missing),
        ("target_baseline_missing", left.baseline_missing),
    ):
        if count:
            yield Reason.of(code, count=count)


def _of_contrast(found: TargetAnalysis) -> Iterator[Reason]:
    if found.n > 1 and found.exposure[0] == found.exposure[-1]:
        yield Reason.of("target_exposure_constant", value=short(float(found.exposure[0])))
    if found.n > 1 and (found.outcome == found.outcome[0]).all():
        yield Reason.of("target_outcome_constant", value=short(float(found.outcome[0])))
    elif found.n > 1 and found.n_responders in (0, found.n):
        yield Reason.of("target_response_constant")
    if found.roc is not None and found.roc.separated:
        yield Reason.of("target_separated")


def _of_direction(found: TargetAnalysis) -> Iterator[Reason]:
    if found.roc is not None and found.roc.opposite:
        yield Reason.of("target_opposite")


def _of_cut(found: TargetAnalysis) -> Iterator[Reason]:
    cut = found.cutpoint
    if cut is None:
        return
    if cut.binormal is not None and abs(cut.binormal - cut.value) > FARTHEST_APART:
        apart = short(abs(cut.binormal - cut.value))
        yield Reason.of("target_binormal_differs", apart=apart, limit=short(FARTHEST_APART))
    if len(cut.ties) > 1:
        low, high = short(cut.ties[0]), short(cut.ties[-1])
        yield Reason.of("target_ties", count=len(cut.ties), low=low, high=high)
    moved = cut.leave_one_out
    if moved is not None and moved[1] > moved[0]:
        yield Reason.of("target_influence", low=short(moved[0]), high=short(moved[1]))
    for one in cut.measurement_error:
        yield Reason.of(
            "target_measurement_error",
            percent=short(100 * one.cv),
            low=short(one.ci[0]),
            high=short(one.ci[1]),
        )
