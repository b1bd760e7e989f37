"""README and CONTRIBUTING speak of what is there: paths, functions, threads, commands. Their program runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellwire.viz.cli import app as commands_here
from bellwire.viz.cli import recordings as commands_there
from bellwire.viz.cli.attach import attach_command
from bellwire.viz.cli.desktop import desktop_command
from bellwire.viz.cli.lessons import handout_command, lesson_commands, quiz_command, slides_command
from bellwire.viz.cli.options import app
from bellwire.viz.cli.pictures import clip_command, page_command, shot_command
from bellwire.viz.cli.shots import shots_command

ROOT = Path(__file__).resolve().parent.parent
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
PLACE = re.compile(r"(?<![\w/.~-])(?:(?:engine|viz|guests|tests|assets|\.ci)/[\w./*-]*\w|pyproject\.toml|Makefile)")
NAME = re.compile(r"`(\w+)(?:\(\))?`")
EACH = pytest.mark.parametrize("path", [README, CONTRIBUTING], ids=lambda path: path.name)


def places(text: str) -> set[str]:
    """The paths in the tree that a text names; * is any name. Capitals and "mine" stand for the reader's own."""
    return {place for place in PLACE.findall(text) if not re.search(r"[A-Z]{3}|/mine\.", place)}


def pieces(text: str) -> Iterator[str]:
    """Table rows and list items: whatever names files, and what to look at in them."""
    for piece in re.split(r"\n(?=\||\d+\. |- )|\n\n", text):
        if piece.startswith(("| ", "- ")) or piece[:1].isdigit():
            yield piece


def section(title: str) -> str:
    """What the README says under a title, up to the next one."""
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#+ |\Z)", README.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@EACH
def test_every_path_leads_somewhere(path: Path) -> None:
    found = places(path.read_text())
    assert found
    assert {place for place in found if not [*ROOT.glob(place), *ROOT.glob(f"{place}.py")]} == set()


@EACH
def test_what_stands_beside_a_file_is_in_it(path: Path) -> None:
    for piece in pieces(path.read_text()):
        files = [file for place in places(piece) for file in ROOT.glob(place) if file.is_file()]
        text = "\n".join(file.read_text() for file in files if file.suffix in (".py", ".c", ".h", ".S", ".toml"))
        names = set(NAME.findall(piece)) if text else set()
        assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set(), piece


@EACH
def test_every_command_is_one(path: Path) -> None:
    text = path.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= targets
    assert all(
        (
            commands_here,
            commands_there,
            attach_command,
            handout_command,
            lesson_commands,
            quiz_command,
            slides_command,
            clip_command,
            page_command,
            shot_command,
            shots_command,
            desktop_command,
        )
    )  # whose commands are there once they are imported
    commands = {some.name or getattr(some.callback, "__name__", "") for some in app.registered_commands}
    commands |= {str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance}
    code = "\n".join([*text.split("```")[1::2], *re.findall(r"`[^`\n]+`", text)])
    assert set(re.findall(r"(?:^|[`/]|&& )bellwire ([a-z][a-z-]*)", code, re.MULTILINE)) <= commands


def test_every_thread_is_in_the_table() -> None:
    sources = [path.read_text() for side in ("engine", "viz") for path in (ROOT / side).rglob("*.*") if is_code(path)]
    text = "\n".join(sources)
    started = re.findall(r'threading\.Thread\(.*name="([^"]+)"', text) + re.findall(r'bw_thread_start\(.*"(.+)"', text)
    heads = [row.split("|")[1] for row in section("Threads").splitlines() if row.startswith("| ")]
    assert set(re.findall("`([^`]+)`", " ".join(heads))) == set(started)


def is_code(path: Path) -> bool:
    return path.suffix in (".c", ".py")


@pytest.mark.kvm
def test_the_program_of_the_readme_runs() -> None:
    program = section("The engine alone").split("```python\n")[1].split("```")[0]
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "'doorbells_rung': " in ran.stdout
    assert re.search(r"^round trip, p50: \d{4,} ns$", ran.stdout, re.MULTILINE)
