"""The whole way of a file, over a real folder and a real database."""

from __future__ import annotations

import json

from intake_cases import H0, Bench, csv_bytes


def test_three_results_go_from_the_folder_to_the_database_and_a_receipt(bench: Bench) -> None:
    bench.drop("résultats V2.csv", csv_bytes())
    report = bench.step()
    assert [(one.verdict, one.code) for one in report.files] == [("accepted", "")]
    assert [(v.state, v.timepoint, v.conc_mg_l) for v in bench.versions()] == [
        ("accepted", "H0", "1.85"),
        ("accepted", "H30", "14.2"),
        ("accepted", "H2", "6.40"),
    ]
    assert bench.names("in") == bench.names("work") == []
    (archived,) = bench.names("archive")
    assert archived.endswith("_résultats V2.csv")
    table, data = bench.names("receipts")
    receipt = json.loads((bench.root / "receipts" / data).read_bytes())
    assert (receipt["verdict"], receipt["accepted"], receipt["complete"]) == ("accepted", 3, True)
    assert (bench.root / "receipts" / table).read_bytes().startswith(b"\xef\xbb\xbf")
    assert bench.trail() == [("lab_file_recorded", "lab_file", "1")]
    assert bench.events == []


def test_a_held_row_is_stored_flagged_and_told_and_the_good_rows_go_on(bench: Bench) -> None:
    bench.drop("a.csv", csv_bytes([H0, {**H0, "timepoint": "H2", "specimen_id": "s2", "unit": ""}]))
    report = bench.step()
    assert [(one.verdict, one.code) for one in report.files] == [("held", "R-15")]
    assert [v.state for v in bench.versions()] == ["accepted", "held"]
    (event,) = bench.events
    assert (event.event, event.site) == ("rows_held", "cochin")
