"""Other processes with a part in the signals that stand still while the session runs, by a signal or a debugger.

Whatever such a process was asked for waits until it goes on, and may wait for ever. So the session says it while it is
so, by events for whoever reads them later, and by an error if it ends so.
"""

from __future__ import annotations

from bellwire.engine.errors import EngineError
from bellwire.engine.events import EventKind, Events, Lane, Setting, end_to_end, event, no_events
from bellwire.engine.language import tr
from bellwire.engine.machines.machine import Machine


class StandingStill:
    """Of one session; used by its engine thread alone. told: that one stands still now, as a sentence; "" if none."""

    def __init__(self) -> None:
        self.told = ""
        self._names: list[str] = []  # of those that stand still
        self._seen: dict[int, int] = {}  # by number of the process: TSC of the newest look that found it so

    def look(self, machine: Machine, now: int) -> Events:
        """Looks at every partner; the events of those that have been stopped, or go on, since the last look.

        One that goes on did so behind the last look that found it standing still, and nothing that it has done since
        then can have come before that.
        """
        self.told, self._names, parts = "", [], [no_events()]
        for partner in machine.partners():
            pid, told = partner.pid, partner.stop_told()
            if told and pid not in self._seen:
                parts.append(stop_event(now, pid, stopped=True))
            elif not told and pid in self._seen:
                parts.append(stop_event(self._seen.pop(pid), pid, stopped=False))
            if told:
                self._seen[pid], self.told = now, self.told or told
                self._names.append(str(partner))
        return end_to_end(*parts)

    def at_the_end(self, now: int) -> Events:
        """Who still stands still: the same again, which says how long at least."""
        return end_to_end(no_events(), *(stop_event(now, pid, stopped=True) for pid in self._seen))

    def trouble(self) -> EngineError | None:
        """What it means that one has not gone on until the end; None if none stands still."""
        if not self._names:
            return None
        return EngineError(
            tr(
                "{program} stood still, stopped by a signal or a debugger, and had not gone on when the run ended: "
                "what was asked of it meanwhile is missing.",
                program="; ".join(self._names),
            )
        )


def stop_event(tsc: int, pid: int, *, stopped: bool) -> Events:
    """That a process has been stopped by then, or goes on from then on."""
    return event(tsc, EventKind.SETTING, Lane.ENGINE, Setting.PARTNER_STOPPED, pid, pid if stopped else 0)
