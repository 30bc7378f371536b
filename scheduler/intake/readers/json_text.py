"""Reads JSON without what makes it unsafe: names given twice, numbers turned into floats, depth without end."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from typing import Any, NoReturn

from scheduler.intake.readers.reading import FaultError
from scheduler.intake.shown import shorten

__all__ = ["NumberText", "parse_json"]


class NumberText(str):
    """A number as it stands in the file, with all its zeros."""

    __slots__ = ()


def parse_json(content: bytes) -> object:
    """The document, its numbers as `NumberText`. Raises FaultError for anything that is not exactly one document,
    also for a name that an object has twice: readers differ in which one they take."""
    try:
        text = content.removeprefix(BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        raise FaultError("F-08.json") from error
    try:
        return json.loads(
            text,
            parse_float=NumberText,
            parse_int=NumberText,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as error:
        whole = len(text.rstrip())
        if error.pos >= whole or error.msg.startswith("Unterminated"):
            raise FaultError("F-11.json", row=error.lineno) from error
        raise FaultError("F-15.json", row=error.lineno, column=error.colno) from error
    except RecursionError as error:
        raise FaultError("F-13.depth") from error


def _refuse_constant(name: str) -> NoReturn:
    raise FaultError("F-15.constant", text=name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise FaultError(
            "F-15.twice", text=shorten(next(name for name, count in counts.items() if count > 1))
        )
    return found
