"""Measures which lines of bellwire run, in every process that Python starts with this folder on PYTHONPATH.

`make coverage` puts it there. Each module of engine/ and viz/ is compiled with a mark in front of each of its
statements, `__ran__[LINE] = 1`; at its end a process leaves what is marked in build/measured, and tests/uncovered.py
reads it. A tracer, which Python asks at every line of everything, made the tests take nearly twice as long, and every
command that they start two thirds longer.
"""

from __future__ import annotations

import ast
import atexit
import json
import marshal
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

ROOT = os.path.realpath(f"{__file__}/../../..")
MEASURED = f"{ROOT}/build/measured"  # what processes leave
COMPILED = f"{MEASURED}/compiled"  # modules with their marks, for the next process
SIDES = tuple(f"{ROOT}/{side}/" for side in ("engine", "viz"))
STARTED = time.monotonic_ns()  # with the process's number the name of what it leaves

_ran: dict[str, list[int]] = {}  # file, from ROOT -> for each of its lines, 1 if it has run


def lines_of(file: str, count: int) -> list[int]:
    """Where a module of so many lines puts its marks: the same place if it is run once more."""
    return _ran.setdefault(file, [0] * (count + 1))


def save() -> None:
    """Leaves what has run until now as {file: its lines}; where nothing can be written, nothing."""
    ran = {file: [line for line, once in enumerate(lines) if once] for file, lines in _ran.items()}
    left = f"{MEASURED}/{os.getpid()}-{STARTED}"
    with suppress(OSError):
        if ran:
            _write_at_once(f"{left}.json", json.dumps(ran).encode())


def forget() -> None:
    """What has run until now: a process that has been forked leaves what it has run itself."""
    for lines in _ran.values():
        lines[:] = [0] * len(lines)


def _write_at_once(path: str, content: bytes) -> None:
    """So that nobody sees half of it."""
    part = f"{path}.{os.getpid()}"
    with open(part, "wb") as file:  # noqa: PTH123 (pathlib costs every process its import)
        file.write(content)
    os.replace(part, path)  # noqa: PTH105


# -- a module with its marks


def with_marks(source: str, file: str) -> ast.Module:
    """The tree of a source in which each statement is marked before it is run."""
    tree = ast.parse(source)
    nodes = list(ast.walk(tree))
    for node in nodes:
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(node, name, None)
            if isinstance(statements, list):
                setattr(node, name, list(_marked(statements, node)))
    for node in nodes:
        if isinstance(node, ast.ExceptHandler):
            _mark_handler(node)
        elif isinstance(node, ast.Match):
            _mark_cases(node)
    begin = ast.parse(f"__ran__ = __import__('sitecustomize').lines_of({file!r}, {source.count(chr(10)) + 1})")
    place = _kept_first(tree.body, tree)
    tree.body[place:place] = begin.body
    return ast.fix_missing_locations(tree)


def _kept_first(statements: Sequence[ast.stmt], owner: ast.AST) -> int:
    """How many statements nothing may come before: the docstring, and what is imported from the future."""
    count = 0
    if isinstance(owner, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        count += ast.get_docstring(owner, clean=False) is not None
    while count < len(statements) and isinstance(some := statements[count], ast.ImportFrom):
        if some.module != "__future__":
            break
        count += 1
    return count


def _marked(statements: Sequence[ast.stmt], owner: ast.AST) -> Iterator[ast.stmt]:
    kept = _kept_first(statements, owner)
    yield from statements[:kept]
    for number, statement in enumerate(statements):
        decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
        yield from _marks([*(decorator.lineno for decorator in decorators), statement.lineno], statement)
        if number >= kept:
            yield statement


def _marks(lines: Sequence[int], at: ast.AST) -> list[ast.stmt]:
    """One statement for each line; a traceback takes them for what stands `at` there."""
    marks = ast.parse("\n".join(f"__ran__[{line}] = 1" for line in lines))
    for node in ast.walk(marks):
        if hasattr(node, "lineno"):
            ast.copy_location(node, at)
    return marks.body


def _mark_handler(handler: ast.ExceptHandler) -> None:
    """It is looked at even if what was raised is not its kind."""
    if handler.type is None:
        handler.body[:0] = _marks([handler.lineno], handler)
        return
    marked = ast.parse(f"__ran__.__setitem__({handler.lineno}, 1) or None", mode="eval").body
    assert isinstance(marked, ast.BoolOp)
    marked.values[-1] = handler.type
    handler.type = ast.copy_location(marked, handler.type)


def _mark_cases(match: ast.Match) -> None:
    """A case is looked at if one behind it is taken, or none at all."""
    lines = [case.pattern.lineno for case in match.cases]
    for number, case in enumerate(match.cases):
        case.body[:0] = _marks(lines[: number + 1], case.pattern)
    last = match.cases[-1]
    takes_all = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
    if not takes_all:
        match.cases.append(ast.match_case(ast.MatchAs(), None, _marks(lines, last.pattern)))


class MarkedLoader(SourceFileLoader):
    """Of a module of bellwire; what it has compiled once, the next process takes as it is."""

    def get_code(self, fullname: str) -> CodeType:
        source = os.path.realpath(self.path)
        file = os.path.relpath(source, ROOT)
        compiled = f"{COMPILED}/{file.replace('/', '.')}-{os.stat(source).st_mtime_ns}"  # noqa: PTH116
        with suppress(OSError):
            code = marshal.loads(self.get_data(compiled))
            assert isinstance(code, CodeType)
            return code
        code = compile(with_marks(self.get_data(source).decode(), file), self.path, "exec", dont_inherit=True)
        with suppress(OSError):
            _write_at_once(compiled, marshal.dumps(code))
        return code


class MarkedFinder:
    """Finds bellwire's own modules, and nothing else."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not f"{name}.".startswith("bellwire."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and type(spec.loader) is SourceFileLoader and os.path.realpath(spec.origin or "").startswith(SIDES):
            spec.loader = MarkedLoader(name, spec.origin or "")
        return spec


if __name__ == "sitecustomize":  # as Python itself imports it, at the beginning of a process
    with suppress(OSError):
        os.makedirs(COMPILED, exist_ok=True)  # noqa: PTH103
    sys.meta_path.insert(0, MarkedFinder)
    atexit.register(save)
