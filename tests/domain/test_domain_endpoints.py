"""The endpoints of a subject from its records, and how they are said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import domain_cases as cases
from trial_cases import BOTH, EQUATION, USUAL, YEAR

from config.language import Language
from scheduler.domain.facts import Assessed, Intercurrent, Occurred, What, Withdrawal, Withdrawn
from scheduler.domain.sentences.trial import TRIAL_SENTENCES
from scheduler.domain.speech import speaker_for
from scheduler.domain.trial.definitions import PUBLISHED, Measure
from scheduler.domain.trial.endpoints import Endpoints, endpoints_of
from scheduler.domain.trial.settings import EndpointSettings

SITES = cases.shipped_protocol().activities[0].sites


def found_at(visit: str, day: date, mrss: Any, fvc: Any, dlco: Any, **skin: Any) -> list[What]:
    at = cases.local(day, 11)
    more = {"equation": EQUATION}
    return [
        *cases.sampling_day(visit, day),
        Assessed(visit, "mrss", at, mrss, "points", **{"assessor": "A", **skin}),
        Assessed(visit, "fvc", at, fvc, "% predicted", **more),
        Assessed(visit, "dlco", at, dlco, "% predicted", hb_corrected=True, **more),
    ]


def lived(
    mrss: tuple[Any, Any], fvc: tuple[Any, Any], dlco: tuple[Any, Any], until: str = "Y1", **skin: Any
) -> list[What]:
    first = [BOTH, *found_at("INCLUSION", cases.BASELINE, mrss[0], fvc[0], dlco[0])]
    return first if until != "Y1" else [*first, *found_at("Y1", YEAR, mrss[1], fvc[1], dlco[1], **skin)]


def endpoints(*whats: What, settings: EndpointSettings | None = None) -> Endpoints:
    line = cases.timeline(*whats)
    if settings is not None:
        line = line._replace(protocol=replace(line.protocol, endpoints=settings))
    return endpoints_of(line)


def test_the_records_of_a_year_give_the_endpoints() -> None:
    found = endpoints(*lived((20, 14), (70, 77), (50, 58)))
    assert found.window.target == YEAR
    assert (found.changes[Measure.MRSS].absolute, found.changes[Measure.FVC].relative) == (-6, 10)
    assert (found.primary.id, found.primary.holds) == ("any", True)
    assert endpoints().primary.holds is None


def test_a_missing_site_makes_the_total_missing_unless_the_protocol_makes_up_for_it() -> None:
    some = tuple((site, 1) for site in SITES[2:])
    whats = lived((34, None), (70, 70), (50, 50), sites=some)
    assert endpoints(*whats).changes[Measure.MRSS].absolute is None
    assert endpoints(*whats).outcome("skin_response").why[0].code == "endpoint_sites_missing"
    made_up = endpoints(*whats, settings=replace(USUAL, prorate_missing_sites=2)).changes[Measure.MRSS]
    assert (made_up.absolute, made_up.flags[0].code) == (17 - 34, "endpoint_prorated")
    too_many = endpoints(*whats, settings=replace(USUAL, prorate_missing_sites=1)).changes[Measure.MRSS]
    assert too_many.absolute is None


def test_a_death_before_the_endpoint_is_no_response_and_a_loss_is_missing() -> None:
    inclusion = lived((20, 10), (70, 80), (50, 50), until="INCLUSION")
    at = cases.local(date(2026, 3, 1))
    dead = endpoints(*inclusion, Withdrawn(at, Withdrawal.DEATH, "x"))
    lost = endpoints(*inclusion, Withdrawn(at, Withdrawal.LOST, "x"))
    assert (dead.primary.holds, lost.primary.holds) == (False, None)
    assert {one.code for one in lost.primary.why} == {"endpoint_no_value"}


def test_an_event_on_record_counts() -> None:
    rescue = Intercurrent(cases.local(date(2026, 2, 1)), Occurred.RESCUE_TREATMENT, "cyclophosphamide")
    found = endpoints(*lived((20, 14), (70, 77), (50, 58)), rescue)
    assert found.primary.holds is False
    assert {one.code for one in found.primary.flags} == {"endpoint_event_non_responder"}
    assert found.changes[Measure.MRSS].absolute == -6  # the change itself stays


def test_records_of_before_are_read_and_say_what_they_lack() -> None:
    old = [Assessed(v, "fvc", cases.local(d), x, "% predicted") for v, d, x in
           (("INCLUSION", cases.BASELINE, 70.0), ("Y1", YEAR, 77.0))]  # fmt: skip
    found = endpoints(
        BOTH, *cases.sampling_day("INCLUSION", cases.BASELINE), *cases.sampling_day("Y1", YEAR), *old
    )
    assert found.outcome("lung_response").holds is True
    assert {one.code for one in found.outcome("lung_response").flags} == {
        "endpoint_equation_unknown", "endpoint_without_dlco",
    }  # fmt: skip


def test_everything_is_said_in_both_languages_and_every_definition_has_its_words() -> None:
    found = endpoints(*lived((6, 14), (70, 77), (50, 58), assessor="B"))
    reasons = [reason for one in found.outcomes for reason in (*one.why, *one.flags)]
    assert len({one.code for one in reasons}) >= 2
    speakers = [speaker_for(one, cases.PARIS, cases.shipped_protocol()) for one in Language]
    for reason in reasons:
        english, french = (speaker.say(reason) for speaker in speakers)
        assert "{" not in english + french and english != french
    assert {f"definition_{one.id}" for one in found.outcomes} <= set(TRIAL_SENTENCES)
    assert len({one.id for one in found.outcomes}) == len(found.outcomes) > len(PUBLISHED)
