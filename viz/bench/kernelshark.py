"""How long KernelShark takes for a trace.dat of as many events, by its own library: libkshark's open and load.

`trace-cmd record` is refused in many sandboxes, so the events are recorded in a tracefs instance of our own, copied out
of trace_pipe_raw, and made into a trace.dat by `trace-cmd restore`. The events are system calls of dd on two CPUs.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bellwire.engine.errors import answer_of
from bellwire.engine.host.host import allowed_cpus

TRACEFS = Path("/sys/kernel/tracing")
LIBRARY = "libkshark.so.2"
EVENTS_A_BYTE = 4  # dd bs=1: enter and exit of a read and of a write
EVENT_BYTES = 64  # of a ring buffer, and a bit


class NotMeasuredError(Exception):
    """Why there is nothing to compare with, in one sentence."""


def load_seconds(events: int, folder: Path) -> tuple[float, int]:
    """Seconds until KernelShark has read a trace of about that many events, and how many it has."""
    if shutil.which("trace-cmd") is None or not library_there():
        raise NotMeasuredError("trace-cmd or libkshark is not installed: apt install trace-cmd libkshark2")
    try:
        raw = capture(events, folder)
    except OSError as error:
        raise NotMeasuredError(f"tracefs cannot be used: {answer_of(error)}") from error
    restored = subprocess.run(["trace-cmd", "restore", "-o", "trace.dat", *raw], cwd=folder, capture_output=True)
    if restored.returncode:
        raise NotMeasuredError("trace-cmd restore fails here")
    command = [sys.executable, "-m", __name__, str(folder / "trace.dat")]
    seconds, count = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-2:]
    return float(seconds), int(count)


def library_there() -> bool:
    """Whether KernelShark's library is there."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def take_instances_away(instances: Path) -> None:
    """Those whose program was killed: they keep their ring buffers for ever."""
    for folder in instances.glob("bellwire-bench-*"):
        if not Path(f"/proc/{folder.name.removeprefix('bellwire-bench-')}").exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


@contextlib.contextmanager
def instance(kilobytes: int) -> Iterator[Path]:
    """A tracefs instance of our own; OSError if there can be none."""
    take_instances_away(TRACEFS / "instances")
    folder = TRACEFS / "instances" / f"bellwire-bench-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / "tracing_on").write_text("0")
        (folder / "buffer_size_kb").write_text(str(kilobytes))
        (folder / "events/raw_syscalls/enable").write_text("1")
        yield folder
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()


def capture(events: int, folder: Path) -> list[str]:
    """Records about that many events, half of them on each of two CPUs; the names of the files in `folder`."""
    cpus = allowed_cpus()[:2]
    each = events // len(cpus)
    with instance(each * EVENT_BYTES // 1024 + 1024) as trace:
        (trace / "tracing_on").write_text("1")
        running = [busy(trace, cpu, each // EVENTS_A_BYTE) for cpu in cpus]
        try:
            for process in running:
                process.wait()
        finally:
            for process in running:
                process.kill()
                process.wait()
        (trace / "tracing_on").write_text("0")
        return [spliced(trace / f"per_cpu/cpu{cpu}/trace_pipe_raw", folder / f"cpu{cpu}") for cpu in cpus]


def busy(trace: Path, cpu: int, copies: int) -> subprocess.Popen[bytes]:
    """dd, which does nothing else than system calls, on one CPU; nobody else is traced."""
    dd = f"taskset -c {cpu} dd if=/dev/zero of=/dev/null bs=1 count={copies} status=none"
    return subprocess.Popen(["sh", "-c", f"echo $$ >> {trace}/set_event_pid; exec {dd}"])


def spliced(pipe: Path, to: Path) -> str:
    """Copies a ring buffer page by page, as it is; the file's name."""
    file = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with to.open("wb") as out, contextlib.suppress(BlockingIOError):
            while page := os.read(file, 4096):
                out.write(page)
    finally:
        os.close(file)
    return to.name


def load(path: str) -> tuple[float, int]:
    """Seconds and entries, as KernelShark's window loads them."""
    library, context, rows = ctypes.CDLL(LIBRARY), ctypes.c_void_p(), ctypes.c_void_p()
    library.kshark_instance(ctypes.byref(context))
    library.kshark_open.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.kshark_load_entries.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p)]
    library.kshark_load_entries.restype = ctypes.c_ssize_t
    began = time.perf_counter()
    stream = library.kshark_open(context, path.encode())
    count = library.kshark_load_entries(context, stream, ctypes.byref(rows))
    return time.perf_counter() - began, count


if __name__ == "__main__":
    print(*load(sys.argv[1]))
