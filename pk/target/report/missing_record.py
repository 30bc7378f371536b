"""What missing outcomes could change, as JSON; part of `pk/schemas/target-output.json`."""

from dataclasses import asdict
from typing import assert_never

from pk.target.findings import Missing
from pk.target.missing.bounds import Bounds
from pk.target.missing.changes import ImputedSlope, RankBounds
from pk.target.missing.imputation import Imputed
from pk.target.statistics.proportions import Interval
from pk.values.jsontypes import Json, JsonObject


def missing_record(found: Missing | None) -> Json:
    """Return what missing outcomes could change as JSON."""
    match found:
        case None:
            return None
        case Bounds():
            return {
                "method": "bounds",
                "count": found.missing,
                "best": {**asdict(found.best)},
                "worst": {**asdict(found.worst)},
                "verdict": found.verdict.value,
                "tipping": found.tipping,
            }
        case Imputed():
            return {
                "method": "imputation",
                "count": found.missing,
                "imputations": found.imputations,
                "coef": found.odds.value,
                "ci": _pair(found.odds.ci),
                "p": found.odds.p,
                "variance_from_missing": found.odds.from_missing,
                "coef_known": found.known,
                "tipping_log_odds": found.tipping,
            }
        case RankBounds():
            return {
                "method": "rank_bounds",
                "count": found.missing,
                "lowest": {**asdict(found.lowest)},
                "highest": {**asdict(found.highest)},
                "verdict": found.verdict.value,
            }
        case ImputedSlope():
            return _imputed_slope(found)
    assert_never(found)


def _imputed_slope(found: ImputedSlope) -> JsonObject:
    shifts: list[Json] = [
        {"shift": one.shift, "per_10": 10 * one.value, "ci": _per_10(one.ci), "p": one.p}
        for one in found.shifts
    ]
    return {
        "method": "linear_imputation",
        "count": found.missing,
        "imputations": found.imputations,
        "per_10": 10 * found.slope.value,
        "ci": _per_10(found.slope.ci),
        "p": found.slope.p,
        "variance_from_missing": found.slope.from_missing,
        "per_10_known": 10 * found.known,
        "shifts": shifts,
        "tipping": found.tipping,
        "searched": found.searched,
    }


def _per_10(limits: Interval) -> Json:
    return [10 * limits[0], 10 * limits[1]]


def _pair(limits: Interval) -> Json:
    return [limits[0], limits[1]]
