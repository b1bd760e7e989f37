"""The wires of one guest: the eventfds of its doorbells and of its interrupt, and what KVM is told about them."""

from __future__ import annotations

from collections.abc import Iterable

from bellwire.engine.kvm.coalesced import CoalescedRing, CoalescedZone
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Belongings, Eventfd, Owner
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import Vm
from bellwire.engine.scenarios.ringing import Ringing, ringings
from bellwire.engine.scenarios.rules import ADDRESS_STRIDE
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt


def route_of(interrupt: Interrupt) -> GsiRoute:
    """Where the scenario's interrupt goes; the only route that its VM has, so that no PIC takes part."""
    if interrupt.route == "msi":
        return GsiRoute.msi(interrupt.gsi, interrupt.vector, interrupt.vcpu)
    return GsiRoute.ioapic(interrupt.gsi, interrupt.gsi)


def total(counts: Iterable[int | None]) -> int | None:
    """Their sum; None if one of them is not known."""
    known = list(counts)
    return None if None in known else sum(filter(None, known))


class DoorbellWires(Owner):
    """One eventfd a queue; and for each way to ring one ioeventfd, while they are on, and one relay by the vCPU thread.

    With coalesced doorbells the vCPU thread takes KVM's ring as well.
    """

    def __init__(self, vm: Vm, vcpu: Vcpu, doorbell: Doorbell | None) -> None:
        self.vm, self.doorbell = vm, doorbell
        self._ioeventfds: list[Ioeventfd] = []
        self._stack = Belongings()
        try:
            self._build(vcpu, doorbell)
        except BaseException:
            self.close()
            raise

    def _build(self, vcpu: Vcpu, doorbell: Doorbell | None) -> None:
        self.eventfds = [self._stack.enter(Eventfd()) for _ in range(doorbell.queues if doorbell else 1)]
        for ringing in ringings(doorbell):
            vcpu.add_doorbell(self.eventfds[ringing.queue], ringing.address, pio=self._pio, value=ringing.value)
        if doorbell and doorbell.coalesced:
            self._coalesce(vcpu, doorbell)

    @property
    def _pio(self) -> bool:
        return self.doorbell is not None and self.doorbell.bus == "pio"

    def _coalesce(self, vcpu: Vcpu, doorbell: Doorbell) -> None:
        """The zone, and the ring, which outlives the thread that looks at it."""
        enter = self._stack.enter
        enter(CoalescedZone(self.vm, doorbell.address, doorbell.addresses * ADDRESS_STRIDE, pio=self._pio))
        vcpu.relay_coalesced(enter(CoalescedRing(self.vm, vcpu)))
        self._stack.callback(vcpu.stop)

    def set_ioeventfd(self, on: bool) -> None:
        """Assigns or deassigns them, if they are not so already."""
        if on and not self._ioeventfds:
            for ringing in ringings(self.doorbell):
                self._ioeventfds.append(self._assign(ringing))
        while not on and self._ioeventfds:
            self._ioeventfds.pop().close()

    def _assign(self, ringing: Ringing) -> Ioeventfd:
        assert self.doorbell is not None
        return Ioeventfd.of(self.vm, self.eventfds[ringing.queue], ringing.match(self.doorbell))

    def register_as(self, doorbell: Doorbell) -> None:
        """Registers them otherwise from now on. Those that are assigned are deassigned first."""
        on = self.assigned
        self.set_ioeventfd(False)
        self.doorbell = doorbell
        self.set_ioeventfd(on)

    @property
    def assigned(self) -> bool:
        """Whether there is an ioeventfd."""
        return bool(self._ioeventfds)

    def count(self) -> int | None:
        """What the eventfds count together; None where that is not told."""
        return total(eventfd.count() for eventfd in self.eventfds)

    def left(self) -> int:
        """The same at the end of a session."""
        return sum(eventfd.left() for eventfd in self.eventfds)

    def close(self) -> None:
        """Deassigns, then closes."""
        try:
            self.set_ioeventfd(False)
        finally:
            self._stack.close()


class InterruptWires(Owner):
    """One eventfd an irqfd, all of one GSI. resamplefd: of a level, signalled once the guest has seen it."""

    def __init__(self, vm: Vm, vcpu: Vcpu, interrupt: Interrupt | None) -> None:
        self.vm, self.interrupt = vm, interrupt
        self._irqfds: list[Irqfd] = []
        self._stack = Belongings()
        try:
            self._build(vcpu, interrupt)
        except BaseException:
            self.close()
            raise

    def _build(self, vcpu: Vcpu, interrupt: Interrupt | None) -> None:
        self.eventfds = [self._stack.enter(Eventfd()) for _ in range(interrupt.irqfds if interrupt else 1)]
        self.resamplefd: Eventfd | None = None
        if interrupt and interrupt.trigger == "level":
            self.resamplefd = self._stack.enter(Eventfd())
        if interrupt and self.resamplefd and not interrupt.irqfd:  # nobody in the kernel tells: the guest has to
            vcpu.set_ack(interrupt.gsi, self.resamplefd)

    def set_irqfd(self, on: bool) -> None:
        """Assigns or deassigns them, if they are not so already."""
        if on and self.interrupt and not self._irqfds:
            for eventfd in self.eventfds:
                self._irqfds.append(Irqfd(self.vm, eventfd, self.interrupt.gsi, self.resamplefd))
        while not on and self._irqfds:
            self._irqfds.pop().close()

    @property
    def assigned(self) -> bool:
        """Whether there is an irqfd."""
        return bool(self._irqfds)

    def count(self) -> int | None:
        """What the eventfds count together; None where that is not told."""
        return total(eventfd.count() for eventfd in self.eventfds)

    def left(self) -> int:
        """The same at the end of a session."""
        return sum(eventfd.left() for eventfd in self.eventfds)

    def close(self) -> None:
        """Deassigns, then closes."""
        try:
            self.set_irqfd(False)
        finally:
            self._stack.close()
