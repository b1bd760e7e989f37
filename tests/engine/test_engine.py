"""The library's face: every name is there, and is what its module calls so."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import bellwire.engine as engine

FACE = Path(engine.__file__).read_text()


def typed() -> dict[str, str]:
    """What a type checker is told: names, and the module that each is imported from."""
    block = next(node for node in ast.parse(FACE).body if isinstance(node, ast.If))
    return {
        name.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }


def test_what_a_type_checker_sees_is_what_there_is() -> None:
    assert sorted(typed()) == sorted(engine.__all__)


@pytest.mark.parametrize("name", engine.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(engine, name) is getattr(import_module(typed()[name]), name)


def test_what_is_not_there_is_said_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = engine.Nothing


def test_who_asks_for_little_does_not_wait_for_all() -> None:
    program = "import sys, bellwire.engine as e; e.EventKind; print('pyarrow' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told == "False\n"
