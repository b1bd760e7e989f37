"""Commands and programs, each in a process of its own, forked from one that has imported what most of them need.

As a shell would start them, without a display, in a folder and a home of the test's; but a tenth of a second each.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

SECONDS = 120  # after which a program is stuck
WINDOW_SECONDS = 0.5  # for which a window without a display is shown
NEEDED = (  # by most commands: in each that is forked they are there already
    "bellwire.engine.live.session",
    "bellwire.viz.cli.measure",
    "bellwire.viz.cli.recording_reports",
    "bellwire.viz.pictures.making",
    "bellwire.viz.window.window",
)
SHELL = ["bash", "-o", "pipefail", "-c"]


class Forked:
    """What runs them, one after another."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, kind: str, what: object, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
        """Its exit code and what it printed, errors included.

        kind and what: "bellwire" and its words, "python" and a file, "shell" and a line.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        printed = folder.parent / "printed"
        told = {"kind": kind, "what": what, "folder": str(folder), "environment": environment, "printed": str(printed)}
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return code, printed.read_text(errors="surrogateescape")


@contextmanager
def forking() -> Iterator[Forked]:
    """While this is open, programs can be run."""
    command = [sys.executable, "-P", "-m", "tests.support.forked"]
    root = str(Path(__file__).resolve().parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Forked(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    """Runs what each line asks for, and answers with its exit code."""
    from bellwire.viz.cli import opening
    from bellwire.viz.cli.app import whole_command_line

    opening.OFFSCREEN_SECONDS = WINDOW_SECONDS
    whole_command_line()
    for name in NEEDED:
        import_module(name)
    gc.freeze()  # what is there now is shared by all
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            end(run_one, json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def end(run: Callable[[dict[str, Any]], int], told: dict[str, Any]) -> NoReturn:
    """Ends this process as soon as it is done: to take a hundred modules to pieces would take longer than to run."""
    code = 1
    try:
        code = run(told)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_one(told: dict[str, Any]) -> int:
    """In the child. Returns the exit code."""
    os.chdir(told["folder"])
    os.environ.clear()
    os.environ.update(told["environment"])
    with Path(told["printed"]).open("w") as printed, Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    signal.alarm(SECONDS)
    if told["kind"] == "shell":
        os.execvp(SHELL[0], [*SHELL, told["what"]])
    if told["kind"] == "python":
        sys.argv = [told["what"]]
        runpy.run_path(told["what"], run_name="__main__")
        return 0
    from bellwire.viz.cli.app import main

    return main(told["what"])


if __name__ == "__main__":
    serve()
