"""JSON objects in, one line of JSON out for each: order kept, a bad line costs only itself.

The input is one JSON object (on any number of lines) or one object per line; blank lines are skipped.
Every record gets one output line with `status` "ok" or "error". An error has `reasons`, each with
code, field, parameters and sentence, and the number of its input line.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, TypeAlias

from pk.values.jsontypes import Json, JsonObject, kind
from pk.values.reason import Reason

Batch: TypeAlias = Callable[[Sequence[JsonObject]], Sequence[JsonObject]]

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """One record of the input: its first line counted from 1, and the object or what is wrong."""

    number: int
    content: JsonObject | Reason


def transform(source: BinaryIO, target: BinaryIO, batch: Batch) -> None:
    """Read every record, hand all good ones to the batch at once, write one line for each record.

    Parameters
    ----------
    source, target : binary streams
        UTF-8 in; ASCII out, every other character escaped, so that no console's encoding matters.
    batch : callable
        Gets the objects in order and returns one result for each, in order; `error` makes
        one that says what is wrong.
    """
    lines = read(source.read())
    results = iter(batch([line.content for line in lines if not isinstance(line.content, Reason)]))
    for line in lines:
        result = error(None, [line.content]) if isinstance(line.content, Reason) else next(results)
        if result["status"] == "error":
            result = {**result, "line": line.number}
        target.write(json.dumps(result, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n")
    target.flush()


def read(content: bytes) -> list[Line]:
    """Return the records of an input.

    >>> read(b'{"a": 1}\\n\\n[]\\n')[1].content.text()
    'Line 3 is a JSON array; an object is needed.'
    """
    content = content.removeprefix(_BOM)
    numbered = enumerate(content.split(b"\n"), start=1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    if len(lines) > 1 and _is_one_document(lines[0][1], content):
        return [Line(lines[0][0], parse(content, 1))]
    return [Line(number, parse(line, number)) for number, line in lines]


def parse(text: bytes, line: int) -> JsonObject | Reason:
    """Return the object of one record, or what is wrong with it.

    Refused beyond what JSON forbids: NaN and infinities, and a field given twice.
    """
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except UnicodeDecodeError:
        return Reason.of("line_not_utf8", line=line)
    except _RepeatedFieldError as problem:
        return Reason.of("line_field_repeated", line=line, field=str(problem))
    except _NoNumberError as problem:
        return Reason.of("line_number_not_json", line=line, constant=str(problem))
    except json.JSONDecodeError as problem:
        return Reason.of("line_not_json", line=line + problem.lineno - 1, column=problem.colno)
    except RecursionError:
        return Reason.of("line_too_deep", line=line)
    except ValueError:  # Python refuses to read integers of more than some thousand digits
        return Reason.of("line_number_too_long", line=line)
    return found if isinstance(found, dict) else Reason.of("line_not_object", line=line, found=kind(found))


def error(
    record_id: Json, reasons: Iterable[Reason], fields: Mapping[str, str] = MappingProxyType({})
) -> JsonObject:
    """Return the result of a record that cannot be computed; `fields` names the field at fault by code."""
    described: list[Json] = [reason_object(reason, fields.get(reason.code)) for reason in reasons]
    return {"id": record_id, "status": "error", "reasons": described}


def reason_object(reason: Reason, field: str | None = None) -> JsonObject:
    """Return a reason as JSON; the field is the one given, else the one the reason names, else null.

    >>> reason_object(Reason.of("field_missing", field="times_h"))["field"]
    'times_h'
    """
    params: dict[str, Json] = dict(reason.params)
    named = field if field is not None else params.get("field")
    return {"field": named, "code": reason.code, "params": params, "text": reason.text()}


class _RepeatedFieldError(ValueError):
    """A field is given twice in one object."""


class _NoNumberError(ValueError):
    """NaN, Infinity or -Infinity stands where JSON has no number for it."""


def _unique(pairs: list[tuple[str, Json]]) -> JsonObject:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _RepeatedFieldError(name)
            seen.add(name)
    return found


def _refuse(constant: str) -> float:
    raise _NoNumberError(constant)


def _is_one_document(first_line: bytes, content: bytes) -> bool:
    """Whether the first line is no record of its own but the beginning of one over several lines."""
    if first_line.strip() in (b"{", b"["):
        return True
    first = parse(first_line, 1)
    return isinstance(first, Reason) and first.code == "line_not_json" and isinstance(parse(content, 1), dict)
