"""The calls that a scenario's machine makes, in the order in which it makes them, then those of each signal.

Derived from the scenario and from how the switches stand, so that a recording shows the calls of the run that it is of.
tests/engine/calls/test_of_scenario.py compares them with what the machines pass to the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bellwire.engine._core import lib
from bellwire.engine.calls.call import Call
from bellwire.engine.calls.guest import GuestWrite, LeaveToUserSpace, TakeCoalesced, Write
from bellwire.engine.calls.set_up import (
    CreateIrqchip,
    CreateVcpu,
    CreateVm,
    EnableSplitIrqchip,
    NewEventfd,
    OpenKvm,
    SetMemory,
    SetVcpuMemory,
)
from bellwire.engine.calls.signals import ReadEventfd, SetIoapicPin, SetIrqLine, SignalMsi, WriteEventfd
from bellwire.engine.calls.uring import RegisterEventfd, SubmitRead
from bellwire.engine.calls.vhost_kernel import network_calls, socket_calls
from bellwire.engine.calls.vhost_user import CALL, KICK, HandOver, SetVring
from bellwire.engine.calls.wire_state import WireState
from bellwire.engine.calls.wires import (
    AssignIoeventfd,
    AssignIrqfd,
    ChangeRoute,
    DeassignIoeventfd,
    DeassignIrqfd,
    ReassignIoeventfd,
    RefusedIrqfd,
    RegisterZone,
    SetGsiRouting,
    UnregisterZone,
)
from bellwire.engine.events import OTHER_VECTOR, Switch
from bellwire.engine.folds.evidence import registered_after
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.language import tr, tr_later
from bellwire.engine.machines.wires import route_of
from bellwire.engine.scenarios.ringing import Ringing, ringings
from bellwire.engine.scenarios.rules import ADDRESS_STRIDE
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

Wiring = Mapping[Switch, bool]
OF_WIRES = (NewEventfd, AssignIoeventfd, AssignIrqfd, SetGsiRouting)
KEPT = tr_later("the count keeps it, and an irqfd that is assigned later interrupts once for all of them")


def calls_of(scenario: Scenario, wiring: Wiring | None = None, standing: WireState | None = None) -> tuple[Call, ...]:
    """Every call of a scenario.

    wiring: how the switches stand; standing: how all else does. As the scenario begins, unless they are given.
    """
    begins = {Switch.IOEVENTFD: scenario.doorbell, Switch.IRQFD: scenario.interrupt}
    stands = {
        Switch.IOEVENTFD: bool(scenario.doorbell and scenario.doorbell.ioeventfd),
        Switch.IRQFD: bool(scenario.interrupt and scenario.interrupt.irqfd),
    }
    stands |= {switch: on for switch, on in (wiring or {}).items() if begins.get(switch)}
    derive = _Direct if Trait.DIRECT in traits_of(scenario) else _Classic
    return tuple(derive(scenario, stands, standing or WireState()).calls())


def numbered(kind: str, n: int, of: int) -> str:
    """The name of the n-th (from 0) of several; of a single one the kind itself."""
    return kind if of == 1 else f"{kind}-{n + 1}"


def closing(assigned: Iterable[AssignIoeventfd | AssignIrqfd]) -> list[Call]:
    """What takes them away at the end, if they are there then."""
    return [undoing(call) for call in assigned if call.made or call.undone]


def unregistering(zone: RegisterZone) -> UnregisterZone:
    """The call that ends a zone of coalesced writes."""
    return UnregisterZone(name="close-coalesced", vm=zone.vm, address=zone.address, size=zone.size, pio=zone.pio)


def undoing(call: AssignIoeventfd | AssignIrqfd) -> Call:
    """The call that takes away what another one has made."""
    name, vm, eventfd = f"close-{call.name}", call.vm, call.eventfd
    made: Call
    if isinstance(call, AssignIoeventfd):
        made = DeassignIoeventfd(name=name, vm=vm, eventfd=eventfd, match=call.match, undone=True)
    else:
        after, gsi, blank = call.after, call.gsi, call.blank
        made = DeassignIrqfd(name=name, vm=vm, eventfd=eventfd, after=after, gsi=gsi, blank=blank, undone=True)
    return replace(made, switch=call.switch, made=call.made)


@dataclass(frozen=True)
class GuestCalls:
    """The calls of one guest's set-up."""

    vm: CreateVm
    irqchip: CreateIrqchip | EnableSplitIrqchip
    memory: SetMemory
    vcpu: CreateVcpu

    def calls(self) -> tuple[Call, ...]:
        return (self.vm, self.irqchip, self.memory, self.vcpu)


class _Machine:
    """What all machines share."""

    def __init__(self, scenario: Scenario, wiring: Wiring, standing: WireState) -> None:
        self.scenario, self.wiring, self.traits = scenario, wiring, traits_of(scenario)
        self.standing = standing
        self.kvm = OpenKvm(name="open")

    def guest(self, letter: str = "") -> GuestCalls:
        """One guest's set-up."""
        end = f"-{letter}" if letter else ""
        vm = CreateVm(name=f"create-vm{end}", kvm=self.kvm, letter=letter)
        split = self.scenario.irqchip == "split"
        irqchip = (EnableSplitIrqchip if split else CreateIrqchip)(name=f"irqchip{end}", vm=vm)
        memory = SetMemory(name=f"memory{end}", vm=vm)
        return GuestCalls(vm, irqchip, memory, CreateVcpu(name=f"create-vcpu{end}", vm=vm, memory=memory))

    def ioeventfds(self, guest: GuestCalls, eventfds: list[NewEventfd]) -> list[AssignIoeventfd]:
        """One for each way to ring."""
        ways, on = ringings(self.scenario.doorbell), self.wiring[Switch.IOEVENTFD]
        return [
            AssignIoeventfd(
                name=numbered("ioeventfd", n, len(ways)),
                vm=guest.vm,
                eventfd=eventfds[way.queue],
                match=way.match(self.registered),
                switch=Switch.IOEVENTFD,
                made=on,
                undone=not on and self._once(Switch.IOEVENTFD, self.doorbell.ioeventfd),
            )
            for n, way in enumerate(ways)
        ]

    @property
    def doorbell(self) -> Doorbell:
        """Of a scenario that has one."""
        assert self.scenario.doorbell is not None
        return self.scenario.doorbell

    @property
    def registered(self) -> Doorbell:
        """The same as its ioeventfd waits for it."""
        return self.standing.doorbell or self.doorbell

    def _once(self, switch: Switch, began: bool) -> bool:
        """Whether a switch has been on. began: whether the scenario begins so."""
        return began or switch in self.standing.once

    @property
    def interrupt(self) -> Interrupt:
        """Of a scenario that has one."""
        assert self.scenario.interrupt is not None
        return self.scenario.interrupt

    def routing(self, guest: GuestCalls) -> SetGsiRouting:
        """The routing table."""
        after, beside = (guest.irqchip,), Trait.REAL_QEMU in self.traits
        return SetGsiRouting(name="routing", vm=guest.vm, after=after, route=self._route_now(), beside=beside)

    def _route_now(self) -> GsiRoute:
        """Where the GSI leads."""
        interrupt, standing = self.interrupt, self.standing
        vector = interrupt.vector if standing.vector is None else standing.vector
        vcpu = interrupt.vcpu if standing.vcpu is None else standing.vcpu
        return route_of(replace(interrupt, vector=vector, vcpu=vcpu))

    def message(self, guest: GuestCalls) -> SignalMsi:
        """An interrupt without an irqfd."""
        vcpu = replace(guest.vcpu, after=(guest.irqchip,))  # so that it has a local APIC
        return SignalMsi(name="signal-msi", vm=guest.vm, vcpu=vcpu, route=route_of(self.interrupt))

    # -- doorbells

    def rings(self, guest: GuestCalls, ioeventfds: list[AssignIoeventfd], zone: Call | None) -> Iterator[Call]:
        """For each way to ring: the guest's instruction, how it leaves, who passes it on."""
        ways = ringings(self.scenario.doorbell)
        for n, way in enumerate(ways):
            yield from self._ring(guest, way, ioeventfds[n], zone, (n, len(ways)))

    def _ring(
        self, guest: GuestCalls, way: Ringing, ioeventfd: AssignIoeventfd, zone: Call | None, which: tuple[int, int]
    ) -> Iterator[Call]:
        doorbell = self.doorbell
        value = doorbell.value if way.value is None else way.value
        assigned = self.wiring[Switch.IOEVENTFD]
        taken = assigned and self.registered.hit
        zones = () if zone is None else (zone,)
        there = (ioeventfd,) if assigned else ()
        takes = tr("the ioeventfd takes it") if taken else self._misses(assigned)
        ring = GuestWrite(
            name=numbered("ring", *which),
            vm=guest.vm,
            memory=guest.memory,
            vcpu=guest.vcpu,
            write=Write(doorbell.bus, way.address, doorbell.width, value),
            takes=takes,
            after=there + zones,
        )
        yield ring
        apart = replace(ring, after=zones) if taken else ring  # as it is while the switch is off
        out: Call = LeaveToUserSpace(name=numbered("run", *which), ring=apart)
        if zone is not None:
            out = TakeCoalesced(name=numbered("take", *which), ring=apart)
        yield self._heavy(out, taken)
        if Trait.VMM_EXITS in self.traits:  # QEMU serves the request itself
            return
        relay = WriteEventfd(
            name=numbered("relay", *which),
            eventfd=ioeventfd.eventfd,
            thread=tr_later("vCPU thread"),
            why=tr("what the ioeventfd would have done in the kernel"),
            after=(out,),
        )
        yield self._heavy(relay, taken)

    def _misses(self, assigned: bool) -> str:
        if self.doorbell.coalesced:
            return tr("KVM notes it in the ring of coalesced writes")
        return tr("the ioeventfd does not match, so it leaves") if assigned else tr("nothing in the kernel takes it")

    def _heavy(self, call: Call, taken: bool) -> Call:
        """Of a way by user space: it is used while the ioeventfd is off; always, if that would not match anyway."""
        if not self.registered.hit:
            return call
        return replace(call, switch=Switch.IOEVENTFD, made=not taken)


class _Classic(_Machine):
    """One guest and an I/O thread (engine/machines/one_guest.py and what is made of it)."""

    def calls(self) -> Iterator[Call]:
        """In order."""
        guest, queues = self.guest(), self.scenario.doorbell.queues if self.scenario.doorbell else 0
        doorbells = [self._eventfd("doorbell", n, queues, tr("counts doorbells")) for n in range(queues)]
        zone = self._zone(guest)
        irqs, resample = self._interrupt_eventfds()
        yield from (self.kvm, *guest.calls(), *doorbells)
        yield from () if zone is None else (zone,)
        yield from (*irqs, *([resample] if resample else []))
        routing = self.routing(guest) if self.scenario.interrupt else None
        yield from [routing] if routing else []
        submit = self._uring(guest, irqs)
        yield from [submit.uring] if submit else []
        ioeventfds = self.ioeventfds(guest, doorbells)
        yield from ioeventfds
        irqfds = self._irqfds(guest, routing, irqs, resample) if routing else []
        yield from irqfds
        yield from self._second_vcpu(guest)
        yield from self._doorbell_signals(guest, ioeventfds, doorbells, zone)
        if routing:
            yield from self._interrupt_signals(guest, routing, irqfds, resample, submit)
            yield from self._changes_of_the_route(guest, routing)
        yield from self._steps(guest, ioeventfds)
        yield from self._asked_in_vain(guest, irqfds)
        yield from self._masks(guest)
        yield from (*reversed(closing(irqfds)), *reversed(closing(self._at_last(ioeventfds))))
        yield from [unregistering(zone)] if zone else []

    def _at_last(self, ioeventfds: list[AssignIoeventfd]) -> Iterator[AssignIoeventfd]:
        """As they are registered now or, of a scenario that has yet to begin, once the lab's steps are done."""
        steps = self.scenario.lab.steps if self.scenario.lab else ()
        doorbell = self.standing.doorbell or registered_after(self.scenario, len(steps))
        for way, ioeventfd in zip(ringings(self.scenario.doorbell), ioeventfds, strict=True):
            yield replace(ioeventfd, match=way.match(doorbell or self.doorbell))

    def _second_vcpu(self, guest: GuestCalls) -> Iterator[Call]:
        """Its memory is three slots: the control page in the middle may be the first vCPU's."""
        if Trait.TWO_VCPUS not in self.traits:
            return
        base, page, size = lib.BW_VCPU_MEMORY, lib.BW_CONTROL, lib.BW_PAGE_SIZE
        shared = tr("the second vCPU's control page, that both share")
        own = tr("the second vCPU's control page, of its own")
        control = shared if self.scenario.doorbell is None else own
        after = lib.BW_MEMORY_SIZE - page - size
        parts = (
            ("memory-1", base, page, "memory_1", tr("the second vCPU's memory, up to its control page")),
            ("memory-1-control", base + page, size, "control_1", control),
            ("memory-1-rest", base + page + size, after, "rest_1", tr("the rest of the second vCPU's memory")),
        )
        first: SetVcpuMemory | None = None
        for slot, (name, address, length, called, what) in enumerate(parts, 2):
            part = SetVcpuMemory(
                name=name,
                vm=guest.vm,
                slot=slot,
                address=address,
                size=length,
                called=called,
                what=what,
                whole=first,
            )
            first = first or part
            yield part
        assert first is not None
        yield CreateVcpu(name="create-vcpu-1", vm=guest.vm, memory=first, number=1)

    def _steps(self, guest: GuestCalls, ioeventfds: list[AssignIoeventfd]) -> Iterator[Call]:
        """What a lab's steps register anew; those that throw a switch are the calls of that."""
        steps, doorbell = self.scenario.lab.steps if self.scenario.lab else (), self.scenario.doorbell
        anew = [number for number, step in enumerate(steps, 1) if step.do in ("datamatch", "length")]
        for number in anew if doorbell and doorbell.ioeventfd else ():
            before, after = (registered_after(self.scenario, done) for done in (number - 1, number))
            if before is None or after is None:
                continue
            for way, assigned in zip(ringings(doorbell), ioeventfds, strict=True):
                yield ReassignIoeventfd(
                    name=f"step-{number}-{assigned.name}",
                    vm=guest.vm,
                    eventfd=assigned.eventfd,
                    match=way.match(after),
                    was=way.match(before),
                    at_ms=steps[number - 1].at_ms,
                )

    def _masks(self, guest: GuestCalls) -> Iterator[Call]:
        """The pin, as a lab's steps mask and unmask it."""
        for number, step in enumerate(self.scenario.lab.steps if self.scenario.lab else (), 1):
            if step.do in ("mask", "unmask"):
                yield SetIoapicPin(
                    name=f"step-{number}-pin",
                    vm=guest.vm,
                    after=(guest.irqchip,),
                    route=route_of(self.interrupt),
                    vector=self.interrupt.vector,
                    masked=step.do == "mask",
                    at_ms=step.at_ms,
                )

    def _asked_in_vain(self, guest: GuestCalls, irqfds: list[AssignIrqfd]) -> Iterator[Call]:
        """What a lab's steps ask for and do not get."""
        for number, step in enumerate(self.scenario.lab.steps if self.scenario.lab else (), 1):
            if step.do == "second-irqfd":
                first = replace(irqfds[0], made=True, undone=False)
                yield RefusedIrqfd(
                    name=f"step-{number}-irqfd",
                    vm=guest.vm,
                    after=(first,),
                    eventfd=first.eventfd,
                    gsi=first.gsi + step.value,
                    at_ms=step.at_ms,
                )

    def _changes_of_the_route(self, guest: GuestCalls, routing: SetGsiRouting) -> Iterator[Call]:
        """To the other vector, or the other vCPU, and back."""
        interrupt, route = self.interrupt, routing.route
        if not interrupt.reroute_ms:
            return
        other = GsiRoute.msi(route.gsi, OTHER_VECTOR)
        if Trait.TWO_VCPUS in self.traits:
            other = GsiRoute.msi(route.gsi, route.vector, 1 - route.apic)
        for name, to in (("route-away", other), ("route-back", route)):
            yield ChangeRoute(name=name, vm=guest.vm, after=(routing,), route=to, every_ms=interrupt.reroute_ms)

    def _eventfd(self, called: str, n: int, of: int, purpose: str) -> NewEventfd:
        name = numbered(called, n, of)
        return NewEventfd(name=f"eventfd-{name}", called=name.replace("-", "_"), purpose=purpose)

    def _zone(self, guest: GuestCalls) -> RegisterZone | None:
        doorbell = self.scenario.doorbell
        if doorbell is None or not doorbell.coalesced:
            return None
        size = doorbell.addresses * ADDRESS_STRIDE
        return RegisterZone(
            name="coalesced", vm=guest.vm, address=doorbell.address, size=size, pio=doorbell.bus == "pio"
        )

    def _interrupt_eventfds(self) -> tuple[list[NewEventfd], NewEventfd | None]:
        interrupt = self.scenario.interrupt
        if interrupt is None:
            return [], None
        many, level = interrupt.irqfds, interrupt.trigger == "level"
        irqs = [self._eventfd("irq", n, many, tr("whoever adds to it interrupts the guest")) for n in range(many)]
        tells = tr("tells that the guest has ended the interrupt")
        resample = self._eventfd("resample", 0, 1, tells) if level else None
        return irqs, resample

    def _uring(self, guest: GuestCalls, irqs: list[NewEventfd]) -> SubmitRead | None:
        if Trait.IO_URING not in self.traits:
            return None
        register = RegisterEventfd(name="io-uring", eventfd=irqs[0], memory=guest.memory)
        return SubmitRead(name="submit", uring=register)

    def _irqfds(
        self, guest: GuestCalls, routing: SetGsiRouting, irqs: list[NewEventfd], resample: NewEventfd | None
    ) -> list[AssignIrqfd]:
        interrupt = self.interrupt
        if interrupt.trigger == "level" and not interrupt.irqfd:  # settled before the guest boots
            return []
        fixed = bool(self.traits & {Trait.LEVEL, Trait.IO_URING})
        return [
            AssignIrqfd(
                name=numbered("irqfd", n, len(irqs)),
                vm=guest.vm,
                after=(guest.irqchip, routing),
                eventfd=irq,
                gsi=interrupt.gsi,
                resamplefd=resample,
                switch=None if fixed else Switch.IRQFD,
                made=self.wiring[Switch.IRQFD],
                undone=not self.wiring[Switch.IRQFD] and self._once(Switch.IRQFD, interrupt.irqfd),
            )
            for n, irq in enumerate(irqs)
        ]

    # -- signals

    def _doorbell_signals(
        self, guest: GuestCalls, ioeventfds: list[AssignIoeventfd], doorbells: list[NewEventfd], zone: Call | None
    ) -> Iterator[Call]:
        calls = list(self.rings(guest, ioeventfds, zone))
        yield from calls
        taken = self.wiring[Switch.IOEVENTFD] and bool(self.scenario.doorbell) and self.registered.hit
        for n, doorbell in enumerate(doorbells):
            first = numbered("ring" if taken else "relay", n, len(ioeventfds))
            before = tuple(call for call in calls if call.name == first)
            name = numbered("read", n, len(doorbells))
            yield ReadEventfd(name=name, eventfd=doorbell, what=tr("doorbells were rung"), after=before)

    def _interrupt_signals(
        self,
        guest: GuestCalls,
        routing: SetGsiRouting,
        irqfds: list[AssignIrqfd],
        resample: NewEventfd | None,
        submit: SubmitRead | None,
    ) -> Iterator[Call]:
        on = self.wiring[Switch.IRQFD]
        if submit:
            yield replace(submit, after=tuple(irqfds))
            return
        kept = self.interrupt.waits and not on
        for n, irqfd in enumerate(irqfds):
            yield WriteEventfd(
                name=numbered("write", n, len(irqfds)),
                eventfd=irqfd.eventfd,
                thread=tr_later("I/O thread"),
                why=tr(KEPT) if kept else tr("KVM takes it at once and interrupts the guest"),
                after=() if kept else (replace(irqfd, made=True, undone=False),),
                switch=None if self.interrupt.waits else irqfd.switch,
                made=on or self.interrupt.waits,
            )
        if resample is None:
            yield from self._ioctls(guest, routing)
        elif irqfds:
            what = tr("times KVM has lowered the line")
            yield ReadEventfd(name="resamplefd", eventfd=resample, what=what, comes=False, after=tuple(irqfds))
        else:
            yield from self._acknowledged(guest, routing, resample)

    def _ioctls(self, guest: GuestCalls, routing: SetGsiRouting) -> Iterator[Call]:
        """What the I/O thread calls while the irqfd is off."""
        calls: list[Call] = []
        if self.interrupt.waits:  # the eventfd is written, whether there is an irqfd or not
            return
        if self.interrupt.ioctl == "signal-msi":
            calls = [self.message(guest)]
        else:
            for level, name in ((1, "irq-line-high"), (0, "irq-line-low")):
                after, gsi = (guest.irqchip, routing), self.interrupt.gsi
                calls.append(SetIrqLine(name=name, vm=guest.vm, gsi=gsi, level=level, after=after))
        for call in calls:
            yield replace(call, switch=Switch.IRQFD, made=not self.wiring[Switch.IRQFD])

    def _acknowledged(self, guest: GuestCalls, routing: SetGsiRouting, resample: NewEventfd) -> Iterator[Call]:
        """A level by ioctl: the guest tells the VMM, which lowers the line."""
        after = (guest.irqchip, routing)
        yield SetIrqLine(name="irq-line-high", vm=guest.vm, gsi=self.interrupt.gsi, level=1, after=after)
        ring = GuestWrite(
            name="ack",
            vm=guest.vm,
            memory=guest.memory,
            vcpu=guest.vcpu,
            write=Write("pio", lib.BW_PORT_ACK, 4, 1),
            takes=tr("it acknowledges interrupt 1, at the device's port, and leaves to user space"),
        )
        yield ring
        out = LeaveToUserSpace(name="run", ring=ring)
        yield out
        low = SetIrqLine(name="irq-line-low", vm=guest.vm, gsi=self.interrupt.gsi, level=0, after=after)
        yield replace(low, thread=tr_later("vCPU thread"))
        tell = WriteEventfd(
            name="relay",
            eventfd=resample,
            thread=tr_later("vCPU thread"),
            why=tr("the I/O thread may raise the line again"),
        )
        yield tell
        what = tr("times the guest has acknowledged")
        yield ReadEventfd(name="resamplefd", eventfd=resample, what=what, after=(tell,))


class _Direct(_Machine):
    """No thread of this process reads the doorbell (engine/machines/two_guests.py, vhost_user.py, vhost_kernel.py)."""

    def calls(self) -> Iterator[Call]:
        """In order. Of a QEMU without ioeventfd nothing but its exits and messages: there is neither wire nor route."""
        exits = Trait.VMM_EXITS in self.traits
        return (call for call in self._all() if not (exits and isinstance(call, OF_WIRES)))

    def _all(self) -> Iterator[Call]:
        """The same with the wires."""
        partnered, ours = Trait.PARTNERED in self.traits, Trait.QEMU_SERVES not in self.traits
        call = NewEventfd(name="eventfd-call", called="call", purpose=tr("whoever adds to it interrupts the guest"))
        kick = NewEventfd(name="eventfd-kick", called="kick", purpose=self._kick_for())
        both = NewEventfd(
            name="eventfd", called="bell", purpose=tr("the doorbell of one is the interrupt of the other")
        )
        rung, irq = (kick, call) if partnered else (both, both)
        yield from (call, kick) if partnered else (both,)
        yield self.kvm
        guests = [self.guest("b"), self.guest("a")] if Trait.TWO_GUESTS in self.traits else [self.guest()]
        listener, ringer = guests[0], guests[-1]
        for guest in guests:
            yield from guest.calls()
        yield from self._shared(ringer, listener)
        routing = self.routing(listener)
        yield routing
        yield from self._hand_over(listener, kick, call) if partnered and ours else ()
        irqfd = AssignIrqfd(
            name="irqfd",
            vm=listener.vm,
            after=(listener.irqchip, routing),
            eventfd=irq,
            gsi=self.interrupt.gsi,
            blank=0 if Trait.REAL_QEMU in self.traits else -1,
            switch=Switch.IRQFD,
            made=self.wiring[Switch.IRQFD],
            undone=not self.wiring[Switch.IRQFD] and self._once(Switch.IRQFD, self.interrupt.irqfd),
        )
        yield irqfd
        ioeventfds = self.ioeventfds(ringer, [rung])
        yield from ioeventfds
        yield from self.rings(ringer, ioeventfds, None)
        if Trait.VMM_EXITS in self.traits:
            yield replace(self.message(listener), thread="VMM")
        yield from self._ending(irqfd, ioeventfds)

    def _ending(self, irqfd: AssignIrqfd, ioeventfds: list[AssignIoeventfd]) -> Iterator[Call]:
        """Of QEMUs the device's code settles the order: ivshmem leaves all to the end of the VM."""
        if Trait.IVSHMEM in self.traits:
            return
        handed_over = Trait.REAL_QEMU in self.traits and Trait.QEMU_SERVES not in self.traits
        irqfd_first = handed_over and (Trait.KERNEL_WORKER not in self.traits or Trait.VSOCK in self.traits)
        wires: tuple[list[AssignIoeventfd] | list[AssignIrqfd], ...] = (ioeventfds, [irqfd])
        for group in reversed(wires) if irqfd_first else wires:
            yield from closing(group)

    def _kick_for(self) -> str:
        """Who waits for the kick."""
        if Trait.QEMU_SERVES in self.traits:
            return tr("counts doorbells, for the thread that serves the device")
        if Trait.KERNEL_WORKER in self.traits:
            return tr("counts doorbells, and wakes the kernel's worker")
        return tr("counts doorbells, for the other process")

    def _shared(self, ringer: GuestCalls, listener: GuestCalls) -> Iterator[Call]:
        """The page in which one guest tells the other how many doorbells there were."""
        if Trait.IVSHMEM in self.traits:
            what = tr("the page that both guests share, BAR 2 of their ivshmem devices")
            yield replace(self._page(listener, what), name="memory-shared-b")
            yield replace(self._page(ringer, what), name="memory-shared-a")
        elif ringer is not listener:
            yield self._page(ringer, tr("the page in which guest B reads how many doorbells there were"))

    def _page(self, ringer: GuestCalls, what: str) -> SetMemory:
        return SetMemory(
            name="memory-shared",
            vm=ringer.vm,
            slot=1,
            address=lib.BW_PEER_CONTROL,
            size=lib.BW_PAGE_SIZE,
            called="shared",
            what=what,
        )

    def _hand_over(self, guest: GuestCalls, kick: NewEventfd, call: NewEventfd) -> Iterator[Call]:
        """The messages to the other process, or the calls to the kernel."""
        if Trait.KERNEL_WORKER in self.traits:
            calls = socket_calls if Trait.VSOCK in self.traits else network_calls
            yield from calls(guest.memory, kick, call)
            return
        queue = HandOver(name="vhost-user")
        yield queue
        yield SetVring(name="vhost-user-call", queue=queue, eventfd=call, what=CALL)
        yield SetVring(name="vhost-user-kick", queue=queue, eventfd=kick, what=KICK)
