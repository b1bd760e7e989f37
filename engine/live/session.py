"""A live source of events: runs a scenario in a real guest.

Guarantees:
- The engine thread alone uses the machine, but for one change at a time that another one makes, while it drains. Orders
  of another thread (one) are put into a queue and return at once.
- take() hands on every event once, in batches sorted by time. Events are held back for a while, while a doorbell has
  left or arrived whose own stamp is not yet published, and while a thread that could publish an earlier one waits for a
  CPU, so that batches follow each other in time as well.
  Who takes too slowly is told by PASSED_OVER events what that was (engine/outlet.py), and slows nobody down: each tee()
  is an outlet of its own.
  An event whose thread lost its CPU for a second between reading the clock and publishing comes late, but it comes.
- After stop() no thread, file descriptor or VM is left; what was drained can still be taken.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, LeftBehindError, refusal_of
from bellwire.engine.events import (
    STATS,
    Clock,
    EventfdRole,
    EventKind,
    Events,
    Lane,
    Setting,
    Switch,
    chosen,
    end_to_end,
    event,
    no_events,
    told_pace,
)
from bellwire.engine.host.host import capabilities, emulated, host_facts, usable_kvm
from bellwire.engine.host.patience import Patience
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr, tr_later
from bellwire.engine.live.covering import Covering
from bellwire.engine.live.kernel_sight import KernelSight
from bellwire.engine.live.rest import Rest
from bellwire.engine.live.standing_still import StandingStill
from bellwire.engine.live.watermark import Watermark
from bellwire.engine.machines.build import build_machine
from bellwire.engine.machines.lab import SWITCHES, LabClock
from bellwire.engine.machines.machine import Machine
from bellwire.engine.outlet import Outlet
from bellwire.engine.scenarios.scenario import LabStep, Pace, Scenario
from bellwire.engine.source import LATEST, Order, Source

TICK_SECONDS = 0.008  # how often the rings are drained
SAMPLE_SECONDS = 0.1  # how often KVM's counters are read
EXITS = "exits"  # the one of them that other figures are made of
STALLED_SECONDS = 0.5  # a tick that comes so late tells that the engine's thread stood still
CUT_SECONDS = 0.05  # what a slow viewer passes over is told apart as finely as it is shown
SETTLE_SECONDS = 1.0  # when a session ends, signals under way may arrive until all have stood still for so long,
MOST_TO_SETTLE = 2.0  # or until this is over: a guest may count on and on
SETTLE_TURN = 0.004  # how long it takes to look whether they have
SIGHT_SECONDS = 30.0  # how long it may take until the inside of the kernel is watched: 0.1 s, if no CPU is emulated
STUCK_SECONDS = 60.0  # without a turn the engine thread waits for what does not come; on a busy host KVM may take 10
COLLECT_SECONDS = 1.0  # how often it looks whether what was left behind can be given back

NOT_BUILT = tr_later("The guest is still being built.")
NOT_LIVE = tr_later("The session has ended.")
NOT_READY = tr_later("The guest has not said that it is ready; it may have lost its way while it booted.")
FLAT_OUT_REASON = tr_later("The guest rings flat out; lower the pace to ring by hand.")
T = TypeVar("T")
PACED = (Order.PACE, Order.BURST, Order.IDLE, Order.RUN)  # orders that change the pace


class Session(Source):
    """Runs `scenario` from start() to stop().

    limit: signals in all, then the pace ends. cpus: for the vCPU and the I/O thread; by default two of this process's.
    kernel: whether the inside of the kernel is watched from the start; where it cannot be, `unseen` says why.
    """

    error: EngineError | None = None
    warning = ""

    def __init__(
        self,
        scenario: Scenario,
        *,
        limit: int | None = None,
        cpus: tuple[int, int] | None = None,
        kernel: bool = False,
    ) -> None:
        super().__init__(scenario, host_facts(), Clock(1e9))  # the clock is the machine's own from start() on
        self._kernel = kernel
        self._sight: KernelSight | None = None  # from the start of the engine thread on
        self._limit, self._cpus = limit, cpus
        self._pace = scenario.pace
        self._running = True
        self._commands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._view = Outlet()  # what take() takes from; start() says where to cut what it passes over
        self._tees: list[Outlet] = []
        self._handing_on = threading.Lock()  # no outlet begins between two that get the same batch
        self._held = no_events()
        self._ticked = 0  # TSC of the last tick
        self._lost: dict[Lane, int] = {}
        self._stats: dict[str, int] = {}
        self._counts: dict[EventfdRole, int] = {}
        self._truth: dict[str, Any] = {}
        self._next_sample = self._played_at = 0.0
        self._sampled_at = self._looked_at = self._complete = 0  # TSC: of the counters, of the losses, of everything
        self._yielded = 0  # TSC: of everything that take() has yielded
        self._lab, self._covering, self._standing = LabClock(scenario.lab), Covering(), StandingStill()
        self._stopping, self._started, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._turns = 0  # of the engine thread
        self._begun_at: float | None = None
        self._left_behind = False  # a thread of the machine did not end: it is looked after until it does
        self._thread: threading.Thread | None = None
        self._machine: Machine | None = None

    # -- life --------------------------------------------------------------------------------------------------------

    def ask_as(self, before: Source) -> None:
        """The watch inside the kernel as it was chosen last, the limit and the CPUs."""
        if isinstance(before, Session):
            self._kernel, self._limit, self._cpus = before._kernel, before._limit, before._cpus

    def start(self) -> None:
        """Returns at once: the engine thread builds the machine and starts it. EngineError if there is no thread."""
        self._thread = threading.Thread(target=self._live, name="engine", daemon=True)
        try:
            begin_thread(self._thread)
        except EngineError:
            self._thread = None
            self._started.set()
            raise

    @property
    def begun_at(self) -> float | None:
        """The time.monotonic() from which on the guest signals: it is ready, and watched if that was asked for."""
        return self._begun_at

    @property
    def starting(self) -> bool:
        """Whether the machine is still being built; then either it runs or `error` says why not."""
        return not self._started.is_set()

    def wait_until_started(self, seconds: float | None = None) -> bool:
        """Waits until it runs, or for so long; whether it does. Raises what kept it from running; nothing is left."""
        if not self._started.wait(seconds):
            return False
        if self._machine is None and self.error is not None:
            self.stop()
            raise self.error
        return True

    def stop(self) -> None:
        """Lets signals under way arrive, ends all threads and gives everything back. May be called again.

        EngineError if nothing moves any more; the engine thread then ends it as soon as it can.
        """
        self._stopping.set()
        if self._thread is None:
            return
        self._commands.put(lambda: None)
        seen = -1
        while not self._ended.wait(STUCK_SECONDS):
            if seen == self._turns:
                raise EngineError(
                    tr(
                        "The engine thread has not moved for {seconds:.0f} s; it ends when it can.",
                        seconds=STUCK_SECONDS,
                    )
                )
            seen = self._turns
        if not self._left_behind:
            self._thread.join()
            self._thread = None

    @property
    def alive(self) -> bool:
        """Whether events may still come."""
        return self._thread is not None and not self._ended.is_set()

    # -- what others ask ---------------------------------------------------------------------------------------------

    def take(self, most: int | None = None) -> Events:
        """What is new since the last call, sorted by tsc; about the `most` oldest, if there are more. Never blocks."""
        complete = self._complete
        taken = self._view.take(most)
        left = self._view.waits_from
        self._yielded = complete if left is None else max(self._yielded, min(complete, left - 1))
        return taken

    def tee(self, room: int) -> Outlet:
        """Another way to all events that take() has not yet yielded, until it is closed."""
        with self._handing_on:
            outlet = self._view.fork(room)
            self._tees.append(outlet)
        return outlet

    def now(self) -> int:
        """The TSC."""
        return int(lib.bw_tsc())

    @property
    def complete(self) -> int:
        """The watermark of the rings, the last look at KVM's counters, or what take() has left: the earliest."""
        return self._yielded

    @property
    def unseen(self) -> str:
        """Why nothing in the kernel is seen although it was asked for; "" if it is, or was not."""
        return str(self._sight.refused) if self._sight and self._sight.refused else ""

    def truth(self) -> dict[str, Any]:
        """Once stopped: the counters behind the events (Machine.truth), to be compared with a Tally."""
        return self._truth

    @property
    def partner(self) -> str:
        """The other process that the guest talks with, as in "qemu-storage-daemon, pid 1234"; "" if there is none."""
        return self._machine.partner if self._machine else ""

    # -- orders ------------------------------------------------------------------------------------------------------

    def can(self, order: Order) -> str:
        """ "" if the order is possible now, else why not."""
        if not self.alive:
            return tr(NOT_LIVE)
        if self.starting:
            return tr(NOT_BUILT)
        if self._machine and (why := self._machine.cannot.get(order)):
            return tr(why)
        if order is Order.DOORBELL and math.isinf(self._pace.per_second) and self._running:
            return tr(FLAT_OUT_REASON)
        return ""

    def order(self, order: Order, value: bool | float | str = True) -> None:
        """Puts the order into the engine thread's queue and returns; one that is not possible now is passed over."""
        machine = self._machine
        if machine is None or self.can(order):
            return
        if order is Order.KERNEL:
            self._kernel = bool(value)
        if order in PACED:
            self._change_pace(order, value)
            self._commands.put(partial(self._apply_pace, machine, self._pace, self._running))
        else:
            self._commands.put(partial(self._obey, machine, order, bool(value)))

    def _change_pace(self, order: Order, value: Any) -> None:
        """The pace as a whole is what the machine takes, so that each order is complete."""
        match order:
            case Order.RUN:
                self._running = bool(value)
            case Order.PACE:
                self._pace = replace(self._pace, per_second=float(value))
            case Order.BURST:
                self._pace = replace(self._pace, burst=round(value))
            case Order.IDLE:
                self._pace = replace(self._pace, idle=str(value))

    def _obey(self, machine: Machine, order: Order, on: bool) -> None:
        """In the engine thread."""
        match order:
            case Order.IOEVENTFD:
                self._switch(machine, Switch.IOEVENTFD, on)
            case Order.IRQFD:
                self._switch(machine, Switch.IRQFD, on)
            case Order.ROUTE:
                self._hold(self._make(machine, machine.change_route))
            case Order.KERNEL:
                self._watch_kernel(machine, on)
            case Order.DOORBELL:
                machine.ring_once()
            case Order.INTERRUPT:
                machine.interrupt_once()

    # -- the engine thread -------------------------------------------------------------------------------------------

    def _live(self) -> None:
        """The life of the engine thread."""
        try:
            machine = self._build()
        except Exception as error:
            try:
                self._fail(error)
            finally:
                self._ended.set()
                self._started.set()
            return
        self._started.set()
        try:
            self._run(machine)
        finally:
            self._ended.set()
        self._collect(machine)

    def _build(self) -> Machine:
        """Builds the machine and starts it. Raises NoKvmError, KvmError or EngineError; then nothing is left."""
        usable_kvm()
        self.capabilities = capabilities()
        machine = build_machine(self.scenario, self._limit, self._cpus)
        try:
            self.clock = replace(machine.clock, emulated=emulated(self.host))
            self._view = Outlet(cut=self.clock.cycles(CUT_SECONDS))
            self._watermark = Watermark(self.scenario, self.clock)
            self.host = {**self.host, **self.clock.facts()}
            self._stats = machine.stats()
            self._first_stats = dict(self._stats)
            machine.start()
        except BaseException:
            machine.close()
            raise
        self._machine = machine
        machine.waiting = self._wait_on
        self._sight = KernelSight(self.scenario, self.backend, self.clock)
        return machine

    def _run(self, machine: Machine) -> None:
        try:
            self._announce(machine)
            while self.error is None and not (self._stopping.is_set() and self._commands.empty()):
                self._turns += 1
                self._serve(TICK_SECONDS)
                self._play(machine)
                self._work(machine)
            self._settle(machine)
        except Exception as error:
            self._fail(error)
        finally:
            self._end(machine)

    def _fail(self, error: Exception) -> None:
        """The first error ends the session; one that is a fault of the program leaves its traceback on stderr."""
        if isinstance(error, EngineError):
            self.error = self.error or error
        elif isinstance(error, OSError | MemoryError):
            self.error = self.error or refusal_of(error, tr("The engine thread"))
        else:
            self.error = EngineError(tr("The engine thread failed: {error!r}.", error=error))
            raise error

    def _announce(self, machine: Machine) -> None:
        """The wiring and the pace as they are at the start."""
        doorbell, interrupt = self.scenario.doorbell, self.scenario.interrupt
        if doorbell:
            self._hold(self._wire(Switch.IOEVENTFD, doorbell.ioeventfd, self.now()))
        if interrupt:
            self._hold(self._wire(Switch.IRQFD, interrupt.irqfd, self.now()))
        machine.wait_until_ready()
        self._watermark.follow(machine.signal_threads())
        if self._kernel:
            self._watch_kernel(machine, True)
            self._wait_for_sight(machine)
        self._held = end_to_end(self._held, *self._stat_samples(machine, always=True))
        self._apply_pace(machine, self._pace, self._running)
        self._begun_at = self._played_at = time.monotonic()

    def _watch_kernel(self, machine: Machine, on: bool) -> None:
        """Whether the inside of the kernel is watched, from about now on."""
        assert self._sight is not None
        if not on:
            self._sight.switch_off()
            return
        until = time.monotonic() + SIGHT_SECONDS
        while not (threads := machine.signal_threads()).all_run and time.monotonic() < until:
            time.sleep(0.0005)  # started, but never on a CPU yet
        self._sight.switch_on(threads)

    def _wait_for_sight(self, machine: Machine) -> None:
        """Until it watches, so that the first signal is seen, or cannot; or it has taken too long."""
        until = time.monotonic() + SIGHT_SECONDS
        while self._sight is not None and self._sight.begins and time.monotonic() < until:
            self._turns += 1
            self._work(machine)
            time.sleep(0.002)
        if self._sight is not None and self._sight.begins:
            self._sight.give_up(SIGHT_SECONDS)

    def _play(self, machine: Machine) -> None:
        """The steps of the lab that are due; its time stands still while the pace is held."""
        elapsed, self._played_at = time.monotonic() - self._played_at, time.monotonic()
        before = self._lab.done
        for number, step in enumerate(self._lab.advance(elapsed if self._running else 0.0), before + 1):
            self._hold(event(self.now(), EventKind.SETTING, Lane.ENGINE, Setting.STEP, 0, number))
            self._step(machine, step)

    def _step(self, machine: Machine, step: LabStep) -> None:
        if step.do in SWITCHES:
            self._switch(machine, *SWITCHES[step.do])
        else:
            self._hold(self._done(self._make(machine, partial(machine.do_step, step), self.now())))

    def _serve(self, seconds: float) -> None:
        """Waits for a command for a while, then carries out those there are; after a tick the rings come first."""
        until = time.monotonic() + max(seconds, TICK_SECONDS)
        try:
            command = self._commands.get(timeout=seconds)
            while True:
                command()
                if time.monotonic() > until:
                    return
                command = self._commands.get_nowait()
        except queue.Empty:
            return

    def _work(self, machine: Machine) -> None:
        """One tick: events, samples, losses, and whether the guest still lives."""
        now = self.now()
        self._note_stall(now)
        self._drain(machine, now)
        done, seen = self._done(machine.tick()), self._sight.tick(now) if self._sight else no_events()
        stood, samples = self._standing.look(machine, self.now()), self._samples(machine)  # which may take a while
        self._held = end_to_end(self._held, done, seen, stood, *samples, *self._losses(machine))
        self._hand_on(min(self._watermark.at(), self._seen_up_to(now)))
        self.error = machine.trouble()
        self.warning = self._standing.told or (self.unseen if machine.ready else tr(NOT_READY))

    def _drain(self, machine: Machine, now: int) -> None:
        self._watermark.look(now)
        events = machine.drain()
        self._watermark.note(events)
        self._hold(events)

    def _wait_on(self) -> None:
        """The machine waits for another process, and this thread for the machine: neither stands still."""
        self._turns += 1
        self._note_stall(self.now())

    def _seen_up_to(self, now: int) -> int:
        """Up to when all that the kernel tells is there; LATEST where it tells nothing."""
        return self._sight.watermark(now, self._watermark.published) if self._sight else LATEST

    def _note_stall(self, now: int) -> None:
        """Whether the thread has stood still since the last tick: with everything else, if nothing else ran either."""
        ticked, self._ticked = self._ticked, now
        if ticked and now - ticked > self.clock.cycles(STALLED_SECONDS):
            self._hold(event(ticked, EventKind.SETTING, Lane.ENGINE, Setting.STALLED, 0, now - ticked))

    def _done(self, events: Events) -> Events:
        """What the machine has just done by itself, for handlers that come before it in the stream as well."""
        self._covering.note_done(events)
        return events

    def _hold(self, events: Events) -> None:
        self._held = end_to_end(self._held, events)

    def _hand_on(self, watermark: int) -> None:
        """Publishes all held events up to a time."""
        held = chosen(self._held, np.argsort(self._held["tsc"], kind="stable"))
        cut = int(np.searchsorted(held["tsc"], np.uint64(max(watermark, 0)), "right"))
        batch = self._finished(held[:cut], watermark)
        if batch.size:
            with self._handing_on:
                self._tees = [tee for tee in self._tees if not tee.closed]
                for outlet in (*self._tees, self._view):  # whoever records comes before whoever looks
                    outlet.put(batch)
        self._held = held[cut:]
        self._complete = max(self._complete, watermark if watermark == LATEST else min(watermark, self._sampled_at))

    def _finished(self, events: Events, watermark: int) -> Events:
        """All held events up to a time, with the last word on each, and those of the kernel up to then."""
        if events.size:
            events = self._machine.finish(events) if self._machine else events
            self._covering.fill_in(events)
        return self._sight.until(watermark, events) if self._sight else events

    # -- samples -----------------------------------------------------------------------------------------------------

    def _samples(self, machine: Machine) -> list[Events]:
        return self._count_samples(machine) + self._stat_samples(machine)

    def _count_samples(self, machine: Machine) -> list[Events]:
        """The eventfds' counts, where they have changed."""
        counts = {which: count for which, count in machine.counts().items() if count is not None}
        changed = [which for which, count in counts.items() if self._counts.get(which) != count]
        self._counts = counts
        return [event(self.now(), EventKind.COUNT, Lane.KVM, which, 0, counts[which]) for which in changed]

    def _stat_samples(self, machine: Machine, *, always: bool = False) -> list[Events]:
        """KVM's counters, where they have changed; `always`: now, and of exits whether they have or not."""
        if not always and time.monotonic() < self._next_sample:
            return []
        self._next_sample = time.monotonic() + SAMPLE_SECONDS
        now = self._sampled_at = self.now()  # before: what has happened by then is counted
        values = machine.stats()
        told = {EXITS} if always and machine.stats_are_new else set[str]()
        changed = [name for name, value in values.items() if name in told or self._stats.get(name) != value]
        self._stats = values
        return [
            event(now, EventKind.STAT, Lane.KVM, STATS.index(name), 0, values[name] - self._first_stats[name])
            for name in changed
        ]

    def _losses(self, machine: Machine) -> list[Events]:
        """What the rings have dropped since they were looked at last, and when that was."""
        lost, before = machine.lost(), self._looked_at
        self._looked_at = now = self.now()
        news = {lane: count - self._lost.get(lane, 0) for lane, count in lost.items()}
        self._lost = lost
        return [event(now, EventKind.LOST, Lane.ENGINE, lane, before, count) for lane, count in news.items() if count]

    # -- switching ---------------------------------------------------------------------------------------------------

    def _wire(self, switch: Switch, on: bool, tsc: int) -> Events:
        pid = self._machine.partner_pid if self._machine else 0
        return event(tsc, EventKind.WIRE, Lane.ENGINE, switch, pid or int(self.scenario.direct), int(on))

    def _switch(self, machine: Machine, switch: Switch, on: bool) -> None:
        """An assign takes what the eventfd has counted meanwhile, so that is looked at before it. KVM's counters are
        read before and after, so that exits are known of each wiring.

        A change takes its time, and is in force at some moment of it. An ioeventfd is told to be there only while it
        surely is, so that no doorbell leaves beside one; an irqfd while it may be, so that none is signalled before.
        Where the host writes the eventfd whether there is an irqfd or not, it holds its pace: of a write during the
        change nobody could tell what has become of it.
        """
        interrupt = self.scenario.interrupt
        held = switch == Switch.IRQFD and interrupt is not None and interrupt.waits and self._running
        if held:
            self._make(machine, partial(machine.set_pace, self._pace, False))
        for sample in self._count_samples(machine) + self._stat_samples(machine, always=True):
            self._hold(sample)
        surely = switch == Switch.IOEVENTFD
        if on is not surely:
            self._hold(self._wire(switch, on, self.now()))
        self._make(machine, partial(machine.set_ioeventfd if surely else machine.set_irqfd, on))
        if on is surely:
            self._hold(self._wire(switch, on, self.now()))
        for sample in self._stat_samples(machine, always=True):
            self._hold(sample)
        if held:
            self._make(machine, partial(machine.set_pace, self._pace, True))

    def _make(self, machine: Machine, change: Callable[[], T], until: int = LATEST) -> T:
        """What a change returns: another thread makes it, and this one drains meanwhile.

        On a busy host the kernel takes seconds to let go of an irqfd, in which the rings would overflow. until: TSC;
        nothing later is handed on before the change is made, as what it tells may be as early as that.
        """
        made: Future[T] = Future()
        thread = threading.Thread(target=carry_out, args=(change, made), name="change", daemon=True)
        try:
            begin_thread(thread)
        except EngineError:  # without another thread it is made by this one
            return change()
        while not wait((made,), TICK_SECONDS).done:
            self._ticked = now = self.now()
            self._drain(machine, now)
            self._hand_on(min(until, self._watermark.at(), self._seen_up_to(now)))
        thread.join()
        return made.result()

    def _apply_pace(self, machine: Machine, pace: Pace, running: bool) -> None:
        self._make(machine, partial(machine.set_pace, pace, running))
        values = {
            Setting.PACE: told_pace(pace.per_second),
            Setting.BURST: (0, pace.burst),
            Setting.IDLE: (0, int(pace.idle == "spin")),
            Setting.RUNNING: (0, int(running)),
        }
        now = self.now()
        for setting, value in values.items():
            self._hold(event(now, EventKind.SETTING, Lane.ENGINE, setting, *value))

    # -- ending ------------------------------------------------------------------------------------------------------

    def _settle(self, machine: Machine) -> None:
        """Holds the pace and waits until no signal is under way, or it has taken too long."""
        if self.error:
            return
        machine.set_pace(self._pace, False)
        rest, patience = Rest(machine), Patience(SETTLE_SECONDS, SETTLE_TURN, MOST_TO_SETTLE)
        while not rest.reached() and not patience.ends(machine.progress(), starved=rest.starved):
            self._turns += 1
            self._work(machine)
            time.sleep(0.001)

    def _end(self, machine: Machine) -> None:
        try:
            self._hold(self._standing.at_the_end(self.now()))
            machine.stop_threads()
            self._held = np.concatenate([self._held, machine.drain(), *self._count_samples(machine)])
            self._held = np.concatenate([self._held, *self._stat_samples(machine, always=True), *self._losses(machine)])
            if self._sight and self._sight.on:
                self._sight.switch_off()
                self._hold(self._sight.tick(self.now()))
            self._hand_on(LATEST)
            self._truth = machine.truth()
            self._truth["lost"] += self._sight.lost if self._sight else 0
            self.error = self.error or self._standing.trouble()
        except Exception as error:
            self._fail(error)
        finally:
            self._close(machine)

    def _close(self, machine: Machine) -> None:
        try:
            if self._sight:
                self._sight.close()
            machine.close()
        except EngineError as error:
            self.error = self.error or error
            self._left_behind = isinstance(error, LeftBehindError)

    def _collect(self, machine: Machine) -> None:
        """Gives back what had to be left, once the thread that uses it has ended after all."""
        while self._left_behind:
            time.sleep(COLLECT_SECONDS)
            self._left_behind = False
            self._close(machine)


def carry_out(change: Callable[[], T], made: Future[T]) -> None:
    """Makes a change, and hands on what came of it."""
    try:
        made.set_result(change())
    except BaseException as error:
        made.set_exception(error)
