"""Every command and every program in the manual is run, page by page, in a folder and a home that are empty."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from bellwire.engine.scenarios.scenario import list_scenarios
from tests.support.forked import Forked
from tests.support.manual_blocks import (
    WRITTEN,
    Block,
    BlockError,
    Command,
    blocks_in,
    blocks_of,
    is_in_tree,
    needs_guest,
    pages,
    starts_guest,
)

ROOT = Path(__file__).resolve().parents[2]
TREE = (".ci", "Makefile", "pyproject.toml", "assets", "engine", "guests", "viz")
SCENARIOS = {scenario.name for scenario in list_scenarios()}
LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FIGURES = re.compile(r"[−+-]?\d(?:[\d,…–−+]|[^\S\n]|\.(?=\d))*|─+")  # several in a row are as one; rules of a table
BELLWIRE = f'#!/bin/sh\nexec {sys.executable} -P -m bellwire.viz "$@"\n'


class Reader:
    """Who does what a page says. folder: where; it is the source's tree for a page that speaks of that."""

    def __init__(self, forked: Forked, folder: Path, in_tree: bool) -> None:
        self._forked, self.folder, self._in_tree = forked, folder / "here", in_tree
        self.folder.mkdir()
        for name in ("home", "bin"):
            (folder / name).mkdir()
        program = folder / "bin/bellwire"
        program.write_text(BELLWIRE)
        program.chmod(0o755)
        package = os.environ.get("PYTHONPATH", "")
        if in_tree:
            copy_tree(self.folder)
            package = str(self.folder / "build/package")
        self._environment = {
            "HOME": str(folder / "home"),
            "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": package,
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "88",  # as wide as a page
        }
        self._printed = ""

    def do(self, block: Block) -> None:
        """Runs it, or writes it; AssertionError if what comes of it is not what the page says."""
        if not block.is_tested:
            return
        if "file" in block.options:
            path = self.folder / block.options["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
        elif block.language == "console":
            for command in block.commands():
                self._run(command, block)
        elif block.language == "python":
            program = self.folder.parent / "program.py"
            program.write_text(block.text)
            code, self._printed = self._forked.run("python", str(program), self.folder, self._environment)
            assert code == 0, f"{block.where}: {self._printed}"
        elif block.info.startswith("output"):
            compare(self._printed, block.text, block.where, block.is_like)

    def _run(self, command: Command, block: Block) -> None:
        words = None if self._in_tree else command.words
        kind, what = ("shell", command.line) if words is None else ("bellwire", words)
        code, printed = self._forked.run(kind, what, self.folder, self._environment)
        where = f"{block.where}: {command.line}"
        assert str(code) in block.options.get("exit", "0").split(","), f"{where}\n{printed}"
        if command.shown.strip():
            compare(printed, command.shown, where, block.is_like)


def compare(printed: str, shown: str, where: str, like: bool = False) -> None:
    """`...` stands for anything; how much room there is between words is nothing. like: figures are left out."""
    if like:
        printed, shown = (FIGURES.sub("# ", text) for text in (printed, shown))
    if not doctest.OutputChecker().check_output(shown, printed, LIKE):
        pytest.fail(f"{where}\nThe page shows:\n{shown}\nbut this was printed:\n{printed}", pytrace=False)


def copy_tree(to: Path) -> None:
    """The source as it is built, with a .venv that is this one: only what a page changes is built again."""
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, to / name)
    (to / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (to / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (to / ".venv/made-for").write_text(f"{to.resolve()}\n{sys.version_info[0]}.{sys.version_info[1]}\n")
    (to / ".venv/installed").touch()


def marks(page: str) -> list[pytest.MarkDecorator]:
    """A page that runs a guest needs one."""
    return [pytest.mark.kvm] if any(needs_guest(block, SCENARIOS) for block in blocks_of(page)) else []


@pytest.mark.parametrize("page", [pytest.param(page, id=page, marks=marks(page)) for page in pages()])
def test_what_a_page_says_can_be_done(page: str, forked: Forked, tmp_path: Path) -> None:
    reader = Reader(forked, tmp_path, is_in_tree(page))
    for block in blocks_of(page):
        reader.do(block)


def reader_of(text: str, forked: Forked, folder: Path) -> None:
    """Does what a page says that is not in the manual."""
    reader = Reader(forked, folder, in_tree=False)
    for block in blocks_in(text, "page.md"):
        reader.do(block)


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ bellwire list --jason\n```",
        "```console exit=2\n$ bellwire --version\n```",
        "```console\n$ bellwire --version\nbellwire 17...\n```",
        "```console\n$ bellwire list | grep nothing-like-it\n```",
        "```console like\n$ echo 17 signals\n21 doorbells\n```",
        "```python\nprint(1 / 0)\n```",
        "```python\nprint(2)\n```\n\n```text output\n3\n```",
    ],
)
def test_what_is_not_so_fails(text: str, forked: Forked, tmp_path: Path) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        reader_of(text, forked, tmp_path)


def test_each_kind_of_block(forked: Forked, tmp_path: Path) -> None:
    text = """
```toml file=some/mine.toml
one = 1
```

```console
$ cat some/mine.toml      # which was just written
one = 1
$ bellwire --version | tr a-z A-Z
BELLWIRE ...
$ ls "$HOME"
```

```console like
$ echo "12.5  1 234  –  17 signals, −2.5 … +3 µs"
1 8.25 3 signals, −1 … +2 µs
```

```console exit=2
$ bellwire list \\
    --jason
bellwire: ...--jason...
```

```python
import tomllib
print(tomllib.load(open("some/mine.toml", "rb")))
```

```text output
{'one': 1}
```

```console untested: it installs a system library
$ apt-get install nothing
```
"""
    reader_of(text, forked, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nbellwire list\n```",
        "```\nbellwire list\n```",
        "    bellwire list",
        "```console untested\n$ bellwire list\n```",
        "```console untested: lazy\n$ bellwire list\n```",
        "```toml\none = 1\n```",
        "```console\nbellwire list\n```",
    ],
)
def test_nothing_goes_untested_in_silence(text: str) -> None:
    with pytest.raises(BlockError):
        list(blocks_in(text, "page.md"))


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        ("bellwire", True),
        ("bellwire roundtrip", True),
        ("bellwire --theme print", True),
        ("bellwire list | head -1", False),
        ("bellwire list && bellwire run roundtrip", True),
        ("bellwire shot run.arrow -o a.png", False),
        ("bellwire shot roundtrip -o a.png", True),
        ("bellwire shot roundtrip -o a.png --replay", False),
        ("bellwire lesson mine.md --check", False),
        ("bellwire replay roundtrip", False),
    ],
)
def test_who_needs_a_guest_is_known(line: str, starts: bool) -> None:
    assert starts_guest(line, SCENARIOS) is starts


def test_each_language_can_be_written() -> None:
    for language in WRITTEN:
        list(blocks_in(f"```{language} file=x\n```", "page.md"))
