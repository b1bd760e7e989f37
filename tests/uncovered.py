"""Says what of bellwire no test has run: the total, and each module below the mark with its lines. `make coverage`."""

from __future__ import annotations

import io
import sys

from coverage import Coverage

MARK = 90.0  # percent of a module's lines


def main() -> int:
    """Of the data that pyproject.toml names, once it is combined. Exit code 0."""
    measured = Coverage()
    measured.load()
    files = sorted(measured.get_data().measured_files())
    total = measured.report(files, file=io.StringIO())
    below = [file for file in files if share_run(measured, file) < MARK]
    print(f"The tests run {total:.1f} % of the lines of {len(files)} modules.")
    if below:
        print(f"Below {MARK:.0f} % are:")
        print(table_of(measured, below))
    return 0


def table_of(measured: Coverage, files: list[str]) -> str:
    """Each file with its share and the lines that were not run, without the total of these files alone."""
    table = io.StringIO()
    measured.report(files, show_missing=True, sort="cover", file=table)
    return "\n".join(table.getvalue().splitlines()[:-2])


def share_run(measured: Coverage, file: str) -> float:
    """Percent of a file's lines that were run; of a file without any, all."""
    _, lines, _, missing, _ = measured.analysis2(file)
    return 100.0 * (1 - len(missing) / len(lines)) if lines else 100.0


if __name__ == "__main__":
    sys.exit(main())
