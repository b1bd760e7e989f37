"""One guest and the QEMU that runs it: how it boots, whose clock is whose, what KVM counts of it, how it ends.

Nobody can wake this guest from outside, so it looks at its control page again and again while it waits (LOOK_SECONDS).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import STATS, Clock, Events, end_to_end
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.partners.qemu import Qemu
from bellwire.engine.kvm.vcpu import tsc_hz_of_guests
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines.stamping import FAULTS, NOBODY, GuestProgram, StampingGuest
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.verdict import Ending, Verdict

READY_SECONDS = 30.0  # how long the guest may take to boot: here 0.3 s, on an emulated CPU that others use too 10 s
LOOK_SECONDS = 0.004  # how often a guest that waits looks at its control page
STATS_SECONDS = 1.0  # how often QEMU is asked for KVM's counters, for which it stops the vCPU for a moment
CLOCK_ROUNDS = 64  # questions for the guest's time
DYING_SECONDS = 3.0  # a process that dies hangs up before it is gone: a moment, or on an emulated CPU a second

IOEVENTFD_STAYS = tr_later("QEMU settles it as it starts the device: ioeventfd=off is an option of the device.")
IRQFD_STAYS = tr_later("QEMU settles it as the driver enables the device's messages.")
AMISS = {
    lib.BW_DEVICE_NONE: tr_later("The guest has not found its device where QEMU was told to plug it in."),
    lib.BW_DEVICE_MESSAGES: tr_later("The guest's device takes no message for its queue."),
    lib.BW_DEVICE_FEATURES: tr_later("The guest's device refuses VIRTIO_F_VERSION_1."),
    lib.BW_DEVICE_DOORBELL: tr_later("The doorbell of the guest's device is not at the scenario's address."),
    lib.BW_DEVICE_PEER: tr_later("The guest's device has the number of the peer that the guest is to ring."),
}


class QemuGuest(StampingGuest):
    """The guest, as its memory shows it. tsc_hz: of its TSC, by default as KVM tells; index: which guest it is."""

    def __init__(self, program: GuestProgram, index: int = 0, tsc_hz: float | None = None) -> None:
        super().__init__(program, index)
        self.memory = Memory()
        self._kept: list[Events] = []
        try:
            self.clock = Clock(tsc_hz_of_guests() if tsc_hz is None else tsc_hz)
            self.load()
            self.control(lib.BW_CTL_LOOK, "Q", self.clock.cycles(LOOK_SECONDS))
            self.prepare_stamps()
        except BaseException:
            self.close()
            raise

    def nudge(self) -> None:
        """It looks by itself."""

    def keep_stamps(self) -> None:
        """Takes what is new, for drain_stamps(): a stamp is lost if nobody looks for a second."""
        self._kept.append(super().drain_stamps())

    def drain_stamps(self, announced: Any = NOBODY) -> Events:
        """All new events of the guest itself, and those that were kept."""
        kept, self._kept = self._kept, []
        return end_to_end(*kept, super().drain_stamps(announced))

    def drain(self) -> Events:
        """The same, with the guest's number."""
        events = self.drain_stamps()
        events["vm"] = self.index
        return events

    def compare_clocks(self, given_up: Callable[[], bool]) -> tuple[int, int] | None:
        """By how many cycles its TSC is ahead of the host's: at least, at most; None if it is given up before.

        Each answer was given between two looks at our own clock.
        """
        least, most = -(2**63), 2**63
        for asked in range(1, CLOCK_ROUNDS + 1):
            before = int(lib.bw_tsc())
            self.control(lib.BW_CTL_CLOCK, "I", asked)
            while self._status(lib.BW_ST_CLOCK, "I") != asked:
                if given_up() or self.amiss():
                    return None
                time.sleep(0)
            after, told = int(lib.bw_tsc()), self._status(lib.BW_ST_CLOCK_TSC, "Q")
            least, most = max(least, told - after), min(most, told - before)
        self.control(lib.BW_CTL_CLOCK, "I", lib.BW_CLOCK_DONE)
        return least, most

    def shift(self, cycles: int) -> None:
        """Its stamps are ahead of the host's clock by so much."""
        lib.bw_stamps_set_offset(self._stamps, cycles)

    def amiss(self) -> int:
        """BW_DEVICE_*, if its driver did not find what it needs; 0 if nothing is amiss."""
        return self._status(lib.BW_ST_DEVICE, "I")

    def fault(self) -> int | None:
        """The exception that has ended it, if one has."""
        number = self._status(lib.BW_ST_FAULT, "I")
        return number - 1 if 0 < number <= FAULTS else None

    def _status(self, offset: int, layout: str) -> int:
        return self.memory.get(lib.BW_STATUS + offset, layout)

    def close(self) -> None:
        """Unmaps its memory."""
        self.memory.close()


class GuestInQemu(Owner):
    """Starts QEMU, halted, with this guest, which outlives it. devices, fds: as Qemu takes them. Raises EngineError."""

    def __init__(self, guest: QemuGuest, devices: list[str], fds: tuple[int, ...]) -> None:
        self.guest = guest
        self.qemu = Qemu(guest.memory, GUESTS / "reset.rom", devices, fds)
        self._stats: dict[str, int] = {}
        self._next_stats = 0.0  # on time.monotonic(); math.inf once QEMU does not tell

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self, vcpu_cpu: int = -1, io_cpu: int = -1) -> None:
        """Lets the guest run; the pace is still held. Of a QEMU that has ended meanwhile trouble() tells why."""
        try:
            self.qemu.start(vcpu_cpu, io_cpu)
        except EngineError:
            if not self.qemu.ending(DYING_SECONDS):
                raise

    def wait_until_ready(self) -> None:
        """Until the guest's driver has set its device up, and the clocks were compared. EngineError of one stopped."""
        until = time.monotonic() + READY_SECONDS

        def given_up() -> bool:
            if why := self.qemu.stop_told():
                raise EngineError(why)
            return self.qemu.exit_code is not None or time.monotonic() > until

        bounds = self.guest.compare_clocks(given_up)
        if bounds and not bounds[0] <= 0 <= bounds[1]:
            self.guest.shift(sum(bounds) // 2)
        while not self.guest.ready and not given_up():
            time.sleep(0.0005)
        self.ask_for_stats()

    # -- what has happened -------------------------------------------------------------------------------------------

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPU, as QEMU told them last; now and then it is asked again."""
        if time.monotonic() >= self._next_stats:
            self.ask_for_stats()
        return self._stats

    def ask_for_stats(self) -> None:
        """Asks QEMU, unless it has ended, or did not tell once while it ran."""
        if self.answers and not self.qemu.stop_told():
            told = self.qemu.vcpu_stats(STATS)
            self._stats = told or self._stats
            runs = told or self.qemu.stop_told()
            self._next_stats = time.monotonic() + STATS_SECONDS if runs else math.inf

    @property
    def answers(self) -> bool:
        """Whether QEMU lives and has not failed to tell."""
        return self._next_stats < math.inf and self.qemu.exit_code is None

    def trouble(self, who: str = "") -> EngineError | None:
        """Why it cannot go on, if it cannot: its driver gave up, or QEMU has ended, of which the guest may tell why.

        who: as it begins a sentence; "" if it is the only one.
        """
        if what := self.guest.amiss():
            return named(who, tr(AMISS[what]) if what in AMISS else tr("The guest's driver gave up."))
        if self.qemu.exit_code is None:
            return None
        fault = self.guest.fault()
        if fault is not None:
            return GuestError(Ending(Verdict.FAULT, fault).told(who or tr("The guest")), Verdict.FAULT)
        return named(who, self.qemu.ending())

    # -- ending ------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Ends QEMU, which is asked no more. May be called again."""
        self._next_stats = math.inf
        self.qemu.close()


def named(who: str, what: str) -> EngineError:
    """A sentence about one of several."""
    return EngineError(tr("{who}: {what}", who=who, what=what) if who else what)
