"""What is said of what the system refused: in words, with what helps, and never a number in brackets."""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.engine.errors import KvmError, answer_and_remedy, answer_of, refusal_of

ROOT = Path(__file__).resolve().parents[2]
WIDE = {"OSError", "Exception", "BaseException", "ImportError", "PermissionError", "FileNotFoundError"}
SAYING = {"str", "tr", "tr_n", "tr_as"}
ON_THE_GROUND = "__main__.py"  # which knows nothing of the others


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "/x"), "No such file or directory"),
        (OSError("[Errno 2] Cannot open it. Detail: [errno 2] Gone"), "Cannot open it. Detail: Gone"),
        (OSError(), "OSError"),
        (ValueError("no schema"), "no schema"),
    ],
)
def test_the_answer_is_words(error: Exception, said: str) -> None:
    assert answer_of(error) == said


@pytest.mark.parametrize(
    ("number", "helps"),
    [
        (errno.EFBIG, "`ulimit -f`"),
        (errno.EMFILE, "`ulimit -n`"),
        (errno.EAGAIN, "`ulimit -u` and `ulimit -v`"),
        (errno.EROFS, "another one"),
        (errno.ELOOP, "`ls -l`"),
        (errno.ENAMETOOLONG, "shorter"),
        (errno.EIO, "`dmesg`"),
    ],
)
def test_what_a_user_can_cause_has_its_remedy(number: int, helps: str) -> None:
    error = OSError(number, os.strerror(number))
    assert answer_and_remedy(error).startswith(f"{os.strerror(number)}. ")
    assert helps in answer_and_remedy(error)
    assert helps in str(refusal_of(error, "It"))


def test_the_memory_of_a_guest_that_is_too_large_a_file_names_the_limit() -> None:
    assert str(KvmError("4096 bytes of guest memory", errno.EFBIG)).endswith(
        "File too large (EFBIG). `ulimit -f` says how large a file of this process may be, its memory's too."
    )


def raw_in(source: str) -> Iterator[str]:
    """What of an exception of the system's is said as Python writes it, number and all."""
    for handler in ast.walk(ast.parse(source)):
        if isinstance(handler, ast.ExceptHandler) and handler.name and is_wide(handler.type):
            yield from (ast.unparse(node) for node in ast.walk(handler) if says_raw(node, handler.name))


def is_wide(kind: ast.expr | None) -> bool:
    """Whether an error of the system's is among what is caught."""
    return kind is None or bool({node.id for node in ast.walk(kind) if isinstance(node, ast.Name)} & WIDE)


def says_raw(node: ast.AST, name: str) -> bool:
    """Whether a part of a program puts the exception of that name into a text."""

    def is_it(value: ast.expr) -> bool:
        return isinstance(value, ast.Name) and value.id == name

    if isinstance(node, ast.FormattedValue):
        return is_it(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING:
        return any(map(is_it, node.args)) or any(is_it(keyword.value) for keyword in node.keywords)
    return False


@pytest.mark.parametrize(
    "said", ['f"no: {error}"', "str(error)", 'tr("no: {error}", error=error)', 'print(f"{error!r}")']
)
def test_the_rule_finds_each_way_to_say_it(said: str) -> None:
    source = "try:\n    pass\nexcept {kind} as error:\n    {said}\n"
    assert list(raw_in(source.format(kind="(OSError, ValueError)", said=said)))
    assert not list(raw_in(source.format(kind="EngineError", said=said)))
    assert not list(raw_in(source.format(kind="OSError", said='tr("no: {error}", error=answer_of(error))')))


def test_nobody_says_an_error_of_the_systems_as_python_writes_it() -> None:
    paths = [path for side in ("engine", "viz") for path in (ROOT / side).rglob("*.py")]
    modules = {path: path.read_text() for path in paths if path.name != ON_THE_GROUND}
    assert {name: raw for name, text in modules.items() if (raw := list(raw_in(text)))} == {}
    assert len(paths) > 100
