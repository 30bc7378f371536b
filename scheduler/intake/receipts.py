"""What the laboratory is told of a file: a receipt as data, and its texts in both languages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from config.language import Language
from scheduler.domain.reason import Reason, because, from_json, to_json
from scheduler.domain.speech import Speaker
from scheduler.domain.spreadsheet import csv_bytes
from scheduler.intake.findings import FileVerdict, Finding, RowVerdict, Severity, State, Verdict, rule_of
from scheduler.intake.readers import Fault, Reading
from scheduler.intake.sentences import SENTENCES
from scheduler.store.lab.settled import Settlement

__all__ = [
    "Speakers",
    "findings_json",
    "reason_text",
    "receipt_csv",
    "receipt_json",
    "receipt_of",
    "settled",
    "speakers",
]

Receipt = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Speakers:
    """One speaker for each language, French first as the laboratory reads it."""

    fr: Speaker
    en: Speaker


def speakers(zone: ZoneInfo) -> Speakers:
    """Speakers that know the sentences of the intake."""
    return Speakers(Speaker(Language.FR, zone, {}, SENTENCES), Speaker(Language.EN, zone, {}, SENTENCES))


def receipt_of(
    name: str, sha256: str, received_at: datetime, reading: Reading | Fault | None, verdict: FileVerdict
) -> Receipt:
    """The receipt as data: reasons and not texts, no names, no values, no comments."""
    read = reading if isinstance(reading, Reading) else None
    reason = verdict.decisive
    return {
        "file": name,
        "sha256": sha256,
        "received_at": received_at.isoformat(),
        "verdict": verdict.verdict.value,
        "code": rule_of(reason) if reason is not None else "",
        "reason": to_json(reason) if reason is not None else None,
        "encoding": read.encoding if read is not None else None,
        "delimiter": read.delimiter if read is not None else None,
        "complete": read.complete if read is not None else False,
        "ignored_columns": list(read.unknown_columns) if read is not None else [],
        "accepted": verdict.count(State.ACCEPTED),
        "held": verdict.count(State.HELD),
        "ignored": verdict.count(State.IGNORED),
        "notes": [to_json(note) for note in verdict.notes],
        "rows": [_row(row) for row in verdict.rows],
    }


def _row(row: RowVerdict) -> dict[str, Any]:
    return {"row": row.row, "verdict": row.state.value, "findings": findings_json(row.findings)}


def findings_json(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Findings as they are stored: the rule, what it does, and why."""
    return [
        {"rule": one.rule, "severity": one.severity.value, "reason": to_json(one.reason)} for one in findings
    ]


def settled(receipt: Receipt, found: Mapping[int, Settlement]) -> Receipt:
    """The receipt as it stands after some of its held rows were settled."""
    rows = [
        _settled_row(row, found[row["row"]]) if row["verdict"] == State.HELD and row["row"] in found else row
        for row in receipt["rows"]
    ]
    counts = Counter(row["verdict"] for row in rows)
    made: Receipt = {**receipt, "rows": rows, **{state.value: counts[state.value] for state in State}}
    if receipt["verdict"] != Verdict.HELD:
        return made
    holding = (one for row in rows if row["verdict"] == State.HELD for one in row["findings"])
    first = next((one for one in holding if one["severity"] == Severity.HOLD), None)
    if first is not None:
        return {**made, "code": first["rule"], "reason": first["reason"]}
    verdict = Verdict.ACCEPTED if counts[State.ACCEPTED] else Verdict.IGNORED
    return {**made, "verdict": verdict.value, "code": "", "reason": None}


def _settled_row(row: dict[str, Any], settlement: Settlement) -> dict[str, Any]:
    """What was found of the row besides what held it, and how it was settled."""
    number, place = row["row"], settlement.accepted_as
    if place is None:
        reason, state = because("settled.rejected", row=number), State.IGNORED
    elif settlement.moved:
        reason = because("settled.moved", row=number, visit=place[0], timepoint=place[1])
        state = State.ACCEPTED
    else:
        reason, state = because("settled.accepted", row=number), State.ACCEPTED
    kept = [one for one in row["findings"] if one["severity"] != Severity.HOLD]
    told = findings_json((Finding(Severity.INFO, reason),))
    return {"row": number, "verdict": state.value, "findings": [*kept, *told]}


def receipt_json(receipt: Receipt, say: Speakers, duplicate: bool = False) -> bytes:
    """The receipt with every reason in words."""
    shown = dict(receipt)
    shown["duplicate"] = duplicate
    shown["reason"] = _both(from_json(receipt["reason"]), say) if receipt["reason"] is not None else None
    shown["notes"] = [_both(note, say) for note in _notes(receipt, duplicate)]
    shown["rows"] = [
        {
            "row": row["row"],
            "verdict": row["verdict"],
            "findings": [
                {"rule": one["rule"], "severity": one["severity"], **_both(from_json(one["reason"]), say)}
                for one in row["findings"]
            ],
        }
        for row in receipt["rows"]
    ]
    return json.dumps(shown, ensure_ascii=False, indent=1).encode()


def _both(reason: Reason, say: Speakers) -> dict[str, str]:
    return {"code": rule_of(reason), "fr": say.fr.say(reason), "en": say.en.say(reason)}


def _notes(receipt: Receipt, duplicate: bool) -> list[Reason]:
    notes = [from_json(note) for note in receipt["notes"]]
    if receipt["ignored_columns"]:
        notes.append(because("note.columns", columns=", ".join(receipt["ignored_columns"])))
    if duplicate:
        received = datetime.fromisoformat(receipt["received_at"])
        notes.insert(0, because("F-05", at=received))
    return notes


def receipt_csv(receipt: Receipt, say: Speakers, duplicate: bool = False) -> bytes:
    """The receipt as a table that a spreadsheet opens: every field quoted, none of them a formula."""
    header = ["fichier/file", "ligne/row", "verdict", "code", "francais", "english"]
    return csv_bytes(header, ((receipt["file"], *line) for line in _lines(receipt, say, duplicate)))


def _lines(receipt: Receipt, say: Speakers, duplicate: bool) -> Iterator[tuple[str, ...]]:
    counts = because(
        "note.counts", accepted=receipt["accepted"], held=receipt["held"], ignored=receipt["ignored"]
    )
    whole = because("verdict." + receipt["verdict"])
    yield ("", receipt["verdict"], "", say.fr.say(whole), say.en.say(whole))
    if not receipt["rows"] and receipt["reason"] is not None:
        reason = from_json(receipt["reason"])
        yield ("", receipt["verdict"], rule_of(reason), say.fr.say(reason), say.en.say(reason))
    else:
        yield ("", "", "", say.fr.say(counts), say.en.say(counts))
    for note in _notes(receipt, duplicate):
        yield ("", "note", rule_of(note), say.fr.say(note), say.en.say(note))
    for row in receipt["rows"]:
        if not row["findings"]:
            yield (str(row["row"]), row["verdict"], "", "", "")
        for one in row["findings"]:
            reason = from_json(one["reason"])
            yield (str(row["row"]), row["verdict"], one["rule"], say.fr.say(reason), say.en.say(reason))


def reason_text(receipt: Receipt, say: Speakers) -> bytes:
    """The note beside a quarantined file: what is wrong and what to do, French then English."""
    parts = []
    for speaker in (say.fr, say.en):
        parts.append(speaker.say(because("note.quarantined", name=receipt["file"])))
        if receipt["reason"] is not None:
            parts.append(f"- {receipt['code']}: {speaker.say(from_json(receipt['reason']))}")
        parts += [f"- {rule_of(note)}: {speaker.say(note)}" for note in _notes(receipt, False)]
        parts.append(speaker.say(because("note.what_to_do")))
        parts.append("")
    return "\r\n".join(parts).encode()
