"""What the tests do not run is named, and the total is of everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.uncovered import main

HALF = "import sys\nif len(sys.argv) > 5:\n    print(1)\n    print(2)\nprint(3)\nprint(4)\n"
WHOLE = "\n".join(f"x = {n}" for n in range(14))


def test_a_module_below_the_mark_is_named_with_its_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line that one of the processes has run is run; a module that none has run is there as well."""
    for folder in ("engine", "viz", "build/measured"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "viz/half.py").write_text(f"import whole\n{HALF}")
    (tmp_path / "engine/whole.py").write_text(WHOLE)
    (tmp_path / "engine/none.py").write_text("x = 1\n")
    for name, ran in ("1-1", {"viz/half.py": [1, 2, 3]}), ("2-1", {"viz/half.py": [6, 7]}), ("2-2", {}):
        left = ran | {"engine/whole.py": list(range(1, 15))} if ran else {}
        (tmp_path / f"build/measured/{name}.json").write_text(json.dumps(left))
    monkeypatch.chdir(tmp_path)
    assert main(tmp_path) == 0
    first, _, *table = capsys.readouterr().out.splitlines()
    assert first == "The tests run 86.4 % of the lines of 3 modules."
    assert [row.split() for row in table[2:]] == [
        ["engine/none.py", "1", "1", "0%", "1"],
        ["viz/half.py", "7", "2", "71%", "4-5"],
    ]
