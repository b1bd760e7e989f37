"""The command bellwire. Arguments are parsed before Qt is imported."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

NO_MORE_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",  # else numpy starts some for linear algebra, of which there is none here
    "QT_NO_GUI_THREADPOOL": "1",  # else Qt paints by some as well, and where none can be started it waits for ever
}


class WithoutPandas:
    """A finder of modules (of sys.meta_path) by which pandas is not there. pyarrow imports it, where it is installed,
    with the first array that it makes: a third of a second, in the midst of a recording or of a frame. Nothing here
    hands anything to it.
    """

    @staticmethod
    def find_spec(name: str, _path: object = None, _target: object = None) -> None:
        """As importlib asks; ModuleNotFoundError for pandas, and no word on any other."""
        if name == "pandas":
            raise ModuleNotFoundError(f"{name} is not used here", name=name)


def main() -> int:
    """Runs the command line; the exit code. What keeps it from being loaded is one sentence, too."""
    for name, value in NO_MORE_THREADS.items():
        os.environ.setdefault(name, value)
    sys.meta_path.insert(0, WithoutPandas)
    try:
        with interruption_kept():
            from bellwire.viz.window import importing

            with importing():
                from bellwire.viz.cli.app import main as command_line
    except KeyboardInterrupt:
        return not_loaded("interrupted", 130)
    except Exception as error:
        why = getattr(error, "strerror", None) or error
        return not_loaded(f"It cannot be loaded: {why}. {what_helps(error)}", 1)
    return command_line()


@contextmanager
def interruption_kept() -> Iterator[None]:
    """A Ctrl-C while modules are imported comes behind them: libraries pass over what is raised in their midst, and
    the command would go on as if nobody had wanted to end it."""
    heard: list[int] = []
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell has it for what runs in its background
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        raise KeyboardInterrupt


def what_helps(error: Exception) -> str:
    """Where not even the command line can be loaded."""
    if isinstance(error, ModuleNotFoundError):
        return "`pip install --force-reinstall bellwire` installs what it needs, for this Python."
    return "Are enough open files (`ulimit -n`) and memory allowed?"


def not_loaded(sentence: str, code: int) -> int:
    """With nothing but Python."""
    if sys.stderr is not None:
        print(f"bellwire: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
