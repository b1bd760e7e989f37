"""The command bellwire. Arguments are parsed before Qt is imported."""

from __future__ import annotations

import os
import sys

from bellwire.viz.window import importing

ONE_THREAD = "OPENBLAS_NUM_THREADS", "1"  # else numpy starts some for linear algebra, of which there is none here


def main() -> int:
    """Runs the command line; the exit code. What keeps it from being loaded is one sentence, too."""
    os.environ.setdefault(*ONE_THREAD)
    try:
        with importing():
            from bellwire.viz.cli.app import main as command_line
    except KeyboardInterrupt:
        return not_loaded("interrupted", 130)
    except Exception as error:
        return not_loaded(f"It cannot be loaded: {error}. Are enough open files (`ulimit -n`) and memory allowed?", 1)
    return command_line()


def not_loaded(sentence: str, code: int) -> int:
    """With nothing but Python."""
    if sys.stderr is not None:
        print(f"bellwire: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
