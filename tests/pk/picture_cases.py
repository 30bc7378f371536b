"""Pictures for the tests: a usual curve and course, and hard ones."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from pk.pictures.course import CourseWords, ExposureCourse, ExposureSeries, ReferenceBand, VisitAuc
from pk.pictures.curve import ConcentrationCurve, CurveWords, DrawnSample, NominalWindow
from pk.pictures.image import Picture

TIMES = tuple(np.linspace(0, 12, 97).tolist())


OWN = tuple(2 * math.exp(-0.3 * t) + 30 * (math.exp(-0.4 * t) - math.exp(-2 * t)) for t in TIMES)


WORDS = CurveWords(
    title="MPA-0042-7 · 6 semaines\nAUC0-12 45,2 mg·h/L\nintervalle à 90\u202f%\u202f: 38,1 – 54,0 mg·h/L",
    time="Temps après la prise (h)",
    concentration="MPA (mg/L)",
    individual="Courbe estimée du patient",
    band="Son intervalle",
    population="Courbe attendue sans les prélèvements",
    sample="Prélèvement, à son heure réelle",
    limit="Sous la limite de quantification",
    window="Horaire prévu",
    dose="Prise",
    beyond="L'intervalle monte jusqu'à {value} mg/L.",
    remark="Usage de recherche.",
    decimal=",",
)


COURSE_WORDS = CourseWords(
    title="AUC0-12 over the visits", auc="AUC0-12 (mg·h/L)", beyond="An interval reaches {value} mg·h/L."
)


SAMPLES = (DrawnSample("H0", -0.9, 1.85), DrawnSample("H30", 0.58, 9.2), DrawnSample("H2", 2.03, 6.4))


WINDOWS = (
    NominalWindow("H0", -1, 0),
    NominalWindow("H30", 1 / 3, 2 / 3),
    NominalWindow("H2", 11 / 6, 13 / 6),
)


def curve(**changes: Any) -> ConcentrationCurve:
    usual = ConcentrationCurve(
        times_h=TIMES,
        individual_mg_l=OWN,
        band_mg_l=(tuple(0.8 * c for c in OWN), tuple(1.3 * c for c in OWN)),
        population_mg_l=tuple(0.9 * c for c in OWN),
        samples=SAMPLES,
        windows=WINDOWS,
        interval_h=12.0,
        words=WORDS,
    )
    return replace(usual, **changes)


def course(*aucs: VisitAuc | None, **changes: Any) -> ExposureCourse:
    given = aucs or (VisitAuc(43.5, 36, 52), None, VisitAuc(61.1))
    usual = ExposureCourse(
        visits=tuple(f"{i} weeks" for i in range(len(given))),
        series=(ExposureSeries("Pawinski 2002", given),),
        bands=(ReferenceBand("borrowed: 30 – 60", 30, 60), ReferenceBand("borrowed: 35", 35, None)),
        words=COURSE_WORDS,
    )
    return replace(usual, **changes)


CASES: dict[str, Picture] = {
    "usual": curve(),
    "two samples": curve(samples=SAMPLES[::2]),
    "H0 below the limit": curve(samples=(DrawnSample("H0", -0.9, None, 0.25), *SAMPLES[1:])),
    "very high": curve(
        samples=(*SAMPLES[:1], DrawnSample("H30", 0.5, 180.0)), individual_mg_l=[9 * c for c in OWN]
    ),
    "swapped": curve(samples=(DrawnSample("H0", -0.1, 30.0), DrawnSample("H30", 0.5, 2.0))),
    "no band": curve(band_mg_l=None, population_mg_l=None, windows=()),
    "extreme band": curve(band_mg_l=(tuple(0.0 for _ in OWN), tuple(50 * c for c in OWN))),
    "nothing measurable": curve(individual_mg_l=tuple(0.0 for _ in OWN), band_mg_l=None, samples=()),
    "a day": curve(interval_h=24.0, times_h=tuple(2 * t for t in TIMES)),
    "course": course(),
    "course without a value": course(None, None),
    "extreme interval": course(VisitAuc(43.5, 2, 900)),
    "many visits": course(
        *(VisitAuc(40 + i) for i in range(9)), visits=tuple(f"Consultation {i}" for i in range(9))
    ),
}
