"""The FHIR reader beside fhir.resources, the time that a workbook takes, and what hostile files cost `lab check`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from fhir.resources import get_fhir_model_class
from fhir.resources.R4B import get_fhir_model_class as get_r4b_model_class
from openpyxl import Workbook

from benchmarks.process import command, run
from config.files import read_files
from config.settings import DEFAULT_DIR
from scheduler.intake.readers import Reading, Setting, read

_WORDS = {"v2": ("visit", "W6"), **{point.lower(): ("timepoint", point) for point in ("H0", "H30", "H2")}}
_TUBES = (("H0", "07:55", "1.85"), ("H30", "08:31", "14.2"), ("H2", "10:02", "6.4"))
_COLUMNS = (
    "study_id", "subject_id", "visit", "timepoint", "specimen_id", "collected_at", "reported_at", "analyte", "value",
    "unit", "status", "method", "matrix", "laboratory",
)  # fmt: skip
_ROUNDS = 7  # in turns, so that a busy machine is busy for all
_SECONDS = 0.3
_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_END = b"</sheetData></worksheet>"


def a_bundle() -> bytes:
    """One transaction with a patient, three specimens and three observations."""
    system = "urn:mpa-auc"
    patient = {"identifier": [{"system": f"{system}:subject", "value": "MPA-0042-7"}]}
    entries: list[dict[str, Any]] = [{"resource": {"resourceType": "Patient", "id": "p1", **patient}}]
    for no, (point, clock, value) in enumerate(_TUBES, 1):
        drawn = f"2026-01-15T{clock}:00+01:00"
        specimen = {
            "resourceType": "Specimen",
            "id": f"s{no}",
            "identifier": [{"value": f"26015-00871-{no}"}],
            "type": {"coding": [{"code": "PLASMA_EDTA"}]},
            "collection": {"collectedDateTime": drawn},
        }
        codings = [
            {"system": "http://loinc.org", "code": "23905-3", "display": "Mycophenolate"},
            {"system": f"{system}:timepoint", "code": point},
        ]
        observation = {
            "resourceType": "Observation",
            "id": f"o{no}",
            "status": "final",
            "code": {"coding": codings},
            "subject": {"reference": "Patient/p1"},
            "specimen": {"reference": f"Specimen/s{no}"},
            "encounter": {"identifier": {"system": f"{system}:visit", "value": "V2"}},
            "effectiveDateTime": drawn,
            "issued": "2026-01-15T14:25:00+01:00",
            "performer": [{"identifier": {"value": "CCH-PHARMACO"}}],
            "method": {"coding": [{"code": "LCMSMS"}]},
            "valueQuantity": {
                "value": float(value),
                "unit": "mg/L",
                "system": "http://unitsofmeasure.org",
                "code": "mg/L",
            },
        }
        entries += [{"resource": specimen}, {"resource": observation}]
    for entry in entries:
        name = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        entry["request"] = {"method": "PUT", "url": name}
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}, indent=1).encode()


def a_workbook(rows: int) -> bytes:
    """A workbook in the study's layout."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(_COLUMNS)
    for no in range(rows):
        point, clock, value = _TUBES[no % 3]
        sheet.append([
            "MPA-AUC", "MPA-0042-7", "V2", point, f"26015-{no:05}", f"15/01/2026 {clock}", "15/01/2026 14:25",
            "23905-3", float(value), "mg/L", "F", "LCMSMS", "PLASMA_EDTA", "CCH-PHARMACO",
        ])  # fmt: skip
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _with_sheet(rows: Iterable[bytes]) -> bytes:
    """A workbook with other rows, never held in memory unpacked: a process begins as large as its parent."""
    out = BytesIO()
    with ZipFile(BytesIO(a_workbook(1))) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name))
        with new.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for part in (_HEAD, *rows, _END):
                sheet.write(part)
    return out.getvalue()


def hostile_files() -> dict[str, bytes]:
    """Files built to cost much."""
    corners = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    cell = (b'<row r="1"><c r="A1" t="inlineStr"><is><t>', *[b"x" * 1_000_000] * 300, b"</t></is></c></row>")
    rows = (b'<row r="%d"><c><v>1</v></c></row>' % no for no in range(1, 1_000_001))
    return {
        "corners.xlsx": _with_sheet([corners]),
        "bomb.xlsx": _with_sheet(cell),
        "million_rows.xlsx": _with_sheet(rows),
        "deep.json": b'{"a":' * 900_000,
        "wide.json": b'{"resourceType":"Bundle","type":"batch","entry":[' + b"{}," * 1_600_000 + b"{}]}",
        "good.xlsx": a_workbook(3),
        "good.json": a_bundle(),
    }


def measure() -> dict[str, Any]:
    """Bundles per second of each, and how many times faster ours is; seconds for a workbook; and seconds and peak
    memory of `lab check`, the largest of its processes counted."""
    checks = _checks()
    return {**_bundles(), "workbook_s": _workbooks(), "lab_check": checks}


def _bundles() -> dict[str, Any]:
    content = a_bundle()
    files, defects = read_files(DEFAULT_DIR)
    assert not defects
    setting = Setting("MPA-AUC", r"MPA-[0-9]{4}-[0-9]", _WORDS, tuple(one.content for one in files.labs))
    found = read(content, {}, setting)
    assert isinstance(found, Reading)
    assert [one.text("value") for one in found.candidates] == [value for _, _, value in _TUBES]
    contenders: dict[str, Callable[[], object]] = {
        "ours": lambda: read(content, {}, setting),
        "json.loads": lambda: json.loads(content),
        "fhir.resources R5": lambda: get_fhir_model_class("Bundle").model_validate_json(content),
        "fhir.resources R4B": lambda: get_r4b_model_class("Bundle").model_validate_json(content),
    }
    rounds = [{name: _rate(work) for name, work in contenders.items()} for _ in range(_ROUNDS)]
    rates = {name: median(one[name] for one in rounds) for name in contenders}
    return {
        "bytes": len(content),
        "bundles_per_s": {name: round(rate, 1) for name, rate in rates.items()},
        "ours_is_times_faster": {
            name: round(rates["ours"] / rate, 1) for name, rate in rates.items() if name.startswith("fhir")
        },
    }


def _rate(work: Callable[[], object]) -> float:
    work()
    done, start = 0, perf_counter()
    while perf_counter() - start < _SECONDS:
        work()
        done += 1
    return done / (perf_counter() - start)


def _workbooks() -> dict[str, float]:
    return {f"{rows} rows": round(1 / _rate(partial(read, a_workbook(rows))), 3) for rows in (3, 300, 5000)}


def _checks() -> dict[str, dict[str, float]]:
    found = {}
    with tempfile.TemporaryDirectory(prefix="mpa-bench-") as folder:
        for name, content in hostile_files().items():
            path = Path(folder) / name
            path.write_bytes(content)
            cost = run(command("lab", "check", str(path)))
            found[name] = {
                "kB": len(content) // 1000,
                "wall_s": round(cost.wall_s, 2),
                "peak_mb": round(cost.peak_mb),
            }
    return found


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
