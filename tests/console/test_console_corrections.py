"""Corrections: field by field, with a reason; regimens and scores of sites as a whole."""

from __future__ import annotations

import html
import re

from console_cases import MRSS, SUBJECT, Browser, House, text_of

VISIT = f"/subjects/{SUBJECT}/visits"


def test_a_record_is_corrected_with_a_reason_or_taken_back(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=house.local())
    number = house.facts("attended")[0].id
    path = f"/subjects/{SUBJECT}/records/{number}/correct"
    at = house.local()
    unchanged = browser.send(path, path, visit="INCLUSION", at=at, why="a slip")
    assert "Nothing was changed" in unchanged.text
    without = browser.send(path, path, visit="INCLUSION", at=house.local(minutes=-20), why="")
    assert re.search(r'id="f-why-wrong">This is needed', without.text)
    done = browser.send(path, path, visit="INCLUSION", at=house.local(minutes=-20), why="a slip")
    assert done.status_code == 303, text_of(done.text)
    browser.send(
        path, path, visit="INCLUSION", at=house.local(minutes=-20), take_back="yes", why="another day"
    )
    first, second = house.facts("corrected")
    assert first.payload["reason"] == "a slip" and first.payload["instead"]["payload"]["visit"] == "INCLUSION"
    assert second.payload["instead"] is None
    assert browser.get(f"/subjects/{SUBJECT}/records/{first.id}/correct").status_code == 404


def _correction(house: House, kind: str, browser: Browser) -> tuple[str, dict[str, str]]:
    """The correction form of the newest record of a kind, with the fields as they stand in it."""
    path = f"/subjects/{SUBJECT}/records/{house.facts(kind)[-1].id}/correct"
    page = browser.get(path).text
    fields = dict(re.findall(r'<input id="[^"]*" name="([^"]+)" value="([^"]*)"', page))
    fields |= dict(re.findall(r'<input type="radio" name="([^"]+)" value="([^"]*)" checked', page))
    for name, options in re.findall(r'<select id="[^"]*" name="([^"]+)".*?>(.*?)</select>', page):
        fields[name] = re.findall(r'<option value="([^"]*)" selected', options)[0]
    return path, {name: html.unescape(value) for name, value in fields.items()}


def test_the_regimen_of_an_enrolment_is_corrected_field_by_field(desk: tuple[House, Browser]) -> None:
    house, browser = desk
    path, fields = _correction(house, "enrolled", browser)
    assert (fields["regimen.formulation"], fields["regimen.dose_mg"], fields["regimen.interval_h"]) == (
        "mmf", "1000", "12",
    )  # fmt: skip
    wrong = browser.send(path, path, **fields | {"regimen.dose_mg": "9000", "why": "a slip"})
    assert re.search(r'id="f-regimen-dose_mg-wrong">A dose of 9000', wrong.text)
    done = browser.send(path, path, **fields | {"regimen.dose_mg": "750,5", "why": "a slip"})
    assert done.status_code == 303, text_of(done.text)
    payload = house.facts("corrected")[-1].payload["instead"]["payload"]
    assert payload["regimen"] == {"formulation": "mmf", "dose_mg": 750.5, "interval_h": 12.0}
    _, again = _correction(house, "enrolled", browser)
    assert again["regimen.dose_mg"] == "750.5"
    emptied = {name: "" for name in fields if name.startswith("regimen.")}
    gone = browser.send(path, path, **again | emptied | {"why": "not known"})
    assert gone.status_code == 303, text_of(gone.text)
    assert house.facts("corrected")[-1].payload["instead"]["payload"]["regimen"] is None
    _, again = _correction(house, "enrolled", browser)
    half = browser.send(path, path, **again | {"regimen.dose_mg": "500", "why": "known again"})
    assert half.status_code == 422 and "f-regimen-formulation-wrong" in half.text


def test_the_sites_of_a_score_are_corrected_one_by_one_and_the_total_follows(
    desk: tuple[House, Browser],
) -> None:
    house, browser = desk
    browser.send(f"{VISIT}/INCLUSION/attend", f"{VISIT}/INCLUSION/attend", at=house.local())
    browser.send(f"{VISIT}/INCLUSION/assess", f"{VISIT}/INCLUSION/assess", at=house.local(), **MRSS)
    path, fields = _correction(house, "assessed", browser)
    assert fields["value"] == "17" and fields["sites.face"] == "1"
    done = browser.send(path, path, **fields | {"sites.face": "3", "why": "misread"})
    assert done.status_code == 303, text_of(done.text)
    payload = house.facts("corrected")[-1].payload["instead"]["payload"]
    assert payload["value"] == 19 and ["face", 3] in payload["sites"] and len(payload["sites"]) == 17
    _, fields = _correction(house, "assessed", browser)
    wrong = browser.send(path, path, **fields | {"value": "25", "sites.chest": "2", "why": "x"})
    assert wrong.status_code == 422 and re.search(
        r'id="f-value-wrong">[^<]* = 25, but its sites add up to 20', wrong.text
    )
    nonsense = browser.send(path, path, **fields | {"sites.chest": "7", "why": "x"})
    assert nonsense.status_code == 422 and "f-sites-chest" in nonsense.text
