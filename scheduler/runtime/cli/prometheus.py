"""The status as metrics, in the text format of Prometheus. Counts and ages only, no subject and no person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["exposition"]

_Samples = list[tuple[Mapping[str, str], float]]


def exposition(found: Mapping[str, Any]) -> str:
    """The metrics of a status."""
    return "".join(_metric(*one) for one in _gauges(found))


def _gauges(found: Mapping[str, Any]) -> Iterator[tuple[str, str, _Samples]]:
    services, mails = found["services"], found["mails"]

    def of_services(key: str) -> _Samples:
        return [({"service": one["service"]}, float(one[key])) for one in services]

    yield "healthy", "1 when nothing needs a person, as the exit code of status says.", _one(found["healthy"])
    yield "heartbeat_age_seconds", "Since the last sign of life of a service.", of_services("age_s")
    yield "heartbeat_stale", "1 when that is more than two of its intervals.", of_services("stale")
    yield "service_failures", "Failures in a row of a service.", of_services("failures")
    yield (
        "clock_held",
        "1 while the clock cannot be believed and nothing is done.",
        _one(bool(found["clock_held"])),
    )
    yield (
        "configuration_defects",
        "Defects of files that were to be read anew.",
        _one(found["configuration"]["defects"]),
    )
    yield "subjects", "Subjects enrolled.", _one(found["subjects"])
    yield "subjects_due", "Subjects whose time has come.", _one(found["subjects_due"])
    yield "subjects_parked", "Subjects set aside because their data fails.", _one(len(found["parked"]))
    counts: _Samples = [({"state": name}, float(count)) for name, count in sorted(mails["counts"].items())]
    yield "mails", "Mails by state.", counts
    yield "mails_waiting", "Mails that are still to leave.", _one(mails["waiting"])
    yield "mails_overdue", "Mails that should have left.", _one(mails["overdue"])
    yield "files_waiting", "Files in the drop folder.", _one(found["waiting_files"])
    yield "status_timestamp_seconds", "When this was looked at.", _one(found["now"].timestamp())


def _one(value: float) -> _Samples:
    return [({}, float(value))]


def _metric(name: str, help_text: str, samples: _Samples) -> str:
    full = f"mpa_monitor_{name}"
    lines = [f"# HELP {full} {help_text}", f"# TYPE {full} gauge"]
    lines += [f"{full}{_labels(labels)} {value:.17g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{said}}}" if said else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
