"""Commands about amendments: what differs between two protocol versions, and following subjects under another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from config.defects import ConfigurationInvalidError, unreadable
from scheduler.domain.amendment import FlagChange, ReminderChange, VisitChange, VisitSeen
from scheduler.domain.civil import Period
from scheduler.domain.facts import ProtocolApplied
from scheduler.domain.protocol import Protocol
from scheduler.domain.protocol_diff import Difference, Value, differences
from scheduler.domain.reason import Reason, RefusedError, because
from scheduler.domain.sentences.amendment import AMENDMENT_SENTENCES
from scheduler.domain.speech import Speaker
from scheduler.engine.recording import amendment as engine
from scheduler.engine.recording.amendment import Preview, Skipped
from scheduler.engine.recording.moments import parse_day
from scheduler.runtime.cli.output import AsJson, json_out, program_of, refusing
from scheduler.runtime.cli.recording import recorder
from scheduler.runtime.program import Program
from scheduler.store.database import StoreError

__all__ = ["apply", "diff"]

Version = Annotated[
    str, typer.Argument(help="A file, or a version as '2' or 'ID 2', or the beginning of its hash.")
]


def diff(context: typer.Context, old: Version, new: Version, as_json: AsJson = False) -> None:
    """What differs between two versions: visits, windows, reminders, what is flagged, endpoints, sampling."""
    program = program_of(context)
    with refusing(program):
        one, other = (_version(program, text) for text in (old, new))
        found = differences(one, other)
        if as_json:
            names = [{"id": each.id, "version": each.version, "sha256": each.key} for each in (one, other)]
            lines = [{**asdict(each), "old": _plain(each.old), "new": _plain(each.new)} for each in found]
            json_out({"old": names[0], "new": names[1], "differences": lines})
            return
        speaker = program.speaker()
        words = "{old} → {new}: {count} differences"
        names_ = {"old": f"{one.id} {one.version}", "new": f"{other.id} {other.version}"}
        typer.echo(speaker.text(words, **names_, count=str(len(found))))
        for line in found:
            typer.echo(f"  {_difference(line, speaker)}")


def apply(
    context: typer.Context,
    version: Version,
    from_day: Annotated[str, typer.Option("--from", help="First day on which it holds, as '2026-03-01'.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, as the number of the approval.")],
    site: Annotated[str | None, typer.Option(help="Only the subjects of this site.")] = None,
    subject: Annotated[list[str] | None, typer.Option(help="Only this subject; may be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who decides it; the account if absent.")] = None,
    as_json: AsJson = False,
) -> None:
    """Follow subjects under another protocol version from a day on: all of them or none.

    Visits that took place before that day, or were due before it, keep the version before.
    """
    program = program_of(context)
    with refusing(program):
        protocol = _version(program, version)
        if not reason.strip():
            raise RefusedError([because("refused_reason_missing")])
        what = ProtocolApplied(parse_day(from_day), protocol.version, protocol.key, reason.strip())
        who = recorder(by)

        def step(session: Session) -> tuple[list[Preview], list[Skipped]]:
            now = program.clock.now()
            rows, skipped = engine.concerned(session, program.study, what, site, subject or [], now)
            found = [engine.preview(session, program.study, row, what, who, now) for row in rows]
            if not dry_run:
                engine.apply_version(session, program.study, rows, what, who, now, program.handle)
            return found, skipped

        run = program.database.read if dry_run else program.database.transact
        found, skipped = run(step)
        if as_json:
            json_out(_as_json(what, found, skipped, program.speaker(), dry_run=dry_run))
        else:
            for line in _lines(program, what, found, skipped, dry_run=dry_run):
                typer.echo(line)


def _version(program: Program, text: str) -> Protocol:
    """The version that a word names: a file, a version of the configuration, or one that the database keeps."""
    study = program.study
    path = Path(text)
    if path.suffix == ".toml" and path.is_file():
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationInvalidError([unreadable(path.name, error)]) from error
        return study.compiled(path.name, text)
    try:
        kept = program.database.read(study.kept_versions)
    except StoreError:
        kept = []
    known = {one.key: one for one in (*(protocol for protocol, _ in study.protocols.values()), *kept)}
    named = [one for one in known.values() if text in (one.version, f"{one.id} {one.version}", one.key)]
    if not named and len(text) >= 6:
        named = [one for one in known.values() if one.key.startswith(text)]
    if len(named) == 1:
        return named[0]
    names = ", ".join(f"{one.id} {one.version}" for one in known.values())
    code = "refused_version_several" if named else "refused_version_unknown"
    raise RefusedError([because(code, version=text, known=names)])


# --- words


def _plain(value: Value) -> Any:
    if isinstance(value, Period):
        return {"months": value.months, "days": value.days, "minutes": value.minutes}
    return value.isoformat("minutes") if isinstance(value, time) else value


def _difference(line: Difference, speaker: Speaker) -> str:
    where = speaker.say(because(f"part_{line.area}", item_id=line.item))
    if not line.field:
        said = speaker.say(because("part_new" if line.old is None else "part_gone"))
        return speaker.text("{what_id}: {said_id}", what_id=where, said_id=said)
    code = f"field_{line.field}"
    field = speaker.say(because(code)) if code in AMENDMENT_SENTENCES else line.field
    old, new = _value(line.old, speaker), _value(line.new, speaker)
    said = new if line.old is None else f"{old} → {new}"
    return speaker.text("{what_id}: {said_id}", what_id=f"{where}, {field}", said_id=said)


def _value(value: Value, speaker: Speaker) -> str:
    match value:
        case None | () | "":
            return "–"
        case bool():
            return speaker.text("yes") if value else speaker.text("no")
        case Period():
            return speaker.period(value)
        case time():
            return value.isoformat("minutes")
        case tuple():
            return ", ".join(value)
        case float():
            return speaker.number(value, 3).rstrip("0").rstrip(".,")
        case _:
            return str(value)


def _lines(
    program: Program, what: ProtocolApplied, found: list[Preview], skipped: list[Skipped], *, dry_run: bool
) -> Iterator[str]:
    speaker = program.speaker()
    for one in found:
        yield from _of_subject(one, speaker)
    for left in skipped:
        why = speaker.listed(speaker.say(reason) for reason in left.why)
        yield speaker.text("{subject} stays as it is: {why}", subject=left.subject, why=why)
    mails = sum(len(one.contradicted) for one in found)
    words = (
        "Nothing was recorded. Without --dry-run: version {version} from {on} for {count} subjects; "
        "{mails} mails that were sent would no longer hold."
        if dry_run
        else "Recorded: version {version} from {on} for {count} subjects; {mails} mails that were sent no longer hold."
    )
    yield speaker.text(words, version=what.version, on=what.on, count=str(len(found)), mails=str(mails))


def _of_subject(one: Preview, speaker: Speaker) -> Iterator[str]:
    yield f"{one.subject} ({one.site})"
    if not (one.visits or one.reminders or one.flags or one.contradicted):
        yield f"  {speaker.text('nothing changes')}"
    for visit in one.visits:
        yield from (f"  {line}" for line in _visit_lines(visit, speaker))
    for reminder in one.reminders:
        yield f"  {_reminder_line(reminder, speaker)}"
    for flag in one.flags:
        yield f"  {_flag_line(flag, speaker)}"
    for mail in one.contradicted:
        said = {"number": str(mail.number), "mail": speaker.status(mail.template), "to_id": mail.to}
        words = "mail {number} ({mail}, to {to_id}, {visit}) no longer holds: {why}"
        yield f"  {speaker.text(words, **said, visit=mail.visit, why=speaker.say(mail.why))}"
    for event, visit_id in one.announced:
        words = "sent at once: {mail}, {visit}"
        yield f"  {speaker.text(words, mail=speaker.status(event), visit=visit_id)}"


def _visit_lines(change: VisitChange, speaker: Speaker) -> Iterator[str]:
    name, before, after = speaker.name(change.visit), change.before, change.after
    if before is None and after is not None:
        yield speaker.text("{visit}: new, {window}", visit=name, window=_window(after, speaker))
        return
    if after is None:
        yield speaker.text("{visit}: no longer part of the protocol", visit=name)
        return
    assert before is not None
    if (before.target, before.first, before.last) != (after.target, after.first, after.last):
        days = f"{_window(before, speaker)} → {_window(after, speaker)}"
        yield speaker.text("{what_id}: {said_id}", what_id=name, said_id=days)
    if before.overdue != after.overdue and after.overdue is not None:
        yield speaker.text("{visit}: overdue from {moment}", visit=name, moment=after.overdue)
    if before.missed != after.missed and after.missed is not None:
        yield speaker.text("{visit}: missed from {moment}", visit=name, moment=after.missed)
    if before.required != after.required:
        items = ", ".join(speaker.name(item) for item in after.required) or "–"
        yield speaker.text("{visit}: required assessments: {items}", visit=name, items=items)
    if after.booked_outside and not before.booked_outside and after.booked is not None:
        words = "{visit}: the appointment on {moment} lies outside the new window; 'move' it"
        yield speaker.text(words, visit=name, moment=after.booked)
    if before.status is not after.status:
        said = {"old": speaker.say(before.reason), "new": speaker.say(after.reason)}
        yield speaker.text("{visit}: {old} → {new}", visit=name, **said)


def _window(seen: VisitSeen, speaker: Speaker) -> str:
    words = "target {target}, window {first} to {last}"
    return speaker.text(words, target=seen.target, first=seen.first, last=seen.last)


def _reminder_line(change: ReminderChange, speaker: Speaker) -> str:
    old, new = (_moment(at, speaker) for at in (change.before, change.after))
    said = {"rule_id": change.rule, "visit": change.visit, "old": old, "new": new}
    return speaker.text("reminder {rule_id}, {visit}: {old} → {new}", **said)


def _moment(at: datetime | None, speaker: Speaker) -> str:
    return speaker.moment(at) if at is not None else "–"


def _flag_line(change: FlagChange, speaker: Speaker) -> str:
    said = {"flag": speaker.status(change.flag), "visit": change.visit or "–"}
    if change.after is None:
        return speaker.text("flag {flag}, {visit}: closes", **said)
    why = speaker.say(change.after)
    if change.before is None:
        return speaker.text("flag {flag}, {visit}: opens: {why}", **said, why=why)
    return speaker.text("flag {flag}, {visit}: now: {why}", **said, why=why)


def _as_json(
    what: ProtocolApplied, found: list[Preview], skipped: list[Skipped], speaker: Speaker, *, dry_run: bool
) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        if isinstance(value, Reason):
            return speaker.say(value)
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    return {
        "version": what.version,
        "sha256": what.sha256,
        "from": what.on,
        "recorded": not dry_run,
        "subjects": [plain(_fields(one)) for one in found],
        "skipped": [plain(_fields(one)) for one in skipped],
    }


def _fields(value: Any) -> Any:
    """The fields of a value and of the values in it, by name; reasons stay as they are."""
    if isinstance(value, Reason) or not hasattr(value, "__dataclass_fields__"):
        return [_fields(one) for one in value] if type(value) is tuple else value
    return {name: _fields(getattr(value, name)) for name in value.__dataclass_fields__}
