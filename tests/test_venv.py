"""A .venv knows its tree by heart: .ci/venv notices when either is another one. Here without pip and its downloads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

CI = Path(__file__).resolve().parent.parent / ".ci"
# A Python whose venv is itself and whose pip has nothing to do; everything else the real one answers.
PYTHON = f"""#!/bin/sh
case "$2" in
    venv) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    pip) echo pip >>pip-calls ;;
    *sys._base_executable*) echo "$0" ;;
    *) exec {sys.executable} "$@" ;;
esac
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What .ci/venv needs of a tree, and a venv in it."""
    made = tmp_path / "tree"
    (made / ".ci").mkdir(parents=True)
    for name in ("venv", "find-python", "constraints.txt"):
        shutil.copy(CI / name, made / ".ci")
    (made / "pyproject.toml").touch()
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    assert run(made) == (0, "Installing bellwire and what it stands on into .venv: there is none")
    return made


def run(tree: Path, *options: str) -> tuple[int, str]:
    """Exit code and words of .ci/venv."""
    environment = {**os.environ, "PYTHON": str(tree.parent / "python")}
    done = subprocess.run([tree / ".ci/venv", *options], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def installations(tree: Path) -> int:
    return len((tree / "pip-calls").read_text().splitlines())


def assert_made_anew(tree: Path, why: str) -> None:
    """--check says why and leaves all as it is; without it the venv is this tree's, and nothing is left to do."""
    before = sorted(tree.rglob("*"))
    assert run(tree, "--check") == (1, f".venv: {why}")
    assert sorted(tree.rglob("*")) == before
    assert run(tree) == (0, f"Installing bellwire and what it stands on into .venv: {why}")
    assert (tree / ".venv/made-for").read_text().splitlines()[0] == str(tree)
    assert run(tree, "--check") == run(tree) == (0, "")


def test_nothing_is_done_twice(tree: Path) -> None:
    assert run(tree, "--check") == run(tree) == (0, "")
    assert installations(tree) == 1


def test_a_moved_tree_makes_it_anew_and_builds_again(tree: Path) -> None:
    for folder in ("build", "guests", "engine"):
        (tree / folder).mkdir()
    (tree / "guests/doorbell.bin").touch()
    (tree / "engine/_core.abi3.so").touch()
    moved = tree.rename(tree.with_name("elsewhere"))
    assert_made_anew(moved, f"it was made for {tree}")
    assert [path for path in moved.rglob("*") if path.name in ("build", "doorbell.bin", "_core.abi3.so")] == []


def test_a_copied_tree_does_not_use_the_first_ones(tree: Path) -> None:
    copy = tree.with_name("copy")
    shutil.copytree(tree, copy, symlinks=True)
    assert_made_anew(copy, f"it was made for {tree}")
    assert run(tree, "--check") == (0, "")


def test_a_link_to_the_tree_is_the_tree(tree: Path) -> None:
    link = tree.with_name("link")
    link.symlink_to(tree)
    assert run(link, "--check") == (0, "")


def test_a_python_that_has_gone(tree: Path) -> None:
    (tree / ".venv/bin/python").unlink()
    (tree / ".venv/bin/python").symlink_to("/nonexistent/python3")
    assert_made_anew(tree, "its Python is gone")


def test_a_python_that_has_become_another(tree: Path) -> None:
    (tree / ".venv/made-for").write_text(f"{tree}\n3.9\n")
    assert_made_anew(tree, f"it was made with Python 3.9, which is 3.{sys.version_info.minor} now")


def test_a_venv_that_is_not_from_here(tree: Path) -> None:
    (tree / ".venv/made-for").unlink()
    assert_made_anew(tree, "it does not say which tree it was made for")


def test_what_is_newer_is_installed_without_a_new_venv(tree: Path) -> None:
    (tree / ".venv/mine").touch()
    later = (tree / ".venv/installed").stat().st_mtime + 10
    os.utime(tree / "pyproject.toml", (later, later))
    assert run(tree, "--check") == (1, ".venv: pyproject.toml is newer")
    assert run(tree) == (0, "Installing bellwire and what it stands on into .venv: pyproject.toml is newer")
    assert (tree / ".venv/mine").exists()
    assert installations(tree) == 2


def test_an_installation_that_was_broken_off_goes_on(tree: Path) -> None:
    (tree / ".venv/installed").unlink()
    assert run(tree) == (0, "Installing bellwire and what it stands on into .venv: not everything is installed")
    assert run(tree, "--check") == (0, "")


def test_every_version_that_is_asked_for_works_with_the_oldest_python() -> None:
    """Versions are written down on a machine with a newer one, whose pip does not mind."""
    oldest = tomllib.loads((CI.parent / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    wants = {
        found.name: found.metadata["Requires-Python"] or "" for found in distributions()
    }  # tools of the build aside
    assert len(wants) > 50
    assert {name: want for name, want in wants.items() if f"{oldest}.0" not in SpecifierSet(want)} == {}
