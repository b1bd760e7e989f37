"""Where a replay stands: a playhead that goes with the wall clock, or slower; paused, or at the end. No Qt."""

from __future__ import annotations

from bellwire.engine.recordings.recording import Recording
from bellwire.viz.model.transport import Transport


class SeenPlayhead:
    """Moves over one recording, from its first event to its last. It is the main window's time control."""

    def __init__(self, recording: Recording) -> None:
        self.first, self.last = recording.first, recording.last
        self.transport = Transport(recording.header.clock)
        self.transport.seek(self.first)
        self.play()

    @property
    def tsc(self) -> int:
        """The moment that is shown."""
        return min(max(self.transport.playhead, self.first), self.last)

    @property
    def at_the_end(self) -> bool:
        """Whether there is nothing more to come."""
        return self.tsc >= self.last

    @property
    def plays(self) -> bool:
        """Whether it moves."""
        return not self.transport.paused and not self.at_the_end

    def seek(self, tsc: int) -> None:
        """Shows a moment; it stands there as it went on before."""
        paused = self.transport.paused
        self.transport.seek(min(max(tsc, self.first), self.last))
        self.transport.paused = paused

    def play(self) -> None:
        """Goes on; from the end it begins anew."""
        if self.at_the_end:
            self.transport.seek(self.first)
        self.transport.paused, self.transport.away = False, True

    def pause(self) -> None:
        """Stands still."""
        self.transport.pause()

    def set_factor(self, factor: float) -> None:
        """So many times slower than it happened."""
        self.transport.set_factor(factor)
        self.transport.away = True

    def advance(self, seconds: float) -> None:
        """Moves on by so much of the viewer's time."""
        self.transport.advance(seconds, self.last, True, lambda tsc: None, self.last)
