"""T17: the code that claims and settles mails and opens flags is changed in one place after another; the tests of that
code must notice each change."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from acceptance_cases import clean_environment
from torture_bugs import ROOT, copied
from torture_result import Result

__all__ = ["MUTATED", "Mutant", "mutants", "mutants_of"]

MUTATED = (
    "notifications/outbox/queue.py", "notifications/outbox/posting.py", "notifications/outbox/attempts.py",
    "notifications/delivery/aftermath.py", "notifications/outbox/calm.py", "notifications/delivery/channel.py",
    "scheduler/store/flags.py",
)  # fmt: skip
_TESTS = {
    "notifications": ("tests/notifications",),
    "scheduler": (
        "tests/domain",
        "tests/engine/test_engine_follow.py",
        "tests/engine/test_engine_rebuild.py",
        "tests/store/test_store_contract.py",
    ),
}
_WITHIN_S = 300
_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitOr: ast.BitAnd}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One place of a file written differently."""

    file: str
    line: int
    old: str
    new: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} `{self.old}` as `{self.new}`"


def mutants_of(file: str, text: str) -> Iterator[Mutant]:
    """Every place that can be written differently: comparisons, conditions, sums, constants, calls left out."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    raw = text.encode()
    for node, other in _changes(ast.parse(text)):
        first = starts[node.lineno - 1] + node.col_offset
        last = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[operator]
        old, new = " ".join(raw[first:last].decode().split()), other
        changed = raw[:first] + new.encode() + raw[last:]
        yield Mutant(file, node.lineno, old[:80], new[:80], changed.decode())


def _changes(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    for node in _code(tree):
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            other = ast.Compare(node.left, [_COMPARED[type(node.ops[0])]()], node.comparators)
            yield node, f"({ast.unparse(other)})"
        elif isinstance(node, ast.BoolOp):
            for left_out in range(len(node.values)):
                rest = [value for number, value in enumerate(node.values) if number != left_out]
                yield node, f"({ast.unparse(rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest))})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, f"({ast.unparse(node.operand)})"
        elif isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
            yield node, f"({ast.unparse(ast.BinOp(node.left, _COMPUTED[type(node.op)](), node.right))})"
        elif isinstance(node, ast.IfExp):
            yield node, f"({ast.unparse(ast.IfExp(node.test, node.orelse, node.body))})"
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield node, str(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield node, str(node.value + 1)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node, "pass"


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that do something: no annotations, no words of documentation."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from _code(child)


def mutants(home: Path, at_most: int, seed: int = 1) -> Result:
    """So many mutants, drawn by a seed, each met by the tests until one fails."""
    found = [one for file in MUTATED for one in mutants_of(file, (ROOT / file).read_text("utf-8"))]
    drawn = Random(seed).sample(found, min(at_most, len(found)))
    tree = copied(home / "tree")
    result = Result("T17", f"mutants of {len(MUTATED)} files, {len(found)} in all", "sqlite")
    survivors = []
    for one in sorted(drawn, key=str):
        path = tree / one.file
        before = path.read_text("utf-8")
        path.write_text(one.text, "utf-8")
        result.runs, result.disturbed = result.runs + 1, result.disturbed + 1
        if not _noticed(tree, one.file):
            survivors.append(str(one))
        path.write_text(before, "utf-8")
    caught = result.runs - len(survivors)
    result.notes = [
        f"{caught} of {result.runs} mutants noticed; seed {seed}",
        *(f"not noticed: {one}" for one in survivors),
    ]
    return result


def _noticed(tree: Path, file: str) -> bool:
    """Whether the tests fail, or never end."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-k", "not postgresql"]
    try:
        done = subprocess.run(
            [*command, *_TESTS[file.partition("/")[0]]], cwd=tree, env=clean_environment(PYTHONPATH=str(tree)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_WITHIN_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0
