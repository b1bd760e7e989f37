"""The engine: runs a scenario in a real KVM guest and yields events. No Qt anywhere.

    from bellwire.engine import Session, Tally, load_scenario

Each name is imported at its first use, so that who needs one module of the engine does not wait for all of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bellwire.engine.errors import EngineError, KvmError, NoKvmError, RecordingError, ScenarioError
    from bellwire.engine.events import EVENT, Clock, EventKind, Events, Lane
    from bellwire.engine.folds.latency import Latencies
    from bellwire.engine.folds.tally import Tally
    from bellwire.engine.live.session import Session
    from bellwire.engine.recordings.header import Header
    from bellwire.engine.recordings.recorder import Recorder
    from bellwire.engine.recordings.recording import Recording
    from bellwire.engine.recordings.replay import Replay
    from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario
    from bellwire.engine.source import Source

__all__ = [
    "EVENT",
    "Clock",
    "EngineError",
    "EventKind",
    "Events",
    "Header",
    "KvmError",
    "Lane",
    "Latencies",
    "NoKvmError",
    "Recorder",
    "Recording",
    "RecordingError",
    "Replay",
    "Scenario",
    "ScenarioError",
    "Session",
    "Source",
    "Tally",
    "list_scenarios",
    "load_scenario",
]

_WHERE = {
    "errors": ("EngineError", "KvmError", "NoKvmError", "RecordingError", "ScenarioError"),
    "events": ("EVENT", "Clock", "EventKind", "Events", "Lane"),
    "folds.latency": ("Latencies",),
    "folds.tally": ("Tally",),
    "live.session": ("Session",),
    "recordings.header": ("Header",),
    "recordings.recorder": ("Recorder",),
    "recordings.recording": ("Recording",),
    "recordings.replay": ("Replay",),
    "scenarios.scenario": ("Scenario", "list_scenarios", "load_scenario"),
    "source": ("Source",),
}


def __getattr__(name: str) -> object:
    """One of __all__, from the module that it lives in (PEP 562)."""
    for module, names in _WHERE.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
