"""Where events come from: the one interface that a live Session and a Replay share.

Every view is built on it, so every view can be tested, and used, without KVM.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Clock, Events

if TYPE_CHECKING:
    from bellwire.engine.scenarios.scenario import Scenario


class Source(Protocol):
    """Yields events in the order of their TSC; takes commands that come back as events."""

    label: str  # "LIVE" or "REPLAY"
    backend: str  # "kvm_intel", "kvm_amd", "kvm_pvm"
    host: dict[str, str]  # kernel, cpu, cpus, backend, clock; of a started one also tsc_khz and tsc_offset
    clock: Clock
    scenario: Scenario

    @property
    def error(self) -> EngineError | None:
        """Why it failed, once it has."""

    @property
    def warning(self) -> str:
        """What is not as it should be, though it goes on; "" if nothing."""

    @property
    def alive(self) -> bool:
        """Whether events may still come."""

    def start(self) -> None:
        """Begins to yield events."""

    def stop(self) -> None:
        """Ends; may be called again; what is left can still be taken."""

    def take(self) -> Events:
        """Everything new since the last call, sorted by tsc. Never blocks."""

    def now(self) -> int:
        """The present in TSC cycles (of a replay: the recording's present)."""

    def can(self, ability: str) -> str:
        """ "" if a command is possible now, else the reason why not.

        Abilities: ioeventfd, irqfd, route, pace, burst, idle, run, doorbell, interrupt.
        """

    def set_ioeventfd(self, on: bool) -> None:
        """Assigns or deassigns the ioeventfd while the guest runs."""

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns the irqfd while the guest runs."""

    def set_pace(self, per_second: float) -> None:
        """Signals a second; math.inf: flat out; 0: by hand only."""

    def set_burst(self, signals: int) -> None:
        """Signals a tick of the pace."""

    def set_idle(self, idle: str) -> None:
        """What the guest does between signals: "hlt" or "spin"."""

    def set_running(self, on: bool) -> None:
        """Holds the pace, or lets it go on."""

    def ring_once(self) -> None:
        """Asks the guest for one doorbell."""

    def interrupt_once(self) -> None:
        """Sends the guest one interrupt."""

    def change_route(self) -> None:
        """Leads the interrupt to the guest's other vector while interrupts fly."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
