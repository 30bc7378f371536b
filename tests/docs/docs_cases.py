"""What README and docs tell people to type, to click and to look up."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import typer.main

import main
from pk.__main__ import build_parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PROGRAM = "mpa-monitor"
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
    ROOT / "benchmarks/results.md",
)

_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(rf"(?:^|[|;&] *)(?:sudo -u \w+ )?((?:\S*/)?{PROGRAM}|(?:\S*/)?python -m pk)(?=\s|$)")
_ENDS = re.compile(r"\s(?:\||>|;|&&)\s|\s#|;\s")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Typed:
    """A line that a page tells its reader to type."""

    page: str
    line: str

    def __str__(self) -> str:
        return f"{self.page}: {self.line}"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page in this language."""
    return [dedent(body) for found, body in _BLOCK.findall(text) if found == language]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _BLOCK.sub("", text)


def spans(text: str) -> list[str]:
    """What stands between single backticks."""
    return [" ".join(span.split()) for span in _SPAN.findall(prose(text))]


def typed_lines() -> Iterator[Typed]:
    """Every line behind a `$` in a console block."""
    for page in PAGES:
        for block in blocks(page.read_text("utf-8"), "console"):
            for shown in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                yield Typed(name_of(page), _until_closed(shown))


def _until_closed(shown: str) -> str:
    """What is typed of a line and what is shown below it: further lines only while a quotation mark is open."""
    lines = [re.sub(r"\s+# .*", "", line) for line in shown.rstrip().splitlines()]
    for count in range(1, len(lines) + 1):
        typed = "\n".join(lines[:count])
        if typed.count("'") % 2 == 0:
            return typed
    raise AssertionError(f"a quotation mark is not closed: {shown}")


def commands_in(line: str) -> Iterator[list[str]]:
    """The words of every call of ours in a line of a shell: what follows a pipe or `#` is not the command's."""
    for match in re.finditer(
        rf"(?:^|[|;&] *)(?:sudo -u \w+ )?((?:\S*/)?{PROGRAM}|(?:\S*/)?python -m pk)(?=\s|$)", line
    ):
        rest = line[match.end(1) :]
        end = _ENDS.search(rest)
        first = "pk" if match[1].endswith("pk") else PROGRAM
        yield [first, *shlex.split(rest[: end.start()] if end else rest)]


@cache
def command_line() -> Any:
    """The real command line, before it is called."""
    return typer.main.get_command(main.app)


def refuse_nothing(words: list[str]) -> None:
    """Parse a call down to its last command without running it; raises what the command line would say."""
    if words[0] == "pk":
        try:
            build_parser().parse_args(words[1:])
        except SystemExit as stop:
            raise AssertionError(f"python -m pk does not understand {words[1:]}") from stop
        return
    command, args, context = command_line(), words[1:], None
    while True:
        context = command.make_context(PROGRAM, list(args), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]
        assert rest, f"{words} stops before a command"
        _, command, args = command.resolve_command(context, rest)


def options_of(command: Any) -> set[str]:
    return {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that can be called, with its path."""
    below = getattr(command, "commands", None)
    if not below:
        yield path, command
    for name, one in (below or {}).items():
        yield from leaves(one, (*path, name))


def named_command(words: list[str]) -> tuple[tuple[str, ...], Any, list[str]]:
    """The command that words name, as far down as they go, and the words after it."""
    command, path, rest = command_line(), [], list(words)
    while rest and rest[0].startswith("--"):  # options before the command
        rest = rest[2:]
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest[0]]
        path.append(rest.pop(0))
    return tuple(path), command, rest


def what_is_wrong(text: str) -> str | None:
    """What a command in a sentence or a span names that does not exist; it may leave out what it needs."""
    words = re.sub(r"[\[\]…|]", " ", text).split()
    if words and words[0] == PROGRAM:
        words = words[1:]
    path, command, rest = named_command(words)
    if words and words[0] != "COMMAND" and not path:
        return f"no command: {text}"
    if getattr(command, "commands", None) and rest and re.fullmatch(r"[a-z-]+", rest[0]):
        return f"no command: {text}"
    known = options_of(command) | options_of(command_line())
    unknown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", " ".join(rest))) - known
    return f"no option {sorted(unknown)}: {text}" if unknown else None
