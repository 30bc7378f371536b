"""What one row may say, rule by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from intake_cases import H0, H2, H30, OTHER, ROW, SUBJECT, a_study, context, known
from row_cases import codes, verdict_of

from scheduler.domain.results import ResultStatus
from scheduler.intake.findings import RowVerdict
from scheduler.intake.study import Context
from scheduler.store.lab.values import KnownSubject, Records


def row_of(about: Context | None = None, base: dict[str, str] = ROW, **changes: str) -> RowVerdict:
    verdict = verdict_of({**base, **changes}, about=about)
    assert len(verdict.rows) == 1, verdict.reason
    return verdict.rows[0]


def test_a_plain_final_result_is_accepted_without_a_word() -> None:
    row = row_of()
    assert (row.state, row.findings) == ("accepted", ())
    entry = row.entry
    assert (entry.subject, entry.visit, entry.timepoint, entry.status) == (
        SUBJECT,
        "W6",
        "H0",
        ResultStatus.FINAL,
    )
    assert (entry.conc_mg_l, entry.value_raw, entry.unit_raw) == (Decimal("1.85"), "1,85", "mg/L")
    assert entry.collected_at == datetime(2026, 1, 15, 6, 55, tzinfo=UTC)


HELD: dict[str, dict[str, str]] = {
    "R-01.form": {"subject_id": "Dupont Anne"},
    "R-02": {"subject_id": "MPA-0042-8"},
    "R-01": {"subject_id": OTHER},
    "R-04": {"visit": "V9"},
    "R-05": {"timepoint": "H1"},
    "R-05 missing": {"timepoint": ""},
    "R-06.unknown": {"analyte": "A0163"},
    "R-06.unknown missing": {"analyte": ""},
    "R-08": {"matrix": "SERUM"},
    "R-08 missing": {"matrix": ""},
    "R-08.blood": {"analyte": "55806-4"},
    "R-09.laboratory": {"laboratory": "ELSEWHERE"},
    "R-09.specimen": {"specimen_id": " "},
    "R-09.method": {"method": "ELISA"},
    "R-09.method missing": {"method": ""},
    "R-09.quality": {"specimen_quality": "BAD"},
    "R-10": {"value": "1 234,5"},
    "R-10 limit": {"lloq": "small"},
    "R-11": {"value": ""},
    "R-11 corrected": {"value": "---", "status": "C"},
    "R-11.pending": {"value": "en cours"},
    "R-12": {"status": "X"},
    "R-12 withdrawn": {"status": "W"},
    "R-12 limit": {"status": "X", "value": "<0,1"},
    "R-12.quality": {"specimen_quality": "NR"},
    "R-13": {"value": "-1,2"},
    "R-13 nan": {"value": "NaN"},
    "R-14": {"value": "50,1"},
    "R-15": {"unit": ""},
    "R-16": {"unit": "g/L"},
    "R-16.disabled": {"unit": "mg/dL"},
    "R-16.disabled substance": {"analyte": "MPA", "unit": "µmol/L"},
    "R-18": {"unit": "umol/L"},
    "R-18 substance": {"analyte": "70211-8"},
    "R-30": {"collected_at": "15/01/26 07:55"},
    "R-30 received": {"received_at": "hier"},
    "R-30.missing": {"collected_at": ""},
    "R-30.missing reported": {"reported_at": ""},
    "R-31": {"reported_at": "15/01/2026 07:00"},
    "R-31 received": {"received_at": "15/01/2026 07:00"},
    "R-31.future": {"reported_at": "16/01/2026 10:00"},
    "R-32": {"collected_at": "12/01/2026 07:55"},
    "R-33": {"comment": "Résultat erroné, voir médecin"},
    "R-33 metabolite": {"comment": "MPAG ?"},
    "R-41": {"status": ""},
    "R-41 unknown": {"status": "D"},
    "R-44": {"status": "C"},
    "R-44 withdrawn": {"status": "W", "value": ""},
}


@pytest.mark.parametrize(("rule", "changes"), HELD.items(), ids=list(HELD))
def test_held(rule: str, changes: dict[str, str]) -> None:
    booked = context(known(booked=date(2026, 1, 15)))
    row = row_of(booked, **changes)
    assert row.state == "held"
    assert codes(row)[0] == rule.partition(" ")[0]
    assert row.decisive is not None
    assert row.decisive.rule == rule[:4]
    assert len(codes(row)) == 1 or changes.keys() & {"specimen_quality", "status"}


def test_R01_text_that_is_not_a_code_is_not_kept_for_it_may_be_a_name() -> None:
    row = row_of(subject_id="Dupont Anne")
    assert "Dupont" not in repr(row)


def test_R03_a_subject_who_left_is_held() -> None:
    assert codes(row_of(context(known(active=False)))) == ["R-03"]


def test_R04_a_cancelled_visit_is_held() -> None:
    assert codes(row_of(context(known(is_off=True)))) == ["R-04.cancelled"]


def test_R04_visits_go_by_code_id_and_the_laboratorys_own_names() -> None:
    study = a_study(visit_aliases={"6 semaines": "V2"})
    for name in ("V2", "v2", "W6", "6 Semaines"):
        assert row_of(context(study=study), visit=name).entry.visit == "W6"


def test_R05_a_trough_code_after_the_dose_is_held_and_a_peak_code_is_told() -> None:
    assert codes(row_of(analyte="72667-9")) == []
    assert codes(row_of(base=H30, analyte="72667-9")) == ["R-05.trough"]
    peak = row_of(base=H30, analyte="73680-1")
    assert (peak.state, codes(peak)) == ("accepted", ["R-05.peak"])


@pytest.mark.parametrize(
    "analyte",
    ["23906-1", "55807-2", "80697-6", "87432-1", "115789-0", "72985-5", "72986-3", "73252-9", "73253-7", "MPAG",
     "AcMPAG", "MPA-glucuronide", "acide mycophénolique glucuronidé"],
)  # fmt: skip
def test_R06_another_analyte_is_passed_over_whatever_else_is_wrong(analyte: str) -> None:
    row = row_of(analyte=analyte, unit="", value="200", subject_id="?")
    assert (row.state, codes(row)) == ("ignored", ["R-06"])


def test_R07_a_label_of_the_glucuronide_beside_the_code_of_MPA_is_held() -> None:
    assert codes(row_of(libelle="Mycophénolate glucuronide")) == ["R-07"]
    assert codes(row_of(libelle="Mycophénolate")) == []


def test_R14_a_high_trough_is_told() -> None:
    row = row_of(value="15,1")
    assert (row.state, codes(row)) == ("accepted", ["R-14.trough"])
    assert codes(row_of(base=H30, value="50")) == []


def test_R17_converted_units_are_told_with_the_value_in_mg_l() -> None:
    row = row_of(value="1850", unit="ng/mL")
    assert (row.state, codes(row), row.entry.conc_mg_l) == ("accepted", ["R-17"], Decimal("1.850"))
    study = a_study(accept_mg_per_dl=True, substance_units=True)
    rare = row_of(context(study=study), value="0,2", unit="mg/dL")
    assert (codes(rare), rare.entry.conc_mg_l) == (["R-17"], Decimal("2.0"))
    moles = row_of(context(study=study), value="10", unit="µmol/L", analyte="70211-8")
    assert (codes(moles), moles.entry.conc_mg_l) == (["R-17"], Decimal("3.20340"))


@pytest.mark.parametrize(
    ("base", "changes", "found"),
    [
        (H0, {"value": "<0,1", "lloq": "0,1"}, ["R-19"]),
        (H30, {"value": "<0,1", "lloq": "0,1"}, ["R-19.dose"]),
        (H2, {"value": "<0,1"}, ["R-20", "R-19.dose"]),
        (H0, {"value": "<0,2", "lloq": "0,1"}, ["R-20.differs", "R-19"]),
        (H0, {"value": "0,05", "lloq": "0,1"}, ["R-19"]),
        (H30, {"value": ">15", "uloq": "15"}, ["R-19.above"]),
        (H0, {"value": "< LOQ"}, ["R-20", "R-19"]),
        (H30, {"value": "16", "uloq": "15"}, ["R-19.above"]),
        (H0, {"value": "0,1", "lloq": "0,1", "uloq": "15"}, []),
    ],
)
def test_R19_R20_a_limit_is_never_made_a_value(
    base: dict[str, str], changes: dict[str, str], found: list[str]
) -> None:
    row = row_of(base=base, **changes)
    assert (row.state, codes(row)) == ("accepted", found)
    assert (row.entry.conc_mg_l is None) == (changes["value"][0] in "<>")
    assert row.entry.below_lloq == any(code in ("R-19", "R-19.dose") for code in found)
    assert row.entry.above_uloq == ("R-19.above" in found)


def test_R19_the_limit_beside_the_sign_is_the_one_that_applies() -> None:
    entry = row_of(value="<0,2", lloq="0,1").entry
    assert (entry.comparator, entry.conc_mg_l, entry.lloq_mg_l) == ("<", None, Decimal("0.2"))


def test_R21_a_doubtful_specimen_with_a_value_is_accepted_and_blocks_where_the_laboratory_says_so() -> None:
    row = row_of(specimen_quality="HEM")
    assert (row.state, codes(row), row.entry.quality, row.entry.blocking) == (
        "accepted",
        ["R-21.blocks"],
        "HEM",
        "HEM",
    )
    row = row_of(context(study=a_study(blocking_qualities=())), specimen_quality="hem")
    assert (row.state, codes(row), row.entry.quality, row.entry.blocking) == (
        "accepted",
        ["R-21"],
        "HEM",
        None,
    )
    assert row_of(specimen_quality="OK").findings == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "hémolysé"},
        {"value": "QNS"},
        {"value": "échantillon non reçu"},
        {"value": "", "specimen_quality": "HEM"},
        {"value": "", "specimen_quality": "QNS"},
        {"value": "", "specimen_quality": "NR", "status": "X"},
        {"value": "NR", "status": "X", "unit": "", "collected_at": ""},
    ],
)
def test_R22_an_unusable_specimen_is_the_end_of_it(changes: dict[str, str]) -> None:
    row = row_of(**changes)
    assert (row.state, codes(row), row.entry.status) == ("accepted", ["R-22"], ResultStatus.NOT_OBTAINED)
    assert row.entry.conc_mg_l is None
    assert row.entry.blocking in ("HEM", "QNS", "NR")


def test_R22_not_obtained_without_a_cause_is_accepted_too() -> None:
    row = row_of(status="X", value="", unit="")
    assert (row.state, codes(row)) == ("accepted", ["R-22.plain"])


def test_R31_five_minutes_of_clock_skew_are_tolerated() -> None:
    assert row_of(reported_at="2026-01-16T08:05Z").state == "accepted"
    assert codes(row_of(reported_at="2026-01-16T08:06Z")) == ["R-31.future"]


@pytest.mark.parametrize(
    ("visit", "accepted"),
    [
        ({"booked": date(2026, 1, 16)}, True),
        ({"booked": date(2026, 1, 17)}, False),
        ({"booked": date(2026, 3, 1), "attended_at": datetime(2026, 1, 14, 22, 0, tzinfo=UTC)}, True),
        ({"attended_at": datetime(2026, 1, 13, 10, 0, tzinfo=UTC)}, False),
        ({"first": date(2026, 1, 16), "last": date(2026, 1, 30)}, True),
        ({"first": date(2026, 1, 17), "last": date(2026, 1, 30)}, False),
        ({"first": date(2025, 12, 1), "last": date(2026, 1, 13)}, False),
    ],
)
def test_R32_the_day_is_the_attended_one_else_the_booked_one_else_in_the_window(
    visit: dict[str, Any], accepted: bool
) -> None:
    row = row_of(context(known(**visit)))
    assert (row.state == "accepted") == accepted
    assert accepted or (row.decisive is not None and row.decisive.rule == "R-32")


def test_R32_a_visit_without_dates_on_record_is_not_judged() -> None:
    assert row_of(context(Records({SUBJECT: KnownSubject(True)}))).state == "accepted"


def test_R40_a_preliminary_result_is_accepted_and_waits() -> None:
    for value in ("1,85", "", "en cours"):
        row = row_of(status="P", value=value)
        assert (row.state, codes(row), row.entry.status) == ("accepted", ["R-40"], ResultStatus.PRELIMINARY)


def test_every_defect_of_a_row_is_told_at_once() -> None:
    row = row_of(unit="", timepoint="H9", status="?", method="")
    assert set(codes(row)) == {"R-15", "R-05", "R-41", "R-09.method"}


def test_the_column_is_named_as_the_file_names_it() -> None:
    (finding,) = row_of(unit="").findings
    assert (finding.reason.get("row"), finding.reason.get("column")) == (2, "unite")


def test_a_long_text_is_shortened_where_it_is_repeated() -> None:
    (finding,) = row_of(value="x" * 100).findings
    assert finding.reason.get("text") == "x" * 11 + "…"
