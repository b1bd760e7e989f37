"""What CI does, again and again beside busy loops: a test that fails once in twenty runs is not one that passes.

`python -m tests.again COUNT` runs .ci/run so often, each time in a clean clone of the last commit and beside a busy
loop on each CPU, and prints a line of each run: what it ended with, how long it took, how its tests closed. Ends with
the first that fails. What each has said is left in build/again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bellwire.viz.bench.program import busy_loops

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "build" / "again"
CLOSING = re.compile(r"\d+ (?:passed|failed|skipped|error).* in [\d.]+s")


@dataclass(frozen=True)
class Ran:
    """One run. closing: pytest's last line; "" if it never came to that."""

    code: int
    seconds: float
    closing: str


def run_once(source: Path, log: Path) -> Ran:
    """.ci/run in a clean clone of `source`; all that it says goes to `log`."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, log.open("w") as output:
        clone = Path(folder) / "clone"
        Path(folder).chmod(0o755)  # some tests are of another user
        subprocess.run(["git", "clone", "--quiet", source, clone], check=True)
        code = subprocess.run([".ci/run"], cwd=clone, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    closings = CLOSING.findall(log.read_text(errors="replace"))
    return Ran(code, time.monotonic() - began, closings[-1] if closings else "")


def run_again(count: int, source: Path = ROOT, kept: Path = KEPT, busy: int | None = None) -> Iterator[Ran]:
    """So many runs, up to the first that fails. busy: loops beside them; None: as many as there are CPUs."""
    kept.mkdir(parents=True, exist_ok=True)
    with busy_loops(busy if busy is not None else len(os.sched_getaffinity(0))):
        for number in range(1, count + 1):
            ran = run_once(source, kept / f"{number}.log")
            yield ran
            if ran.code:
                return


def main(count: int) -> int:
    """A line a run; 1 if one failed."""
    ran = Ran(0, 0.0, "")
    for number, ran in enumerate(run_again(count), 1):
        print(f"{number}: exit {ran.code} after {ran.seconds:.0f} s, {ran.closing or 'no test ran'}", flush=True)
    return int(ran.code != 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
