"""What a visit lacks, whole, and the row that is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import domain_cases as cases

from scheduler.domain.facts import SampleNotDrawn
from scheduler.domain.plan import as_recorded
from scheduler.domain.reason import because
from scheduler.domain.recorded import RecordedDraw
from scheduler.domain.results import ResultStatus
from scheduler.domain.status import Missing, MissingKind

W6 = date(2025, 10, 13)
NOW = cases.local(date(2025, 10, 14))
RECORDS_BY = cases.local(date(2025, 10, 16), 0)
RESULTS_BY = cases.local(date(2025, 10, 19), 0)
ATTENDED, DOSE, H0, H30, H2 = cases.sampling_day("W6", W6)
LOST = SampleNotDrawn("W6", "H2", cases.local(W6, 11), "no vein")
DONE = cases.assessed("W6", W6)


def test_what_is_missing_of_a_draw_is_the_draw_the_result_or_lost_with_its_reason() -> None:
    first, second, _ = cases.results_of("W6", W6)
    gone = replace(second, status=ResultStatus.NOT_OBTAINED, conc_mg_l=None, blocking="HEM")
    view = cases.view(cases.timeline(ATTENDED, DOSE, H30, LOST, *DONE, results=[gone]), "W6", NOW)
    assert view.missing == (
        Missing(MissingKind.DRAW, "H0", False, RECORDS_BY),
        Missing(MissingKind.RESULT, "H30", True, None, "HEM", gone.recorded_at),
        Missing(MissingKind.DRAW, "H2", True, None, "no vein", LOST.at),
    )
    without_why = replace(gone, blocking=None)
    view = cases.view(
        cases.timeline(ATTENDED, DOSE, H0, H30, H2, *DONE, results=[first, without_why]), "W6", NOW
    )
    assert view.missing[0] == Missing(MissingKind.RESULT, "H30", True, None, "", gone.recorded_at)
    assert view.missing[0].reason == because("missing_result_lost", item="H30", why="")


def test_a_result_alone_is_expected_as_early_as_a_record_and_all_together_later() -> None:
    results = cases.results_of("W6", W6)
    alone = cases.view(cases.timeline(ATTENDED, DOSE, H0, H30, H2, *DONE, results=results[:2]), "W6", NOW)
    assert alone.missing == (Missing(MissingKind.RESULT, "H2", False, RECORDS_BY),)
    none = cases.view(cases.timeline(ATTENDED, DOSE, H0, H30, H2, *DONE), "W6", NOW)
    assert none.missing == tuple(
        Missing(MissingKind.RESULT, point, False, RESULTS_BY) for point in ("H0", "H30", "H2")
    )


def test_the_row_of_a_visit_holds_what_is_missing_and_every_draw_in_the_order_of_its_points() -> None:
    (result, *_) = cases.results_of("W6", W6)
    view = cases.view(cases.timeline(ATTENDED, DOSE, H0, LOST, *DONE, results=[result]), "W6", NOW)
    row = as_recorded(view)
    assert row.missing == (
        because("missing_draw", item="H30", why=""),
        because("missing_draw_lost", item="H2", why="no vein"),
    )
    windows = {draw.point.id: draw.window for draw in view.plan.draws}
    assert None not in windows.values()
    assert row.draws == (
        RecordedDraw("H0", *windows["H0"], H0.at, "W6-H0", None, "F"),  # type: ignore[misc,union-attr]
        RecordedDraw("H2", *windows["H2"], None, None, "no vein", None),  # type: ignore[misc]
        RecordedDraw("H30", *windows["H30"], None, None, None, None),  # type: ignore[misc]
    )
    before = as_recorded(cases.view(cases.timeline(), "W6", NOW))
    assert before.missing == ()
