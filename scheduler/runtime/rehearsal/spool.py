"""A script kept in a file, so that the year of thousands of patients need not fit into memory."""

from __future__ import annotations

import pickle
from array import array
from collections.abc import Iterable, Sequence
from tempfile import TemporaryFile
from typing import overload

from scheduler.runtime.rehearsal.script import Step

__all__ = ["Spool"]


class Spool(Sequence[Step]):
    """Steps in the order in which they happen; those of one instant in the order in which they were given.

    In memory are 8 bytes a step; the steps themselves lie in a file without a name, which ends with the process.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  (it lives as long as the spool)
        at, place = array("d"), array("q")
        for step in steps:
            at.append(step.at.timestamp())
            place.append(self._file.tell())
            pickle.dump(step, self._file)
        self._places = array("q", (place[number] for number in sorted(range(len(at)), key=at.__getitem__)))

    def __del__(self) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> Step: ...
    @overload
    def __getitem__(self, number: slice) -> list[Step]: ...
    def __getitem__(self, number: int | slice) -> Step | list[Step]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        self._file.seek(self._places[number])
        step: Step = pickle.load(self._file)  # noqa: S301
        return step
