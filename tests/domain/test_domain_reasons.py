"""Reasons as values, their sentences, and how they are said in two languages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from string import Formatter
from typing import Any

import domain_cases as cases
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.language import Language
from pk.sentences import SENTENCES as PK_SENTENCES
from scheduler.domain.flags import FlagCode
from scheduler.domain.reason import Reason, because, from_json, to_json
from scheduler.domain.sentences import GROUPS, SENTENCES
from scheduler.domain.speech import Speaker, speaker_for
from scheduler.intake.sentences import SENTENCES as LAB_SENTENCES

ALL = {**PK_SENTENCES, **LAB_SENTENCES, **SENTENCES}

# --- values -----------------------------------------------------------------------------------------------------

_plain = (
    st.text(max_size=20)
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
)
_names = st.text("abcdefghij_", min_size=1, max_size=8)


def _reasons() -> st.SearchStrategy[Reason]:
    def extend(inner: st.SearchStrategy[Reason]) -> st.SearchStrategy[Reason]:
        values = _plain | inner | st.lists(inner, max_size=3).map(tuple)
        return st.builds(
            lambda code, params: Reason(code, tuple(params.items())),
            _names,
            st.dictionaries(_names, values, max_size=4),
        )

    return st.recursive(_names.map(Reason), extend, max_leaves=6)


@given(_reasons())
def test_a_reason_written_as_json_and_read_again_is_the_same(reason: Reason) -> None:
    assert from_json(json.loads(json.dumps(to_json(reason)))) == reason


def test_a_parameter_is_found_by_its_name() -> None:
    reason = because("x", on=date(2025, 9, 1), why=because("y"))
    assert reason.get("on") == date(2025, 9, 1)
    assert reason.get("nothing") is None


# --- every code has its sentence --------------------------------------------------------------------------------


def _uses() -> Iterator[tuple[str, str, set[str]]]:
    """Where, which code (a pattern when parts of it are computed), and which parameters `because` is given."""
    for path in sorted((cases.ROOT / "scheduler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if not is_call or node.func.id != "because" or not node.args:  # type: ignore[attr-defined]
                continue
            call: ast.Call = node  # type: ignore[assignment]
            where = f"{path.relative_to(cases.ROOT)}:{call.lineno}"
            names = {keyword.arg for keyword in call.keywords}
            if None in names:  # **params: their names are not known here
                continue
            for pattern in _patterns(call.args[0]):
                yield where, pattern, {name for name in names if name}


def _patterns(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(code)):
            return [re.escape(code)]
        case ast.JoinedStr(values=parts):
            return ["".join(re.escape(p.value) if isinstance(p, ast.Constant) else ".*" for p in parts)]
        case ast.IfExp(body=one, orelse=other):
            return [*_patterns(one), *_patterns(other)]
    return []


def _fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


USES = list(_uses())


def test_the_scan_finds_the_reasons() -> None:
    assert len(USES) > 80


def _named(where: str, pattern: str, names: set[str]) -> Any:
    return pytest.param(where, pattern, names, id=f"{where} {pattern}")


@pytest.mark.parametrize(("where", "pattern", "given_"), [_named(*use) for use in USES])
def test_every_reason_has_a_sentence_and_all_that_it_needs(
    where: str, pattern: str, given_: set[str]
) -> None:
    codes = [code for code in ALL if re.fullmatch(pattern, code)]
    assert codes, f"{where}: no sentence for {pattern}"
    for code in codes:
        assert _fields(ALL[code]) <= given_, f"{where}: {code}"


def test_no_code_has_a_sentence_in_two_places() -> None:
    assert len(SENTENCES) == sum(map(len, GROUPS))


def test_every_sentence_is_said_somewhere() -> None:
    """Its code stands in the code, or parts of one that is put together do."""
    folders = [cases.ROOT / name for name in ("scheduler", "notifications")]
    files = [path for folder in folders for path in folder.rglob("*.py") if "sentences" not in path.parts]
    files.append(cases.ROOT / "main.py")
    patterns = {
        pattern
        for path in files
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for pattern in _patterns(node)
    }
    put_together = [one for one in patterns if re.match(r"[a-z]+_", one) and ".*" in one]
    unsaid = [code for code in SENTENCES if re.escape(code) not in patterns]
    assert [code for code in unsaid if not any(re.fullmatch(one, code) for one in put_together)] == []


def test_every_flag_and_every_band_of_the_shipped_protocol_has_its_sentences() -> None:
    codes = {f"closes_{code}" for code in FlagCode}
    codes |= {f"band_{band.id}" for band in cases.shipped_protocol().bands}
    assert codes <= set(SENTENCES)


# --- speech -----------------------------------------------------------------------------------------------------

EN = speaker_for(Language.EN, cases.PARIS, cases.shipped_protocol())
FR = speaker_for(Language.FR, cases.PARIS, cases.shipped_protocol())
WINTER = datetime(2025, 12, 1, 8, 5, tzinfo=UTC)
SUMMER = datetime(2025, 8, 14, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("speaker", "date_", "day", "moment", "clock"),
    [
        (EN, "15 August 2025", "Friday 15 August 2025", "15 August 2025 at 00:30", "00:30"),
        (FR, "15 août 2025", "vendredi 15 août 2025", "15 août 2025 à 00:30", "00:30"),
    ],
)
def test_dates_are_said_in_the_readers_language_and_instants_in_the_sites_zone(
    speaker: Speaker, date_: str, day: str, moment: str, clock: str
) -> None:
    assert speaker.date(date(2025, 8, 15)) == date_
    assert speaker.day(date(2025, 8, 15)) == day
    assert speaker.moment(SUMMER) == moment
    assert speaker.clock(SUMMER) == clock


def test_a_local_time_is_said_as_it_is() -> None:
    assert EN.moment(cases.naive(2025, 10, 26, 2, 30)) == "26 October 2025 at 02:30"
    assert FR.clock(cases.naive(2025, 10, 26, 2, 30)) == "02:30"
    assert EN.moment(WINTER) == "1 December 2025 at 09:05"


def test_french_writes_a_decimal_comma() -> None:
    assert (EN.number(47.26), FR.number(47.26)) == ("47.3", "47,3")
    assert (EN.number(47.26, 0), FR.number(47.26, 2)) == ("47", "47,26")
    low = because("refused_dose_mg", dose=0.5)
    assert "0.5 mg" in EN.say(low)
    assert "0,5 mg" in FR.say(low)


def test_a_reason_is_said_with_the_labels_of_the_protocol_and_the_reasons_inside_it() -> None:
    missing = (
        because("missing_assessment", item="mrss", why=""),
        because("missing_dose", item="DOSE", why=""),
    )
    reason = because("status_incomplete", missing=missing)
    assert EN.say(reason) == "still missing: modified Rodnan skin score; time of the MMF dose"
    assert "score de Rodnan modifié" in FR.say(reason)
    blocked = because("status_blocked", anchor="W6")
    assert EN.say(blocked) == "no date until 6 weeks has taken place"


def test_every_status_and_flag_of_a_year_is_said_in_both_languages() -> None:
    line = cases.timeline()
    for plan in line.visits:
        for now in (*plan.planned.instants, plan.missed_at):
            desired = cases.stand(line, now)
            for reason in [view.reason for view in desired.views] + [flag.reason for flag in desired.flags]:
                for speaker in (EN, FR):
                    assert "{" not in speaker.say(reason)
            assert EN.say(desired.views[1].reason) != FR.say(desired.views[1].reason)


def test_an_unknown_code_is_shown_as_it_is_and_other_packages_bring_their_own() -> None:
    unknown = because("x_unheard_of", n=1)
    assert EN.say(unknown) == "x_unheard_of {'n': 1}"
    more = speaker_for(
        Language.EN, cases.PARIS, cases.shipped_protocol(), {"x_unheard_of": "heard {n} times"}
    )
    assert more.say(unknown) == "heard 1 times"
