"""Patients for the tests of pk/target, and the definitions of its statistics in their plainest form."""

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pk.target.asked import Direction
from pk.target.findings import Settings
from pk.target.question import Answer, Question, answer
from pk.target.report.record import answered

QUICK = Settings(bootstrap=100, permutations=199)
FEW = settings(max_examples=40, deadline=None)

Rows = list[tuple[float, bool]]
"""Exposure, and who responded."""

# Exposures with few distinct values, so that ties occur, and both outcomes.
cohorts = st.lists(
    st.tuples(st.integers(0, 12).map(lambda x: 2.5 * x + 20), st.booleans()), min_size=4, max_size=40
).filter(lambda rows: len({y for _, y in rows}) == 2 and len({x for x, _ in rows}) > 1)


def columns(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    return np.array([x for x, _ in rows]), np.array([y for _, y in rows])


def simulated(
    n: int, seed: int, *, shift: float = 0.0, share: float = 0.4
) -> tuple[list[float], list[float]]:
    """Exposures N(40, 15), responders shifted, all at least 0, in steps of 0.01; exactly `share` responders."""
    random = np.random.default_rng(seed)
    responder = np.arange(n) < round(share * n)
    random.shuffle(responder)
    exposure = np.maximum(random.normal(40.0, 15.0, n) + shift * responder, 0.0).round(2)
    return exposure.tolist(), responder.astype(float).tolist()


def csv_of(columns: dict[str, Sequence[float | None]], delimiter: str = ",") -> bytes:
    """A CSV file of columns; None is an empty field."""
    lines = [delimiter.join(columns)]
    rows = zip(*columns.values(), strict=True)
    lines += [delimiter.join("" if one is None else repr(one) for one in row) for row in rows]
    return "\n".join(lines).encode()


def asked(
    exposure: Sequence[float | None], outcome: Sequence[float | None], **settings: Any
) -> dict[str, Any]:
    """The JSON of the answer, through CSV and the report's path."""
    given = {"bootstrap": 100, "permutations": 199} | settings
    given["direction"] = Direction(given.get("direction", "higher"))
    question = Question(exposure="x", outcome="y", settings=Settings(**given))
    said = answer(csv_of({"id": [1.0] * len(exposure), "x": exposure, "y": outcome}), question)
    assert isinstance(said, Answer), said
    found: dict[str, Any] = json.loads(json.dumps(answered(said), allow_nan=False))
    return found


def spread_of(
    table: tuple[int, int, int, int], below: float, above: float
) -> tuple[list[float], list[float]]:
    """Patients of a table (tp, fn, fp, tn) of the rule exposure ≥ cut, with one exposure on each side."""
    tp, fn, fp, tn = table
    return [above] * tp + [below] * fn + [above] * fp + [below] * tn, [1.0] * (tp + fn) + [0.0] * (fp + tn)


# --- definitions ----------------------------------------------------------------------------------------------


def pairs_area(exposure: Sequence[float], responder: Sequence[bool]) -> float:
    """The share of pairs in which the responder's exposure is higher, ties counting half."""
    ones = [x for x, y in zip(exposure, responder, strict=True) if y]
    zeros = [x for x, y in zip(exposure, responder, strict=True) if not y]
    return sum((a > b) + 0.5 * (a == b) for a in ones for b in zeros) / (len(ones) * len(zeros))


def delong_variance(exposure: Sequence[float], responder: Sequence[bool]) -> float:
    """DeLong's variance by its structural components, pair by pair."""
    ones = [x for x, y in zip(exposure, responder, strict=True) if y]
    zeros = [x for x, y in zip(exposure, responder, strict=True) if not y]
    v1 = [sum((a > b) + 0.5 * (a == b) for b in zeros) / len(zeros) for a in ones]
    v0 = [sum((a > b) + 0.5 * (a == b) for a in ones) / len(ones) for b in zeros]
    return float(np.var(v1, ddof=1)) / len(ones) + float(np.var(v0, ddof=1)) / len(zeros)


def enumerated_p(exposure: Sequence[float], responder: Sequence[bool]) -> float:
    """The two-sided p of the ROC area over all choices of responders."""
    n, n1 = len(exposure), sum(responder)
    observed = abs(pairs_area(exposure, responder) - 0.5)
    choices = [
        abs(pairs_area(exposure, [i in chosen for i in range(n)]) - 0.5)
        for chosen in map(set, itertools.combinations(range(n), n1))
    ]
    return sum(one >= observed - 1e-12 for one in choices) / len(choices)


def every_cut(exposure: Sequence[float], responder: Sequence[bool]) -> Iterator[tuple[float, float, float]]:
    """Every cut with sensitivity and specificity, one patient at a time."""
    values = sorted(set(exposure))
    ones = [x for x, y in zip(exposure, responder, strict=True) if y]
    zeros = [x for x, y in zip(exposure, responder, strict=True) if not y]
    for a, b in itertools.pairwise(values):
        cut = (a + b) / 2
        yield cut, sum(x >= cut for x in ones) / len(ones), sum(x < cut for x in zeros) / len(zeros)


def penalised_log_likelihood(beta: np.ndarray, design: np.ndarray, outcome: np.ndarray) -> float:
    """Firth's: the log-likelihood plus half the logarithm of the determinant of the information."""
    chance = 1 / (1 + np.exp(-design @ beta))
    information = sum(p * (1 - p) * np.outer(x, x) for p, x in zip(chance, design, strict=True))
    likelihood = sum(math.log(p if y else 1 - p) for p, y in zip(chance, outcome, strict=True))
    return likelihood + 0.5 * math.log(np.linalg.det(information))
