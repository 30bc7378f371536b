"""Answers about eligibility as people write them, in a file or at a prompt: all that is wrong is said at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from scheduler.domain.facts import Answer, EligibilityAssessed
from scheduler.domain.partial_date import parse_partial_date
from scheduler.domain.reason import Reason, because
from scheduler.domain.trial.eligibility import ITEMS

__all__ = ["read_answers", "refusals_of_answers"]

_OLDEST = 120
_WORDS = {
    "yes": Answer.YES, "y": Answer.YES, "oui": Answer.YES, "o": Answer.YES, "true": Answer.YES,
    "no": Answer.NO, "n": Answer.NO, "non": Answer.NO, "false": Answer.NO,
    "unknown": Answer.UNKNOWN, "u": Answer.UNKNOWN, "inconnu": Answer.UNKNOWN, "i": Answer.UNKNOWN, "": Answer.UNKNOWN,
}  # fmt: skip
_BIRTH = frozenset({"date_of_birth", "birth_date", "birthdate", "dob", "date_de_naissance"})


def read_answers(content: Mapping[str, Any], today: date) -> tuple[EligibilityAssessed | None, list[Reason]]:
    """The answers, or everything that is wrong with them. What is left out is not known; `on` is today if absent."""
    found: dict[str, Any] = {"on": today}
    wrong: list[Reason] = []
    for key, value in content.items():
        if key != "on" and key not in ITEMS:
            wrong.append(_unknown_key(key))
            continue
        try:
            found[key] = _read(key, value)
        except ValueError:
            wrong.append(because(_form_of(key), key_id=key, value_id=str(value)[:60]))
    answers = EligibilityAssessed(**found)
    wrong += refusals_of_answers(answers, today)
    return (None, wrong) if wrong else (answers, [])


def refusals_of_answers(answers: EligibilityAssessed, today: date) -> Iterator[Reason]:
    """What cannot be: an impossible age, a day to come, a first sign that is no date or comes after the assessment."""
    age = answers.age_years
    if age is not None and not 0 <= age <= _OLDEST:
        yield because("eligibility_age", key_id="age_years", value_id=str(age))
    if answers.on > today:
        yield because("eligibility_on_future", on=answers.on)
    if answers.first_sign is None:
        return
    try:
        first = parse_partial_date(answers.first_sign).first
    except ValueError:
        yield because("eligibility_partial_date", key_id="first_sign", value_id=answers.first_sign)
        return
    if first > answers.on:
        yield because("eligibility_first_sign_late", first_id=answers.first_sign, on=answers.on)


def _unknown_key(key: str) -> Reason:
    if key.lower() in _BIRTH:
        return because("eligibility_no_birth", key_id=key)
    near = get_close_matches(key, ("on", *ITEMS), n=1, cutoff=0.6)
    if near:
        return because("eligibility_key_near", key_id=key, near_id=near[0])
    return because("eligibility_key", key_id=key, known_id=", ".join(("on", *ITEMS)))


def _read(key: str, value: Any) -> Any:
    """The value of one key. Raises ValueError when it is not of its form."""
    text = str(value).strip().lower()
    if key == "on":
        return date.fromisoformat(text)
    if key in ("age_years", "first_sign") and _WORDS.get(text) is Answer.UNKNOWN:
        return None
    if key == "age_years":
        return int(text)
    if key == "first_sign":
        parse_partial_date(text)
        return text
    if text not in _WORDS:
        raise ValueError(text)
    return _WORDS[text]


def _form_of(key: str) -> str:
    forms = {
        "on": "eligibility_date",
        "age_years": "eligibility_age",
        "first_sign": "eligibility_partial_date",
    }
    return forms.get(key, "eligibility_answer")
