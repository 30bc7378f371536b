"""Every defect of meaning that the loader promises to report: file, key, remedy, all at once."""

from __future__ import annotations

import copy
from typing import Any

import domain_cases as cases
import pytest
from pydantic import ValidationError

from config.schema import ProtocolFile
from config.shape_defects import shape_defects
from scheduler.domain.protocol import Event, TimingType, Trigger, VisitStatus


def spoilt(path: str, value: Any) -> dict[str, Any]:
    """The shipped protocol with one value replaced: 'encounters.1.timing.value'."""
    content = cases.document()
    *steps, last = [int(one) if one.isdigit() else one for one in path.split(".")]
    target: Any = content
    for step in steps:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return content


def said(content: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one.key, str(one.problem)) for one in cases.defects_of(content)]


REMINDER = {
    "id": "extra", "template": "book_visit", "to": ["coordinator"], "trigger": "target",
    "at": "08:00", "while": ["planned"], "valid_for": "P2D",
}  # fmt: skip


def with_reminder(**changes: Any) -> dict[str, Any]:
    content = cases.document()
    given = {key: value for key, value in (REMINDER | changes).items() if value is not ...}
    content["reminders"] = [given]
    return content


def test_the_shipped_protocol_has_no_defect() -> None:
    assert cases.defects_of(cases.document()) == []


@pytest.mark.parametrize(
    ("path", "value", "key", "problem"),
    [
        ("study.subject_pattern", "MPA-[0-9", "study.subject_pattern", "Not a regular expression"),
        # encounters
        ("encounters.1.id", "W12", "encounters", "'W12' is used more than once"),
        ("encounters.1.id", "w12", "encounters", "is used more than once"),
        ("encounters.1.code", "V3", "encounters", "'V3' is used more than once"),
        ("encounters.1.required", ["mrs"], "encounters.1", "There is no activity 'mrs'"),
        ("encounters.4.optional", ["fvc"], "encounters.4", "'fvc' is both required and optional"),
        ("encounters.1.timing.type", "fixed", "encounters", "2 encounters are fixed"),
        ("encounters.0.timing.type", "after", "encounters", "0 encounters are fixed"),
        ("encounters.0.timing.value", "P1D", "encounters.0 (INCLUSION).timing", "A fixed encounter is an anchor"),
        ("encounters.0.timing.window_upper", "P1D", "encounters.0 (INCLUSION).timing", "A fixed encounter"),
        ("encounters.1.timing.relative_to", ..., "encounters.1 (W6).timing.relative_to", "It is missing"),
        ("encounters.1.timing.relative_to", "V0", "encounters.1 (W6).timing.relative_to", "no encounter 'V0'"),
        ("encounters.1.timing.relative_to", "W6", "encounters.1 (W6).timing.relative_to", "its own anchor"),
        ("encounters.1.timing.relative_to", "Y1", "encounters.1 (W6).timing.relative_to", "listed after it"),
        ("encounters.1.timing.value", "P6WT2H", "encounters.1 (W6).timing.value", "Hours and minutes"),
        ("encounters.1.timing.grace", "PT6H", "encounters.1 (W6).timing.grace", "Hours and minutes"),
        ("encounters.1.timing.expires_after", "PT6H", "encounters.1 (W6).timing.expires_after", "Hours and"),
        ("encounters.1.timing.window_lower", "P6W", "encounters.1 (W6).timing.window_lower", "crosses its own anchor"),
        ("encounters.1.timing.window_upper", "P5W", "encounters (W12).timing", "overlaps that of W6"),
        ("encounters.4.timing.window_lower", "P12M", "encounters.4 (Y1).timing.window_lower", "crosses its own"),
        # sampling points
        ("sampling.points.1.id", "H0", "sampling.points", "'H0' is used more than once"),
        ("sampling.points.1.id", "Booking", "sampling.points", "is the name of a trigger"),
        ("sampling.points.1.value", "P1D", "sampling.points.1 (H30).value", "Days and months"),
        ("sampling.points.1.window_lower", "PT31M", "sampling.points.1 (H30)", "The window crosses the dose"),
        ("sampling.points.0.window_upper", "PT1M", "sampling.points.0 (H0)", "The window crosses the dose"),
        # activities, limits, bands
        ("activities.0.id", "FVC", "activities", "'fvc' is used more than once"),
        ("activities.0.minimum", 52, "activities.0.minimum", "The minimum exceeds the maximum"),
        ("activities.0.sites", ["face", "face"], "activities.0.sites", "'face' is listed more than once"),
        ("activities.0.sites", ["face"], "activities.0.sites", "1 sites of 0 to 3 give whole numbers from 0 to 3"),
        ("activities.0.site_maximum", 4, "activities.0.sites", "from 0 to 68"),
        ("activities.0.integer", False, "activities.0.sites", "give whole numbers"),
        ("endpoints.fvc", "lung", "endpoints.fvc", "There is no activity 'lung'"),
        ("endpoints.prorate_missing_sites", 17, "endpoints.prorate_missing_sites", "mrss has 17 sites"),
        ("endpoints.skin", {"abs_threshold": 0, "rel_threshold": 0}, "endpoints.skin", "everybody would respond"),
        ("endpoints.lung.dlco_threshold", 0, "endpoints.lung", "belong together"),
        ("endpoints.lung.with_dlco_threshold", 10, "endpoints.lung.with_dlco_threshold", "not below threshold"),
        ("limits.results_within", "PT12H", "limits.results_within", "whole days"),
        ("limits.complete_within", "P1M", "limits.complete_within", "whole days"),
        ("limits.attendance_within", "P0D", "limits.attendance_within", "before its day is over"),
        ("bands.0.id", "lupus", "bands", "'lupus' is used more than once"),
        # reminders, notices, digest
        ("reminders.1.id", "book_visit", "reminders", "'book_visit' is used more than once"),
        ("notices.0.event", "visit_booke", "notices.0 (visit_booke).event", "is not an event"),
        ("notices.0.to", ["boss"], "notices.0 (visit_booked).to", "'boss' is not a role"),
        ("notices.0.template", "nothing", "notices.0 (visit_booked).template", "no mail template 'nothing'"),
        ("digest.to", ["boss"], "digest.to", "'boss' is not a role"),
    ],
)  # fmt: skip
def test_a_defect_is_reported_with_its_key_and_a_remedy(
    path: str, value: Any, key: str, problem: str
) -> None:
    found = cases.defects_of(spoilt(path, value))
    matching = [one for one in found if one.key == key and problem in str(one.problem)]
    assert matching, found
    for one in found:
        assert one.file == "p.toml"
        assert str(one.remedy).endswith(".")


@pytest.mark.parametrize(
    ("changes", "key", "problem"),
    [
        ({"to": ["boss"]}, ".to", "'boss' is not a role"),
        ({"template": "nothing"}, ".template", "no mail template"),
        ({"trigger": "birthday"}, ".trigger", "'birthday' is not a trigger"),
        ({"while": ["asleep"]}, ".while", "'asleep' does not fit the trigger"),
        ({"while": ["not_drawn"]}, ".while", "'not_drawn' does not fit"),
        ({"while": ["complete"]}, ".while", "can never be valid"),
        ({"while": ["incomplete"]}, ".while", "can never be valid"),
        ({"trigger": "attended", "while": ["complete"]}, ".while", "can never be valid"),
        ({"trigger": "attended", "while": ["booked"]}, ".while", "can never be valid"),
        ({"trigger": "overdue", "while": ["missed"]}, ".while", "can never be valid"),
        ({"trigger": "overdue", "while": ["window_open"]}, ".while", "can never be valid"),
        ({"trigger": "missed", "while": ["overdue"]}, ".while", "can never be valid"),
        ({"trigger": "booking", "while": ["planned"]}, ".while", "can never be valid"),
        ({"valid_for": "P0D"}, ".valid_for", "can never be valid"),
        ({"valid_for": "P1M"}, ".valid_for", "can never be valid"),
        ({"valid_for": "PT11H"}, ".valid_for", "less than 12 hours"),
        ({"at": ...}, ".at", "needs a local time"),
        ({"type": "before", "value": "PT3H"}, ".value", "reckoned in days"),
        ({"type": "at", "value": "P3D"}, ".value", "has no distance"),
        ({"trigger": "window_close", "type": "after", "value": "P1D"}, "", "can never be valid"),
        ({"type": "after", "value": "P31D"}, "", "can never be valid"),  # Y1's window ends 30 days after
        ({"trigger": "overdue", "while": ["overdue"], "type": "after", "value": "P60D"}, "", "can never be valid"),
        ({"trigger": "H30", "while": ["not_drawn"], "at": "08:00"}, "", "reckoned in minutes"),
        ({"trigger": "H30", "while": ["not_drawn"], "at": ..., "type": "before", "value": "P1D"}, "", "in minutes"),
        ({"trigger": "H30", "while": ["not_drawn"], "at": ..., "type": "after", "value": "PT10M"}, "", "after the"),
        ({"trigger": "H30", "while": ["planned"], "at": ...}, ".while", "does not fit the trigger"),
    ],
)  # fmt: skip
def test_a_defect_of_a_reminder_is_reported(changes: dict[str, Any], key: str, problem: str) -> None:
    found = said(with_reminder(**changes))
    assert any(name == f"reminders.0 (extra){key}" and problem in text for name, text in found), found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"valid_for": "PT6H", "accept_short_validity": True},
        {"type": "after", "value": "P30D"},
        {"trigger": "overdue", "while": ["window_open"], "type": "before", "value": "P2D"},
        {"trigger": "missed", "while": ["overdue"], "type": "before", "value": "P2D"},
        {"trigger": "overdue", "while": ["overdue"], "type": "after", "value": "P59D"},
        {"trigger": "attended", "while": ["incomplete", "results_overdue"], "type": "after", "value": "P3D"},
        {"trigger": "H30", "while": ["not_drawn"], "at": ..., "type": "after", "value": "PT9M", "valid_for": "PT5M"},
    ],
)  # fmt: skip
def test_a_reminder_that_can_be_valid_is_accepted(changes: dict[str, Any]) -> None:
    assert said(with_reminder(**changes)) == []


def test_a_notice_listed_twice_is_reported() -> None:
    content = cases.document()
    content["notices"].append(copy.deepcopy(content["notices"][0]))
    assert [key for key, _ in said(content)] == ["notices"]


def test_an_unknown_key_and_a_wrong_type_are_reported_with_their_key() -> None:
    content = spoilt("encounters.1.timing.widow_lower", "P7D")
    content["limits"]["complete_within"] = "2 days"
    with pytest.raises(ValidationError) as caught:
        ProtocolFile.model_validate(content)
    keys = {(one.key, str(one.remedy)) for one in shape_defects("p.toml", caught.value)}
    assert keys == {
        ("encounters.1.timing.widow_lower", "Remove the key or correct its spelling."),
        ("limits.complete_within", "Write a length of time such as P7D or PT30M."),
    }


def test_all_defects_are_reported_at_once() -> None:
    content = spoilt("encounters.1.timing.window_lower", "P6W")
    content["encounters"][2]["timing"]["relative_to"] = "V9"
    content["sampling"]["points"][1]["window_lower"] = "PT31M"
    content["reminders"][0]["trigger"] = "birthday"
    content["reminders"][1]["valid_for"] = "PT1H"
    content["notices"][0]["to"] = ["boss"]
    content["activities"][0]["minimum"] = 99
    keys = {key.split(" ")[0].split(".")[0] for key, _ in said(content)}
    assert keys == {"encounters", "sampling", "reminders", "notices", "activities"}
    assert len(said(content)) == 7


def test_overlaps_are_found_between_all_pairs_and_at_any_baseline() -> None:
    def windows(**timing: Any) -> list[str]:
        wide = cases.encounter("WIDE", value="P90D", window_upper="P90D")
        others = [cases.encounter("B", value="P100D"), cases.encounter("C", value="P150D")]
        content = cases.small_document(wide, *others, cases.encounter("D", **timing))
        return [problem for _, problem in said(content)]

    assert windows(value="P181D") == ["Its window overlaps that of WIDE."] * 2
    months = cases.small_document(
        cases.encounter("M1", value="P1M"), cases.encounter("D30", value="P30D", relative_to="INCLUSION")
    )
    assert said(months) != []  # the same day after a month of 30 days


def test_a_visit_before_the_anchor_may_not_reach_it() -> None:
    ahead = cases.encounter("SCREEN", type="before", value="P14D", window_upper="P13D")
    assert said(cases.small_document(ahead)) == []
    across = cases.encounter("SCREEN", type="before", value="P14D", window_upper="P14D")
    assert next(key for key, _ in said(cases.small_document(across))).endswith("window_upper")


def test_a_cycle_of_anchors_is_reported_and_not_followed() -> None:
    loop = cases.small_document(
        cases.encounter("A", relative_to="B"), cases.encounter("B", value="P20W", relative_to="A")
    )
    assert any("listed after it" in problem for _, problem in said(loop))


# --- building ---------------------------------------------------------------------------------------------------


def test_the_shipped_protocol_is_built_as_it_is_written() -> None:
    protocol = cases.shipped_protocol()
    assert [one.id for one in protocol.encounters] == ["INCLUSION", "W6", "W12", "M6", "Y1"]
    assert protocol.encounters[0].timing.type is TimingType.FIXED
    points = [(p.id, p.nominal_min, p.earliest_min, p.latest_min) for p in protocol.points]
    assert points == [("H0", 0, -60, 0), ("H30", 30, 20, 40), ("H2", 120, 110, 130)]
    rules = {rule.id: rule for rule in protocol.reminders}
    assert (rules["visit_soon"].sign, rules["visit_soon"].trigger) == (-1, Trigger.BOOKING)
    assert rules["sampling_day"].sign == 0
    assert rules["unconfirmed"].sign == 1
    assert {notice.event for notice in protocol.notices} <= set(Event)
    assert VisitStatus.BOOKED in rules["visit_soon"].while_


def test_a_protocol_without_a_key_is_known_by_its_id_and_version() -> None:
    assert cases.protocol_from(cases.document()).key == "sclerosis-mpa-auc 1"
    assert hash(cases.protocol_from(cases.document(), "k")) == hash("k")


def test_names_are_found_whatever_their_case() -> None:
    content = cases.document()
    content["sampling"]["points"][0]["id"] = "pre"
    content["activities"][0]["id"] = "mRSS"
    for one in content["encounters"]:
        one["required"] = ["mRSS" if name == "mrss" else name for name in one.get("required", [])]
        one["optional"] = ["mRSS" if name == "mrss" else name for name in one.get("optional", [])]
    protocol = cases.protocol_from(content)
    for name in ("w6", "W6", " v2 "):
        found = protocol.encounter(name)
        assert found is not None and found.id == "W6"
    point, activity = protocol.point("PRE"), protocol.activity("mrss")
    assert point is not None and point.id == "pre"
    assert activity is not None and activity.id == "mRSS"
    assert protocol.encounter("V9") is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("endpoints.composite_rule", "most"),
        ("endpoints.skin.abs_operator", "=>"),
        ("endpoints.lung.unit", "percent"),
        ("endpoints.lung.threshold", 0),
        ("endpoints.window_days", -1),
        ("endpoints.intercurrent_strategy.death", "ignore"),
        ("endpoints.intercurrent_strategy.relapse", "missing"),
        ("eligibility.biologic_scope", "everybody"),
    ],
)
def test_a_word_or_number_that_the_endpoints_do_not_know_is_a_defect_of_shape(path: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ProtocolFile.model_validate(spoilt(path, value))
    (defect,) = shape_defects("p.toml", caught.value)
    assert defect.key == path
    assert str(defect.problem) and str(defect.remedy)


def test_the_sections_may_be_left_out_and_their_defaults_are_those_of_the_shipped_file() -> None:
    content = cases.document()
    del content["endpoints"], content["eligibility"]
    assert cases.protocol_from(content).endpoints == cases.shipped_protocol().endpoints
