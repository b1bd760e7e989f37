"""`bellwire attach PID` as long as it lasts: on a terminal tables that are kept up to date, elsewhere lines."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from bellwire.engine.attached.attachment import ProcessEndedError
from bellwire.engine.attached.watched import LOOK_SECONDS, WatchedVmm
from bellwire.engine.foreign import shown
from bellwire.viz.cli.attach.hops_told import hop_tables
from bellwire.viz.cli.attach.topology_told import VmmTold, topology_tables
from bellwire.viz.cli.terminal import DONE, complain, out, terminal_console

CHANGES_SHOWN = 8  # on a terminal


def vmm_told(watched: WatchedVmm) -> VmmTold:
    """The newest look, counts a second, and what the kernel has told."""
    named = watched.names.name_of if watched.names else None
    unheard = " ".join(filter(None, (watched.unheard, watched.unnamed)))
    return VmmTold(watched.topology, named, watched.rates, watched.hops, unheard)


def watched_tables(watched: WatchedVmm) -> RenderableType:
    """As it is now, and what has changed."""
    changes = list(watched.changes)[-CHANGES_SHOWN:]
    lines = [Text(""), *(Text(shown(line)) for line in changes)] if changes else []
    return Group(topology_tables(vmm_told(watched)), *lines)


def watch_vmm(watched: WatchedVmm, seconds: float = math.inf, goes_on: Callable[[], bool] = lambda: True) -> int:
    """Until the VMM ends, which is said, for so many seconds, as long as it `goes_on`, or until it is interrupted.

    The exit code; an interrupt goes on once what was heard until then is told.
    """
    console, until = terminal_console(), time.monotonic() + seconds
    watched.look()
    with told_at_the_end(lambda: tell_hops(watched, console)):
        try:
            with kept_up_to_date(watched, console) as show:
                while time.monotonic() < until and goes_on():
                    time.sleep(min(LOOK_SECONDS, max(0.0, until - time.monotonic())))
                    show(watched.look())
        except ProcessEndedError as ended:
            return complain(str(ended), DONE)
    return DONE


@contextmanager
def told_at_the_end(tell: Callable[[], object]) -> Iterator[None]:
    """What was seen is told however watching ends: by itself, or by Ctrl-C or SIGTERM; not after a fault."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        tell()
        raise
    tell()


def tell_hops(watched: WatchedVmm, console: Console) -> None:
    """Where no table is kept up to date, what the kernel has told stands at the end."""
    if watched.hops and not console.is_terminal:
        out(Group(*hop_tables(watched.hops, watched.topology.process.pid, goes_on=False)))


def watch_quietly(watched: WatchedVmm, seconds: float, tell: Callable[[VmmTold], object]) -> None:
    """For so many seconds, until the VMM ends, or until it is interrupted. tell: takes what was seen last."""
    until = time.monotonic() + seconds
    watched.look()
    with told_at_the_end(lambda: tell(vmm_told(watched))), suppress(ProcessEndedError):
        while time.monotonic() < until:
            time.sleep(min(LOOK_SECONDS, max(0.0, until - time.monotonic())))
            watched.look()


def print_each(sentences: list[str]) -> None:
    """A line each, at once: somebody may wait for it."""
    for sentence in sentences:
        print(shown(sentence), flush=True)


@contextmanager
def kept_up_to_date(watched: WatchedVmm, console: Console) -> Iterator[Callable[[list[str]], None]]:
    """What shows it anew; it takes what has changed."""
    if not console.is_terminal:
        out(topology_tables(replace(vmm_told(watched), hops=None)))
        yield print_each
        return
    with Live(watched_tables(watched), console=console, auto_refresh=False) as live:
        yield lambda found: live.update(watched_tables(watched), refresh=True)
