"""Every example in the docstring of a function is true (those of pk: tests/pk/values/test_pk_result.py)."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest
from docs_cases import ROOT

WITH_EXAMPLES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("config", "scheduler", "notifications")
    for path in sorted((ROOT / package).rglob("*.py"))
    if ">>> " in path.read_text("utf-8")
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_every_example_of_a_docstring_is_true(module: str) -> None:
    outcome = doctest.testmod(import_module(module))
    assert outcome.attempted > 0
    assert outcome.failed == 0
