"""What an HL7 message says of a result: status, value, unit, code."""

from __future__ import annotations

import pytest
from message_cases import (
    message,
    with_hl7,
)
from reading_cases import codes, only, verdict_of

from scheduler.domain.results import ResultStatus

# --- status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *[(one, ResultStatus.FINAL) for one in "FUABV"],
        *[(one, ResultStatus.PRELIMINARY) for one in "PRSION"],
        ("C", ResultStatus.CORRECTED),
        *[(one, ResultStatus.WITHDRAWN) for one in "DW"],
        ("X", ResultStatus.NOT_OBTAINED),
        *[(one, None) for one in ("", "Q", "FF", '""')],
    ],
)
def test_OBX11_code_by_code(code: str, status: ResultStatus | None) -> None:
    (row,) = verdict_of(message(OBX_11=code)).rows
    assert row.entry.status is status
    assert ("R-41" in [f.reason.code for f in row.findings]) == (status is None)


@pytest.mark.parametrize("order", ["", *"OISAPCRFXYZMNWDQ"])
@pytest.mark.parametrize("own", list("FCUABVPRSIONXDW"))
def test_an_order_that_says_less_than_its_result_holds_it(own: str, order: str) -> None:
    held = "R-41.order" in codes(message(OBX_11=own, OBR_25=order))
    if order in "WD" and order:
        assert held == (own not in "WD")
    elif order == "X":
        assert held == (own not in "XWD")
    else:
        assert held == (bool(order) and order in "PRSIOMNYZ" and own in "FCUABV")


def test_U_is_final_with_its_value_and_held_without_it() -> None:
    """A preliminary value is never taken over as a final one."""
    assert codes(message(OBX_11="U")) == []
    assert codes(message(OBX_11="U", OBX_5=""))[0] == "R-11.unsent"
    assert "R-11.unsent" not in codes(message(OBX_11="F", OBX_5=""))


# --- value and unit


@pytest.mark.parametrize(
    ("kind", "value", "text", "doubt"),
    [
        ("NM", "14.20", "14.20", False),
        ("NM", "+14", "+14", False),
        ("NM", "<0.1", "<0.1", True),
        ("NM", "1,85", "1,85", True),
        ("NM", "1e5", "1e5", True),
        ("NM", "", "", False),
        ("NM", '""', "", False),
        ("SN", "<^0.1", "<0.1", False),
        ("SN", "^14.2", "14.2", False),
        ("SN", "=^14.2", "14.2", False),
        ("SN", ">=^15", ">=15", False),
        ("SN", "^1^-^2", "^1^-^2", False),
        ("SN", "<^a", "<^a", False),
        ("ST", "1,85", "1,85", False),
        ("ST", "< 3.0", "< 3.0", False),
        ("ST", r"\T\lt", "&lt", False),
        ("TX", "ND", "ND", False),
        ("CWE", "QNS^Quantité insuffisante^L", "QNS", False),
        ("CE", "^Non détecté", "Non détecté", False),
        ("NM", "1.85~2.1", "1.85~2.1", True),
        ("", "1.85", "1.85", True),
        ("ED", "^application^pdf^Base64^AAAA", "^application^pdf^Base64^AAAA", True),
    ],
)
def test_values_by_their_type(kind: str, value: str, text: str, doubt: bool) -> None:
    content = message(OBX_2=kind, OBX_5=value)
    assert only(content).text("value") == text
    assert ("R-10.type" in codes(content)) == doubt


@pytest.mark.parametrize("value", ["^1^-^2", "<^a", "^1^:^128"])
def test_ranges_and_ratios_are_held(value: str) -> None:
    assert "R-10" in codes(message(OBX_2="SN", OBX_5=value))


def test_nothing_is_put_in_for_what_is_missing() -> None:
    assert "R-15" in codes(message(OBX_6=""))
    assert "R-15" in codes(message(OBX_6='""'))
    assert {"R-04.missing", "R-05"} <= set(codes(message(OBR_13="")))
    assert "R-41" in codes(message(OBX_11=""))
    assert "R-08" in codes(message(SPM_4=""))
    assert "R-09.method" in codes(message(OBX_17=""))
    assert "R-09.specimen" in codes(message(SPM_2="", OBR_3=""))
    assert "R-30.missing" in codes(message(SPM_17="", OBR_7=""))


# --- code


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("23905-3^MPA^LN", []),
        ("MPA^Acide mycophénolique^L", []),
        ("A0163^MPA^ANABIO^23905-3^Mycophenolate^LN", []),
        ("A0163^MPA^ANABIO", ["R-06.unknown"]),
        ("", ["R-06.unknown"]),
        ("23905-3^Acide mycophénolique glucuronide^LN", ["R-07"]),
        ("23905-3^MPA^LN^A9^MPAG^L", ["R-07"]),
        ("MPA^MPA^L^23906-1^x^LN", ["R-07.codes"]),
        ("MPA^MPA^L^2160-0^Creatinine^LN", ["R-07.codes"]),
        ("23906-1^MPA^LN", ["R-06"]),
        ("2160-0^Creatinine^LN", ["R-06"]),
        ("A9^Créatinine^L^2160-0^Creatinine^LN", ["R-06"]),
        ("55806-4^MPA^LN", ["R-08.blood"]),
    ],
)
def test_the_code_in_either_place(field: str, expected: list[str]) -> None:
    found = codes(message(OBX_3=field))
    assert [one for one in found if one.startswith(("R-06", "R-07", "R-08"))] == expected


def test_a_local_code_may_end_with_the_sampling_time() -> None:
    study = with_hl7(code_suffixes={"-H30": "H30", "-30": "H2"})
    content = message(OBX_3="MPA-H30^MPA 30 min^L", OBR_13="V2")
    assert (only(content, study).text("analyte"), only(content, study).text("timepoint")) == ("MPA", "H30")
    assert codes(content, study) == []
    assert codes(message(OBX_3="MPA-H30^MPA^L", OBR_13="V2 H2"), study) == ["R-09.differ"]
    assert codes(message(OBX_3="MPA-H30^MPA^L", OBR_13="V2 T30"), study) == []
