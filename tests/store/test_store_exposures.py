"""Estimates come back from both databases as they were written, and those of the first release stay readable."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlmodel import Session

from pk.values.estimate import Fit
from scheduler.domain.exposure import Bounds, Exposure, VisitExposures
from scheduler.domain.plan import ExposureChange
from scheduler.domain.reason import Reason, because
from scheduler.domain.recorded import RecordedExposure
from scheduler.store.database import Database
from scheduler.store.exposures import (
    exposure_rows,
    newest_exposures,
    primary_aucs,
    recorded_exposures,
    stored_exposures,
)
from scheduler.store.schema import _config, migrate
from scheduler.store.tables import ExposureRow, ProtocolVersionRow, SiteRow, SubjectRow

SUBJECT = "MPA-0042-7"
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
PAIRS = st.dictionaries(st.sampled_from(["CL", "V1", "ka", "H0", "µ"]), NUMBERS).map(
    lambda d: tuple(d.items())
)
REASONS = st.lists(
    st.builds(
        because, st.sampled_from(["a", "b"]), x=st.one_of(WORDS, NUMBERS, st.integers(-(2**60), 2**60))
    ),
    max_size=3,
).map(tuple)
FITS = st.builds(
    Fit, model=WORDS, parameters=PAIRS, eta=PAIRS, shrinkage=PAIRS, objective=NUMBERS, gradient_norm=NUMBERS,
    starts=st.integers(0, 99), starts_agreeing=st.integers(0, 99), predictions=PAIRS,
)  # fmt: skip
LIMITS = st.one_of(st.just((None, None, None)), st.tuples(NUMBERS, NUMBERS, st.sampled_from(Bounds)))
OPTIONAL = st.one_of(st.none(), NUMBERS)


@st.composite
def exposures(draw: st.DrawFn) -> Exposure:
    low, high, bounds = draw(LIMITS)
    return Exposure(
        method="", quantity=draw(st.sampled_from(["AUC0-12", "AUC0-2"])), value=draw(OPTIONAL), low=low, high=high,
        unit="mg·h/L", interval_h=(0.0, 12.0), reasons=draw(REASONS), notes=draw(REASONS), bounds=bounds,
        name=draw(st.one_of(st.none(), WORDS)), daily=draw(OPTIONAL), per_g=draw(OPTIONAL),
        fit=draw(st.one_of(st.none(), FITS)), weights=draw(PAIRS),
    )  # fmt: skip


@st.composite
def visits(draw: st.DrawFn) -> VisitExposures:
    several = draw(st.lists(exposures(), min_size=1, max_size=4))
    numbered = tuple(replace(one, method=f"m{number}") for number, one in enumerate(several))
    return VisitExposures(draw(st.from_regex(r"[0-9a-f]{64}", fullmatch=True)), numbered, "{}")


@pytest.fixture
def subject(db: Database, noon: datetime) -> Database:
    db.transact(lambda session: enrolled(session, noon))
    return db


def enrolled(session: Session, at: datetime) -> None:
    session.add(SiteRow(id="cochin", name="Cochin", zone="Europe/Paris"))
    session.add(ProtocolVersionRow(sha256="p", protocol="p", version="1", text="", recorded_at=at))
    session.flush()
    session.add(SubjectRow(code=SUBJECT, site_id="cochin", protocol_sha256="p", enrolled_at=at))
    session.flush()


def write(session: Session, version: int, found: VisitExposures | None, at: datetime) -> None:
    rows = exposure_rows(SUBJECT, ExposureChange("W6", version, found), at)
    session.connection().execute(insert(ExposureRow), rows)


class TakenBackError(Exception):
    """Ends a transaction without leaving anything."""


@given(found=visits())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_as_it_was(subject: Database, noon: datetime, found: VisitExposures) -> None:
    def step(session: Session) -> None:
        write(session, 1, found, noon)
        assert stored_exposures(session, SUBJECT, "W6", 1) == found
        assert newest_exposures(session, SUBJECT, "W6") == found
        expected = RecordedExposure(found.inputs_hash, 1, found.shown)
        assert recorded_exposures(session, SUBJECT) == {"W6": expected}
        assert primary_aucs(session) == counting(found)
        raise TakenBackError

    with pytest.raises(TakenBackError):
        subject.transact(step)


def counting(found: VisitExposures | None) -> dict[str, dict[str, float]]:
    """What `primary_aucs` says where these are the newest estimates of the only visit."""
    primary = found.primary if found is not None else None
    return {SUBJECT: {"W6": primary.value}} if primary is not None and primary.value is not None else {}


def one(value: float | None, reasons: tuple[Reason, ...] = ()) -> VisitExposures:
    made = Exposure("m", "AUC0-12", value, None, None, "mg·h/L", (0.0, 12.0), reasons, ())
    return VisitExposures("h", (made,), "{}")


def test_the_newest_version_is_the_one_in_force_and_a_withdrawal_is_none(
    subject: Database, noon: datetime
) -> None:
    versions = [one(40.0), one(50.0), None]
    for number, found in enumerate(versions, start=1):
        subject.transact(lambda session, n=number, f=found: write(session, n, f, noon))
        assert subject.transact(lambda session: newest_exposures(session, SUBJECT, "W6")) == found
        recorded = subject.transact(lambda session: recorded_exposures(session, SUBJECT))["W6"]
        assert (recorded.version, recorded.shown) == (number, found.shown if found is not None else None)
        assert subject.transact(primary_aucs) == counting(found)
    assert subject.transact(lambda session: stored_exposures(session, SUBJECT, "W6", 1)) == versions[0]
    assert subject.transact(lambda session: newest_exposures(session, SUBJECT, "M6")) is None


def test_estimates_of_the_first_release_stay_readable(db: Database, noon: datetime) -> None:
    db.transact(lambda session: enrolled(session, noon))
    with db.engine.begin() as connection:
        command.downgrade(_config(connection), "0002")
        connection.execute(
            text(
                "INSERT INTO exposure (subject, visit, version, method, inputs_hash, quantity, value, low, high, unit, "
                "from_h, to_h, reasons, notes, inputs, computed_at) VALUES (:s, 'W6', 1, 'pawinski_2002', 'old', "
                "'AUC0-12', 41.5, 40.9, 42.1, 'mg·h/L', 0, 12, '[]', '[]', '{}', "
                + ("0)" if db.is_sqlite else "now())")
            ),
            {"s": SUBJECT},
        )
    migrate(db)
    found = db.transact(lambda session: newest_exposures(session, SUBJECT, "W6"))
    assert found is not None
    (estimate,) = found.exposures
    assert (estimate.value, estimate.low, estimate.high) == (41.5, 40.9, 42.1)
    assert estimate.bounds is Bounds.BELOW_LLOQ and estimate.interval_90 is None
    assert (estimate.fit, estimate.weights, estimate.name) == (None, (), None)
