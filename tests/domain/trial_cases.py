"""A subject of both arms, the usual settings, and the day a year after the inclusion."""

from __future__ import annotations

from datetime import date

import domain_cases as cases

from scheduler.domain.facts import Answer, EligibilityAssessed
from scheduler.domain.trial.settings import EndpointSettings

YEAR = date(2026, 9, 1)
USUAL = EndpointSettings()
EQUATION = "GLI-2012"
YES = Answer.YES
BOTH = EligibilityAssessed(
    cases.BASELINE, 40, Answer.NO, Answer.NO, YES, diffuse_skin=YES, first_sign="2025-01",
    other_immunosuppressant=Answer.NO, ild_on_imaging=YES, mmf_first_line=YES, biologic_last_6_months=Answer.NO,
)  # fmt: skip
