"""The guest of a real QEMU, which has a virtio disk: QEMU is VMM and device in one, and knows nothing of us.

This program starts QEMU and gives it the guest's memory; both wires are QEMU's own: it registers the ioeventfd once the
driver has enabled the device, and the irqfd once it has enabled the device's messages. What we know of either is what
the guest stamps. The guest has one request under way at a time, so each doorbell is answered by one interrupt.

Nobody can wake this guest from outside, so it looks at its control page again and again while it waits (LOOK_SECONDS).
What the guest says it has written is looked up in the disk's image at the end.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, GuestError
from bellwire.engine.events import STATS, Clock, EventfdRole, Events, Lane
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.partners.qemu import Qemu, disk_devices, qemu_refusal, vhost_user_devices
from bellwire.engine.kvm.partners.storage_daemon import StorageDaemon, daemon_refusal, unnamed_image
from bellwire.engine.kvm.vcpu import tsc_hz_of_guests
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines.disk import DISK_SIZE, disk_trouble, disk_truth
from bellwire.engine.machines.machine import Machine
from bellwire.engine.machines.stamping import FAULTS, GuestProgram, StampingGuest
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import Pace, QemuStart, Scenario
from bellwire.engine.verdict import Ending, Verdict

READY_SECONDS = 10.0  # how long QEMU and the guest may take to boot: here 0.3 s
LOOK_SECONDS = 0.004  # how often a guest that waits looks at its control page
STATS_SECONDS = 1.0  # how often QEMU is asked for KVM's counters, for which it stops the vCPU for a moment
CLOCK_ROUNDS = 64  # questions for the guest's time
DYING_SECONDS = 0.2  # a process that dies hangs up a moment before it is gone
DEVICE = "/machine/peripheral-anon/device[1]/virtio-backend"

IOEVENTFD_STAYS = tr_later("QEMU settles it as it starts the device: ioeventfd=off is an option of the device.")
IRQFD_STAYS = tr_later("QEMU settles it as the driver enables the device's messages.")
QEMU_SIGNALS = tr_later("QEMU signals here: ring the doorbell.")
AMISS = {
    lib.BW_DEVICE_NONE: tr_later("The guest has found no virtio device where QEMU was told to plug it in."),
    lib.BW_DEVICE_MESSAGES: tr_later("The guest's device takes no message for its queue."),
    lib.BW_DEVICE_FEATURES: tr_later("The guest's device refuses VIRTIO_F_VERSION_1."),
    lib.BW_DEVICE_DOORBELL: tr_later("The doorbell of the guest's device is not at the scenario's address."),
}


class QemuGuest(StampingGuest):
    """The guest, as its memory shows it. tsc_hz: of its TSC."""

    def __init__(self, program: GuestProgram, tsc_hz: float) -> None:
        super().__init__(program)
        self.memory = Memory()
        try:
            self.clock = Clock(tsc_hz)
            self.load()
            self.control(lib.BW_CTL_LOOK, "Q", self.clock.cycles(LOOK_SECONDS))
            self.prepare_stamps()
        except BaseException:
            self.close()
            raise

    def nudge(self) -> None:
        """It looks by itself."""

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


class RealQemu(Machine):
    """Builds what a scenario names. cpus: for QEMU's vCPU and its I/O thread; by default two of this process's."""

    def __init__(self, scenario: Scenario, limit: int | None = None, cpus: tuple[int, int] | None = None) -> None:
        super().__init__(scenario, limit, cpus)
        assert scenario.doorbell is not None
        assert scenario.interrupt is not None
        assert scenario.qemu is not None
        self.cannot |= {"ioeventfd": IOEVENTFD_STAYS, "irqfd": IRQFD_STAYS, "interrupt": QEMU_SIGNALS}
        self._stack = Belongings()
        self.daemon: StorageDaemon | None = None  # that serves the disk, if QEMU does not
        self._stats: dict[str, int] = {}
        self._next_stats = 0.0  # on time.monotonic(); math.inf once QEMU does not tell
        self._queue: dict[str, Any] = {}
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    @classmethod
    def refusal(cls) -> str:
        """QEMU may not be installed, whose package needs that of the daemon."""
        return qemu_refusal() or daemon_refusal()

    def _build(self) -> None:
        enter, doorbell, interrupt = self._stack.enter, self.scenario.doorbell, self.scenario.interrupt
        assert doorbell is not None
        assert interrupt is not None
        assert self.scenario.qemu is not None
        program = GuestProgram(self.scenario.guest, self.limit, doorbell, interrupt.vector)
        self.guest = enter(QemuGuest(program, tsc_hz_of_guests()))
        self.guest.follow(self.guest)
        self.clock = self.guest.clock
        devices, fds = self._plug_in(self.scenario.qemu, doorbell.ioeventfd)
        self.qemu = enter(Qemu(self.guest.memory, GUESTS / "reset.rom", devices, fds))
        served_by = self.daemon or self.qemu
        self.partner, self.partner_pid = str(served_by), served_by.pid

    def _plug_in(self, how: QemuStart, ioeventfd: bool) -> tuple[list[str], tuple[int, ...]]:
        """The disk: its part of QEMU's command, and the fds that this names."""
        if how.device == "vhost-user-blk":
            self.daemon = self._stack.enter(StorageDaemon(DISK_SIZE))
            self.image, connection = self.daemon.image, self.daemon.connect()
            return vhost_user_devices(connection), (connection.fileno(),)
        self.image = unnamed_image(DISK_SIZE)
        self._stack.callback(self.image.close)
        return disk_devices(self.image, io_thread=how.io_thread, ioeventfd=ioeventfd), (self.image.fileno(),)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Lets QEMU run the guest; the pace is still held. Of a QEMU that has ended meanwhile trouble() tells why."""
        try:
            self.qemu.start(*self.cpus)
        except EngineError:
            if not self.qemu.ending(DYING_SECONDS):
                raise

    def wait_until_ready(self) -> None:
        """Until the guest's driver has set its device up, and the clocks were compared."""
        until = time.monotonic() + READY_SECONDS

        def given_up() -> bool:
            return self.qemu.exit_code is not None or time.monotonic() > until

        bounds = self.guest.compare_clocks(given_up)
        if bounds and not bounds[0] <= 0 <= bounds[1]:
            self.guest.shift(sum(bounds) // 2)
        while not self.ready and not given_up():
            time.sleep(0.0005)
        self._ask_for_stats()

    @property
    def ready(self) -> bool:
        """Whether the guest takes interrupts."""
        return self.guest.ready

    def set_pace(self, pace: Pace, running: bool) -> None:
        """Takes effect as soon as the guest looks."""
        self.guest.set_idle(pace.idle)
        self.guest.set_pace(pace, running)

    def ring_once(self) -> None:
        """Asks the guest for one doorbell."""
        self.guest.ring_once()

    # -- what has happened -------------------------------------------------------------------------------------------

    def drain(self) -> Events:
        """All new events of the guest, the only one who tells of any."""
        return self.guest.drain_stamps()

    def counts(self) -> dict[EventfdRole, int | None]:
        """Both eventfds are QEMU's."""
        return {EventfdRole.DOORBELL: None, EventfdRole.IRQ: None}

    def stats(self) -> dict[str, int]:
        """KVM's own counters of the vCPU, as QEMU tells them."""
        if time.monotonic() >= self._next_stats:
            self._ask_for_stats()
        return self._stats

    def _ask_for_stats(self) -> None:
        """Asks QEMU, unless it has ended or did not tell once."""
        if self._next_stats < math.inf and self.qemu.exit_code is None:
            told = self.qemu.vcpu_stats(STATS)
            self._stats = told or self._stats
            self._next_stats = time.monotonic() + STATS_SECONDS if told else math.inf

    def lost(self) -> dict[Lane, int]:
        """Events lost so far, by the lane that lost them."""
        return {Lane.GUEST: self.guest.lost_stamps()}

    def truth(self) -> dict[str, Any]:
        """What disk_truth() says, and base: requests that QEMU's device has taken, modulo 2**16; -1: not told."""
        rung, seen = self.guest.rung(), self.guest.last_irq_seen()
        return {
            "rung": rung,
            "handled": self.guest.handled(),
            "reads": 0,
            "received": seen,
            "signalled": seen,
            "refused": 0,
            "relayed": 0,
            "exits": {},
            "pending": rung - seen,
            "irq_pending": rung - seen,
            "nonsense": self.guest.nonsense(),
            "lost": sum(self.lost().values()),
            **disk_truth(self.guest.memory, self.image),
            "base": self._queue.get("last-avail-idx", -1),
        }

    def trouble(self) -> EngineError | None:
        """A QEMU that has ended, and of which its guest tells why; or a guest that has read something wrong."""
        if what := self.guest.amiss():
            return EngineError(tr(AMISS[what]) if what in AMISS else tr("The guest's driver gave up."))
        if self.daemon and (told := self.daemon.ending()):
            return EngineError(told)
        if self.qemu.exit_code is not None:
            fault = self.guest.fault()
            if fault is not None:
                return GuestError(Ending(Verdict.FAULT, fault).told(tr("The guest")), Verdict.FAULT)
            return EngineError(self.qemu.ending())
        return disk_trouble(self.guest.memory)

    def at_rest(self) -> bool:
        """Twice the same count, all handled."""
        before = self.guest.rung()
        time.sleep(0.002)
        return self.guest.rung() == before == self.guest.last_irq_seen()

    # -- ending ------------------------------------------------------------------------------------------------------

    def stop_threads(self) -> None:
        """Ends QEMU, which is asked before what KVM counted and how far its device is; stamps can still be drained."""
        self._ask_for_stats()
        answers = self._next_stats < math.inf and self.qemu.exit_code is None
        if answers and self.daemon is None:  # of the daemon's queue QEMU knows nothing
            self._queue = self.qemu.queue(DEVICE)
        self._next_stats = math.inf
        self.qemu.close()

    def close(self) -> None:
        """Ends QEMU, closes, unmaps."""
        self._stack.close()
