"""Who is in the report of the study's question: the flow (T1), at inclusion (T2), how exposure was followed (T3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pk.target.data.exposure_summary import SummaryFlag
from pk.target.findings import TargetAnalysis
from scheduler.domain.speech import Speaker
from scheduler.domain.trial.definitions import LUNG_RESPONSE, SKIN_RESPONSE
from scheduler.domain.trial.eligibility import Arm
from scheduler.engine.target.member import MEASURES, PRIMARY, SPAN, Member, daily_mg
from scheduler.engine.target.tables import Spread, spread_of

__all__ = [
    "Followed",
    "baseline_rows",
    "flow_rows",
    "followed_rows",
    "methods_used",
    "occasions_per_subject",
    "reason_rows",
]


@dataclass(frozen=True, slots=True)
class Followed:
    """Subjects with one answer of the composite: days of the primary span that were observed, AUCs within it.

    dose_changed: how many had another daily dose at one of these AUCs than at another.
    """

    response: bool | None
    n: int
    days: Spread
    occasions: Spread
    dose_changed: int


def flow_rows(members: Sequence[Member], found: TargetAnalysis) -> tuple[tuple[str, int], ...]:
    """T1: codes and counts. Screening is not on record here, so it begins with the enrolled."""
    eligible = [one for one in members if one.arms]
    return (
        ("enrolled", len(members)),
        ("eligible", len(eligible)),
        ("skin_arm", sum(Arm.SKIN.value in one.arms for one in members)),
        ("lung_arm", sum(Arm.LUNG.value in one.arms for one in members)),
        ("both_arms", sum(len(one.arms) > 1 for one in members)),
        ("with_exposure", sum(one.exposure(PRIMARY) is not None for one in members)),
        ("skin_evaluable", sum(one.holds("skin_response") is not None for one in members)),
        ("lung_evaluable", sum(one.holds("lung_response") is not None for one in members)),
        ("with_outcome", sum(one.response is not None for one in members)),
        ("analysed", found.n),
    )


def baseline_rows(members: Sequence[Member], speaker: Speaker) -> list[tuple[str, Spread]]:
    """T2: what is on record at inclusion."""
    rows = [(speaker.name(one), spread_of([member.baseline(one) for member in members])) for one in MEASURES]
    ages = [_answered(one, "age_years") for one in members]
    doses = [daily_mg(one.exposures["visits"][0]) if one.exposures["visits"] else None for one in members]
    return [
        (speaker.text("Age (years)"), spread_of(ages)),
        *rows,
        (
            speaker.text("Years since the first sign other than Raynaud's"),
            spread_of([one.duration_years for one in members]),
        ),
        (speaker.text("Daily dose at the first AUC (mg)"), spread_of(doses)),
    ]


def _answered(one: Member, name: str) -> float | None:
    eligibility = one.endpoints["eligibility"]
    return None if eligibility is None else eligibility[name]


def reason_rows(members: Sequence[Member], speaker: Speaker) -> list[tuple[str, str, int]]:
    """T1: why an exposure or a response is missing, and of how many subjects; one may have several reasons."""
    rows = [(speaker.text("Primary exposure"), *one) for one in _without_exposure(members, speaker)]
    for name, definition in (
        (speaker.text("Skin response"), SKIN_RESPONSE),
        (speaker.text("Lung response"), LUNG_RESPONSE),
    ):
        found: Counter[str] = Counter()
        for member in members:
            found.update(dict.fromkeys(_why(member, definition, speaker), 1))
        rows += [
            (name, reason, count)
            for reason, count in sorted(found.items(), key=lambda one: (-one[1], one[0]))
        ]
    return rows


def _without_exposure(members: Sequence[Member], speaker: Speaker) -> Iterator[tuple[str, int]]:
    lacking = [one for one in members if one.exposure(PRIMARY) is None]
    close = sum(SummaryFlag.SHORT_SPAN.value in one.exposures["flags"] for one in lacking)
    if len(lacking) > close:
        yield speaker.text("no AUC from week 6 to week 26"), len(lacking) - close
    if close:
        yield speaker.text("AUCs less than 6 weeks apart"), close


def _why(member: Member, definition: str, speaker: Speaker) -> list[str]:
    """The kinds of reason why a definition cannot be evaluated."""
    (found,) = [one for one in member.endpoints["outcomes"] if one["id"] == definition]
    kinds = {
        "endpoint_no_eligibility": speaker.text("eligibility not recorded"),
        "endpoint_arm_other_skin": speaker.text("not of this arm"),
        "endpoint_arm_other_lung": speaker.text("not of this arm"),
        "endpoint_arm_open_skin": speaker.text("arm not known"),
        "endpoint_arm_open_lung": speaker.text("arm not known"),
        "endpoint_low_baseline": speaker.text("skin score at inclusion too low to judge a response"),
        "endpoint_no_baseline": speaker.text("no value at inclusion"),
        "endpoint_no_value": speaker.text("no value at one year, or not yet"),
        "endpoint_sites_missing": speaker.text("sites of the skin score missing"),
        "endpoint_dlco_not_corrected": speaker.text("DLCO not corrected for haemoglobin"),
        "endpoint_units_differ": speaker.text("two units or prediction equations"),
        "endpoint_equations_differ": speaker.text("two units or prediction equations"),
        "endpoint_event_missing": speaker.text("an event before one year that counts as missing"),
    }
    other = speaker.text("another reason, see T10")
    return [kinds.get(code, other) for code in found["why_codes"]]


def followed_rows(members: Sequence[Member]) -> list[Followed]:
    """T3: how long and how often exposure was observed, and whether the dose was changed, by response."""
    rows = []
    for response in (True, False, None):
        of = [one for one in members if one.response is response and one.exposure(PRIMARY) is not None]
        rows.append(
            Followed(
                response,
                len(of),
                spread_of([one.exposures["window_days"] for one in of]),
                spread_of([float(_within(one)) for one in of]),
                sum(one.dose_changed is True for one in of),
            )
        )
    return rows


def _within(member: Member) -> int:
    """The AUCs of the primary span."""
    return sum(week in SPAN for week in member.exposures["weeks"])


def occasions_per_subject(members: Sequence[Member]) -> list[tuple[int, int]]:
    """T3: how many subjects have that many AUCs in the whole year, the most first; those without are left out."""
    found = Counter(len(one.exposures["aucs"]) for one in members if one.exposures["aucs"])
    return sorted(found.items(), reverse=True)


def methods_used(members: Sequence[Member]) -> list[tuple[str, int]]:
    """T3: by which methods the AUCs were estimated, the most frequent first."""
    used = (visit["method"] for one in members for visit in one.exposures["visits"] if visit["method"])
    return sorted(Counter(used).items(), key=lambda one: (-one[1], one[0]))
