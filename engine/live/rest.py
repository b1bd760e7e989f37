"""When a session's signals have all arrived: nothing is under way, and nobody who could send more waits for a CPU."""

from __future__ import annotations

from bellwire.engine.host.idleness import Idleness
from bellwire.engine.machines.machine import Machine


class Rest:
    """Of a machine whose pace is held. A guest that others keep from a CPU has not seen yet that it is."""

    def __init__(self, machine: Machine) -> None:
        threads = machine.signal_threads()
        self._machine, self._idleness = machine, Idleness(threads.own, threads.processes)
        self._progress = machine.progress()
        self.starved = False  # whether, when that was asked last, one who could go on waited for a CPU

    def reached(self) -> bool:
        """To be asked again and again. May take some milliseconds."""
        before = self._machine.progress()
        if before != self._progress:
            self._progress = before
            self._idleness.begin_anew()
        at_rest = self._machine.at_rest()
        self.starved = not self._idleness.shown()
        return at_rest and not self.starved and self._machine.progress() == before
