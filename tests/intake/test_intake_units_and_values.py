"""Units, numbers, limits, words and times: the closed lists, exhaustively."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.domain.results import ResultStatus
from scheduler.intake.layout.codes import STATUSES, status_of, timepoint_of
from scheduler.intake.layout.times import TimeFault, instant_of
from scheduler.intake.layout.units import UNITS, unit_of
from scheduler.intake.layout.values import Absent, Limit, NoValue, Number, Unreadable, number_of, value_of

PARIS = ZoneInfo("Europe/Paris")

ACCEPTED_UNITS = {
    "1": ["mg/L", "mg/l", "MG/L", "µg/mL", "μg/mL", "ug/mL", "ug/ml", "mcg/mL", "µg/ml", "UG/ML", " mg / L "],
    "0.001": ["ng/mL", "µg/L", "μg/L", "ug/L"],
    "10": ["mg/dL"],
    "0.32034": ["umol/L", "µmol/L", "UMOLL"],
}


@pytest.mark.parametrize(("factor", "text"), [(f, t) for f, texts in ACCEPTED_UNITS.items() for t in texts])
def test_each_accepted_unit_has_the_factor_of_the_table(factor: str, text: str) -> None:
    unit = unit_of(text)
    assert unit is not None
    assert unit.factor == Decimal(factor)


def test_the_table_holds_nothing_else() -> None:
    listed = {t.replace(" ", "").replace("µ", "μ") for texts in ACCEPTED_UNITS.values() for t in texts}
    assert set(UNITS) == listed


@pytest.mark.parametrize(
    "text", ["", "mg", "%", "g/L", "nmol/L", "UI/L", "mg.h/L", "mG/L", "ng/ml", "mg/L/h", "Mg/L"]
)
def test_R16_a_unit_outside_the_table_is_none(text: str) -> None:
    assert unit_of(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,85", "1.85"), ("1.850", "1.850"), ("14", "14"), ("-2", "-2"), ("0", "0"), ("+3,1", "3.1")],
)
def test_a_number_keeps_its_digits(text: str, value: str) -> None:
    assert value_of(text) == Number(Decimal(value))
    assert str(number_of(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "1 234,5",
        "1.234,5",
        "1,",
        ",5",
        "1e5",
        "1_0",
        "１２",  # noqa: RUF001
        "١٢",
        "0x10",
        "1,2,3",
        "12 mg/L",
        "abc",
        "<",
        "<a",
    ],
)
def test_R10_what_python_or_a_spreadsheet_would_take_for_a_number_is_not_one(text: str) -> None:
    assert value_of(text) == Unreadable()


@pytest.mark.parametrize("text", ["NaN", "inf", "Infinity", "-inf"])
def test_R13_not_a_number_is_impossible(text: str) -> None:
    assert value_of(text) == Unreadable(impossible=True)


@pytest.mark.parametrize(
    ("text", "comparator", "limit"),
    [
        ("<0,1", "<", "0.1"),
        ("< 0.1", "<", "0.1"),
        ("≤0,1", "<=", "0.1"),
        ("<=0,1", "<=", "0.1"),
        ("inf. à 0,1", "<", "0.1"),
        ("Inf à 0,1", "<", "0.1"),
        ("inférieur à 0,1", "<", "0.1"),
        ("inférieure à 0,1", "<", "0.1"),
        (">15", ">", "15"),
        ("≥ 15", ">=", "15"),
        ("sup. à 15", ">", "15"),
        ("supérieur à 15", ">", "15"),
        ("< LOQ", "<", None),
        ("<LLOQ", "<", None),
        ("> ULOQ", ">", None),
        ("non détecté", "<", None),
    ],
)
def test_a_limit_is_kept_apart_from_values(text: str, comparator: str, limit: str | None) -> None:
    assert value_of(text) == Limit(comparator, Decimal(limit) if limit is not None else None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", NoValue.EMPTY),
        ("---", NoValue.EMPTY),
        ("ND", NoValue.EMPTY),
        ("NF", NoValue.EMPTY),
        ("Voir commentaire", NoValue.EMPTY),
        ("en cours", NoValue.PENDING),
        ("hémolysé", NoValue.UNUSABLE),
        ("QNS", NoValue.UNUSABLE),
        ("NR", NoValue.UNUSABLE),
        ("échantillon non reçu", NoValue.UNUSABLE),
    ],
)
def test_words_for_no_value_are_typed(text: str, why: NoValue) -> None:
    found = value_of(text)
    assert isinstance(found, Absent)
    assert found.why is why


@given(st.text(max_size=40))
def test_any_text_in_the_value_column_means_something_or_is_unreadable(text: str) -> None:
    assert isinstance(value_of(text.strip()), Number | Limit | Absent | Unreadable)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("15/01/2026 08:31", datetime(2026, 1, 15, 7, 31, tzinfo=UTC)),
        ("15/07/2026 08:31:20", datetime(2026, 7, 15, 6, 31, 20, tzinfo=UTC)),
        ("2026-01-15T08:31", datetime(2026, 1, 15, 7, 31, tzinfo=UTC)),
        ("2026-01-15 08:31", datetime(2026, 1, 15, 7, 31, tzinfo=UTC)),
        ("2026-01-15T08:31+00:00", datetime(2026, 1, 15, 8, 31, tzinfo=UTC)),
        ("2026-01-15T08:31Z", datetime(2026, 1, 15, 8, 31, tzinfo=UTC)),
        ("2026-10-25T02:30+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_an_offset_wins_and_a_naive_time_is_the_laboratorys(text: str, instant: datetime) -> None:
    assert instant_of(text, PARIS) == instant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("29/03/2026 02:30", "R-30.skipped"),
        ("25/10/2026 02:30", "R-30.repeated"),
        ("15/01/26 08:31", "R-30"),
        ("01/15/2026 08:31", "R-30"),
        ("15/01/2026", "R-30"),
        ("15/01/2026 8:31", "R-30"),
        ("15/01/2026 25:00", "R-30"),
        ("46037,35", "R-30"),
        ("2026-W03-4T08:31", "R-30"),
        ("20260115T0831", "R-30"),
        ("0001-01-01T00:00+12:00", "R-30"),
        ("१५/01/2026 08:31", "R-30"),
    ],
)
def test_R30_a_text_that_names_no_single_instant_is_refused(text: str, code: str) -> None:
    with pytest.raises(TimeFault) as fault:
        instant_of(text, PARIS)
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("text", "status"),
    [
        *((letter, ResultStatus(letter)) for letter in "PFCWX"),
        *((letter.lower(), ResultStatus(letter)) for letter in "PFCWX"),
        ("provisoire", ResultStatus.PRELIMINARY),
        ("Validé", ResultStatus.FINAL),
        ("définitif", ResultStatus.FINAL),
        ("corrigé", ResultStatus.CORRECTED),
        ("annulé", ResultStatus.WITHDRAWN),
        ("erroné", ResultStatus.WITHDRAWN),
        ("non réalisé", ResultStatus.NOT_OBTAINED),
    ],
)
def test_each_status_word_is_known(text: str, status: ResultStatus) -> None:
    assert status_of(text) is status


def test_R41_no_other_status_word_is_known() -> None:
    assert len(STATUSES) == 12
    assert [status_of(text) for text in ("", "D", "R", "S", "I", "FINAL", "ok", "?")] == [None] * 8


@pytest.mark.parametrize(
    ("text", "point"),
    [
        *((text, "H0") for text in ("H0", "h0", "T0", "C0", "résiduel", "Residuel")),
        *((text, "H30") for text in ("H30", "T30", "C0.5", "C0,5", "30min", "30 min")),
        *((text, "H2") for text in ("H2", "T120", "C2", "2h", "2 H")),
        *((text, None) for text in ("", "T-30", "H-2", "H1", "H20", "120", "-", "pic")),
    ],
)
def test_R05_sampling_times_have_the_aliases_of_the_layout_and_no_others(
    text: str, point: str | None
) -> None:
    assert timepoint_of(text, {}) == point


def test_a_laboratory_may_have_its_own_words_for_sampling_times() -> None:
    assert timepoint_of("Avant prise", {"avant prise": "H0"}) == "H0"
