"""How many patients a question needs: ROC areas and correlations."""

import math
from collections.abc import Callable

from scipy.special import ndtr, ndtri


def hanley_mcneil_se(area: float, responders: int, others: int) -> float:
    """Return the standard error of an ROC area, 0 < area < 1.

    Q₁ = A/(2 − A), Q₂ = 2A²/(1 + A); variance (A(1 − A) + (n₁ − 1)(Q₁ − A²) + (n₀ − 1)(Q₂ − A²))/(n₁n₀).
    Source: Hanley J, McNeil B. Radiology 1982;143:29–36.
    """
    q1, q2, square = area / (2 - area), 2 * area * area / (1 + area), area * area
    total = area * (1 - area) + (responders - 1) * (q1 - square) + (others - 1) * (q2 - square)
    return math.sqrt(total / (responders * others))


def area_power(area: float, responders: int, others: int, alpha: float = 0.05) -> float:
    """Return the power to tell an ROC area above 0.5 from 0.5, two-sided level `alpha`, by Hanley and McNeil.

    >>> round(area_power(0.70, 20, 30), 2), round(area_power(0.75, 20, 30), 2)
    (0.67, 0.88)
    """
    null = hanley_mcneil_se(0.5, responders, others)
    reach = area - 0.5 - float(ndtri(1 - alpha / 2)) * null
    return float(ndtr(reach / hanley_mcneil_se(area, responders, others)))


def obuchowski_power(area: float, cases: int, controls: int, alpha: float = 0.05) -> float:
    """Return the power to tell an ROC area from 0.5, two-sided level `alpha`, by the binormal variance.

    With A = 1.414·Φ⁻¹(area), κ = controls/cases: V(A) = 0.0099·exp(−A²/2)·(5A² + 8 + (A² + 8)/κ); power
    Φ((√cases·(area − ½) − z·√V(0))/√V(A)).
    Source: Obuchowski N, McClish D. Stat Med 1997;16:1529–1542; Obuchowski N, Lieber M, Wians F.
    Clin Chem 2004;50:1118–1125.

    >>> round(obuchowski_power(0.73, 41, 72), 7)
    0.9897453
    """
    ratio = controls / cases

    def variance(a: float) -> float:
        return 0.0099 * math.exp(-a * a / 2) * (5 * a * a + 8 + (a * a + 8) / ratio)

    reach = math.sqrt(cases) * (area - 0.5) - float(ndtri(1 - alpha / 2)) * math.sqrt(variance(0.0))
    return float(ndtr(reach / math.sqrt(variance(1.414 * float(ndtri(area))))))


PowerOf = Callable[[float, int, int, float], float]
"""The power of an ROC area with so many responders and others at a two-sided level."""


def area_sample_size(
    area: float,
    responder_share: float,
    power: float = 0.8,
    alpha: float = 0.05,
    most: int = 100_000,
    power_of: PowerOf = area_power,
) -> int | None:
    """Return the smallest number of patients with that power, as `power_of` reckons it; None above `most`.

    The number of responders is the rounded share of the patients, at least one.

    >>> area_sample_size(0.75, 0.4), area_sample_size(0.75, 0.25)
    (42, 54)
    >>> area_sample_size(0.75, 0.4, power_of=obuchowski_power)
    40
    """
    for n in range(2, most + 1):
        responders = min(n - 1, max(1, round(responder_share * n)))
        if power_of(area, responders, n - responders, alpha) >= power:
            return n
    return None


def correlation_sample_size(r: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the patients needed to tell a correlation r, not 0, from 0, by Fisher's z.

    ((z₁₋α/₂ + z_power)/atanh r)² + 3, rounded up.

    >>> [correlation_sample_size(r) for r in (0.3, 0.4, 0.5)]
    [85, 47, 30]
    """
    reach = float(ndtri(1 - alpha / 2)) + float(ndtri(power))
    return math.ceil((reach / math.atanh(r)) ** 2 + 3)
