"""Says what of bellwire no test has run: the total, and each module below the mark with its lines. `make coverage`."""

from __future__ import annotations

import io
import json
import sys
from collections import defaultdict
from pathlib import Path

from coverage import Coverage

ROOT = Path(__file__).parent.parent
MARK = 90.0  # percent of a module's lines


def main(tree: Path = ROOT) -> int:
    """Of what the processes of the tests have left (tests/measured). Exit code 0."""
    measured = measured_in(tree)
    files = sorted(measured.get_data().measured_files())
    lines, below = [0, 0], []  # all of them, and those not run
    for file in files:
        _, statements, _, missing, _ = measured.analysis2(file)
        lines = [lines[0] + len(statements), lines[1] + len(missing)]
        if share_run(len(statements), len(missing)) < MARK:
            below.append(file)
    print(f"The tests run {share_run(*lines):.1f} % of the lines of {len(files)} modules.")
    if below:
        print(f"Below {MARK:.0f} % are:")
        print(table_of(measured, below))
    return 0


def measured_in(tree: Path) -> Coverage:
    """All modules of a tree, those of which nothing was run as well."""
    ran = defaultdict[str, set[int]](set)
    for left in (tree / "build/measured").glob("*.json"):
        for file, lines in json.loads(left.read_text()).items():
            ran[str(tree / file)].update(lines)
    measured = Coverage(data_file=None, config_file=str(ROOT / "pyproject.toml"))
    measured.get_data().add_lines(ran)
    measured.get_data().touch_files([str(path) for side in ("engine", "viz") for path in (tree / side).rglob("*.py")])
    return measured


def share_run(lines: int, missing: int) -> float:
    """Percent of so many lines; of no line at all, all."""
    return 100.0 * (1 - missing / lines) if lines else 100.0


def table_of(measured: Coverage, files: list[str]) -> str:
    """Each file with its share and the lines that were not run, without the total of these files alone."""
    table = io.StringIO()
    measured.report(files, show_missing=True, sort="cover", file=table)
    return "\n".join(table.getvalue().splitlines()[:-2])


if __name__ == "__main__":
    sys.exit(main())
