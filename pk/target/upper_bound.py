"""The other end of a window: above which exposure adverse events grow more frequent. The same analysis, reversed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pk.target.analysis import analyse
from pk.target.asked import Direction
from pk.target.findings import Conclusion, Cutpoint, Settings, Standing, TargetAnalysis
from pk.values.reason import Param, Reason, short

_CONCLUDED = {
    Conclusion.NOT_ESTIMABLE: "target_upper_not_estimable",
    Conclusion.NO_EVIDENCE: "target_upper_no_evidence",
    Conclusion.NO_USABLE_CUT: "target_upper_no_usable_cut",
    Conclusion.EXPLORATORY: "target_upper_exploratory",
    Conclusion.CANDIDATE: "target_upper_candidate",
}


def upper_bound(
    exposure: Sequence[float | None], events: Sequence[float | None], settings: Settings
) -> TargetAnalysis:
    """Return what may be said of exposure and events, 0 or 1, None where not known.

    Events stand where responders do, and are expected at a higher exposure whatever the direction of response is.
    Tiers, gates and forbidden numbers are those of `analyse`.
    """
    return analyse(exposure, events, settings=replace(settings, direction=Direction.HIGHER))


def upper_said(events: TargetAnalysis, column: str, response: TargetAnalysis) -> Iterator[Reason]:
    """Return what the events say, and whether they leave a window above the cut for `response`."""
    count = 0 if events.n_responders is None else events.n_responders
    yield Reason.of("target_upper_events", column_id=column, events=count, n=events.n)
    if events.roc is not None and events.roc.opposite:
        yield Reason.of("target_upper_opposite")
    else:
        yield Reason.of(_CONCLUDED[events.conclusion], **_cut(events.cutpoint))
    for one in events.prespecified:
        above, table = one.table.tp + one.table.fp, one.table
        counts: dict[str, Param] = {"cut": short(one.cut), "tp": table.tp, "above": above}
        yield Reason.of("target_upper_at_cut", **counts, fn=table.fn, below=table.fn + table.tn)
    yield from _window(events, response)


def _cut(found: Cutpoint | None) -> dict[str, Param]:
    if found is None or found.standing is Standing.ARBITRARY:
        return {}
    return {"cut": short(found.value), "low": short(found.ci[0]), "high": short(found.ci[1])}


def _window(events: TargetAnalysis, response: TargetAnalysis) -> Iterator[Reason]:
    """Only where both cuts are more than arbitrary, and response is expected at a higher exposure."""
    cuts = [one.cutpoint for one in (response, events)]
    found = [one.value for one in cuts if one is not None and one.standing is not Standing.ARBITRARY]
    if len(found) < 2 or response.settings.direction is Direction.LOWER:
        return
    code = "target_window" if found[0] < found[1] else "target_window_none"
    yield Reason.of(code, low=short(found[0]), high=short(found[1]))
