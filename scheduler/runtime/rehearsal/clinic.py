"""What the synthetic clinic finds: eligibility, skin score by site, lung function. Plausible, and nothing more."""

from __future__ import annotations

from datetime import date, datetime
from random import Random

from scheduler.domain.facts import Answer, Assessed, EligibilityAssessed
from scheduler.domain.protocol import Activity

__all__ = ["assessment", "eligibility"]

_UNRECORDED, _UNDATED = 8, 4  # of twelve: without eligibility on record, without a date of the first sign
_SITE_ASSESSOR, _EQUATION = "Dr A", "GLI-2012 / GLI-2017"


def eligibility(number: int, on: date) -> EligibilityAssessed | None:
    """The answers of the n-th patient: of the skin arm, the lung arm or both, in turn; None for one of twelve."""
    place = (number - 1) % 12 + 1
    if place == _UNRECORDED:
        return None
    skin, lung = number % 3 != 0, number % 3 != 1
    yes, no = Answer.YES, Answer.NO
    return EligibilityAssessed(
        on=on,
        age_years=35 + 7 * number % 40,
        thickening_spares_fingers=no,
        better_explained_otherwise=no,
        thickening_proximal_to_mcp=yes if skin else no,
        puffy_fingers=no,
        sclerodactyly=yes,
        digital_tip_ulcers=no,
        pitting_scars=yes if place % 2 else Answer.UNKNOWN,
        telangiectasia=yes,
        abnormal_nailfold_capillaries=Answer.UNKNOWN,
        pulmonary_arterial_hypertension=no,
        interstitial_lung_disease=yes if lung else no,
        raynaud=yes,
        anti_centromere=no,
        anti_topoisomerase_i=yes if lung else Answer.UNKNOWN,
        anti_rna_polymerase_iii=no,
        diffuse_skin=yes if skin else no,
        first_sign=None if place == _UNDATED else f"{on.year - 1}-{number % 12 + 1:02d}",
        other_immunosuppressant=no,
        ild_on_imaging=yes if lung else no,
        mmf_first_line=yes,
        mmf_after_cyclophosphamide=no,
        biologic_last_6_months=no,
    )


def assessment(visit: str, activity: Activity, at: datetime, baseline: float | None, rng: Random) -> Assessed:
    """An assessment: at first anything plausible, later a value near the first one."""
    if activity.integer:
        drawn = rng.randint(12, 28)
        value = float(drawn if baseline is None else round(baseline * (0.6 + (drawn - 12) / 32)))
        sites = _spread(int(value), activity)
        return Assessed(visit, activity.id, at, value, activity.unit, sites, _SITE_ASSESSOR)
    drawn_value = rng.uniform(55, 95)
    value = round(drawn_value if baseline is None else baseline * (0.9 + (drawn_value - 55) / 160), 1)
    return Assessed(
        visit,
        activity.id,
        at,
        value,
        activity.unit,
        equation=_EQUATION if activity.predicted else None,
        hb_corrected=True if activity.hb_correction else None,
    )


def _spread(total: int, activity: Activity) -> tuple[tuple[str, int], ...]:
    """A total as scores of its sites, which differ by one at most."""
    if not activity.sites:
        return ()
    least, more = divmod(total, len(activity.sites))
    return tuple((site, least + (place < more)) for place, site in enumerate(activity.sites))
