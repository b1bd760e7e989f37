"""What the tests do not run is named, and the total is of everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.uncovered import main

HALF = "import sys\nif len(sys.argv) > 5:\n    print(1)\n    print(2)\nprint(3)\nprint(4)\n"
WHOLE = "\n".join(f"x = {n}" for n in range(14))


def test_a_module_below_the_mark_is_named_with_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.coverage.run]\nsource = ["."]\n')
    (tmp_path / "half.py").write_text(f"import whole\n{HALF}")
    (tmp_path / "whole.py").write_text(WHOLE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-m", "coverage", "run", "half.py"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    monkeypatch.chdir(tmp_path)
    assert main() == 0
    first, _, *table = capsys.readouterr().out.splitlines()
    assert first == "The tests run 90.5 % of the lines of 2 modules."
    assert [row.split() for row in table[2:]] == [["half.py", "7", "2", "71%", "4-5"]]
