"""The marks of tests/measured: in front of every statement, where a tracer sees it run, and in every process."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from coverage import Coverage

from tests.measured.sitecustomize import MEASURED, with_marks

ROOT = Path(__file__).parent.parent
EVERY_STATEMENT = '''"""A module's docstring."""
from __future__ import annotations

import dataclasses
import functools


@dataclasses.dataclass(
    frozen=True,
)
@functools.total_ordering
class Some:
    """A class's docstring."""

    number: int
    other: int = 3

    def __lt__(self, than: Some) -> bool:
        """A function's docstring."""
        return self.number < than.number


def kind_of(value: object) -> str:
    match value:
        case int(number) if number > 5:
            return "large"
        case int() | float():
            return "number"
        case [first, *_]:
            return (
                "list of "
                + kind_of(first)
            )
        case None:
            kind = "nothing"
        case str():
            kind = "text"
    return kind


def ended(by: type[BaseException] | None) -> str:
    try:
        if by is None:
            pass
        elif by is KeyError:
            raise KeyError
        elif by is OSError:
            raise OSError
        else:
            raise by
    except KeyError:
        return "key"
    except (
        ValueError,
        TypeError,
    ) as error:
        return repr(error)
    except:
        return "something"
    else:
        number = 3
        while number:
            number -= 1
            if number == 1:
                continue
        else:
            number = 7
        return f"nothing {number}"
    finally:
        for _ in range(2): pass


class Empty: ...


def never() -> int:
    number: int
    global later
    later = lambda: (
        1
    )
    with open(
        "/dev/null"
    ) as file, file:
        del file
    return later()


def numbers():
    yield from (
        n
        for n in range(3)
    )
    return 1


assert list(numbers()) == [0, 1, 2]
assert sorted([Some(2), Some(1)])[0].number == 1
CALLS
'''
CALLS = {
    "nothing": "pass",
    "cases": "kind_of(7), kind_of([2.0]), kind_of('a')",
    "a case behind those that were tried": "kind_of(None)",
    "no exception": "ended(None)",
    "an exception": "ended(KeyError)",
    "the next handler": "ended(ValueError)",
    "any handler": "ended(OSError)",
    "a function that is called at last": "never()",
}


def run_lines(code: CodeType) -> None:
    exec(code, {"__name__": __name__})  # a module that there is: dataclasses look into it


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
def test_what_is_marked_is_what_a_tracer_sees(calls: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = EVERY_STATEMENT.replace("CALLS", calls)
    (path := tmp_path / "some.py").write_text(source)
    traced = Coverage(data_file=None, config_file=False, include=[str(path)])
    with traced.collect():
        run_lines(compile(source, str(path), "exec"))
    _, statements, _, missing, _ = traced.analysis2(str(path))

    ran = [0] * (source.count("\n") + 2)
    monkeypatch.setitem(sys.modules, "sitecustomize", type("Lines", (), {"lines_of": lambda *_: ran}))
    run_lines(compile(with_marks(source, "some.py"), str(path), "exec"))
    assert {line for line in statements if ran[line]} == {*statements} - {*missing}


def marks_in(tree: ast.AST) -> Iterator[int]:
    """The lines that are marked: __ran__[LINE] = 1, or __ran__.__setitem__(LINE, 1)."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id="__ran__"), slice=ast.Constant(value=int(line))):
                yield line
            case ast.Call(func=ast.Attribute(value=ast.Name(id="__ran__")), args=[ast.Constant(value=int(line)), _]):
                yield line


def test_every_statement_of_bellwire_has_its_mark() -> None:
    """Where one had none, its line would count as one that no test runs."""
    measured = Coverage(data_file=None, config_file=str(ROOT / "pyproject.toml"))
    without = {}
    for path in (path for side in ("engine", "viz") for path in (ROOT / side).rglob("*.py")):
        _, statements, _, _, _ = measured.analysis2(str(path))
        marked = set(marks_in(with_marks(path.read_text(), path.name)))
        if not marked.issuperset(statements):
            without[path] = {*statements} - marked
    assert without == {}


@pytest.mark.parametrize("times", [1, 2])  # at the second time it is compiled already
def test_a_process_leaves_what_it_has_run(times: int) -> None:
    for _ in range(times):
        (pid,) = printed_by_measured("import os, bellwire.engine.counted; print(os.getpid())")
        assert len(left_by(pid)["engine/counted.py"]) > 5


FORKS = """
import os, sitecustomize
import bellwire.engine.counted
child = os.fork()
if child == 0:
    sitecustomize.forget()
    bellwire.engine.counted.__ran__[1] = 1
    sitecustomize.save()
    os._exit(0)
os.waitpid(child, 0)
print(os.getpid(), child)
"""


def test_a_fork_that_forgets_leaves_what_it_has_run_itself() -> None:
    parent, child = printed_by_measured(FORKS)
    assert len(left_by(parent)["engine/counted.py"]) > 5
    assert left_by(child)["engine/counted.py"] == [1]


def printed_by_measured(program: str) -> list[int]:
    """The numbers that a program prints whose lines are marked."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([f"{ROOT}/tests/measured", f"{ROOT}/build/package"]),
    }
    command = [sys.executable, "-P", "-c", program]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return list(map(int, ran.stdout.split()))


def left_by(pid: int) -> dict[str, list[int]]:
    """What the last process with this number has left: file -> its lines that have run. Numbers come again."""
    left = max(Path(MEASURED).glob(f"{pid}-*.json"), key=lambda file: file.stat().st_mtime_ns)
    found: dict[str, list[int]] = json.loads(left.read_text())
    return found
