"""Says where each thread is, once something takes too long.

faulthandler.dump_traceback_later() does not wait for the interpreter: it reads frames that other threads are changing,
and has ended the process by a fault of its own. Whoever goes on afterwards looks from a thread of Python.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def watched(seconds: float) -> Iterator[None]:
    """While it is held: after so long the stack of each thread goes to stderr, once."""
    timer = threading.Timer(seconds, tell_stacks)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def tell_stacks() -> None:
    """The stack of each thread of Python's, innermost call last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    # All of them at once: a frame that has returned by the time it is written does not know its caller any more.
    stacks = {ident: list(traceback.walk_stack(frame)) for ident, frame in sys._current_frames().items()}
    for ident, frames in stacks.items():
        if ident != threading.get_ident():
            stack = "".join(traceback.StackSummary.extract(iter(reversed(frames))).format())
            print(f"thread {names.get(ident, ident)}:\n{stack}", file=sys.stderr, flush=True)
