"""The report of the study's question: what it says at every size, and that it says nothing more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from engine_desk import SUBJECT, Desk, at, speaker
from engine_members import CUT, ROOT, SCHEMA, checked, cohort, made, member

from config.language import Language
from pk.target.findings import Conclusion, Gate, Settings
from scheduler.domain.facts import Answer, Assessed, Attended, EligibilityAssessed
from scheduler.engine.report.page import target_page
from scheduler.engine.study import Study
from scheduler.engine.target.cohort import followed_rows, reason_rows
from scheduler.engine.target.grid import grid
from scheduler.engine.target.member import DEFINITIONS, Member
from scheduler.engine.target.page import gate_digits
from scheduler.engine.target.report import PARTS, report_of, target_json, target_report
from scheduler.engine.target.set import primary_analysis, with_predictions
from scheduler.engine.target.thresholds import literature
from scheduler.store.database import Database

TWO = (
    "Two patients cannot identify a target. Any correlation is +1 or -1 by construction; with one responder "
    "and one non-responder the ROC area is 0 or 1 and is 'perfect' half of the time under no effect; the "
    "smallest possible p is 1.00. Individual exposures are listed against literature thresholds for "
    "description only."
)


def p_values(value: Any) -> Iterator[tuple[str, float]]:
    """Every number under a name that holds a p or a q."""
    if isinstance(value, dict):
        for name, one in value.items():
            if re.fullmatch(r"p|q|.*_p|p_.*", name) and one is not None:
                yield name, one
            else:
                yield from p_values(one)
    elif isinstance(value, list):
        for one in value:
            yield from p_values(one)


@pytest.mark.parametrize("language", list(Language))
def test_two_patients_are_listed_and_nothing_is_tested(study: Study, language: Language) -> None:
    report = made((member(1, 38.0, True, -8), member(2, 52.0, False, 1)), study, language)
    document = checked(report, study, language)
    assert (document["tier"], document["cutpoint"], document["conclusion"]) == (0, None, "not estimable")
    document["gates"] = []  # the names of conditions, all without a value
    assert list(p_values(document)) == []
    assert {"C5", "C9"} <= {one["code"] for one in document["warnings"]}
    assert all(one["rho"] is None and one["p"] is None for one in document["grid"])
    assert all(one["low"] is None and one["value"] is None for one in document["responses"])
    page = target_page(report, speaker(study, language))
    words = speaker(study, language).text(TWO)
    assert words.replace("'", "&#39;") in page
    assert (words == TWO) is (language is Language.EN)
    assert report.drawings["p3"] is None and report.drawings["p5"] is None
    assert "0.78" not in page and "0,78" not in page  # nothing is said of correlations


@pytest.mark.parametrize(
    ("members", "tier"),
    [
        ((), 0),
        ((member(1, 38.0, True, -8),), 0),
        (tuple(member(i, 40.0, i % 2 == 0, -3.0) for i in range(12)), 0),  # constant exposure
        (tuple(member(i, 20.0 + i, True, -3.0) for i in range(12)), 0),  # one class
        (tuple(member(i, 20.0 + i, None) for i in range(12)), 0),  # no outcome
        (tuple(member(i, None, True, -3.0) for i in range(12)), 0),  # no exposure
        (tuple(member(i, 20.0 + i, i > 5, 5.0 - i) for i in range(12)), 2),  # complete separation
        (cohort(5), 1),
    ],
    ids=["nobody", "one", "constant", "all respond", "no outcome", "no exposure", "separated", "five"],
)
def test_whatever_is_on_record_the_report_is_whole(
    study: Study, members: tuple[Member, ...], tier: int
) -> None:
    document = checked(made(members, study), study)
    assert (document["tier"], document["cutpoint"]) == (tier, None)
    assert len(document["patients"]) == len(members)


def test_enough_patients_have_a_cut_and_the_same_bytes_again(study: Study) -> None:
    report = made(cohort(60, effect=30), study)
    document = checked(report, study)
    assert (document["tier"], document["n"], document["n_responders"]) == (4, 60, 24)
    assert document["cutpoint"]["value"] is not None
    assert all(report.drawings[name] is not None for name in ("p1", "p2_mrss", "p3", "p5", "p6_auc", "p7"))
    again, said = made(cohort(60, effect=30), study), speaker(study)
    assert target_json(again, said) == target_json(report, said)
    assert target_page(again, said) == target_page(report, said)


@pytest.mark.parametrize(
    ("value", "limit", "digits"),
    [(0.62, 0.5, 2), (0.4996, 0.5, 4), (0.5004, 0.5, 4), (0.5, 0.5, 2), (0.04996, 0.05, 5), (None, 0.5, 2)],
)
def test_the_value_of_a_condition_is_seen_on_its_side_of_the_limit(
    value: float | None, limit: float, digits: int
) -> None:
    assert gate_digits(Gate("x", value, limit, passed=False)) == digits


def test_the_number_of_analyses_and_q_are_those_of_the_grid(study: Study) -> None:
    report = made(cohort(24), study)
    tested = [one for one in report.cells if one.p is not None]
    assert report.settings.analyses_run == len(tested) > 0
    assert all(one.q is not None and one.p is not None and one.q >= one.p for one in tested)
    (counted,) = [one for one in report.found.warnings if one.code == "C10"]
    assert dict(counted.params)["count"] == len(tested)


def test_a_cell_of_the_grid_is_what_the_whole_analysis_says() -> None:
    members = cohort(24)
    cell = next(
        one for one in grid(members, Settings()) if (one.exposure, one.outcome) == ("twa_6_26", "any")
    )
    whole = primary_analysis(members, Settings(bootstrap=500, permutations=999))
    assert whole.association is not None
    rank = whole.association.spearman
    assert (cell.n, cell.n_responders, cell.tier) == (whole.n, whole.n_responders, whole.tier.number)
    assert (cell.rho, cell.ci, cell.p) == (rank.rho, rank.ci, rank.p)


def test_noise_is_no_candidate() -> None:
    settings = Settings(bootstrap=200, permutations=199)
    found = [primary_analysis(cohort(60, seed=seed), settings).conclusion for seed in range(20)]
    assert found.count(Conclusion.CANDIDATE) <= 1  # 5 % of 20


def test_what_the_study_shares_with_a_file_has_one_schema() -> None:
    whole = json.loads((ROOT / "pk" / "schemas" / "target-output.json").read_text("utf-8"))
    of_file = whole["anyOf"][0]["properties"]
    assert {name: SCHEMA["properties"][name] for name in of_file} == of_file
    assert SCHEMA["$defs"] == whole["$defs"]


@pytest.mark.parametrize("language", list(Language))
def test_thresholds_are_of_two_quantities_and_chaigne_is_not_among_them(language: Language) -> None:
    known = literature(language)
    assert {one.quantity for one in known.thresholds} == {"auc", "c0"}
    assert {one.kind for one in known.thresholds} == {"data", "prespecified", "consensus"}
    assert not any("Chaigne" in one.study for one in known.thresholds)
    assert any("Chaigne" in study for study, _, _ in known.left_out)
    assert all(one.low <= one.high and one.disease for one in known.thresholds)
    assert all(one.low >= 20 for one in known.thresholds if one.quantity == "auc")
    assert all(one.high <= 5 for one in known.thresholds if one.quantity == "c0")


def test_the_report_of_a_real_database(sqlite_db: Database, study: Study) -> None:
    desk = Desk(sqlite_db, study)
    desk.sampled()
    no, yes = Answer.NO, Answer.YES
    desk.say(
        EligibilityAssessed(
            date(2025, 8, 29),
            40,
            no,
            no,
            yes,
            diffuse_skin=yes,
            first_sign="2024-05",
            other_immunosuppressant=no,
            ild_on_imaging=no,
            biologic_last_6_months=no,
        )
    )
    desk.say(Assessed("INCLUSION", "mrss", at(9), 20, "points", assessor="A"))
    desk.lab()
    desk.now = at(12, 0, 1, 9, 2026)
    desk.say(Attended("Y1", at(9, 0, 1, 9, 2026)))
    desk.say(Assessed("Y1", "mrss", at(10, 0, 1, 9, 2026), 14, "points", assessor="A"))
    report = desk.db.transact(lambda session: target_report(session, study, speaker(study), 1))
    document = checked(report, study)
    (patient,) = document["patients"]
    assert (patient["subject"], patient["changes"]["mrss"], patient["response"]) == (SUBJECT, -6, True)
    assert report.data_cut == desk.now.isoformat()
    assert patient["exposure"]["twa_6_26"] is None  # only the inclusion was sampled


def test_skin_and_lung_are_judged_as_a_pair(study: Study) -> None:
    report = made(cohort(24), study)
    association = report.continuous["mrss"].association
    assert association is not None
    # FVC cannot be tested here and counts as 1: the one p is doubled.
    assert report.adjusted == {"mrss": min(1.0, 2 * association.spearman.p)}
    document = checked(report, study)
    assert document["continuous"]["mrss"]["p_holm"] == report.adjusted["mrss"]
    assert document["continuous"]["fvc"]["p_holm"] is document["continuous"]["dlco"]["p_holm"] is None


def test_the_other_exposures_are_those_of_who_has_them(study: Study) -> None:
    base = member(1, 38.0, True, -8)
    rows = {**base.exposures, "weeks": [6, 12, 26], "days": [42, 84, 182], "aucs": [30.0, 40.0, 50.0]}
    visits = [{**base.exposures["visits"][0], "dose_mg": dose} for dose in (1000.0, 1000.0, 1500.0)]
    changed = replace(base, exposures={**rows, "visits": visits})
    steady = replace(base, exposures={**rows, "visits": [visits[0]] * 3})
    single = replace(base, exposures={**rows, "visits": [visits[0]] * 3, "flags": ["single_occasion"]})
    assert (changed.exposure("twa_6_26_same_dose"), steady.exposure("twa_6_26_same_dose")) == (None, 38.0)
    assert (single.exposure("twa_6_26_measured"), steady.exposure("twa_6_26_measured")) == (None, 38.0)
    assert steady.exposure("locf_6_26") == pytest.approx((42 * 30 + 98 * 40) / 140)
    assert with_predictions([steady] * 5)[0].exposure("blup_6_26") is None
    assert all(one.exposure("blup_6_26") is not None for one in with_predictions([steady, changed] * 12))


def test_who_had_rescue_treatment_is_left_out_of_one_analysis() -> None:
    base = member(1, 38.0, True, -8)
    changes = {
        **base.endpoints["changes"],
        "fvc": {"absolute": None, "events": [{"event": "rescue_treatment", "on": None}]},
    }
    rescued = replace(base, endpoints={**base.endpoints, "changes": changes})
    assert (base.holds("composite_without_rescue"), rescued.holds("composite_without_rescue")) == (True, None)
    assert rescued.holds("composite") is True


def test_missing_outcomes_stand_on_the_page_with_what_they_could_change(study: Study) -> None:
    for n, method in ((16, "bounds"), (60, "imputation")):
        members = tuple(
            replace(one, endpoints={**one.endpoints, "response": None}) if i % 6 == 0 else one
            for i, one in enumerate(cohort(n, effect=15))
        )
        report = made(members, study)
        document = checked(report, study)
        assert document["missing_outcomes"]["method"] == method
        assert f"Outcomes missing: {document['missing_outcomes']['count']}" in target_page(
            report, speaker(study)
        )


@pytest.mark.parametrize("n", [2, 24])
def test_who_waits_is_told_of_every_part(study: Study, n: int) -> None:
    told: list[None] = []
    report_of(cohort(n), CUT, study, speaker(study), 1, lambda: told.append(None))
    assert len(told) == PARTS


def test_every_definition_stands_side_by_side_and_what_is_missing_has_its_reason(study: Study) -> None:
    outcomes = [
        {**one, "holds": None, "why_codes": ["endpoint_no_value", "endpoint_no_value"]}
        for one in member(1, 1.0, True).endpoints["outcomes"]
    ]
    base = member(90, None, None)
    lacking = replace(base, endpoints={**base.endpoints, "outcomes": outcomes})
    report = made((*cohort(12), lacking), study)
    shares = {one.definition: one for one in report.responses}
    assert set(shares) == set(DEFINITIONS)
    assert {one.sense for one in report.responses} == {"improved", "stable", "worsened"}
    assert (shares["stable"].sense, shares["ppf_2022"].sense) == ("stable", "worsened")
    assert shares["stable"].missing == 1
    assert reason_rows(report.members, speaker(study)) == [
        ("Primary exposure", "no AUC from week 6 to week 26", 1),
        ("Skin response", "no value at one year, or not yet", 1),
        ("Lung response", "no value at one year, or not yet", 1),
    ]
    page = target_page(report, speaker(study))
    for said in (
        "ppf_2022",
        "CRISS cannot be evaluated",
        "Adverse events are not recorded",
        "Pawinski 2002 (12)",
    ):
        assert said in page


def test_baseline_and_duration_stand_beside_every_outcome_and_are_adjusted_for(study: Study) -> None:
    members = []
    for i, one in enumerate(cohort(40, effect=10)):
        known = {**one.endpoints["eligibility"], "first_sign": "2024-05", "on": date(2025, 8, 29)}
        of = {**one.endpoints["changes"]["mrss"], "baseline": {"value": 15.0 + i % 9}}
        changes = {**one.endpoints["changes"], "mrss": of}
        members.append(replace(one, endpoints={**one.endpoints, "eligibility": known, "changes": changes}))
    assert members[0].duration_years == pytest.approx(1.286, abs=0.001)  # from the middle of May
    report = made(tuple(members), study)
    assert report.found.firth is not None and report.found.firth.adjusted is not None
    page = target_page(report, speaker(study))
    assert "Adjusted for the skin score at inclusion" in page and "Years since the first sign" in page


def test_how_long_and_how_often_is_told_by_response(study: Study) -> None:
    rows = followed_rows(cohort(10))
    assert [(one.response, one.n, one.dose_changed) for one in rows] == [
        (True, 4, 0),
        (False, 6, 0),
        (None, 0, 0),
    ]
    assert rows[0].days.median == 140.0 and rows[0].occasions.median == 1.0
