"""The table of contents of a command line: every command by name and where it is, loaded when it is called.

A help lists commands without loading them: what it shows of each is read from the source.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Callable, Iterator, MutableMapping
from copy import copy
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

__all__ = ["SUGGESTION", "Entry", "Group", "Lazy", "Section", "command_line"]

SUGGESTION = "Did you mean {names}?"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command; `where` is its function as 'package.module:function', whose docstring is its help."""

    name: str
    where: str


@dataclass(frozen=True, slots=True)
class Group:
    """Commands under one word."""

    name: str
    help: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """What stands together in the help, under a title."""

    title: str
    entries: tuple[Entry | Group, ...]


class _Commands(MutableMapping[str, Any]):
    """The commands of a group by name, each made when it is asked for. `changes` are made to each."""

    def __init__(self, made_by: dict[str, Callable[[], Any]]) -> None:
        self._made_by = made_by
        self._made: dict[str, Any] = {}
        self.changes: list[Callable[[Any], None]] = []

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self.changed(self._made_by[name]())
        return self._made[name]

    def changed(self, command: Any) -> Any:
        for change in self.changes:
            change(command)
        return command

    def change_each(self, change: Callable[[Any], None]) -> None:
        self.changes.append(change)
        for command in self._made.values():
            change(command)

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made_by[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made_by)

    def __len__(self) -> int:
        return len(self._made_by)


class Lazy(TyperGroup):
    """A group whose commands are loaded when they are called."""

    sections: tuple[Section, ...] = ()
    say: Callable[[str], str] = str

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.lazy = _Commands(
            {one.name: partial(_made, one, part.title) for part in self.sections for one in part.entries}
        )
        self.commands = self.lazy

    def change_each(self, change: Callable[[Any], None]) -> None:
        """Make a change to every command of the group, when it is loaded or listed."""
        self.lazy.change_each(change)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except typer.TyperException as error:
            near = get_close_matches(args[0], self.commands)
            if near:
                names = ", ".join(f"'{one}'" for one in near)
                error.message += " " + self.say(SUGGESTION).format(names=names)
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        listed = copy(self)
        listed.commands = {
            one.name: self.lazy.changed(_listed(one, part.title))
            for part in self.sections
            for one in part.entries
        }
        super(Lazy, listed).format_help(ctx, formatter)


def command_line(sections: tuple[Section, ...], **given: Any) -> typer.Typer:
    """A command line with these contents; `given` is what else it is to be."""
    return typer.Typer(
        cls=type("Contents", (Lazy,), {"sections": sections}),
        no_args_is_help=True,
        suggest_commands=False,  # typer would do it in English
        add_completion=False,
        pretty_exceptions_enable=False,
        **given,
    )


def _made(one: Entry | Group, title: str) -> Any:
    """A command as typer makes it, its function loaded; of a group, the group alone."""
    if isinstance(one, Group):
        group = command_line(
            (Section("", one.entries),), name=one.name, help=one.help, rich_help_panel=title or None
        )
        return typer.main.get_group(group)
    module, _, function = one.where.partition(":")
    alone = typer.Typer(add_completion=False)
    alone.command(one.name, rich_help_panel=title or None)(getattr(import_module(module), function))
    if not gc.isenabled():  # since `main`: what the command uses is loaded, and stays
        gc.freeze()
        gc.enable()
    return typer.main.get_group(alone).commands[one.name]


def _listed(one: Entry | Group, title: str) -> TyperCommand:
    """What a help lists of a command."""
    text = (
        one.help
        if isinstance(one, Group)
        else _docstrings(one.where.partition(":")[0])[one.where.partition(":")[2]]
    )
    return TyperCommand(one.name, help=text, rich_help_panel=title or None)


@cache
def _docstrings(module: str) -> dict[str, str]:
    """The docstrings of a module's functions, read from its source."""
    spec = find_spec(module)
    source = spec.loader.get_source(module) if spec is not None and spec.loader is not None else ""  # type: ignore[attr-defined]
    functions = [one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef)]
    return {one.name: ast.get_docstring(one) or "" for one in functions}
