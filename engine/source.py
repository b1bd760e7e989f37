"""Where events come from: what a live Session, a Replay and a program without either have in common.

Every view is built on it, so every view can be tested, and used, without KVM.
"""

from __future__ import annotations

from enum import StrEnum
from types import TracebackType
from typing import Self

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Clock, Events, no_events
from bellwire.engine.language import tr
from bellwire.engine.outlet import Outlet
from bellwire.engine.scenarios.scenario import DEFAULT, Scenario, load_scenario

LATEST = 2**64 - 1  # TSC


class Label(StrEnum):
    """What a source is, as it stands on the screen."""

    LIVE = "LIVE"
    REPLAY = "REPLAY"
    NO_KVM = "NO KVM"
    STARTING = "STARTING"


class Order(StrEnum):
    """What a source can be asked to do while it runs. Beside each: its value; True where nothing is said."""

    IOEVENTFD = "ioeventfd"  # whether it is assigned
    IRQFD = "irqfd"  # whether it is assigned
    ROUTE = "route"  # the interrupt's GSI leads to the guest's other vector
    DOORBELL = "doorbell"  # the guest rings once
    INTERRUPT = "interrupt"  # the host interrupts the guest once
    PACE = "pace"  # signals a second; math.inf: flat out; 0: by hand only
    BURST = "burst"  # signals a tick of the pace
    IDLE = "idle"  # what the guest does between signals: "hlt" or "spin"
    RUN = "run"  # whether the pace drives signals, or is held
    KERNEL = "kernel"  # whether the inside of the kernel is watched


class Source:
    """Yields events in the order of their TSC; takes orders, which come back as events.

    As it stands here it yields nothing and does nothing; whoever inherits from it says what it can.
    """

    label = Label.LIVE
    why_nothing = ""  # why there is neither a guest nor a recording; "" if there is one

    def __init__(self, scenario: Scenario, host: dict[str, str], clock: Clock) -> None:
        """host: kernel, cpu, cpus, backend, clock; of a started one also tsc_khz and tsc_offset."""
        self.scenario, self.host, self.clock = scenario, host, clock
        self.capabilities: dict[str, int] = {}  # what KVM answered for each, once a session runs

    @property
    def backend(self) -> str:
        """Which KVM ran the guest: "kvm_intel", "kvm_amd", "kvm_pvm"."""
        return self.host.get("backend", "")

    @property
    def error(self) -> EngineError | None:
        """Why it failed, once it has."""
        return None

    @property
    def warning(self) -> str:
        """What is not as it should be, though it goes on; "" if nothing."""
        return ""

    @property
    def unseen(self) -> str:
        """Why nothing in the kernel is seen although it was asked for; "" if it is, or was not."""
        return ""

    @property
    def alive(self) -> bool:
        """Whether events may still come."""
        return False

    def ask_as(self, before: Source) -> None:
        """Before start(): whatever was asked of the source before it, besides its scenario, is asked of this one."""

    def start(self) -> None:
        """Begins to yield events, at once or as soon as it is no longer `starting`."""

    @property
    def starting(self) -> bool:
        """Whether it has yet to be seen if it can yield events; until then `clock` and `host` are not known."""
        return False

    def wait_until_started(self, seconds: float | None = None) -> bool:
        """Waits until it is no longer `starting`, or for so long; whether it is so. Raises why it cannot start."""
        return True

    def stop(self) -> None:
        """Ends; may be called again; what is left can still be taken."""

    def take(self, most: int | None = None) -> Events:
        """What is new since the last call, sorted by tsc. Never blocks.

        most: about so many of the oldest, if there are more. Who takes too slowly has events passed over, and LOST
        events that say so.
        """
        return no_events()

    def tee(self, room: int) -> Outlet:
        """An outlet for another one, of all that take() has not yet yielded; here nothing comes. room: in events."""
        return Outlet(room)

    def now(self) -> int:
        """The present in TSC cycles (of a replay: the recording's present)."""
        return 0

    @property
    def complete(self) -> int:
        """Up to which TSC the newest take() has handed on everything, of every stream; LATEST: up to now()."""
        return LATEST

    def can(self, order: Order) -> str:
        """ "" if an order is possible now, else the reason why not."""
        return ""

    def order(self, order: Order, value: bool | float | str = True) -> None:
        """Takes an order and returns at once; one that is not possible now is passed over."""

    def __enter__(self) -> Self:
        self.start()
        self.wait_until_started()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class NoSource(Source):
    """The source of a program that has none: no KVM here, and no recording opened. It says why."""

    label = Label.NO_KVM

    def __init__(self, reason: str, scenario: Scenario | None = None, label: Label = Label.NO_KVM) -> None:
        """label: NO_KVM, or STARTING in place of a source that is still being built."""
        super().__init__(scenario or load_scenario(DEFAULT), {}, Clock(1e9))
        self.why_nothing, self.label = reason, label

    @property
    def backend(self) -> str:
        """None."""
        return tr("no KVM") if self.label is Label.NO_KVM else ""

    def can(self, order: Order) -> str:
        """Nothing, and why."""
        return self.why_nothing
