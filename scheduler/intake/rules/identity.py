"""Keeps what could say who somebody is out of the database, receipts and mails, whichever field it stood in. Pure.

What belongs to no field of the study is never kept at all. This is about the others: a name typed as a tube number, a
date of birth as time of collection, a national number as visit. What is certain or likely is replaced by "…", and a row
whose key it was is held. A name of up to three letters, or one in a file name, cannot be told from a code.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from scheduler.domain.national_number import holds_national_number
from scheduler.domain.reason import Param, Reason, because
from scheduler.intake.findings import FileVerdict, Finding, RowVerdict, Severity, State, Verdict
from scheduler.intake.layout.columns import normalised
from scheduler.intake.study import IntakeStudy
from scheduler.store.lab.values import Entry

__all__ = ["could_identify", "key_could_identify", "without_identity", "words_of"]

HIDDEN = "…"
_FIRST_YEAR = 2015  # the study's dates are later; an earlier one is more likely that of a birth
_LARGEST_LIMIT = Decimal(10**6)  # no limit of quantification has as many digits as a date
_TEXT_FIELDS = ("visit", "timepoint", "lab", "analyte", "value_raw", "unit_raw", "method", "matrix")
_KEY_FIELDS = ("subject", "specimen", "result_key", "replaces")
_TIME_FIELDS = ("collected_at", "received_at", "reported_at")
_LIMIT_FIELDS = ("lloq_mg_l", "uloq_mg_l")
_WORD = re.compile(r"[^\W\d_]{4,}")
_NATIONAL_START = re.compile(  # or the beginning of one that was cut short
    r"(?<![0-9])[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?[0-9][0-9AB] ?(?:[0-9]{3}|[0-9 ]{0,3}…)"
)
_DATES = (
    re.compile(r"(?<![0-9])[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"),
    re.compile(r"(?<![0-9])(?P<year>[0-9]{4})[/.-][0-9]{1,2}[/.-][0-9]{1,2}(?![0-9])"),
    re.compile(r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?:[0-9]{2})*(?![0-9])"),
    re.compile(r"(?<![0-9])(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])(?P<year>(?:19|20)[0-9]{2})(?![0-9])"),
)  # fmt: skip

_PERHAPS_A_DATE = re.compile(r"19[0-9]{2}|20(?:0[0-9]|1[0-4])|[0-9][/.-][0-9]{1,2}[/.-][0-9]{2}")

# What technicians and systems write in these fields that is no name: units, visits, statuses, specimens, methods.
_WORDS = frozenset(
    {
        "mmol", "umol", "µmol", "μmol", "nmol", "pmol", "litre", "heure", "heures", "hour", "hours", "minute",
        "minutes", "jour", "jours", "semaine", "semaines", "week", "weeks", "mois", "month", "months", "year", "annee",
        "visite", "visit", "inclusion", "baseline", "screening", "temps", "time", "trough", "peak", "residuel", "avant",
        "apres", "before", "after", "predose", "postdose", "dose", "prise", "final", "finale", "finalise", "valide",
        "validee", "definitif", "definitive", "provisoire", "preliminaire", "preliminary", "corrige", "corrigee",
        "corrected", "annule", "annulee", "erronee", "errone", "withdrawn", "cancelled", "realise", "realisee",
        "failed", "registered", "amended", "entered", "error", "plasma", "serum", "sang", "blood", "total", "whole",
        "edta", "heparine", "heparin", "citrate", "urine", "lcms", "lcmsms", "hplc", "hplcuv", "uplc", "emit", "cedia",
        "elisa", "immunoassay", "tandem", "spectrometry", "masse", "autre", "other", "coag", "ident", "hemolyse",
        "hemolysee", "haemolysed", "lipemique", "icterique", "coagule", "insuffisant", "quantite", "recu", "recue",
        "echantillon", "specimen", "sample", "tube", "numero", "voir", "commentaire", "cours", "attente",
        "mycophenolate", "mycophenolic", "mycophenolique", "mycophenolat", "acide", "acid", "glucuronide", "glucuronid",
        "glucuron", "mpag", "tacrolimus", "ciclosporine", "sirolimus", "pharmaco", "pharmacologie", "laboratoire",
        "laboratory", "test", "true", "false", "none", "null", "value", "valeur", "infinity", "infini", "superieur",
        "inferieur", "http", "https", "bundle", "patient", "production", "training", "debugging", "observation",
        "diagnosticreport", "searchset", "history", "batch", "document", "message", "collection", "transaction",
        "unknown",
    }
)  # fmt: skip

# The parameters of reasons that show what stood in a file, and those that show one of its keys.
_TEXTS = frozenset(
    {"text", "second", "said", "order", "kind", "report", "quality", "status", "visit", "timepoint"}
)
_KEYS = frozenset({"specimen", "other", "replaces", "subject"})


def could_identify(text: str, known: Collection[str] = ()) -> bool:
    """Whether a text that should be a word of the study holds what could be a name, a birth date or a national number.

    `known` are the study's own words, normalised.
    """
    suspicious = (
        holds_national_number(text)
        or _NATIONAL_START.search(text) is not None
        or _has_early_date(text)
        or _has_unknown_word(text, known)
    )
    return suspicious and normalised(text) not in known


def words_of(study: IntakeStudy) -> frozenset[str]:
    """What visits, sampling points and laboratories of the study are called, whole and word by word, normalised."""
    protocol = study.protocol
    names = {name for one in protocol.encounters for name in (one.id, one.code)}
    names |= {one.id for one in protocol.points} | {protocol.study_id}
    for lab in study.labs.values():
        names |= {lab.code, lab.name, *lab.analyte_codes, *lab.other_analyte_codes, *lab.matrices}
        names |= {*lab.visit_aliases, *lab.timepoint_aliases}
    return frozenset(map(normalised, [*names, *(word for name in names for word in _WORD.findall(name))]))


def key_could_identify(text: str, known: Collection[str] = ()) -> bool:
    """Whether the number of a tube or version is rather a name, a birth date or a national number.

    A number has digits: with four or more of them, letters are taken for a prefix.
    """
    suspicious = (
        holds_national_number(text)
        or _has_early_date(text)
        or (sum(letter.isdigit() for letter in text) < 4 and _has_unknown_word(text, known))
    )
    return suspicious and normalised(text) not in known


def _has_unknown_word(text: str, known: Collection[str]) -> bool:
    return any(word not in _WORDS and word not in known for word in map(normalised, _WORD.findall(text)))


def _has_early_date(text: str) -> bool:
    if not _PERHAPS_A_DATE.search(text):  # nearly always, and cheaper to see
        return False
    years = (match["year"] for pattern in _DATES for match in pattern.finditer(text))
    return any(_is_early(int(year), len(year)) for year in years)


def _is_early(year: int, digits: int) -> bool:
    return year >= _FIRST_YEAR % 100 + 15 if digits == 2 else 1900 <= year < _FIRST_YEAR


# --- the verdict


def without_identity(verdict: FileVerdict, study: IntakeStudy) -> FileVerdict:
    """The verdict with nothing in it that could say who somebody is; a row of which a key was that is held."""
    codes = {row.entry.subject for row in verdict.rows if study.setting.is_subject(row.entry.subject)}
    known = words_of(study) | set(map(normalised, codes))
    rows = tuple(_row(row, known) for row in verdict.rows)
    number = next((row.row for row in verdict.rows if _has_number(row.entry)), None)
    notes = tuple(_reason(note, known) for note in verdict.notes)
    if number is not None and not any(note.code == "D-01.number" for note in notes):
        notes = (*notes, because("D-01.number", row=number))
    reason = _reason(verdict.reason, known) if verdict.reason is not None else None
    held = any(row.state is State.HELD for row in rows)
    decided = Verdict.HELD if held and verdict.verdict is not Verdict.QUARANTINED else verdict.verdict
    return FileVerdict(decided, None if decided is not verdict.verdict else reason, rows, notes)


def _has_number(entry: Entry) -> bool:
    return any(holds_national_number(getattr(entry, name) or "") for name in (*_KEY_FIELDS, *_TEXT_FIELDS))


def _row(row: RowVerdict, known: Collection[str]) -> RowVerdict:
    findings = tuple(Finding(one.severity, _reason(one.reason, known)) for one in row.findings)
    entry = _without_keys(row.entry, known)
    lost_a_key = entry != row.entry
    if lost_a_key or row.state is State.HELD:  # the words of an accepted row are known ones
        entry = _without_words(entry, known)
    if lost_a_key and row.state is not State.IGNORED:
        findings = (*findings, Finding(Severity.HOLD, because("D-01.field", row=row.row)))
    return RowVerdict(row.row, entry, findings)


def _without_keys(entry: Entry, known: Collection[str]) -> Entry:
    """The entry without the numbers and times that could identify somebody, of which the row cannot do without."""
    keys = {name: text for name in _KEY_FIELDS if (text := getattr(entry, name))}
    times = {name: at for name in _TIME_FIELDS if (at := getattr(entry, name)) is not None}
    limits = {name: limit for name in _LIMIT_FIELDS if (limit := getattr(entry, name)) is not None}
    changes: dict[str, Any] = {
        **{name: HIDDEN for name, text in keys.items() if key_could_identify(text, known)},
        **{name: None for name, at in times.items() if at.year < _FIRST_YEAR},
        **{name: None for name, limit in limits.items() if limit >= _LARGEST_LIMIT},
    }
    return replace(entry, **changes) if changes else entry


def _without_words(entry: Entry, known: Collection[str]) -> Entry:
    """The entry without texts that could identify somebody; a number in a row without its text is none."""
    texts: dict[str, Any] = {name: _text(getattr(entry, name), known) for name in _TEXT_FIELDS}
    if texts["value_raw"] != entry.value_raw:
        texts["conc_mg_l"] = None
    return replace(entry, **texts)


def _text(text: str, known: Collection[str]) -> str:
    return HIDDEN if could_identify(text, known) else text


def _key(text: str, known: Collection[str]) -> str:
    return HIDDEN if key_could_identify(text, known) else text


# --- reasons


def _reason(reason: Reason, known: Collection[str]) -> Reason:
    return Reason(reason.code, tuple((name, _param(name, value, known)) for name, value in reason.params))


def _param(name: str, value: Param, known: Collection[str]) -> Param:
    if isinstance(value, date):  # an instant is one
        return value if value.year >= _FIRST_YEAR else HIDDEN
    if not isinstance(value, str):
        return value
    if name in _TEXTS:
        return _text(value, known)
    if name in _KEYS:
        return _key(value, known)
    return (
        HIDDEN if holds_national_number(value) or (name == "collected" and _has_early_date(value)) else value
    )
