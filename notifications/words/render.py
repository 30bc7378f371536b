"""Fills the templates: values in, words out, in the reader's language and the site's zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined, pass_context
from jinja2.runtime import Context as JinjaContext

from config.language import TEMPLATE_DIR, Language, counter, translator
from scheduler.domain.reason import Reason
from scheduler.domain.speech import Speaker

__all__ = ["EMAIL_DIR", "Rendered", "environment", "render", "template_names"]

EMAIL_DIR = TEMPLATE_DIR / "email"
_FILES = ("subject.txt", "body.jinja", "sample.json")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail in words."""

    subject: str
    text: str
    html: str


def template_names(directory: Path = EMAIL_DIR) -> tuple[str, ...]:
    """The messages that have all their files."""
    folders = sorted(one for one in directory.iterdir() if one.is_dir())
    return tuple(one.name for one in folders if all((one / file).is_file() for file in _FILES))


def render(template: str, speaker: Speaker, values: Mapping[str, Any]) -> Rendered:
    """The mail that `template` makes of these values. Raises jinja2.UndefinedError when one is missing."""
    filled = {**values, "speaker": speaker, "language": speaker.language.value}
    plain, html = environment(speaker.language), environment(speaker.language, html=True)
    tail = plain.get_template(f"{template}/subject.txt").render(filled)
    filled["title"] = _line(f"{_stem(speaker, values)} · {tail}")
    return Rendered(
        filled["title"],
        _tidy(plain.get_template(f"{template}/body.jinja").render(filled, kind="txt")),
        html.get_template(f"{template}/body.jinja").render(filled, kind="html"),
    )


@cache
def environment(language: Language, html: bool = False) -> Environment:
    """The templates in one language. A name that is not given is an error; only HTML is escaped."""
    jinja = Environment(
        loader=FileSystemLoader(EMAIL_DIR),
        undefined=StrictUndefined,
        autoescape=html,  # noqa: S701
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,  # the templates are part of the program
    )
    jinja.policies["ext.i18n.trimmed"] = True
    jinja.install_gettext_callables(translator(language), counter(language), newstyle=True)  # type: ignore[attr-defined]
    jinja.filters.update(_FILTERS)
    return jinja


def _stem(speaker: Speaker, values: Mapping[str, Any]) -> str:
    """The part of the subject line that all mails about one visit share."""
    stem = f"[{values['study']['acronym']}]"
    if values.get("subject") is None:
        return f"{stem} {values['site']['name']}"
    if values.get("visit") is None:
        return f"{stem} {values['subject']}"
    return f"{stem} {values['subject']} · {speaker.name(values['visit'])}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _tidy(text: str) -> str:
    """Without spaces at the ends of lines and with one blank line at a time."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept) + "\n"


def _speaking(word: Callable[[Speaker, Any], str]) -> Callable[[JinjaContext, Any], str]:
    @pass_context
    def filter_(context: JinjaContext, value: Any) -> str:
        if isinstance(value, Undefined):
            str(value)  # raises: a value is missing
        return word(context["speaker"], value)

    return filter_


@lru_cache(1024)
def _moment(language: Language, zone: ZoneInfo, value: datetime) -> str:
    """A day with its weekday, and the time."""
    speaker = Speaker(language, zone)
    return speaker.text("{day} at {clock}", day=_local_day(language, zone, value), clock=speaker.clock(value))


@lru_cache(1024)
def _local_day(language: Language, zone: ZoneInfo, value: date) -> str:
    """The day with its weekday, of a date or of an instant."""
    if isinstance(value, datetime):
        value = (value.astimezone(zone) if value.tzinfo is not None else value).date()
    return Speaker(language, zone).day(value)


@lru_cache(1024)
def _clock(language: Language, zone: ZoneInfo, value: datetime) -> str:
    return Speaker(language, zone).clock(value)


def _dated(words: Callable[[Language, ZoneInfo, Any], str]) -> Callable[[Speaker, Any], str]:
    """The same date stands in several places of a mail and in the mails of several people: it is worded once."""
    return lambda speaker, value: words(speaker.language, speaker.zone, value)


def _say(speaker: Speaker, value: Reason) -> str:
    return speaker.say(value)


_FILTERS: dict[str, Callable[..., Any]] = {
    "day": _speaking(_dated(_local_day)),
    "moment": _speaking(_dated(_moment)),
    "clock": _speaking(_dated(_clock)),
    "say": _speaking(_say),
    "name": _speaking(lambda speaker, value: speaker.name(value)),
    "status": _speaking(lambda speaker, value: speaker.status(value)),
}
