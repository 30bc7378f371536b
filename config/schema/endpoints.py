"""The shape of the sections [eligibility] and [endpoints] of a protocol file. The defaults are documented choices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.shapes import Shape

__all__ = ["EligibilityFile", "EndpointsFile"]

Positive = Annotated[float, Field(gt=0)]
OperatorWord = Literal[">", ">="]
StrategyWord = Literal["non_responder", "treatment_policy", "while_on_treatment", "missing"]


class EligibilityFile(Shape):
    """Of whom "no biotherapy in the last 6 months" is asked."""

    biologic_scope: Literal["lung_arm", "both_arms"] = "lung_arm"


class SkinFile(Shape):
    """A response of the skin; a threshold that is 0 is not asked for."""

    abs_threshold: Annotated[float, Field(ge=0)] = 5
    abs_operator: OperatorWord = ">="
    rel_threshold: Annotated[float, Field(ge=0)] = 25
    rel_operator: OperatorWord = ">="
    min_baseline: Annotated[float, Field(ge=0)] = 7


class LungFile(Shape):
    """A response of the lung; without the pair of lower thresholds (both 0) DLCO plays no part."""

    unit: Literal["rel", "abs", "litres"] = "rel"
    operator: OperatorWord = ">="
    threshold: Positive = 10
    with_dlco_threshold: Annotated[float, Field(ge=0)] = 5
    dlco_threshold: Annotated[float, Field(ge=0)] = 15


class StrategiesFile(Shape):
    """What an event before the endpoint makes of a response."""

    death: StrategyWord = "non_responder"
    organ_failure: StrategyWord = "non_responder"
    rescue_treatment: StrategyWord = "non_responder"
    mmf_stopped: StrategyWord = "non_responder"


class EndpointsFile(Shape):
    """Which assessments are the endpoints, when they count, and what counts as a response."""

    mrss: str = "mrss"
    fvc: str = "fvc"
    dlco: str = "dlco"
    anchor: Literal["inclusion", "treatment_start"] = "inclusion"
    at_months: Annotated[int, Field(ge=1, le=120)] = 12
    window_days: Annotated[int, Field(ge=0, le=183)] = 91
    prorate_missing_sites: Annotated[int, Field(ge=0)] = 0
    dlco_hb_corrected_required: bool = True
    composite_rule: Literal["any", "any_no_worsening", "all"] = "any"
    skin: SkinFile = SkinFile()
    lung: LungFile = LungFile()
    intercurrent_strategy: StrategiesFile = StrategiesFile()
