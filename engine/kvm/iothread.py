"""The host side: the thread that a doorbell wakes and that signals interrupts."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import THREADS_REMEDY, KvmError, LeftBehindError, check
from bellwire.engine.kvm.owner import Eventfd, Owner
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.kvm.vm import GsiRoute, Memory, Vm
from bellwire.engine.language import tr

JOIN_MS = 10_000  # how long the thread may take to end: on a starved machine it comes to its CPU late
COMMAND_MS = 10_000  # how long it may take to obey


@dataclass
class Orders:
    """What the I/O thread does: struct bw_orders."""

    path: int = lib.BW_PATH_IRQFD
    signal: int = lib.BW_SIGNAL_NEVER
    period: int = lib.BW_PERIOD_BY_HAND
    burst: int = 1
    running: int = 1
    limit: int = 2**64 - 1
    singles: int = 0

    def as_c(self) -> Any:
        """A struct bw_orders."""
        return ffi.new("struct bw_orders *", vars(self))


class IoThread(Owner):
    """The host side: sleeps in read() of the doorbell, signals interrupts (engine/core/iothread.c)."""

    def __init__(
        self, vm: Vm, memory: Memory, ring: Ring, doorbell: Eventfd, irq: Eventfd, route: GsiRoute | None, hz: float
    ) -> None:
        error = ffi.new("int *")
        wiring = {"vm": vm.fd, "doorbell": doorbell.fd, "irqfd": irq.fd, "memory": memory.pointer, "hz": round(hz)}
        if route:
            wiring |= {"gsi": route.gsi, "msi_address": route.address, "msi_data": route.data}
        self._handle = lib.bw_iothread_new(ffi.new("struct bw_wiring *", wiring), ring.handle, error)
        if self._handle == ffi.NULL:
            raise KvmError(tr("setting up the I/O thread"), -error[0])
        self.orders = Orders()

    def wait_for(self, doorbells: list[Eventfd]) -> None:
        """Lets it read these, each counted for itself, instead of the one. Before start()."""
        result = lib.bw_iothread_set_queues(self._handle, fds(doorbells), len(doorbells))
        check(result, tr("waiting for {many} doorbells", many=len(doorbells)))

    def signal_in_turn(self, irqs: list[Eventfd]) -> None:
        """Lets it signal by these, one after the other, instead of the one. Before start()."""
        check(
            lib.bw_iothread_set_irqfds(self._handle, fds(irqs), len(irqs)),
            tr("signalling {many} irqfds", many=len(irqs)),
        )

    def hold_line(self, resamplefd: Eventfd) -> None:
        """Makes it raise a line, and not again until this eventfd tells that the guest has seen it. Before start()."""
        lib.bw_iothread_set_level(self._handle, resamplefd.fd)

    def read_by(self, uring: Any) -> None:
        """Lets the path BW_PATH_URING read by this struct bw_uring, which outlives the thread. Before start()."""
        lib.bw_iothread_set_uring(self._handle, uring)

    def serve(self, virtqueue: Any) -> None:
        """Makes it the device of this struct bw_virtqueue, which outlives the thread. Before start()."""
        lib.bw_iothread_set_virtqueue(self._handle, virtqueue)
        self.orders.signal = lib.BW_SIGNAL_DEVICE

    def start(self, cpu: int = -1) -> None:
        """Starts the thread with `orders`, on one CPU if given."""
        check(
            lib.bw_iothread_start(self._handle, self.orders.as_c(), cpu), tr("starting the I/O thread"), THREADS_REMEDY
        )

    def command(self, **changes: int) -> None:
        """Changes orders; when this returns they are in force."""
        for name, value in changes.items():
            setattr(self.orders, name, value)
        check(
            lib.bw_iothread_command(self._handle, self.orders.as_c(), COMMAND_MS),
            tr("changing the I/O thread's orders"),
        )

    @property
    def thread(self) -> int:
        """The kernel's number of the thread; 0 until it runs."""
        return int(lib.bw_iothread_thread_id(self._handle))

    @property
    def reads(self) -> int:
        """How often read() of the doorbell returned a count."""
        return int(lib.bw_iothread_reads(self._handle))

    @property
    def received(self) -> int:
        """The sum of the counts read."""
        return int(lib.bw_iothread_received(self._handle))

    @property
    def signalled(self) -> int:
        """Interrupts signalled."""
        return int(lib.bw_iothread_signalled(self._handle))

    @property
    def announced(self) -> Any:
        """Where, for C, the number of interrupts signalled stands."""
        return lib.bw_iothread_announced(self._handle)

    @property
    def refused(self) -> int:
        """Interrupts that the kernel answered with an error."""
        return int(lib.bw_iothread_refused(self._handle))

    @property
    def failure(self) -> int:
        """The errno that troubled it, or 0."""
        return int(lib.bw_iothread_failure(self._handle))

    def stop(self) -> None:
        """Ends the thread. LeftBehindError if it does not within JOIN_MS."""
        if lib.bw_iothread_stop(self._handle, JOIN_MS) == -errno.ETIMEDOUT:
            raise LeftBehindError(tr("The I/O thread did not end within {limit} ms; it is left behind.", limit=JOIN_MS))

    def close(self) -> None:
        if self._handle == ffi.NULL:
            return
        self.stop()
        lib.bw_iothread_free(self._handle)
        self._handle = ffi.NULL


def fds(eventfds: list[Eventfd]) -> Any:
    """An array of int for C."""
    return ffi.new("int[]", [eventfd.fd for eventfd in eventfds])
