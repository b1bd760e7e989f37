"""A recording is a file that other programs open by themselves, told nothing but its name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bellwire.engine.events import EVENT
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from tests.support.recorded import recorded

# Each prints the columns' sums. DuckDB's own reader of Arrow files is an extension that it fetches from elsewhere, so
# it is given what Arrow's reader of files finds.
READERS = {
    "polars": "import polars; print(json.dumps(polars.read_ipc(path, use_pyarrow=False).sum().to_dicts()[0]))",
    "polars, lazily": "import polars; print(json.dumps(polars.scan_ipc(path).sum().collect().to_dicts()[0]))",
    "pandas": "import pandas; print(pandas.read_feather(path).astype(object).sum().to_json())",
    "duckdb": """
import duckdb, pyarrow
events = duckdb.from_arrow(pyarrow.ipc.open_file(path).read_all())
print(json.dumps({name: int(events.sum(name).fetchall()[0][0]) for name in events.columns}))
""",
    "pyarrow, mapped": """
import pyarrow.feather
table = pyarrow.feather.read_table(path, memory_map=True)
print(json.dumps({name: sum(table[name].to_pylist()) for name in table.column_names}))
""",
}


def sums(recording: Recording) -> dict[str, int]:
    """Of each column, modulo 2^64, which some of the readers count by."""
    events = np.concatenate(list(recording.batches()))
    return {name: int(events[name].sum(dtype=np.uint64)) for name in EVENT.names or ()}


def read(reader: str, path: Path) -> dict[str, Any]:
    """In a process of its own: these programs start threads that never end."""
    run = subprocess.run(
        [sys.executable, "-c", f"import json, sys\npath = sys.argv[1]\n{READERS[reader]}", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {name: value % 2**64 for name, value in json.loads(run.stdout).items()}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterable[Recording]:
    """One that was written as it happened, and the one that is shipped, which is compressed."""
    return recorded(tmp_path_factory.mktemp("recorded") / "run.arrow"), Recording(path_of_shipped("roundtrip"))


@pytest.mark.parametrize("reader", READERS)
def test_another_program_reads_every_event(reader: str, recordings: Iterable[Recording]) -> None:
    for recording in recordings:
        assert read(reader, recording.path) == sums(recording)
