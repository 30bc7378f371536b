"""Enrolment: eligibility is checked first, and nobody enrols at another site."""

from __future__ import annotations

import re

from console_cases import Browser, House, text_of

from scheduler.engine.account.accounts import Role
from scheduler.store.tables import SubjectRow


def test_eligibility_is_checked_before_anything_is_recorded(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    answers = {
        "age_years": "44",
        "thickening_proximal_to_mcp": "yes",
        "diffuse_skin": "yes",
        "first_sign": "2024-05",
    }
    checked = browser.send("/enrol", "/enrol", code="MPA-0001-3", step="check", **answers)
    assert checked.status_code == 200 and "ACR/EULAR 2013 score 9" in text_of(checked.text)
    assert 'value="2024-05"' in checked.text
    known = house.db.read(lambda session: session.get(SubjectRow, "MPA-0001-3"))
    assert known is None
    wrong = browser.send(
        "/enrol", "/enrol", code="MPA-0001-4", inclusion="2025-09-01", **{**answers, "age_years": "old"}
    )
    assert wrong.status_code == 422 and "f-age_years-wrong" in wrong.text
    form = {
        "code": "mpa-0001-3",
        "inclusion": "2025-09-01",
        "formulation": "mmf",
        "dose_mg": "1000",
        "interval_h": "12",
    }
    done = browser.send("/enrol", "/enrol", **form, **answers)
    assert done.headers["location"].startswith("/subjects/MPA-0001-3?taken="), text_of(done.text)
    assert [row.kind for row in house.facts() if row.subject == "MPA-0001-3"] == [
        "enrolled",
        "eligibility_assessed",
    ]


def test_a_wrong_code_is_told_beside_the_field(desk: tuple[House, Browser]) -> None:
    _, browser = desk
    answer = browser.send("/enrol", "/enrol", code="MPA-0001-4", inclusion="2025-09-01")
    assert re.search(r'id="f-code-wrong">&#39;MPA-0001-4&#39; cannot be a subject code', answer.text)


def test_nobody_enrols_at_another_site(desk: tuple[House, Browser]) -> None:
    house, _ = desk
    everywhere = house.signed_in("eva", roles=[Role.COORDINATOR], site=None)
    refused = everywhere.send("/enrol", "/enrol", code="MPA-0001-3", inclusion="2025-09-01", site="nowhere")
    assert refused.status_code == 422 and "f-site-wrong" in refused.text
    lyon = house.signed_in("louise", site="lyon")
    lyon.send("/enrol", "/enrol", code="MPA-0001-3", inclusion="2025-09-01", site="cochin")
    row = house.db.read(lambda session: session.get(SubjectRow, "MPA-0001-3"))
    assert row is not None and row.site_id == "lyon"
