"""How a scenario's wires stand at a moment of a run, besides whether its switches are on."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.events import Switch
from bellwire.engine.scenarios.scenario import Doorbell


@dataclass(frozen=True)
class WireState:
    """None: as the scenario begins.

    once: switches that have been on in this run.
    doorbell: as its ioeventfd is registered, which a lab's steps change.
    vector, vcpu: where the GSI's route leads, which an order changes.
    """

    once: frozenset[Switch] = frozenset()
    doorbell: Doorbell | None = None
    vector: int | None = None
    vcpu: int | None = None
