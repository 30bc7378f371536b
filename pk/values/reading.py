"""What a sample says, or the reason why it cannot be used. Shared by every method."""

import math
from collections.abc import Sequence

from pk.values.profile import Occasion, Sample
from pk.values.reason import Reason, short

IMPLAUSIBLE_MG_L = 50.0
"""Above this a concentration of mycophenolic acid is more likely in another unit."""


def minutes(time_h: float) -> float:
    """Return hours as minutes, free of the rounding noise of the division before.

    >>> minutes(40 / 60)
    40.0
    """
    return round(time_h * 60.0, 6) if math.isfinite(time_h) else time_h


def find(occasion: Occasion, timepoint: str, nominal_min: float) -> Sample | Reason:
    """Return the occasion's one sample of that timepoint, or why there is not exactly one."""
    samples = occasion.named(timepoint)
    if len(samples) == 1:
        return samples[0]
    if samples:
        return Reason.of("sample_repeated", timepoint=timepoint, count=len(samples))
    return Reason.of("sample_missing", timepoint=timepoint, nominal_min=short(nominal_min))


def is_below_lloq(sample: Sample) -> bool:
    """Return whether the result is below quantification, by the laboratory's word or by its number.

    >>> is_below_lloq(Sample("H0", 0.0, 0.1, lloq_mg_l=0.25))
    True
    """
    if sample.conc_mg_l is None or sample.lloq_mg_l is None:
        return sample.below_lloq
    return sample.below_lloq or sample.conc_mg_l < sample.lloq_mg_l


def known_lloq_mg_l(sample: Sample) -> float | None:
    """Return the lower quantification limit when it is a positive number, else None."""
    limit = sample.lloq_mg_l
    return limit if limit is not None and math.isfinite(limit) and limit > 0 else None


def measured_mg_l(sample: Sample) -> float:
    """Return the number of a sample in which `value_problem` found nothing wrong.

    Raises
    ------
    ValueError
        If there is none.
    """
    if sample.conc_mg_l is None:
        raise ValueError(f"{sample.timepoint} has no number; look at value_problem first")
    return sample.conc_mg_l


def time_problem(sample: Sample) -> Reason | None:
    """Return why the sample's time cannot be used, or None."""
    if math.isfinite(sample.time_h):
        return None
    return Reason.of("time_not_finite", timepoint=sample.timepoint)


def value_problem(sample: Sample, *, predose: bool) -> Reason | None:
    """Return why the sample's result cannot be used, or None.

    Below quantification is expected before a dose and a refusal after it. A number that is
    negative, not finite or above `IMPLAUSIBLE_MG_L` is refused whatever the laboratory's remark.

    >>> value_problem(Sample("H2", 2.0, None, below_lloq=True), predose=False).code
    'below_lloq'
    """
    conc = sample.conc_mg_l
    if sample.above_uloq:
        return Reason.of("above_uloq", timepoint=sample.timepoint)
    if conc is not None and not math.isfinite(conc):
        return Reason.of("value_not_finite", timepoint=sample.timepoint)
    if conc is not None and conc < 0:
        return Reason.of("value_negative", timepoint=sample.timepoint, conc_mg_l=short(conc))
    if conc is not None and conc > IMPLAUSIBLE_MG_L:
        numbers = {"conc_mg_l": short(conc), "limit_mg_l": short(IMPLAUSIBLE_MG_L)}
        return Reason.of("value_implausible", timepoint=sample.timepoint, **numbers)
    if is_below_lloq(sample):
        return None if predose else Reason.of("below_lloq", timepoint=sample.timepoint)
    if conc is None:
        return Reason.of("value_missing", timepoint=sample.timepoint)
    return None


def predose_highest(predose: Sample, later: tuple[Sample, ...]) -> tuple[Reason, ...]:
    """Return a caveat when the pre-dose concentration exceeds every later one.

    A maximum before an oral dose suggests swapped tubes or an earlier dose; nothing is reordered.
    """
    values = [sample.conc_mg_l for sample in later]
    if predose.conc_mg_l is None or not values or is_below_lloq(predose):
        return ()
    if all(value is not None and value < predose.conc_mg_l for value in values):
        return (Reason.of("predose_highest", timepoint=predose.timepoint),)
    return ()


def predose_highest_by_time(samples: Sequence[Sample]) -> tuple[Reason, ...]:
    """Return that caveat where exactly one sample was drawn before the dose or with it, whatever its name."""
    before = [sample for sample in samples if sample.time_h <= 0]
    later = tuple(sample for sample in samples if sample.time_h > 0)
    return predose_highest(before[0], later) if len(before) == 1 else ()
