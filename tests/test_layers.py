"""Who may know whom: viz -> engine -> engine._core; guests know nobody."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = sorted((ROOT / "engine").rglob("*.py"))
VIZ = sorted((ROOT / "viz").rglob("*.py"))
QT = {"PySide6", "shiboken6", "pyqtgraph"}
NOT_IN_A_WHEEL = {"engine.build", "engine.build_hook"}


def name_of(path: Path) -> str:
    """For a test's id: the path from the tree's top."""
    return str(path.relative_to(ROOT))


def imports(source: str) -> Iterator[str]:
    """Every module that a source imports anywhere, as dotted names: `from a import b` gives a and a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here, so that a reader sees the layer"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def forbidden(source: str, names: set[str]) -> set[str]:
    """Those imports of a source that are one of `names` or inside of one."""
    return {found for found in imports(source) if any(f"{found}.".startswith(f"{name}.") for name in names)}


def test_the_rule_finds_each_way_to_break_it() -> None:
    for line in (
        "import PySide6.QtCore",
        "from PySide6 import QtCore",
        "def late():\n import PySide6",
        "import PySide6 as p",
    ):
        assert forbidden(line, QT), line
    assert forbidden("from engine import _core", {"engine._core"}) == {"engine._core"}
    assert not forbidden("import PySide6ish, engine.core_facts", {*QT, "engine._core", "engine.core"})


@pytest.mark.parametrize("path", ENGINE, ids=name_of)
def test_engine_knows_no_window(path: Path) -> None:
    assert not forbidden(path.read_text(), {*QT, "viz"})


@pytest.mark.parametrize("path", VIZ, ids=name_of)
def test_viz_sees_the_engine_not_its_core(path: Path) -> None:
    assert not forbidden(path.read_text(), {"engine._core"})


@pytest.mark.parametrize("path", [*ENGINE, *VIZ], ids=name_of)
def test_nothing_that_runs_needs_the_build(path: Path) -> None:
    if path.stem not in ("build", "build_hook"):
        assert not forbidden(path.read_text(), {*NOT_IN_A_WHEEL, "cffi", "hatchling", "setuptools"})


def test_the_model_has_no_qt() -> None:
    assert not forbidden((ROOT / "viz/model.py").read_text(), QT)


@pytest.mark.parametrize("module", ["engine.session", "viz.__main__", "viz.cli", "viz.model"])
def test_importing_it_brings_no_qt_along(module: str) -> None:
    """Neither itself nor through what it imports."""
    program = f"import sys, {module}; print(*sorted({QT!r} & {{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip(), result.stderr) == (0, "", "")


def test_guests_know_nobody() -> None:
    """A guest's source may include what lies beside it and the compiler's own headers, which need no library."""
    allowed = {'"abi.h"', '"guest.h"', "<stdbool.h>", "<stddef.h>", "<stdint.h>"}
    for source in (ROOT / "guests").glob("*.[chS]"):
        for line in source.read_text().splitlines():
            assert not line.startswith("#include") or line.split()[1] in allowed, f"{source.name}: {line}"


def test_nobody_asks_for_a_style() -> None:
    """PySide's wrapper of it outlives the style once another sheet replaces it, and Qt crashes at the next sheet."""
    asking = [path.name for path in (ROOT / "viz").rglob("*.py") if ".style()" in path.read_text()]
    assert asking == []
