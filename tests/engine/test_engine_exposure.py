"""Exposures through the engine: every method on record, estimated once, and announced when what people see changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from config_cases import changed_study
from engine_desk import DRAWN, MORNING, OTHER, PAWINSKI, SUBJECT, VALUES, Desk, at
from sqlmodel import Session

import pk.exposure
from config.settings import DEFAULT_DIR
from notifications.words.render import template_names
from pk.exposure import AVERAGE
from pk.nca.partial import PARTIAL_AUC
from pk.values.profile import Occasion
from scheduler.domain.exposure import VisitExposures
from scheduler.domain.facts import SampleDrawn, SampleNotDrawn
from scheduler.engine import exposure
from scheduler.engine.exposure import Exposer, occasion_from
from scheduler.engine.reconcile import rebuild
from scheduler.engine.study import Study, load_study
from scheduler.store.database import Database
from scheduler.store.exposures import stored_exposures
from scheduler.store.subjects import wake_all
from scheduler.store.tables import AuditRow, OutboxRow, SubjectRow


@pytest.fixture
def lived(desk: Desk) -> Desk:
    """The first sampling day with its three results."""
    desk.sampled()
    desk.now = at(14, 0, 3)
    desk.lab()
    return desk


@pytest.fixture
def two_samples(desk: Desk) -> Desk:
    """A sampling day without H30."""
    return without_h30(desk, {point: value for point, value in VALUES.items() if point != "H30"})


def without_h30(desk: Desk, values: dict[str, str]) -> Desk:
    desk.enrol()
    desk.now = at(11, 0)
    for what in MORNING:
        lost = isinstance(what, SampleDrawn) and what.timepoint == "H30"
        desk.say(SampleNotDrawn("INCLUSION", "H30", DRAWN["H30"], "no vein") if lost else what)
    desk.now = at(14, 0, 3)
    desk.lab(values)
    return desk


def found(desk: Desk, version: int = 1, code: str = SUBJECT) -> VisitExposures:
    one = desk.db.transact(lambda session: stored_exposures(session, code, "INCLUSION", version))
    assert one is not None
    return one


def restarted(desk: Desk, study: Study) -> Desk:
    """The same database under a program that starts anew, a day later; what is due then is done."""
    later = Desk(desk.db, study, at(9, 0, 4), desk.handle, desk.files)
    later.reconcile()
    return later


# --- what is on record ------------------------------------------------------------------------------------------


def test_a_complete_day_has_the_value_of_every_method_that_applies(lived: Desk) -> None:
    exposures = found(lived).exposures
    values = {one.method: one.value for one in exposures if one.value is not None}
    assert values["pawinski_2002"] == pytest.approx(PAWINSKI)
    assert {AVERAGE, PARTIAL_AUC, "map_mizaki_2023", "map_van_hest_2007"} < values.keys()
    primary = found(lived).primary
    assert primary is not None and (primary.method, primary.name) == ("pawinski_2002", "Pawinski 2002")
    for one in exposures:
        assert (one.value is None) == bool(one.reasons)
        by_model = one.value is not None and one.method.startswith(("map_", AVERAGE))
        assert (one.interval_90 is not None) == by_model
        assert (one.fit is not None) == (by_model and one.method != AVERAGE)
    average = next(one for one in exposures if one.method == AVERAGE)
    assert sum(weight for _, weight in average.weights) == pytest.approx(1)


def test_with_two_of_three_samples_the_average_counts_and_says_so(two_samples: Desk) -> None:
    exposures = found(two_samples)
    primary = exposures.primary
    assert primary is not None and primary.method == AVERAGE and primary.interval_90 is not None
    assert primary.notes[0].code == "auc_fewer_samples"
    assert dict(primary.notes[0].params) == {"count": 2, "expected": 3, "points": "H0, H2"}
    assert "auc_not_computable" not in two_samples.open_flags()
    assert "visit_incomplete" in two_samples.open_flags()
    assert len(two_samples.mails("auc_available")) == 2


def test_an_estimate_outside_a_band_is_flagged_with_its_method_and_interval(desk: Desk) -> None:
    without_h30(desk, {"H0": "0.30", "H2": "0.90"})
    reason = desk.flag("auc_outside_band").reason
    primary = found(desk).primary
    assert primary is not None and primary.value is not None and primary.interval_90 is not None
    assert reason["code"] == "flag_auc_below_band_interval"
    assert reason["params"]["value"] == round(primary.value, 1)
    assert [reason["params"][name] for name in ("least", "most")] == [
        round(x, 1) for x in primary.interval_90
    ]
    assert reason["params"]["method"]["reason"]["code"] == "method_average"


def test_the_inputs_on_record_are_the_whole_occasion(lived: Desk) -> None:
    exposures, exposer = found(lived), lived.study.exposer
    occasion = occasion_from(exposures.inputs)
    order = exposer.order(lived.study.newest[1])
    assert exposer.inputs_hash(occasion, order) == exposures.inputs_hash
    assert [one.time_h for one in occasion.samples] == [-5 / 60, 0.5, 2.0]


# --- once -------------------------------------------------------------------------------------------------------


def refuse(*_arguments: Any) -> Any:
    raise AssertionError("estimated again")


def test_what_is_on_record_is_not_estimated_again_and_gives_the_same(
    lived: Desk, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, exposures = lived.everything(), found(lived)
    fresh = load_study(DEFAULT_DIR, template_names())  # remembers nothing
    monkeypatch.setattr(pk.exposure, "estimates_of", refuse)
    later = Desk(lived.db, fresh, lived.now, lived.handle)
    later.db.transact(lambda session: wake_all(session, later.now))
    assert later.reconcile() == 1
    assert later.everything() == before
    assert list(fresh.exposer._known.values()) == [exposures]  # as it was computed, so it was read
    assert later.db.transact(lambda session: rebuilt(session, fresh, later.now)) == []


def rebuilt(session: Session, study: Study, now: datetime) -> list[str]:
    subject = session.get(SubjectRow, SUBJECT)
    assert subject is not None
    return rebuild(session, study, subject, now)


def test_memory_is_bounded_and_the_exposures_are_the_same(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exposure, "_MOST_KNOWN", 2)
    exposer = Exposer(lived.study.exposer.equations, lived.study.models)
    days = [
        exposure.SamplingDay(occasion_from(found(lived).inputs), (("H0", number),), ("pawinski_2002",), 3)
        for number in range(5)
    ]
    together = exposer.estimate(days)
    assert len(exposer._known) == 2
    again = [exposer.estimate([day])[0] for day in days]
    assert len(exposer._known) == 2
    assert [one.shown for one in again] == [one.shown for one in together]


def test_subjects_due_together_are_estimated_together_and_as_if_alone(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(db, load_study(DEFAULT_DIR, template_names()))
    asked: list[int] = []
    really = pk.exposure.estimates_of

    def counted(occasions: Sequence[Occasion], *rest: Any) -> Any:
        asked.append(len(occasions))
        return really(occasions, *rest)

    desk.sampled()
    desk.enrol(OTHER)
    for what in MORNING:
        desk.say(_other(what), OTHER)
    desk.now = at(14, 0, 3)
    monkeypatch.setattr(pk.exposure, "estimates_of", counted)
    _both_results(desk)
    assert asked == [2]
    for code in (SUBJECT, OTHER):
        stored = found(desk, code=code)
        exposer = desk.study.exposer
        (expected,) = really(
            [occasion_from(stored.inputs)], exposer.equations, exposer.models, exposer.methods
        )
        values = {one.method: one.value for one in stored.exposures if one.value is not None}
        assert len(values) > 6
        assert values == pytest.approx(
            {one.method: one.value_mg_h_l for one in expected if one.value_mg_h_l is not None}, rel=1e-6
        )


def _other(what: Any) -> Any:
    return replace(what, tube=f"{what.tube}/2") if isinstance(what, SampleDrawn) else what


def _both_results(desk: Desk) -> None:
    """The results of both subjects come before either is looked at."""
    quiet = Desk(desk.db, desk.study, desk.now, desk.handle)
    quiet.reconcile = lambda: 0  # type: ignore[method-assign]
    quiet.lab()
    for number, (point, value) in enumerate(VALUES.items()):
        quiet.files = 10 + number
        tube = {"H0": "T-1/2", "H30": "T-2/2", "H2": "T-3/2"}[point]
        quiet.lab({point: value}, subject=OTHER, specimen=tube)
    assert desk.reconcile() == 2


# --- again, when anything changes that matters ------------------------------------------------------------------


def test_a_later_program_estimates_again_and_writes_to_nobody_about_nothing(
    lived: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = len(lived.rows(OutboxRow))
    monkeypatch.setattr(pk.exposure, "PK_VERSION", "another")
    later = restarted(lived, load_study(DEFAULT_DIR, template_names()))
    assert found(later, 2).inputs_hash != found(later, 1).inputs_hash
    assert found(later, 2).exposures == found(later, 1).exposures
    assert len(later.mails("auc_amended")) == 0
    assert {row.template for row in later.rows(OutboxRow)[mails:]} <= {"visit_incomplete"}


def test_another_model_makes_a_version_and_no_mail_while_the_equation_counts(
    lived: Desk, tmp_path: Path
) -> None:
    changed = changed_study(tmp_path / "config", "models/yu-2017.toml", ("CL = 18.3", "CL = 18.4"))
    later = restarted(lived, changed)
    methods = [{one.method: one.value for one in found(later, version).exposures} for version in (1, 2)]
    assert methods[0]["map_yu_2017"] != methods[1]["map_yu_2017"]
    assert methods[0]["map_mizaki_2023"] == methods[1]["map_mizaki_2023"]
    assert later.mails("auc_amended") == []


def test_another_model_is_told_where_the_average_counts(two_samples: Desk, tmp_path: Path) -> None:
    changed = changed_study(tmp_path / "config", "models/yu-2017.toml", ("prop = 0.158", "prop = 0.3"))
    later = restarted(two_samples, changed)
    assert found(later, 1).shown != found(later, 2).shown
    assert len(later.mails("auc_amended")) == 2


def test_another_equation_amends_the_value(lived: Desk, tmp_path: Path) -> None:
    change = ("intercept = 7.75", "intercept = 8.75")
    later = restarted(lived, changed_study(tmp_path / "config", "regressions.toml", change))
    assert later.auc() == [(1, pytest.approx(PAWINSKI)), (2, pytest.approx(PAWINSKI + 1))]
    assert len(later.mails("auc_amended")) == 2


def test_a_changed_set_of_methods_wakes_everybody_once(lived: Desk, tmp_path: Path) -> None:
    def noted() -> int:
        return sum(row.action == "methods_changed" for row in lived.rows(AuditRow))

    first = noted()
    wake = lived.subject().next_wake
    Desk(lived.db, load_study(DEFAULT_DIR, template_names()), lived.now)
    assert (noted(), lived.subject().next_wake) == (first, wake)  # the same methods: nothing to do
    changed = changed_study(tmp_path / "config", "models/yu-2017.toml", ("CL = 18.3", "CL = 18.4"))
    later = Desk(lived.db, changed, at(9, 0, 4))
    assert (noted(), later.subject().next_wake) == (first + 1, later.now)
    later.reconcile()
    wake = later.subject().next_wake
    Desk(lived.db, changed, at(9, 0, 5))
    assert (noted(), later.subject().next_wake) == (first + 1, wake)
