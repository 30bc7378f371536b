"""The help of a command line in the reader's language: its own texts, and the words that typer puts around them."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import typer.core

from config.language import Language, translator
from scheduler.runtime.cli.contents import SUGGESTION, Lazy

__all__ = ["frame_words", "help_texts", "language_asked", "localise", "normalised", "option_asked"]

_USAGE = "Usage: "
_PANELS = "typer.rich_utils"
_HELP_OPTION = "Show this message and exit."
_CONSTANTS = (
    "ABORTED_TEXT", "ARGUMENTS_PANEL_TITLE", "COMMANDS_PANEL_TITLE", "DEFAULT_STRING", "DEPRECATED_STRING",
    "ENVVAR_STRING", "ERRORS_PANEL_TITLE", "OPTIONS_PANEL_TITLE", "REQUIRED_LONG_STRING", "RICH_HELP",
)  # fmt: skip
# What typer.core hands to gettext while it runs and shows beside rich's panels.
_CORE = ("Missing command.", "No such command {name!r}.", "Aborted!", "(dynamic)")
_PLACES = ("[OPTIONS]", "COMMAND [ARGS]...")

Say = Callable[[str], str]


@cache
def _constants() -> dict[str, str]:
    """What typer keeps as constants beside rich, as they were before anybody changed them."""
    from typer import rich_utils

    return {name: getattr(rich_utils, name) for name in _CONSTANTS}


def frame_words() -> tuple[str, ...]:
    """The words that typer puts around our own."""
    return (_USAGE, _HELP_OPTION, *_constants().values(), *_CORE, *_PLACES, SUGGESTION)


def localise(command: Any, language: Language) -> None:
    """Put the help of a command and of all below it into `language`; `command` is what `typer.main.get_command` gives.

    The frame words belong to the process, not to the command: the last call decides.
    """
    say = translator(language)
    if language is not Language.EN or _PANELS in sys.modules:  # else they are loaded when needed, in English
        for name, english in _constants().items():
            setattr(sys.modules[_PANELS], name, say(english))
    vars(typer.core)["_"] = say
    _localise(command, say)


def language_asked(words: Sequence[str]) -> Language:
    """The language of the help, which is shown before the options of the command line are read."""
    asked = option_asked(words, "--language") or os.environ.get("MPA_LANGUAGE", "")
    return Language(asked) if asked in set(Language) else Language.EN


def option_asked(words: Sequence[str], name: str) -> str | None:
    """What the command line gives for an option, which is read before the options are; None when it is not given."""
    for option, value in pairwise([*words, ""]):
        if option == name or option.startswith(f"{name}="):
            return option.partition("=")[2] or value
    return None


def normalised(text: str) -> str:
    """A help text as it is looked up: paragraphs on one line each, as typer shows them, without what follows a \\f."""
    paragraphs = inspect.cleandoc(text).partition("\f")[0].split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs).strip()


def help_texts(command: Any) -> list[str]:
    """Every help text of a command and of all below it, normalised, as it now stands."""
    found = [command.help, command.short_help, command.epilog, command.rich_help_panel]
    found += [getattr(one, "help", None) for one in command.params]
    texts = [normalised(text) for text in found if text]
    for one in _below(command):
        texts += help_texts(one)
    return texts


def _localise(command: Any, say: Say) -> None:
    for name in ("help", "short_help", "epilog", "rich_help_panel"):
        _replace(command, name, say)
    for one in command.params:
        _replace(one, "help", say)
    for name in ("options_metavar", "subcommand_metavar"):
        _replace(command, name, say)
    command.context_class = _context_class(command.context_class, say(_USAGE))
    help_option = command.get_help_option(command.context_class(command))
    if help_option is not None:
        help_option.help = say(_HELP_OPTION)
    if isinstance(command, Lazy):
        command.say = say
        command.change_each(lambda one: _localise(one, say))
        return
    for one in _below(command):
        _localise(one, say)


def _replace(thing: Any, name: str, say: Say) -> None:
    text = getattr(thing, name, None)
    if isinstance(text, str) and text:
        setattr(thing, name, say(normalised(text)))


def _below(command: Any) -> list[Any]:
    """The commands of a group; none for a command."""
    return list(getattr(command, "commands", {}).values())


def _context_class(base: type, usage: str) -> type:
    """A context that writes `usage` where the formatter would write its own word; nothing else lets one say it."""
    plain: Any = base
    formatter = plain.formatter_class

    def write_usage(self: Any, prog: str, args: str = "", prefix: str | None = None) -> None:
        formatter.write_usage(self, prog, args, usage if prefix is None else prefix)

    own = type(formatter.__name__, (formatter,), {"write_usage": write_usage})
    return type(base.__name__, (base,), {"formatter_class": own})
