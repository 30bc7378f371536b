"""Gathers the texts of one row from the many places where a message may say them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import ClassVar
from zoneinfo import ZoneInfo

from config.schema import LabFile
from scheduler.domain.reason import Param, Reason, because
from scheduler.intake.layout.columns import normalised
from scheduler.intake.layout.loinc import is_other_loinc
from scheduler.intake.readers.notes import sorted_notes
from scheduler.intake.readers.reading import Candidate, Setting
from scheduler.intake.shown import shorten

__all__ = ["Gathering"]

_MOST_DOUBTS = 20  # about one row; each of them holds it
_OFFSET = re.compile(r"(?<=[0-9])(Z|[+-][0-9]{2}:?[0-9]{2})$")


class Gathering:
    """Gathers the texts of one row. Two places that say the same thing must say it alike, else the row is held.

    Each format says what its exact times and its too coarse times look like.
    """

    exact: ClassVar[re.Pattern[str]]
    coarse: ClassVar[re.Pattern[str]]
    coarse_code: ClassVar[str]

    def __init__(self, no: int, names: Mapping[str, str], lab: LabFile | None, setting: Setting) -> None:
        self.no = no
        self.setting = setting
        self.names = names
        self.zone = ZoneInfo(lab.zone) if lab is not None else None
        self.lab = lab
        self.cells: dict[str, str] = {}
        self.labels: tuple[str, ...] = ()
        self.doubts: list[Reason] = []
        self.is_other = False
        self._sources: dict[str, str] = {}

    def iso(self, text: str) -> str:
        """An exact time as ISO 8601; anything else as it stands."""
        raise NotImplementedError

    def put(self, column: str, field: str, text: str) -> None:
        """What a field says about a column; nothing when it is empty."""
        text = text.strip()
        if not text:
            return
        known = self.cells.get(column)
        if known is None:
            self.cells[column] = text
            self._sources[column] = field
        elif self._meaning(known) != self._meaning(text):
            self.differ(self._sources[column], known, field, text)

    def _meaning(self, text: str) -> str:
        word = normalised(text)
        return self.setting.words.get(word, ("", word))[1]

    def differ(self, field: str, text: str, other: str, second: str) -> None:
        first, last = shorten(text, 16), shorten(second, 16)
        self.doubt("R-09.differ", column=field, other=other, text=first, second=last)

    def doubt(self, code: str, **params: Param) -> None:
        if len(self.doubts) < _MOST_DOUBTS:
            self.doubts.append(because(code, row=self.no, **params))

    def candidate(self) -> Candidate:
        return Candidate(self.no, self.cells, self.labels, tuple(self.doubts), self.is_other)

    def put_codings(self, codings: Iterable[tuple[str, bool]], suffixes: Mapping[str, str]) -> None:
        """The code that this laboratory's list has, whichever place it stands in. A coding is a code and whether it
        is said to be LOINC."""
        given = [(code.strip(), is_loinc) for code, is_loinc in codings if code.strip()]
        codes = [self._without_suffix(code, suffixes) for code, _ in given]
        own = _normalised(self.lab.analyte_codes) if self.lab is not None else frozenset()
        others = _normalised(self.lab.other_analyte_codes) if self.lab is not None else frozenset()
        foreign = [code for code, is_loinc in given if is_loinc and is_other_loinc(code)]
        ours = [code for code in codes if normalised(code) in own]
        against = [code for code in codes if normalised(code) in others - own or code in foreign]
        if ours and against:
            self.doubt("R-07.codes", column=self.names["analyte"], text=ours[0][:24], other=against[0][:24])
        self.cells["analyte"] = next(iter([*ours, *against, *codes]), "")
        self.is_other = not ours and bool(foreign)

    def _without_suffix(self, code: str, suffixes: Mapping[str, str]) -> str:
        """The code without the ending that names the sampling time."""
        for suffix in sorted(suffixes, key=len, reverse=True):
            if code.endswith(suffix) and len(code) > len(suffix):
                self.put("timepoint", self.names["analyte"], suffixes[suffix])
                return code.removesuffix(suffix)
        return code

    def put_notes(self, notes: Iterable[tuple[str, str]]) -> None:
        """What the notes name, and every other note as comment."""
        named, comment = sorted_notes(notes, self.setting)
        for column, field, text in named:
            self.put(column, field, text)
        self.put("comment", self.names["comment"], comment)

    # --- times

    def put_collected(self, sources: Iterable[tuple[str, str]]) -> None:
        """The time of collection: the first that is exact, when all agree as far as each goes."""
        given = [(field, text.strip()) for field, text in sources if text.strip()]
        for field, text in given[1:]:
            if not self._agree(given[0][1], text):
                self.differ(given[0][0], given[0][1], field, text)
        exact = next((one for one in given if self.exact.fullmatch(one[1])), given[0] if given else None)
        if exact is not None:
            self._put_time("collected_at", *exact)

    def put_time(self, column: str, sources: Iterable[tuple[str, str]]) -> None:
        """The first of the times that is given."""
        found = next(((field, text) for field, text in sources if text.strip()), None)
        if found is not None:
            self._put_time(column, *found)

    def _put_time(self, column: str, field: str, text: str) -> None:
        text = text.strip()
        if self.coarse.fullmatch(text):
            self.doubt(self.coarse_code, column=field, text=shorten(text))
        self.cells[column] = self.iso(text)

    def _agree(self, first: str, second: str) -> bool:
        one, other = self._local_digits(first), self._local_digits(second)
        shared = min(len(one), len(other), len("yyyymmddhhmm"))
        return one[:shared] == other[:shared]

    def _local_digits(self, text: str) -> str:
        """The digits of a time on the laboratory's clock."""
        iso = self.iso(text)
        digits = re.sub(r"[^0-9]", "", _OFFSET.sub("", iso) if "T" in iso else iso)
        if not _OFFSET.search(iso) or self.zone is None or not self.exact.fullmatch(text):
            return digits
        try:
            return f"{datetime.fromisoformat(iso).astimezone(self.zone):%Y%m%d%H%M}"
        except (ValueError, OverflowError):
            return digits


@lru_cache(maxsize=64)
def _normalised(codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(normalised(code) for code in codes)
