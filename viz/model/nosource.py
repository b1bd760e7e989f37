"""The source of a program that has none: no KVM here, and no recording opened. Every view can be built on it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from bellwire.engine.errors import EngineError
from bellwire.engine.events import Clock, Events, no_events
from bellwire.engine.scenarios.scenario import DEFAULT, Scenario, load_scenario


class NoSource:
    """Yields nothing, can do nothing, and says why."""

    label = "NO KVM"
    backend = "no KVM"
    alive = False

    def __init__(self, reason: str, scenario: Scenario | None = None) -> None:
        self.reason = reason
        self.scenario = scenario or load_scenario(DEFAULT)
        self.host: dict[str, str] = {}
        self.clock = Clock(1e9)
        self.error: EngineError | None = None
        self.warning = ""

    def start(self) -> None:
        """Nothing begins."""

    def stop(self) -> None:
        """Nothing ends."""

    def take(self) -> Events:
        """Nothing."""
        return no_events()

    def now(self) -> int:
        """Time stands still."""
        return 0

    def can(self, ability: str) -> str:
        """Why nothing is possible."""
        return self.reason

    def set_ioeventfd(self, on: bool) -> None:
        """Does nothing."""

    def set_irqfd(self, on: bool) -> None:
        """Does nothing."""

    def set_pace(self, per_second: float) -> None:
        """Does nothing."""

    def set_burst(self, signals: int) -> None:
        """Does nothing."""

    def set_idle(self, idle: str) -> None:
        """Does nothing."""

    def set_running(self, on: bool) -> None:
        """Does nothing."""

    def ring_once(self) -> None:
        """Does nothing."""

    def interrupt_once(self) -> None:
        """Does nothing."""

    def change_route(self) -> None:
        """Does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to end."""
