"""What the program says: every English text of the code and the pages, and the French that the catalogues have."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import typer.main
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import main
from config.defects import PLACES
from config.language import LOCALE_DIR, TEMPLATE_DIR, Language, catalogue
from config.schema.shapes import FORMS
from config.settings import DEFAULT_DIR
from config.shape_defects import TYPES, UNKNOWN
from notifications.outbox.states import State as MailState
from notifications.words.render import template_names
from pk.models.shipped import shipped_models
from pk.nca.partial import PARTIAL_AUC
from pk.regression.equation import Equation, equations_from_mapping
from scheduler.console.actions import Verb
from scheduler.console.routes import PAGES
from scheduler.domain.facts import KINDS, Corrected, FlagAcknowledged
from scheduler.domain.flags import FlagCode
from scheduler.domain.protocol import NOT_DRAWN, RECORDS_MISSING, RESULTS_OVERDUE, Shift, VisitStatus
from scheduler.domain.reconciliation import LineState
from scheduler.domain.roles import Role
from scheduler.domain.trial.definitions import Evidence, Sense
from scheduler.domain.trial.eligibility import ITEMS, Arm, ClassificationStatus, EligibilityStatus
from scheduler.domain.words import word_of
from scheduler.engine.export.audit_trail import WORDS as AUDIT_WORDS
from scheduler.intake.findings import State as RowState
from scheduler.intake.findings import Verdict
from scheduler.runtime import work
from scheduler.store.lab.settled import Became

ROOT = Path(__file__).parent.parent
_COMMANDS = sorted((ROOT / "notifications" / "commands").glob("*.py"))
OURS = ("domain", "pk", "cli", "report", "trial", "console", "desk", "config")
FRENCH = catalogue(Language.FR)

# Every vocabulary whose words `Speaker.status` shows.
SHOWN: tuple[type[StrEnum], ...] = (
    VisitStatus,
    FlagCode,
    Shift,
    RowState,
    Verdict,
    Became,
    LineState,
    MailState,
    Arm,
    EligibilityStatus,
    ClassificationStatus,
    Sense,
    Evidence,
    Role,
    Verb,
)
WHILE = (NOT_DRAWN, RECORDS_MISSING, RESULTS_OVERDUE)  # what a reminder may wait for beside a status
WORK_NAMES = (work.INTAKE, work.RECONCILE, work.DIGEST, work.DELIVERY, work.HOUSEKEEPING, "rehearsal")
SUBJECT_STATES = ("active", "on_hold", "parked", "withdrawn")  # scheduler/engine/report/rows.py
RECORD_STATES = ("correction", "taken back", "holds", "corrected")  # scheduler/engine/report/facts.py

# Calls whose words the scan cannot read because they arrive as parameters; what arrives is covered elsewhere.
PASSED_ON = {
    ("config/defects.py", "self.file"),  # PLACES
    ("config/defects.py", "self.key"),
    ("scheduler/domain/speech.py", "english"),  # the sentences of SENTENCES and of every .text("…")
    ("scheduler/domain/speech.py", "str(words[name])"),  # the phrases of the data files
    ("scheduler/domain/speech.py", "word_of(code)"),  # SHOWN and the names above
    ("scheduler/runtime/cli/output.py", "title"),  # every table(…)
    ("scheduler/runtime/cli/output.py", "column"),
    ("scheduler/runtime/cli/protocol.py", "title"),  # the protocol's title, in both languages in its file
    ("scheduler/runtime/cli/protocol.py", "row[2]"),
    ("scheduler/runtime/cli/localise.py", "english"),  # frame_words
    ("config/language.py", "one if number in few else many"),  # the templates
}
_AUTHOR_AND_YEAR = re.compile(r"[\w ]+ \d{4}")  # the same in both languages
# Objects that have a method `text` and are no Speaker.
NO_SPEAKERS = {"row", "candidate", "one", "sa", "reason", "note"}  # "self" is one: Speaker.say


# --- what the code says ---------------------------------------------------------------------------------------


class Unreadable(Exception):
    """An expression whose words do not stand in the code."""


def _files() -> list[Path]:
    found = sorted((ROOT / "scheduler").rglob("*.py"))
    folder = [path for path in found if "migrations" not in path.parts]  # they say nothing
    return [
        *folder,
        *_COMMANDS,
        *sorted((ROOT / "config").glob("*.py")),
        ROOT / "main.py",
        ROOT / "composition.py",
    ]


def _strings(
    node: ast.expr, values: dict[str, list[ast.expr]], seen: frozenset[str] = frozenset()
) -> set[str]:
    """Every text that an expression can be: a literal, a choice of literals, a name that holds them, a list."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return _strings(node.body, values, seen) | _strings(node.orelse, values, seen)
        case ast.List() | ast.Tuple():
            return set().union(*(_strings(one, values, seen) for one in node.elts))
        case ast.Starred():
            return _strings(node.value, values, seen)
        case ast.Name(id=name) if name in values and name not in seen:
            return set().union(*(_strings(one, values, seen | {name}) for one in values[name]))
        case ast.JoinedStr(values=parts) if not any(isinstance(one, ast.Constant) for one in parts):
            return set()  # nothing but what is filled in
    raise Unreadable(ast.unparse(node))


def _assigned(scope: ast.AST) -> dict[str, list[ast.expr]]:
    """What a function assigns to its names, loops included. An assignment from `speaker.text` is already French."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and not isinstance(node.value, ast.Call):
                    found.setdefault(target.id, []).append(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    for name, value in zip(target.elts, node.value.elts, strict=True):
                        if isinstance(name, ast.Name):
                            found.setdefault(name.id, []).append(value)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            if isinstance(node.iter, ast.Tuple | ast.List):
                found.setdefault(node.target.id, []).append(node.iter)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found.setdefault(node.target.id, []).append(node.value)
    return found


def _translators(scope: ast.AST) -> set[str]:
    """The names to which a function assigns what `translator` gives."""
    return {
        target.id
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("translator(")
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _said_by(call: ast.Call, translators: set[str]) -> list[ast.expr]:
    """The arguments of a call that are English to be translated."""
    match call:
        case ast.Call(func=ast.Attribute(attr="text", value=whose), args=[english, *_]):
            return [] if ast.unparse(whose).split(".")[-1] in NO_SPEAKERS else [english]
        case ast.Call(func=ast.Name(id="table"), args=[_, title, columns, *_]):
            return [title, columns]
        case ast.Call(func=ast.Call(func=ast.Name(id="translator")), args=[english, *_]):
            return [english]
        case ast.Call(func=ast.Name(id=name), args=[english, *_]) if name in translators:
            return [english]
    return []


def _scan(path: Path, unreadable: list[str]) -> Iterator[tuple[str, str]]:
    """Every English text of a file that is said, with where; one that cannot be read is put on the list."""
    tree = ast.parse(path.read_text("utf-8"))
    name = path.relative_to(ROOT).as_posix()
    outermost = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in outermost:
        values, translators = _assigned(function), _translators(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Call):
                continue
            where = f"{name}:{node.lineno}"
            for said in _said_by(node, translators):
                if (name, ast.unparse(said)) not in PASSED_ON:
                    try:
                        yield from ((text, where) for text in _strings(said, values))
                    except Unreadable as error:
                        unreadable.append(f"{where}: {error}")
            match node:
                case ast.Call(func=ast.Attribute(attr="status"), args=[ast.Constant(value=str(word))]):
                    yield word_of(word), where
                case ast.Call(
                    func=ast.Attribute(attr="add_column"), args=[ast.Constant(value=str(word)), *_]
                ):
                    yield word, where


def _phrases_of_defects(unreadable: list[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a file or would be right, wherever code makes a sentence of it."""
    for folder, maker, kind in (
        ("config", "said", "Said"),
        ("scheduler", "said", "Said"),
        ("pk", "phrase", "Phrase"),
    ):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.Call(func=ast.Name(id=name), args=[english, *_]) if name == maker:
                        where = f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
                        try:
                            yield from ((text, where) for text in _strings(english, {}))
                        except Unreadable as error:
                            unreadable.append(f"{where}: {error}")
                    case ast.Call(func=ast.Name(id=name), args=[ast.Constant(), *_]) if name == kind:
                        unreadable.append(f"{path.name}:{node.lineno}: use {maker}()")
    for pair in (*TYPES.values(), UNKNOWN, PLACES):
        yield from ((text, "config") for text in pair)
    yield from ((text, "config/schema/shapes.py") for text in FORMS.values())


@cache
def spoken() -> dict[str, str]:
    """Every English text that the code says, with one place where it does."""
    unreadable: list[str] = []
    found = dict(_phrases_of_defects(unreadable))
    for path in _files():
        found |= dict(_scan(path, unreadable))
    assert not unreadable, f"words that do not stand in the code: {unreadable}"
    return found


def vocabulary() -> dict[str, str]:
    words: dict[str, str] = {}
    for one in SHOWN:
        words |= {member.value: one.__qualname__ for member in one}
    words |= dict.fromkeys(KINDS, "scheduler.domain.facts.KINDS")
    words |= dict.fromkeys(template_names(), "templates/email")
    words |= dict.fromkeys(WHILE, "scheduler.domain.protocol")
    words |= dict.fromkeys(WORK_NAMES, "scheduler.runtime.work")
    words |= dict.fromkeys(SUBJECT_STATES, "scheduler/engine/report/rows.py")
    words |= dict.fromkeys(RECORD_STATES, "scheduler/engine/report/facts.py")
    words |= dict.fromkeys([page.nav for page in PAGES if page.nav is not None], "scheduler/console")
    words |= dict.fromkeys([*(one.id for one in _equations()), PARTIAL_AUC], "methods")
    words |= dict.fromkeys(_phrases(), "config/regressions.toml, config/models")
    words |= dict.fromkeys(AUDIT_WORDS, "scheduler/engine/export/audit_trail.py")
    words |= dict.fromkeys(_record_fields(), "a field of a record")
    words |= dict.fromkeys(_scored_sites(), "config/protocols")
    words.pop(Shift.NONE.value)  # no shift has a sentence of its own
    return {word_of(word): where for word, where in words.items()}


def _record_fields() -> set[str]:
    """The fields of records that may be corrected in the console."""
    kinds = [kind for kind in KINDS.values() if kind not in (Corrected, FlagAcknowledged)]
    return {one.name for kind in kinds for one in fields(kind)} - {*ITEMS, "sites", "regimen", "at", "local"}


def _scored_sites() -> set[str]:
    """The sites of scores, and the units of assessments."""
    text = (DEFAULT_DIR / "protocols" / "sclerosis-mpa-auc.toml").read_text("utf-8")
    activities = tomllib.loads(text)["activities"]
    return {site for one in activities for site in one.get("sites", ())} | {one["unit"] for one in activities}


def template_words(folder: str) -> set[str]:
    """What the templates of a folder say, one and many."""
    jinja = {"trimmed": "true", "newstyle_gettext": "true", "extensions": "jinja2.ext.do"}
    found = extract_from_dir(
        TEMPLATE_DIR / folder, method_map=[("**.html", "jinja2")], options_map={"**.html": jinja}
    )
    words: set[str] = set()
    for _, _, message, _, _ in found:
        words.update([message] if isinstance(message, str) else message)
    return words


def _equations() -> tuple[Equation, ...]:
    return tuple(equations_from_mapping(tomllib.loads((DEFAULT_DIR / "regressions.toml").read_text("utf-8"))))


def _phrases() -> set[str]:
    """The English phrases of the data files: whose patients, and the names that have some English in them."""
    people = [one.population for one in (*_equations(), *shipped_models()) if one.population is not None]
    names = {one.name for one in (*_equations(), *shipped_models())}
    written = {name for name in names if not _AUTHOR_AND_YEAR.fullmatch(name)}
    return written | {phrase for one in people for phrase in (one.disease, one.comedication)}


def command() -> Any:
    return typer.main.get_command(main.app)


def audited_actions() -> Iterator[str]:
    """The actions that stand in the code where a row is added to the audit."""
    for path in [*(ROOT / "scheduler").rglob("*.py"), *_COMMANDS]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="append") | ast.Name(id="audit"), args=[_, _, named, *_]
                ):
                    yield from (one.value for one in [named] if isinstance(one, ast.Constant))
                case ast.Call(
                    func=ast.Name(id="_in_the_chain" | "_note"), args=[_, ast.Constant(value=str(action)), *_]
                ):
                    yield action
                case ast.Call(func=ast.Name(id="_change"), args=[*_, ast.Constant(value=str(action))]):
                    yield action


# --- what the catalogues hold ---------------------------------------------------------------------------------


def entries(name: str) -> dict[str, str]:
    with (LOCALE_DIR / "fr" / f"{name}.po").open("rb") as file:
        found = [one for one in read_po(file, locale="fr") if one.id]
    assert all(isinstance(one.id, str) and isinstance(one.string, str) for one in found)
    return {str(one.id): str(one.string) for one in found}


def fields_of(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def without_french(needed: Iterable[str]) -> list[str]:
    return sorted(one for one in needed if not FRENCH.get(one))
