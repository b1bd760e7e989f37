"""Commands and programs, each in a process of its own, forked from one that has loaded all of the program.

As a shell would start them, without a display; but a tenth of a second each. What such a process is given to read and
to write is what a shell would give it: open to a file or to a pipe, or closed.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bellwire.viz.pictures.plain_qt import make_qt_plain

SECONDS = 120  # after which a program is stuck
WINDOW_SECONDS = 0.5  # for which a window without a display is shown
SHELL = ["bash", "-o", "pipefail", "-c"]
CLOSED = -1  # in place of a file descriptor
NOT_LOADED = ("bellwire.engine.build", "bellwire.engine.build_hook", "bellwire.viz.__main__")


class Forked:
    """What runs them, one after another."""

    def __init__(self, asking: socket.socket) -> None:
        self._asking = asking

    def run(self, kind: str, what: object, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
        """Its exit code and what it printed, errors included.

        kind and what: "bellwire" and its words, "python" and a file, "shell" and a line.
        """
        with tempfile.TemporaryFile() as printed:
            code = self._ask(kind, what, folder, environment, printed.fileno(), printed.fileno())
            return code, all_of(printed.fileno())

    def command(
        self, words: Sequence[str], folder: Path, out: int | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """bellwire with these words. out: a file descriptor, CLOSED, or what the result holds."""
        with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as told:
            to = printed.fileno() if out is None else out
            code = self._ask("bellwire", words, folder, os.environ | environment, to, told.fileno())
            return subprocess.CompletedProcess(words, code, all_of(printed.fileno()), all_of(told.fileno()))

    def _ask(self, kind: str, what: object, folder: Path, environment: dict[str, str], out: int, error: int) -> int:
        given = [fd for fd in (out, error) if fd != CLOSED]
        wanted = {"kind": kind, "what": what, "folder": str(folder), "environment": environment}
        wanted["open"] = [fd != CLOSED for fd in (out, error)]
        socket.send_fds(self._asking, [json.dumps(wanted).encode()], given)
        return int(self._asking.recv(64))


def all_of(fd: int) -> str:
    """What a file holds."""
    return os.pread(fd, os.fstat(fd).st_size, 0).decode(errors="surrogateescape")


@contextmanager
def forking() -> Iterator[Forked]:
    """While this is open, programs can be run, by a process that is nobody's child: others count their own."""
    asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-P", "-m", "tests.support.forked", str(answering.fileno())]
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    make_qt_plain(environment)
    with asking:
        subprocess.run(command, env=environment, pass_fds=[answering.fileno()], check=True)
        answering.close()
        server = os.pidfd_open(int(asking.recv(64)))
        yield Forked(asking)
    with os.fdopen(server) as ended:
        select.select([ended], [], [])


# -- in that process


def load_everything() -> None:
    """All modules of the program."""
    import bellwire.engine
    import bellwire.viz
    from bellwire.viz.cli import opening

    for package in (bellwire.engine, bellwire.viz):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name not in NOT_LOADED:
                importlib.import_module(module.name)
    opening.OFFSCREEN_SECONDS = WINDOW_SECONDS


def serve(answering: socket.socket) -> None:
    """Runs what each message asks for, and answers with its exit code."""
    while True:
        asked, fds, _, _ = socket.recv_fds(answering, 1 << 17, 2)
        if not asked:
            return
        child = os.fork()
        if child == 0:
            answering.close()
            forget_marks()
            end(exit_code_of(json.loads(asked), fds))
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(child, 0)
        answering.send(str(os.waitstatus_to_exitcode(status)).encode())


def forget_marks() -> None:
    """In `make coverage`: each child would leave once more what loading all modules has run."""
    forget = getattr(sys.modules.get("sitecustomize"), "forget", None)  # tests/measured
    if forget:
        forget()


def end(code: int) -> None:
    """As Python ends, but for taking apart what is loaded, which takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)


def exit_code_of(asked: dict[str, Any], fds: list[int]) -> int:
    """Of what is asked for, in the child; an exception that nobody catches is printed."""
    try:
        return run_one(asked, fds)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
        return 1


def run_one(asked: dict[str, Any], fds: list[int]) -> int:
    """Makes the process look as one that has just begun. Returns the exit code."""
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    give_streams(asked["open"], fds)
    signal.alarm(SECONDS)
    if asked["kind"] == "shell":
        os.execvp(SHELL[0], [*SHELL, asked["what"]])
    if asked["kind"] == "python":
        sys.argv = [asked["what"]]
        runpy.run_path(asked["what"], run_name="__main__")
        return 0
    from bellwire.viz.cli.app import main

    return main(asked["what"])


def give_streams(is_open: list[bool], fds: list[int]) -> None:
    """Nothing to read, and to write what is open; of what is closed Python has none."""
    given = [os.open(os.devnull, os.O_RDONLY), *fds]
    for number, exists in enumerate((True, *is_open)):
        if exists:
            fd = given.pop(0)
            os.dup2(fd, number)
            os.close(fd)
        else:
            os.close(number)
    sys.stdin = os.fdopen(0, closefd=False)
    out, error = is_open
    sys.stdout = os.fdopen(1, "w", closefd=False) if out else None
    sys.stderr = os.fdopen(2, "w", errors="backslashreplace", closefd=False) if error else None


if __name__ == "__main__":
    if os.fork():
        os._exit(0)
    with socket.socket(fileno=int(sys.argv[1])) as listened:
        listened.send(str(os.getpid()).encode())
        load_everything()
        gc.freeze()  # what all of them share is neither looked through nor copied
        serve(listened)
