"""Every rule of the study's specification is there, is said, is listed in the documentation, and has its tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from rule_table import BEGIN, CODE, ELSEWHERE, OF_DOMAIN, OF_INTAKE, PAGE, RULES, codes_of, page, sentences_of

TESTS = Path(__file__).parents[1]
SPECIFIED = (
    *(f"F-{no:02}" for no in range(1, 20)),
    *(f"R-{no:02}" for no in (*range(1, 9), *range(10, 23), *range(30, 34), *range(40, 48))),
    *(f"S-{no:02}" for no in range(1, 10)),
    "D-01",
)


def test_every_rule_of_the_specification_is_there() -> None:
    assert [rule for rule in SPECIFIED if rule not in RULES] == []


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_said_and_proved(rule: str) -> None:
    assert sentences_of(rule)
    names = (rule, rule.replace("-", "", 1), rule.replace("-", "_", 1))
    tests = [path for path in TESTS.rglob("test_*.py") if path.name != Path(__file__).name]
    assert any(name in path.read_text("utf-8") for path in tests for name in names)


def test_every_sentence_belongs_to_a_rule() -> None:
    ruled = {code for rule in RULES for code in codes_of(rule)}
    assert {code for code in OF_INTAKE if CODE.fullmatch(code)} == ruled
    elsewhere = {code for codes in ELSEWHERE.values() for code in codes}
    assert (
        {code for code in OF_DOMAIN if code.startswith(("set_", "profile_"))} <= elsewhere <= set(OF_DOMAIN)
    )


def test_the_documentation_lists_them_as_they_are() -> None:
    text = PAGE.read_text("utf-8")
    assert text.count(BEGIN) == 1
    assert text == page(text), "run: python tests/intake/rule_table.py"
