"""Runs guests that nobody wrote, as the window would, and says what became of each: `make fuzz`.

A guest may do what it likes; the program must end each run with a verdict, in bounded time, and keep nothing. While it
runs a model folds its events, as every view needs it, and a hand plays with switches and single signals.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Annotated
from unittest.mock import patch

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.live.session import Session
from bellwire.engine.source import Order
from bellwire.engine.verdict import Verdict
from bellwire.viz.model.live import LiveModel
from tests.fuzz_guests import FAMILIES, Case
from tests.support.leaks import Belongings, belongings, left_behind
from tests.support.watched import watched

LOOK_EVERY = 300  # runs between two looks at what is left behind
LIVE_SECONDS = 0.05  # how long a guest is let run
HUNG_SECONDS = 5.0  # after which it is noted where each thread is
MOST_SECONDS = 12.0  # that a run may take in all, on a busy machine
MOST_GROWTH_MB = 64  # of the memory, once all kinds of guests have run
NEVER_READY = "timed out"  # it had not said that it was ready when its time was over
SESSION_ENDED = "session ended"  # by the machine's own verdict: a daemon that hung up, a signal that was refused


@dataclass
class Results:
    """verdicts: (family, verdict) -> runs. problems: what must not be, one line each."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    samples: dict[str, str] = field(default_factory=dict)  # verdict -> the sentence of one run
    events: int = 0
    dropped: int = 0


@contextmanager
def escaped() -> Iterator[list[str]]:
    """What threads let escape, which nothing may."""
    caught: list[str] = []
    before, threading.excepthook = threading.excepthook, lambda args: caught.append(repr(args.exc_value))
    try:
        yield caught
    finally:
        threading.excepthook = before


def run_all(cases: Iterable[Case], results: Results) -> Iterator[Case]:
    """Runs them, one after the other; yields each when it is done. What is left behind is looked for now and then."""
    with TemporaryDirectory(prefix="bellwire-fuzz-") as folder, escaped() as caught:
        before: Belongings | None = None
        grown_from = 0.0
        for number, case in enumerate(cases, 1):
            run(case, Path(folder), results)
            results.problems += [f"{case}: escaped: {what}" for what in caught]
            caught.clear()
            before = before or belongings()
            if number % LOOK_EVERY == 0:
                results.problems += [f"up to {case}: left behind: {what}" for what in left_behind(before)]
                grown_from = grown_from or resident_mb()
            yield case
        results.problems += [f"left behind: {what}" for what in left_behind(before or belongings())]
        if grown_from and (growth := resident_mb() - grown_from) > MOST_GROWTH_MB:
            results.problems.append(f"memory has grown by {growth:.0f} MB")


def run(case: Case, folder: Path, results: Results) -> None:
    """One guest, from its start to its verdict."""
    began = time.monotonic()
    scenario = case.scenario(folder)
    session = Session(scenario)
    model = LiveModel(session)
    try:
        with watched(HUNG_SECONDS), haste(), session:
            model = watch(session, case.dice())
    except EngineError as error:
        results.problems.append(f"{case} ({scenario.name}): {error}")
    catch_up(model)
    Path(f"{scenario.guest}.bin").unlink()
    took = time.monotonic() - began
    word, sentence = verdict(session)
    results.verdicts[case.family, word] += 1
    results.samples.setdefault(word, sentence)
    results.seconds.append(took)
    results.events += model.present.tally.recorded
    results.dropped += model.present.tally.dropped
    results.problems += [f"{case} ({scenario.name}): {problem}" for problem in problems(session, model, took)]


def catch_up(model: LiveModel) -> None:
    """Until the model has folded all that there is: one tick folds no more than its share."""
    before = -1
    while before != model.present.tally.recorded:
        before = model.present.tally.recorded
        model.tick(0.016)


def watch(session: Session, hand: Random) -> LiveModel:
    """What the window does for a while: folds what comes, and lets a hand play."""
    model, until = LiveModel(session), time.monotonic() + LIVE_SECONDS
    while session.alive and (time.monotonic() < until or not model.present.tally.recorded):
        model.tick(0.016)
        play(hand, session)
        time.sleep(0.003)
    return model


@contextmanager
def haste() -> Iterator[None]:
    """What a guest that never answers is waited for, and a daemon that has hung up and lives on."""
    with (
        patch("bellwire.engine.machines.guest.READY_SECONDS", 0.02),
        patch("bellwire.engine.machines.qemu.guest_in_qemu.READY_SECONDS", 0.5),
        patch("bellwire.engine.machines.vhost_user.DYING_SECONDS", 0.02),
        patch("bellwire.engine.live.session.SETTLE_SECONDS", 0.02),
        patch("bellwire.engine.live.session.MOST_TO_SETTLE", 0.04),
    ):
        yield


def play(hand: Random, session: Session) -> None:
    """Now and then a command; what a scenario has not, the session refuses by itself."""
    match hand.randrange(12):
        case 0:
            session.order(Order.IOEVENTFD, hand.random() < 0.5)
        case 1:
            session.order(Order.IRQFD, hand.random() < 0.5)
        case 2:
            session.order(Order.DOORBELL)
        case 3:
            session.order(Order.INTERRUPT)
        case 4:
            session.order(Order.ROUTE)
        case 5:
            session.order(Order.BURST, hand.randrange(1, 50))


def verdict(session: Session) -> tuple[str, str]:
    """What became of the guest, in a word and in a sentence."""
    error = session.error
    if isinstance(error, GuestError):
        return error.verdict.value, str(error)
    if error is not None:
        return SESSION_ENDED, str(error)
    if session.warning:
        return NEVER_READY, session.warning
    return Verdict.RUNNING.value, "It did what it did until it was stopped."


def problems(session: Session, model: LiveModel, took: float) -> Iterator[str]:
    """What must not be, whatever the guest has done."""
    if took > MOST_SECONDS:
        yield f"took {took:.1f} s"
    if session.alive:
        yield "is alive after its end"
    if session.error and not re.fullmatch(r"[^\n]+\.", str(session.error)):
        yield f"no sentence: {session.error}"
    if isinstance(session.error, EngineError) and "engine thread failed" in str(session.error):
        yield str(session.error)
    if not session.truth():
        yield "no counters at the end"
    elif (dropped := model.present.tally.lost) != session.truth()["lost"]:
        yield f"events tell of {dropped} dropped, counters of {session.truth()['lost']}"
    launcher = model.travel.launcher
    if launcher.launched + launcher.aggregated + launcher.waiting != model.journeys.total:
        yield "tokens and journeys do not add up"
    json.dumps([model.present.tally.counts(), session.truth()])


def resident_mb() -> float:
    """This process's memory, less what malloc() keeps for later."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


# -- the command -------------------------------------------------------------------------------------------------------


def table(results: Results) -> Table:
    """One row a verdict, one column a family."""
    families = [family for family in FAMILIES if any(family == key[0] for key in results.verdicts)]
    made = Table("verdict", *families, "for example", title=f"{sum(results.verdicts.values())} guests")
    for column in made.columns[1 : 1 + len(families)]:
        column.justify = "right"
    for word in sorted({word for _, word in results.verdicts}):
        counts = [str(results.verdicts[family, word] or "") for family in families]
        made.add_row(word, *counts, results.samples[word])
    return made


def main(
    count: Annotated[int, typer.Option(min=1, help="Guests of each family.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, other guests.")] = 1,
    only: Annotated[str, typer.Option(help='One guest again, as in "scribbler/1/123".')] = "",
    log: Annotated[Path, typer.Option(help="Where the name of each guest goes before it runs.")] = Path(os.devnull),
) -> None:
    """Runs guests that nobody wrote and prints what became of them; 1 if something was wrong."""
    cases = [Case(family, seed, number) for number in range(count) for family in FAMILIES]
    results, console = Results(), Console()
    console.print(f"seed {seed}; a guest again: python -m tests.fuzz --only 'scribbler/{seed}/0'", highlight=False)
    cases = [Case.named(only)] if only else cases
    before = resident_mb()
    faulthandler.enable()
    with log.open("w", buffering=1) as lines:
        named = (print(case, file=lines) or case for case in cases)
        for _ in track(run_all(named, results), "guests", len(cases), console=Console(stderr=True)):
            pass
    console.print(table(results))
    seconds = np.percentile(results.seconds, [50, 99, 100])
    console.print("a run took {:.2f} s, 99 % at most {:.2f} s, the longest {:.2f} s".format(*seconds))
    console.print(f"{results.events} events, {results.dropped} not believed or not held and counted as dropped")
    console.print(f"memory: {before:.0f} MB before, {resident_mb():.0f} MB after")
    for problem in results.problems:
        console.print(f"[bold]wrong[/]: {problem}", highlight=False, soft_wrap=True)
    raise typer.Exit(1 if results.problems else 0)


if __name__ == "__main__":
    typer.run(main)
