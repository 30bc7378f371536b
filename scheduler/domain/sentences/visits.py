"""Where a visit stands, and what it lacks."""

from __future__ import annotations

__all__ = ["VISIT_SENTENCES"]

VISIT_SENTENCES: dict[str, str] = {
    "status_planned": "planned for {target}; the window opens on {first}",
    "status_blocked": "no date until {anchor} has taken place",
    "status_window_open": "the window is open from {first} to {last}; nothing is booked",
    "status_booked": "booked for {at}",
    "status_unconfirmed": "was booked for {at}; nothing has been recorded since",
    "status_overdue": "the window closed on {closed} and no visit is recorded",
    "status_missed": "the window closed on {closed} and the visit can no longer be made up",
    "status_cancelled": "will not take place: {why}",
    "status_left_out": "version {version} of the protocol has no such visit",
    "status_withdrawn": "the subject left the study on {on} ({cause})",
    "status_on_hold": "participation is on hold since {since}",
    "status_paused": "the window closed while participation was on hold, from {since} to {until}",
    "status_attended": "attended on {at}",
    "status_incomplete": "still missing: {missing}",
    "status_complete": "everything required is recorded",
    # why a subject left
    "withdrawal_consent": "consent withdrawn",
    "withdrawal_death": "death",
    "withdrawal_lost": "lost to follow-up",
    "withdrawal_other": "other reason",
    # what a visit lacks
    "missing_dose": "time of the MMF dose",
    "missing_draw": "sample {item}",
    "missing_draw_lost": "sample {item} (not drawn: {why})",
    "missing_result": "result of {item}",
    "missing_result_lost": "result of {item} (the laboratory could not measure it)",
    "missing_assessment": "{item}",
}
