"""Laboratory files as a French hospital exports them from Excel: semicolons, decimal commas, cp1252, CRLF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

__all__ = ["LabRow", "file_of", "lab_file", "line_of"]

_HEADER = (
    "etude;code_patient;visite;temps;numero_echantillon;date_heure_prelevement;date_heure_validation;analyse;"
    "resultat;unite;statut;conformite;lq_inf;technique;milieu;id_resultat;remplace;laboratoire"
)


@dataclass(frozen=True, slots=True)
class LabRow:
    study: str
    subject: str
    visit: str
    timepoint: str
    specimen: str
    collected_at: datetime
    reported_at: datetime
    value: str
    result_id: str
    unit: str = "mg/L"
    status: str = "F"
    quality: str = "OK"
    replaces: str = ""
    lloq: str = "0.10"


def lab_file(rows: list[LabRow], zone: ZoneInfo) -> bytes:
    """The file with these rows and its trailer."""
    return file_of([line_of(row, zone) for row in rows])


def line_of(row: LabRow, zone: ZoneInfo) -> str:
    """A row as the file has it."""
    cells = (
        row.study, row.subject, row.visit, row.timepoint, row.specimen,
        _local(row.collected_at, zone), _local(row.reported_at, zone), "23905-3",
        row.value.replace(".", ","), row.unit, row.status, row.quality, row.lloq.replace(".", ","),
        "LCMSMS", "PLASMA_EDTA", row.result_id, row.replaces, "CCH-PHARMACO",
    )  # fmt: skip
    return ";".join(cells)


def file_of(lines: list[str]) -> bytes:
    """The file with these lines and its trailer."""
    return ("\r\n".join([_HEADER, *lines, f"#FIN;{len(lines)}"]) + "\r\n").encode("cp1252")


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%d/%m/%Y %H:%M}"
