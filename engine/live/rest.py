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

    @property
    def starved(self) -> bool:
        """Whether one who could go on has waited for a CPU since something went on last."""
        return not self._idleness.shown()

    def reached(self) -> bool:
        """To be asked again and again. May take some milliseconds."""
        before = self._machine.progress()
        if before != self._progress:
            self._progress = before
            self._idleness.begin_anew()
        return self._machine.at_rest() and self._idleness.shown() and self._machine.progress() == before
