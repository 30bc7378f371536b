"""Every defect of meaning of the assessments and endpoints of a protocol file, each with what would be right."""

from __future__ import annotations

from collections.abc import Callable

from config.schema import ActivityFile, ProtocolFile
from scheduler.domain.protocol_file.reminder_checks import words

__all__ = ["check_endpoints"]

Say = Callable[[str, str, str], None]


def check_endpoints(source: ProtocolFile, say: Say) -> None:
    """Say what is wrong with the activities and with [endpoints]."""
    for i, activity in enumerate(source.activities):
        _check_activity(f"activities.{i}", activity, say)
    _check_names(source, say)
    _check_thresholds(source, say)
    prorated = source.endpoints.prorate_missing_sites
    scored = next((one for one in source.activities if one.id == source.endpoints.mrss), None)
    if scored is not None and prorated and prorated >= len(scored.sites):
        say(
            "endpoints.prorate_missing_sites",
            f"{scored.id} has {len(scored.sites)} sites; some must be left to make up for the missing ones.",
            "Use a smaller number, or 0 to ask for all sites.",
        )


def _check_activity(where: str, activity: ActivityFile, say: Say) -> None:
    if activity.minimum > activity.maximum:
        say(f"{where}.minimum", "The minimum exceeds the maximum.", "Exchange them.")
    elif activity.sites:
        _check_sites(where, activity, say)


def _check_sites(where: str, activity: ActivityFile, say: Say) -> None:
    for name in sorted({one for one in activity.sites if activity.sites.count(one) > 1}):
        say(f"{where}.sites", f"'{name}' is listed more than once.", "List each site once.")
    highest = len(activity.sites) * activity.site_maximum
    if not activity.integer or (activity.minimum, activity.maximum) != (0, highest):
        say(
            f"{where}.sites",
            f"{len(activity.sites)} sites of 0 to {activity.site_maximum} give whole numbers from 0 to {highest}.",
            f"Set minimum = 0, maximum = {highest}, integer = true, or correct the sites.",
        )


def _check_names(source: ProtocolFile, say: Say) -> None:
    """An endpoint that no visit asks for is no defect; one whose id is written wrongly is."""
    known = {one.id for one in source.activities}
    for key in ("mrss", "fvc", "dlco"):
        name = getattr(source.endpoints, key)
        if known and name != key and name not in known:
            say(f"endpoints.{key}", f"There is no activity '{name}'.", f"Use one of {words(known)}.")


def _check_thresholds(source: ProtocolFile, say: Say) -> None:
    skin, lung = source.endpoints.skin, source.endpoints.lung
    if not skin.abs_threshold and not skin.rel_threshold:
        say(
            "endpoints.skin",
            "Both thresholds are 0: everybody would respond.",
            "Give at least one of the two.",
        )
    if bool(lung.with_dlco_threshold) != bool(lung.dlco_threshold):
        say(
            "endpoints.lung",
            "with_dlco_threshold and dlco_threshold belong together; one of the two is 0.",
            "Give both, or set both to 0.",
        )
    if lung.with_dlco_threshold >= lung.threshold:
        say(
            "endpoints.lung.with_dlco_threshold",
            "It is not below threshold, so that DLCO would never decide.",
            "Use a smaller value, or set both thresholds of DLCO to 0.",
        )
