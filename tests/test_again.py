"""The short form of tests/again.py: of a project that fails the third time."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.again import run_again

RUN = """#!/bin/sh
echo once more >> {count}
grep -al 'while True[:] pass' /proc/[0-9]*/cmdline > {busy}
echo '===== 3 passed, 1 skipped in 0.50s (0:00:00) ====='
test "$(stat -c %A ..)" = drwxr-xr-x || exit 1
test $(wc -l < {count}) -lt 3
"""


def test_runs_are_made_beside_busy_loops_until_one_fails(tmp_path: Path) -> None:
    source, count, busy = tmp_path / "source", tmp_path / "count", tmp_path / "busy"
    (source / ".ci").mkdir(parents=True)
    (source / ".ci/run").write_text(RUN.format(count=count, busy=busy))
    (source / ".ci/run").chmod(0o755)
    git = ["git", "-C", str(source), "-c", "user.name=T", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    ran = list(run_again(5, source, tmp_path / "kept", busy=1))
    assert [run.code for run in ran] == [0, 0, 1]
    assert {run.closing for run in ran} == {"3 passed, 1 skipped in 0.50s"}
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["1.log", "2.log", "3.log"]
    assert busy.read_text(), "no loop was busy"
