"""The fixture of reference tests: docs/validation.md is made of what it records."""

import json
from collections.abc import Iterator
from dataclasses import astuple

import pytest
from agreement import REFERENCE, Agreement


@pytest.fixture
def agreement(request: pytest.FixtureRequest) -> Iterator[Agreement]:
    """Asserts and records; the test must say by the marker `reference` what it compares with what."""
    mark = request.node.get_closest_marker(REFERENCE)
    assert mark is not None, "mark the test with agreement.reference"
    found = Agreement()
    yield found
    assert found.values, "a reference test compares at least one number"
    recorded = json.dumps([astuple(mark.args[0]), found.record()])  # workers can hand on no values of our own
    request.node.user_properties.append((REFERENCE, recorded))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker(REFERENCE) and "agreement" not in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(f"{item.nodeid} is marked as a reference test and compares nothing")
