"""The classic machine, but io_uring is the signaller: each interrupt is the completion of a read."""

from __future__ import annotations

from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.uring import Uring, uring_refusal
from bellwire.engine.language import tr_later, tr_n
from bellwire.engine.machines.one_guest import OneGuest

COMPLETION_SIGNALS = tr_later(
    "The completion of a read signals the irqfd's eventfd: without the irqfd nobody interrupts the guest."
)


class UringGuest(OneGuest):
    """The classic machine, but each interrupt is the completion of a read."""

    @classmethod
    def refusal(cls) -> str:
        """io_uring may be disabled, or missing."""
        return uring_refusal()

    def _connect(self) -> None:
        self.cannot |= {"irqfd": COMPLETION_SIGNALS}
        self.uring = Uring(self.guest.memory, self.interrupts.eventfds[0])
        self._stack.callback(self._end_reading)
        self.io_thread.read_by(self.uring.handle)
        super()._connect()

    def _end_reading(self) -> None:
        """First the thread, which uses the io_uring: if it does not end, both are left behind."""
        self.io_thread.stop()
        self.uring.close()

    def set_irqfd(self, on: bool) -> None:
        """On: assigned, and the I/O thread reads. It cannot be switched off."""
        super().set_irqfd(on)
        self.io_thread.command(path=lib.BW_PATH_URING)

    def truth(self) -> dict[str, Any]:
        """completed: blocks read; wrong: of these, those that did not arrive as they are in the file."""
        return {**super().truth(), "completed": self.uring.completed, "wrong": self.uring.wrong}

    def trouble(self) -> EngineError | None:
        """A block that is not the file's, too."""
        if self.uring.wrong:
            return EngineError(
                tr_n(
                    "{n} block in the guest's memory is not what the file holds.",
                    "{n} blocks in the guest's memory are not what the file holds.",
                    self.uring.wrong,
                )
            )
        return super().trouble()
