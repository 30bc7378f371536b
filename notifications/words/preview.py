"""A mail filled from its sample, to look at before it is used."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.language import Language
from notifications.words.render import EMAIL_DIR, render
from notifications.words.sentences import MAIL_SENTENCES, SENTENCES_WITH_PAGES
from scheduler.domain.reason import from_json
from scheduler.domain.speech import Speaker

__all__ = ["preview", "sample_values"]


def preview(template: str, language: Language, console: str = "", **changes: Any) -> tuple[str, str, str]:
    """Subject, text and HTML that `template` makes of its sample; `console` is the address of the pages, if known."""
    shared = _read(EMAIL_DIR / "_sample.json")
    sentences = {**MAIL_SENTENCES, **(SENTENCES_WITH_PAGES if console else {})}
    speaker = Speaker(language, ZoneInfo(shared["site"]["zone"]), shared["names"][language], sentences)
    values = {**sample_values(template, language), "console": console, **changes}
    mail = render(template, speaker, values)
    return mail.subject, mail.text, mail.html


def sample_values(template: str, language: Language) -> dict[str, Any]:
    """The values of a template's sample, with those that all samples share."""
    shared = _read(EMAIL_DIR / "_sample.json")
    study = {**shared["study"], "title": shared["study"]["title"][language]}
    common = {
        "study": study,
        "site": {"name": shared["site"]["name"]},
        "today": shared["today"],
        "console": "",
        "record": 118,
        "clinical": True,
    }
    return {**common, **_read(EMAIL_DIR / template / "sample.json")}


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = _value(json.loads(path.read_text("utf-8")))
    return found


def _value(data: Any) -> Any:
    """JSON with {"date": …}, {"instant": …}, {"local": …} and {"reason": …} for what JSON cannot say."""
    match data:
        case {"date": str(text), **rest} if not rest:
            return date.fromisoformat(text)
        case {"instant": str(text), **rest} if not rest:
            return datetime.fromisoformat(text)
        case {"local": str(text), **rest} if not rest:
            return datetime.fromisoformat(text)
        case {"reason": dict(inner), **rest} if not rest and "code" in inner:
            return from_json(inner)
        case dict():
            return {key: _value(value) for key, value in data.items()}
        case list():
            return [_value(value) for value in data]
    return data
