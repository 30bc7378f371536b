"""Every defect of meaning of the assessments and endpoints of a protocol file, each with what would be right."""

from __future__ import annotations

from collections.abc import Callable

from config.said import Said, said
from config.schema import ActivityFile, ProtocolFile
from scheduler.domain.protocol_file.reminder_checks import words

__all__ = ["check_endpoints"]

Say = Callable[[str, Said, Said], None]


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
            said(
                "{name} has {count} sites; some must be left to make up for the missing ones.",
                name=scored.id,
                count=len(scored.sites),
            ),
            said("Use a smaller number, or 0 to ask for all sites."),
        )


def _check_activity(where: str, activity: ActivityFile, say: Say) -> None:
    if activity.minimum > activity.maximum:
        say(f"{where}.minimum", said("The minimum exceeds the maximum."), said("Exchange them."))
    elif activity.sites:
        _check_sites(where, activity, say)


def _check_sites(where: str, activity: ActivityFile, say: Say) -> None:
    for name in sorted({one for one in activity.sites if activity.sites.count(one) > 1}):
        problem = said("'{name}' is listed more than once.", name=name)
        say(f"{where}.sites", problem, said("List each site once."))
    highest = len(activity.sites) * activity.site_maximum
    if not activity.integer or (activity.minimum, activity.maximum) != (0, highest):
        say(
            f"{where}.sites",
            said(
                "{count} sites of 0 to {most} give whole numbers from 0 to {highest}.",
                count=len(activity.sites),
                most=activity.site_maximum,
                highest=highest,
            ),
            said(
                "Set minimum = 0, maximum = {highest}, integer = true, or correct the sites.",
                highest=highest,
            ),
        )


def _check_names(source: ProtocolFile, say: Say) -> None:
    """An endpoint that no visit asks for is no defect; one whose id is written wrongly is."""
    known = {one.id for one in source.activities}
    for key in ("mrss", "fvc", "dlco"):
        name = getattr(source.endpoints, key)
        if known and name != key and name not in known:
            problem = said("There is no activity '{name}'.", name=name)
            say(f"endpoints.{key}", problem, said("Use one of {known}.", known=words(known)))


def _check_thresholds(source: ProtocolFile, say: Say) -> None:
    skin, lung = source.endpoints.skin, source.endpoints.lung
    if not skin.abs_threshold and not skin.rel_threshold:
        say(
            "endpoints.skin",
            said("Both thresholds are 0: everybody would respond."),
            said("Give at least one of the two."),
        )
    if bool(lung.with_dlco_threshold) != bool(lung.dlco_threshold):
        say(
            "endpoints.lung",
            said("with_dlco_threshold and dlco_threshold belong together; one of the two is 0."),
            said("Give both, or set both to 0."),
        )
    if lung.with_dlco_threshold >= lung.threshold:
        say(
            "endpoints.lung.with_dlco_threshold",
            said("It is not below threshold, so that DLCO would never decide."),
            said("Use a smaller value, or set both thresholds of DLCO to 0."),
        )
