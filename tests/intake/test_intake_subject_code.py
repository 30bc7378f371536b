"""The form and the check digit of subject codes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_cases import protocol

from scheduler.domain.subject_code import check_digit, is_well_formed

DIGITS = st.text("0123456789", min_size=1, max_size=12)


def test_R02_a_code_with_its_check_digit_is_well_formed() -> None:
    assert is_well_formed(protocol(), "MPA-0042-7") is None


@given(DIGITS, st.data())
def test_R02_every_single_wrong_digit_is_noticed(digits: str, data: st.DataObject) -> None:
    code = digits + str(check_digit(digits))
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != code[place]]))
    assert check_digit(code) == 0
    assert check_digit(code[:place] + other + code[place + 1 :]) != 0


@given(DIGITS, st.data())
def test_R02_every_exchange_of_neighbours_is_noticed(digits: str, data: st.DataObject) -> None:
    code = digits + str(check_digit(digits))
    place = data.draw(st.integers(0, len(code) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (check_digit(swapped) == 0) == (swapped == code)


@pytest.mark.parametrize("code", ["", "MPA-42-7", "mpa-0042-7", "MPA-0042-7 ", "MPA-٠٠٤٢-7", "Dupont"])
def test_R01_another_form_is_refused(code: str) -> None:
    wrong = is_well_formed(protocol(), code)
    assert wrong is not None
    assert wrong.code == "subject_code_form"


def test_R02_is_asked_for_by_the_protocol_only() -> None:
    wrong = is_well_formed(protocol(), "MPA-0042-8")
    assert wrong is not None
    assert wrong.code == "subject_code_check"
    assert is_well_formed(replace(protocol(), subject_check="none"), "MPA-0042-8") is None
