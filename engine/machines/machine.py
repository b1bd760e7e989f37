"""What a Session runs: the interface that every machine has.

The Session's engine thread is the only one that uses a machine, so nothing in it locks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Clock, EventfdRole, Events, Lane, no_events
from bellwire.engine.kernel.threads import SignalThreads
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines.guest import two_cpus
from bellwire.engine.machines.stamping import NO_LIMIT
from bellwire.engine.scenarios.scenario import LabStep, Pace, Scenario

NO_LAB = tr_later("This machine takes no steps of a lab but the live switches.")
ONE_ROUTE = tr_later("The guest has a second vector for messages only, and only where the host signals it.")


class Partner(Protocol):
    """Another process with a part in the signals. stop_told: that it stands still, as a sentence; "" if it does not."""

    @property
    def pid(self) -> int: ...

    def stop_told(self) -> str: ...


class Machine(ABC):
    """Guests, threads and wires, built whole and closed whole. What it is says engine/scenarios/machine_kinds.py.

    limit: signals in all, by default no end. cpus: for its two threads, by default two of this process's.
    cannot: orders that this machine does not know, each with the reason, which tr() says.
    partner: the other process that the guest talks with, "" if there is none; partner_pid: its number, or 0.
    waiting: called again and again while it waits for such a process, which may take seconds.
    stats_are_new: whether stats() are always of the moment at which they are asked for.
    """

    clock: Clock
    cannot: dict[str, str]
    partner = ""
    partner_pid = 0
    stats_are_new = True
    waiting: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        self.scenario = scenario
        self.limit = NO_LIMIT if limit is None else limit
        self.cpus = two_cpus() if cpus is None else cpus
        self.cannot = {"route": ONE_ROUTE}

    @classmethod
    def refusal(cls) -> str:
        """Why this host, which has KVM, cannot run it all the same; "" if it can."""
        return ""

    # -- running -----------------------------------------------------------------------------------------------------

    @abstractmethod
    def start(self) -> None:
        """Starts all threads; the pace is still held."""

    @abstractmethod
    def wait_until_ready(self) -> None:
        """Until the guests take interrupts, or have ended, or it has taken too long."""

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether every guest says that it takes interrupts."""

    @abstractmethod
    def set_pace(self, pace: Pace, running: bool) -> None:
        """Takes effect at once, in whoever keeps the pace."""

    def tick(self) -> Events:
        """What the machine does by itself, asked several times a second; the events that tell of it."""
        return no_events()

    def finish(self, events: Events) -> Events:
        """The last word on a batch (sorted by tsc) before it is handed on: here there is nothing to add."""
        return events

    def set_ioeventfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already."""
        raise EngineError(tr(self.cannot["ioeventfd"]))

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns it, if it is not so already."""
        raise EngineError(tr(self.cannot["irqfd"]))

    def change_route(self) -> Events:
        """Leads the interrupt's GSI elsewhere; the event that tells where."""
        raise EngineError(tr(self.cannot["route"]))

    def ring_once(self) -> None:
        """Asks the guest for one doorbell."""
        raise EngineError(tr(self.cannot["doorbell"]))

    def interrupt_once(self) -> None:
        """Signals one interrupt."""
        raise EngineError(tr(self.cannot["interrupt"]))

    def do_step(self, step: LabStep) -> Events:
        """Does a step of a lab that is none of the live switches; the events that tell of it."""
        raise EngineError(tr(NO_LAB))

    # -- what has happened -------------------------------------------------------------------------------------------

    @abstractmethod
    def drain(self) -> Events:
        """All new events of all sources, not sorted."""

    @abstractmethod
    def counts(self) -> dict[EventfdRole, int | None]:
        """The eventfds' counts, peeked at; None where the kernel does not tell."""

    @abstractmethod
    def stats(self) -> dict[str, int]:
        """KVM's own counters of all vCPUs, summed up."""

    @abstractmethod
    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""

    @abstractmethod
    def truth(self) -> dict[str, Any]:
        """The counters behind the events, to be compared with a Tally: rung, handled, reads, received, ..."""

    @abstractmethod
    def trouble(self) -> EngineError | None:
        """Why it cannot go on, if it cannot: a guest has ended, a thread met an error."""

    @abstractmethod
    def at_rest(self) -> bool:
        """Whether no signal is under way. May take some milliseconds."""

    @abstractmethod
    def progress(self) -> tuple[int, ...]:
        """Counts of which one grows whenever a signal has come further, and none otherwise."""

    def partners(self) -> Iterable[Partner]:
        """The other processes without which no signal arrives."""
        return ()

    def signal_threads(self) -> SignalThreads:
        """The threads that its signals go through, once they run."""
        return SignalThreads(processes={self.partner_pid: 0} if self.partner_pid else {})

    # -- ending ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def stop_threads(self) -> None:
        """Ends all threads; what they did can still be drained."""

    @abstractmethod
    def close(self) -> None:
        """Ends the threads, deassigns, closes, unmaps. May be called again."""
