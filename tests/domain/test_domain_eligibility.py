"""ACR/EULAR 2013 and the arms: every case of the published table, and that unknown is never taken for no."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import domain_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Language
from notifications.words.discretion import discreet
from scheduler.domain.facts import Answer, EligibilityAssessed
from scheduler.domain.flags import Flag, FlagCode
from scheduler.domain.partial_date import parse_partial_date, within_years
from scheduler.domain.reason import because
from scheduler.domain.speech import speaker_for
from scheduler.domain.trial.answers import read_answers
from scheduler.domain.trial.eligibility import (
    ITEMS,
    Arm,
    BiologicScope,
    ClassificationStatus,
    Criterion,
    EligibilityStatus,
    classify,
    eligibility_of,
)
from scheduler.store.rows import payload_of, what_from

ON = date(2026, 1, 15)
YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
TRI = tuple(item for item in ITEMS if item not in ("age_years", "first_sign"))
SCORED = tuple(
    item for item in TRI[2:] if TRI.index(item) < TRI.index("diffuse_skin")
)  # after the two exclusions
ALL_BUT_A = tuple(item for item in SCORED if item != "thickening_proximal_to_mcp")


def answers(*present: str, unknown: tuple[str, ...] = (), **more: object) -> EligibilityAssessed:
    """Everything is absent but what is named."""
    base = EligibilityAssessed(ON, 40, **dict.fromkeys(TRI, NO))  # type: ignore[arg-type]
    given_ = dict.fromkeys(present, YES) | dict.fromkeys(unknown, UNKNOWN)
    return replace(base, **given_, **more)  # type: ignore[arg-type]


SKIN = answers("thickening_proximal_to_mcp", "diffuse_skin", "mmf_first_line", first_sign="2024-05")
LUNG = answers(
    "thickening_proximal_to_mcp", "ild_on_imaging", "mmf_after_cyclophosphamide", first_sign="2010"
)


# --- classification -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "score", "status"),
    [
        (("sclerodactyly", "pitting_scars", "raynaud"), 10, "met"),
        (("puffy_fingers", "digital_tip_ulcers", "telangiectasia", "abnormal_nailfold_capillaries"), 8, "not_met"),
        (("puffy_fingers", "sclerodactyly"), 4, "not_met"),
        (("pulmonary_arterial_hypertension", "interstitial_lung_disease"), 2, "not_met"),
        (("anti_centromere", "anti_topoisomerase_i", "anti_rna_polymerase_iii"), 3, "not_met"),
        (ALL_BUT_A, 19, "met"),
        (("thickening_proximal_to_mcp",), 9, "met"),
        ((), 0, "not_met"),
    ],
)  # fmt: skip
def test_the_published_weights_give_the_published_scores(
    present: tuple[str, ...], score: int, status: str
) -> None:
    found = classify(answers(*present))
    assert (found.score_min, found.score_max, found.status) == (score, score, status)
    assert found.sufficient == (present == ("thickening_proximal_to_mcp",))


def test_seven_points_and_an_unknown_raynaud_stay_open() -> None:
    found = classify(answers("sclerodactyly", "pitting_scars", unknown=("raynaud",)))
    assert (found.score_min, found.score_max, found.status) == (7, 10, ClassificationStatus.INDETERMINATE)


def test_the_unknown_sufficient_criterion_leaves_any_score_open() -> None:
    found = classify(answers(unknown=("thickening_proximal_to_mcp",)))
    assert (found.score_min, found.score_max, found.status) == (0, 9, "indeterminate")


@pytest.mark.parametrize("exclusion", ["thickening_spares_fingers", "better_explained_otherwise"])
def test_an_exclusion_makes_the_criteria_not_applicable_and_an_unknown_one_open(exclusion: str) -> None:
    assert classify(answers(*ALL_BUT_A, exclusion)).status == "not_applicable"
    assert classify(answers(*ALL_BUT_A, unknown=(exclusion,))).status == "indeterminate"
    assert classify(answers("raynaud", unknown=(exclusion,))).status == "not_met"


_TRI = st.fixed_dictionaries({item: st.sampled_from(Answer) for item in TRI})


def made(values: dict[str, Answer]) -> EligibilityAssessed:
    return EligibilityAssessed(ON, 40, **values)  # type: ignore[arg-type]


@given(_TRI, st.sampled_from(SCORED))
def test_a_yes_more_never_lowers_a_score(values: dict[str, Answer], item: str) -> None:
    less, more = classify(made(values | {item: NO})), classify(made(values | {item: YES}))
    open_ = classify(made(values | {item: UNKNOWN}))
    assert less.score_min <= more.score_min and less.score_max <= more.score_max
    assert (open_.score_min, open_.score_max) == (less.score_min, more.score_max)


@given(_TRI, st.data())
def test_whatever_the_unknown_items_turn_out_to_be_a_settled_outcome_stays(
    values: dict[str, Answer], data: st.DataObject
) -> None:
    scope = data.draw(st.sampled_from(BiologicScope))
    before = eligibility_of(made(values), scope)
    known = {
        item: data.draw(st.sampled_from([YES, NO])) if answer is UNKNOWN else answer
        for item, answer in values.items()
    }
    after = eligibility_of(made(known), scope)
    score, later = before.classification, after.classification
    assert score.score_min <= later.score_min == later.score_max <= score.score_max
    assert before.arms <= after.arms <= after.possible_arms <= before.possible_arms
    if before.status is not EligibilityStatus.UNDETERMINED:
        assert after.status is before.status
    for one, other in zip(before.criteria, after.criteria, strict=True):
        assert one.id == other.id
        assert one.met in (UNKNOWN, other.met)


# --- arms and criteria ----------------------------------------------------------------------------------------


def criterion(of: EligibilityAssessed, name: str, scope: BiologicScope = BiologicScope.LUNG) -> Criterion:
    return next(one for one in eligibility_of(of, scope).criteria if one.id == name)


def test_the_arms_are_a_set() -> None:
    both = replace(SKIN, ild_on_imaging=YES)
    expected = [(SKIN, {Arm.SKIN}), (LUNG, {Arm.LUNG}), (both, {Arm.SKIN, Arm.LUNG}), (answers(), set())]
    for of, arms in expected:
        found = eligibility_of(of, BiologicScope.LUNG)
        assert found.arms == arms
        assert (found.status is EligibilityStatus.ELIGIBLE) == bool(arms)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"age_years": 17}, "not_eligible"),
        ({"age_years": 18}, "eligible"),
        ({"age_years": None}, "undetermined"),
        ({"other_immunosuppressant": YES}, "not_eligible"),
        ({"other_immunosuppressant": UNKNOWN}, "undetermined"),
        ({"diffuse_skin": NO}, "not_eligible"),
        ({"first_sign": "2023-01-15"}, "not_eligible"),  # three years to the day is not less
        ({"first_sign": "2023-01-16"}, "eligible"),
        ({"first_sign": "2023-01"}, "undetermined"),
        ({"first_sign": "2023"}, "undetermined"),
        ({"first_sign": "2022"}, "not_eligible"),
        ({"first_sign": None}, "undetermined"),
        ({"thickening_proximal_to_mcp": NO}, "not_eligible"),
        ({"biologic_last_6_months": YES}, "eligible"),
    ],
)
def test_each_criterion_of_the_skin_arm_decides(change: dict[str, object], status: str) -> None:
    assert eligibility_of(replace(SKIN, **change), BiologicScope.LUNG).status == status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"first_sign": None}, "eligible"),  # any duration
        ({"other_immunosuppressant": YES}, "eligible"),
        ({"ild_on_imaging": UNKNOWN}, "undetermined"),
        ({"mmf_after_cyclophosphamide": NO}, "not_eligible"),
        ({"mmf_after_cyclophosphamide": NO, "mmf_first_line": UNKNOWN}, "undetermined"),
        ({"biologic_last_6_months": YES}, "not_eligible"),
    ],
)
def test_each_criterion_of_the_lung_arm_decides(change: dict[str, object], status: str) -> None:
    assert eligibility_of(replace(LUNG, **change), BiologicScope.LUNG).status == status  # type: ignore[arg-type]


def test_of_whom_no_biotherapy_is_asked_is_configurable() -> None:
    treated = replace(SKIN, biologic_last_6_months=YES)
    assert eligibility_of(treated, BiologicScope.LUNG).arms == {Arm.SKIN}
    assert eligibility_of(treated, BiologicScope.BOTH).arms == set()


def test_every_criterion_is_reported_with_its_reason_in_both_languages() -> None:
    speakers = [speaker_for(one, cases.PARIS, cases.shipped_protocol()) for one in Language]
    for of in (
        SKIN,
        LUNG,
        answers(unknown=TRI),
        answers(*TRI),
        replace(SKIN, age_years=None, first_sign="2023"),
    ):
        found = eligibility_of(of, BiologicScope.BOTH)
        ids = [(one.id, one.arm) for one in found.criteria]
        assert len(ids) == len(set(ids)) == 9
        for one in found.criteria:
            english, french = (speaker.say(one.reason) for speaker in speakers)
            assert "{" not in english + french and english != french
    assert "between" not in speakers[0].say(criterion(SKIN, "classification").reason)
    assert speakers[0].say(criterion(SKIN, "age").reason) == "40 years; 18 or older is required"


# --- partial dates --------------------------------------------------------------------------------------------


@given(st.dates(date(2015, 1, 1), date(2025, 12, 31)), st.dates(date(2015, 1, 1), date(2030, 12, 31)))
def test_a_date_known_less_precisely_never_says_otherwise(first: date, on: date) -> None:
    whole = within_years(parse_partial_date(first.isoformat()), on, 3)
    for text in (f"{first:%Y-%m}", f"{first:%Y}"):
        assert within_years(parse_partial_date(text), on, 3) in (None, whole) or first > on


@pytest.mark.parametrize("text", ["2024-13", "2024-02-30", "24", "2024-5", "05/2024", ""])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|month|day"):
        parse_partial_date(text)


# --- reading answers ------------------------------------------------------------------------------------------


def test_everything_wrong_is_said_at_once_with_what_would_be_right() -> None:
    content = {
        "telangectasia": "yes", "date_of_birth": "1970-01-01", "shoe_size": 41, "anti_centromere": "perhaps",
        "age_years": "forty", "first_sign": "last year", "on": "2030-01-01",
    }  # fmt: skip
    found, wrong = read_answers(content, ON)
    assert found is None
    assert sorted(one.code for one in wrong) == sorted(
        [
            "eligibility_key_near", "eligibility_no_birth", "eligibility_key", "eligibility_answer",
            "eligibility_age", "eligibility_partial_date", "eligibility_on_future",
        ]
    )  # fmt: skip
    english = speaker_for(Language.EN, cases.PARIS, cases.shipped_protocol())
    said = [english.say(one) for one in wrong]
    assert "'telangectasia' is not asked. Did you mean 'telangiectasia'?" in said
    assert "anti_centromere = 'perhaps': write yes, no or unknown." in said


def test_an_age_or_a_first_sign_that_cannot_be_is_refused() -> None:
    for content, code in (
        ({"age_years": 121}, "eligibility_age"),
        ({"age_years": -1}, "eligibility_age"),
        ({"first_sign": "2027"}, "eligibility_first_sign_late"),
        ({"on": "soon"}, "eligibility_date"),
    ):
        assert [one.code for one in read_answers(content, ON)[1]] == [code]


def test_answers_are_read_in_both_languages_and_what_is_left_out_is_not_known() -> None:
    content = {
        "raynaud": "oui",
        "puffy_fingers": False,
        "telangiectasia": "inconnu",
        "first_sign": 2024,
        "age_years": 40,
    }
    found, wrong = read_answers(content, ON)
    assert wrong == []
    assert found == EligibilityAssessed(ON, 40, raynaud=YES, puffy_fingers=NO, first_sign="2024")


def test_answers_come_back_from_the_record_as_they_were() -> None:
    assert what_from(SKIN.kind, payload_of(SKIN)) == SKIN
    assert {one for one in payload_of(SKIN) if "birth" in one} == set()


def test_the_reason_of_an_open_score_names_what_is_not_known() -> None:
    reason = criterion(
        answers("sclerodactyly", "pitting_scars", unknown=("raynaud",)), "classification"
    ).reason
    assert reason == because("criterion_ssc_range", low=7, high=10, what=(because("item_raynaud"),))
    settled = criterion(answers(*ALL_BUT_A, unknown=("anti_centromere", "raynaud")), "classification")
    assert settled.reason == because("criterion_ssc_settled", low=16, high=19)


def test_answers_that_do_not_make_a_subject_eligible_are_flagged_and_mails_do_not_say_which() -> None:
    assert flag_of(SKIN) is None
    for of, code in (
        (replace(SKIN, age_years=17), "flag_eligibility_not_eligible"),
        (replace(SKIN, first_sign=None), "flag_eligibility_undetermined"),
    ):
        flag = flag_of(of)
        assert flag is not None and flag.reason.code == code
        assert flag.since == cases.local(ON, 0)
        assert discreet(flag.reason, "MPA-0042-7") == because("mail_eligibility_open", subject="MPA-0042-7")


def flag_of(of: EligibilityAssessed) -> Flag | None:
    desired = cases.stand(cases.timeline(of), cases.local(ON, 12))
    return next((one for one in desired.flags if one.code is FlagCode.ELIGIBILITY_OPEN), None)
