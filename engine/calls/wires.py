"""What is registered with a VM (virt/kvm/api.rst, 4.59 KVM_IOEVENTFD, 4.75 KVM_IRQFD, 4.52 routes, 4.116 zones)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from bellwire.engine._core import ffi, lib
from bellwire.engine.calls.arguments import Arguments, Field, arguments_of, c_number
from bellwire.engine.calls.call import CLOSE, SIGNALS, WIRES, Call
from bellwire.engine.calls.set_up import CreateVm, NewEventfd
from bellwire.engine.counted import number_of
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch, port_or_address
from bellwire.engine.language import tr, tr_later


@dataclass(frozen=True, kw_only=True)
class AssignIoeventfd(Call):
    """KVM_IOEVENTFD; with DEASSIGN once its switch is off."""

    vm: CreateVm
    eventfd: NewEventfd
    match: IoMatch

    title = "KVM_IOEVENTFD"
    group = WIRES
    request: ClassVar[int] = lib.KVM_IOEVENTFD

    @property
    def says(self) -> str:
        eventfd, match = self.eventfd.variable, self.match
        if self.undone:
            return tr(
                "KVM no longer signals the eventfd {eventfd} when the guest writes {match}.",
                eventfd=eventfd,
                match=match,
            )
        return tr("KVM signals the eventfd {eventfd} when the guest writes {match}.", eventfd=eventfd, match=match)

    @property
    def flags(self) -> str:
        """In the words of linux/kvm.h."""
        flags = ["KVM_IOEVENTFD_FLAG_PIO"] if self.match.bus == "pio" else []
        flags += ["KVM_IOEVENTFD_FLAG_DATAMATCH"] if self.match.datamatch is not None else []
        flags += ["KVM_IOEVENTFD_FLAG_DEASSIGN"] if self.undone else []
        return " | ".join(flags) or "0"

    @property
    def arguments(self) -> Arguments:
        match, fd = self.match, self.eventfd.number
        flags = match.flags | (lib.KVM_IOEVENTFD_FLAG_DEASSIGN if self.undone else 0)
        struct = lib.bw_ioeventfd_struct(
            -1 if fd is None else fd, match.address, match.length, match.datamatch or 0, flags
        )
        texts = {"fd": self.eventfd.variable, "addr": f"{match.address:#x}", "flags": self.flags}
        return arguments_of(struct, texts, {"fd": fd is None})

    def c(self) -> str:
        assign = f"""    struct kvm_ioeventfd ioeventfd = {replace(self, undone=False).arguments.literal()};
    check(ioctl({self.vm.variable}, KVM_IOEVENTFD, &ioeventfd), "KVM_IOEVENTFD");"""
        deassign = f"""
    ioeventfd.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
    check(ioctl({self.vm.variable}, KVM_IOEVENTFD, &ioeventfd), "KVM_IOEVENTFD deassign");"""
        return assign + deassign if self.undone else assign

    def python(self) -> str:
        match = self.match
        datamatch = "" if match.datamatch is None else f", datamatch={c_number(match.datamatch)}"
        where = f"{self.vm.variable}, {self.eventfd.variable}, {match.address:#x}, {match.length}"
        make = f"enter(Ioeventfd({where}, pio={match.bus == 'pio'}{datamatch}))"
        return f"ioeventfd = {make}\nioeventfd.close()" if self.undone else make

    def rust(self) -> str:
        if self.match.length and self.match.datamatch is None:
            return self._rust_ioctl()
        value = f"{self.match.datamatch}u{8 * self.match.length}" if self.match.length else "NoDatamatch"
        kind = "Pio" if self.match.bus == "pio" else "Mmio"
        where = f"&{self.eventfd.variable}, &address, {value}"
        lines = [
            f"    let address = IoEventAddress::{kind}({self.match.address:#x});",
            f"    {self.vm.variable}.register_ioevent({where})?;",
        ]
        return "\n".join(lines + ([f"    {self.vm.variable}.unregister_ioevent({where})?;"] if self.undone else []))

    def _rust_ioctl(self) -> str:
        flags = "1 << kvm_ioeventfd_flag_nr_pio" if self.match.bus == "pio" else "0"
        call = f"""    // SAFETY: the kernel reads one kvm_ioeventfd and keeps no pointer to it.
    if unsafe {{ ioctl_with_ref(&{self.vm.variable}, KVM_IOEVENTFD(), &ioeventfd) }} < 0 {{
        return Err(std::io::Error::last_os_error().into());
    }}"""
        assign = f"""    // register_ioevent() has a length only together with a
    // datamatch, and here any value will do: the ioctl itself.
    let mut ioeventfd = kvm_ioeventfd {{
        addr: {self.match.address:#x},
        len: {self.match.length},
        fd: {self.eventfd.variable}.as_raw_fd(),
        flags: {flags},
        ..Default::default()
    }};
{call}"""
        if not self.undone:
            return assign.replace("let mut", "let")
        return f"{assign}\n    ioeventfd.flags |= 1 << kvm_ioeventfd_flag_nr_deassign;\n{call}"


@dataclass(frozen=True, kw_only=True)
class AssignIrqfd(Call):
    """KVM_IRQFD; with DEASSIGN once its switch is off. blank: what stands where a resamplefd would; nobody reads it."""

    vm: CreateVm
    eventfd: NewEventfd
    gsi: int
    resamplefd: NewEventfd | None = None
    blank: int = -1

    title = "KVM_IRQFD"
    group = WIRES
    request: ClassVar[int] = lib.KVM_IRQFD

    @property
    def says(self) -> str:
        eventfd, gsi = self.eventfd.variable, self.gsi
        if self.undone:
            return tr("A signal of the eventfd {eventfd} no longer raises GSI {gsi}.", eventfd=eventfd, gsi=gsi)
        if self.resamplefd:
            return tr(
                "A signal of the eventfd {eventfd} raises the line of GSI {gsi}; at the guest's EOI KVM lowers it and "
                "signals {resamplefd}.",
                eventfd=eventfd,
                gsi=gsi,
                resamplefd=self.resamplefd.variable,
            )
        return tr("A signal of the eventfd {eventfd}, by whomever, raises GSI {gsi}.", eventfd=eventfd, gsi=gsi)

    @property
    def arguments(self) -> Arguments:
        fd, resample = self.eventfd.number, None if self.undone else self.resamplefd
        back = resample.number if resample else self.blank
        flags, words = (lib.KVM_IRQFD_FLAG_RESAMPLE, "KVM_IRQFD_FLAG_RESAMPLE") if resample else (0, "0")
        if self.undone:
            flags, words = lib.KVM_IRQFD_FLAG_DEASSIGN, "KVM_IRQFD_FLAG_DEASSIGN"
        struct = lib.bw_irqfd_struct(-1 if fd is None else fd, self.gsi, flags, -1 if back is None else back)
        texts = {
            "fd": self.eventfd.variable,
            "flags": words,
            "resamplefd": resample.variable if resample else str(self.blank),
        }
        return arguments_of(struct, texts, {"fd": fd is None, "resamplefd": back is None})

    def c(self) -> str:
        assign = f"""    struct kvm_irqfd irqfd = {replace(self, undone=False).arguments.literal()};
    check(ioctl({self.vm.variable}, KVM_IRQFD, &irqfd), "KVM_IRQFD");"""
        deassign = f"""
    irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
    check(ioctl({self.vm.variable}, KVM_IRQFD, &irqfd), "KVM_IRQFD deassign");"""
        return assign + deassign if self.undone else assign

    def python(self) -> str:
        where = f"{self.vm.variable}, {self.eventfd.variable}, {self.gsi}"
        make = f"enter(Irqfd({where}))"
        if self.resamplefd:
            make = f"enter(Irqfd.with_resample({where}, {self.resamplefd.variable}))"
        return f"irqfd = {make}\nirqfd.close()" if self.undone else make

    def rust(self) -> str:
        vm, fd = self.vm.variable, self.eventfd.variable
        assign = f"    {vm}.register_irqfd(&{fd}, {self.gsi})?;"
        if self.resamplefd:
            assign = f"    {vm}.register_irqfd_with_resample(&{fd}, &{self.resamplefd.variable}, {self.gsi})?;"
        return f"{assign}\n    {vm}.unregister_irqfd(&{fd}, {self.gsi})?;" if self.undone else assign


@dataclass(frozen=True, kw_only=True)
class SetGsiRouting(Call):
    """KVM_SET_GSI_ROUTING of a table with one route; beside: there are those of the pins as well, which QEMU has."""

    vm: CreateVm
    route: GsiRoute
    beside: bool = False

    title = "KVM_SET_GSI_ROUTING"
    group = WIRES
    request: ClassVar[int] = lib.KVM_SET_GSI_ROUTING

    @property
    def says(self) -> str:
        if self.beside:
            return tr(
                "Replaces the routing table: {route}. Shown is that route alone; QEMU's table has those of the "
                "controllers' pins as well.",
                route=self.route,
            )
        return tr("Replaces the routing table: {route}; no other GSI leads anywhere.", route=self.route)

    @property
    def _by_message(self) -> bool:
        return bool(self.route.type == lib.BW_ROUTE_MSI)

    @property
    def arguments(self) -> Arguments:
        table = ffi.new("struct kvm_irq_routing *", {"nr": 1})[0]
        entry = lib.bw_routing_entry_struct(ffi.new("struct bw_route *", self.route.as_c()))
        kind = "KVM_IRQ_ROUTING_MSI" if self._by_message else "KVM_IRQ_ROUTING_IRQCHIP"
        head, body = arguments_of(table, {}), arguments_of(entry, {"type": kind})
        size = len(head.data)
        fields = [*body.fields, *self._target(entry, ffi.offsetof("struct kvm_irq_routing_entry", "u"))]
        inside = (Field(f"entries[0].{f.name}", size + f.offset, f.size, f.value, f.text) for f in fields)
        return Arguments(head.struct, (*head.fields, *inside), head.data + body.data)

    def _target(self, entry: object, offset: int) -> list[Field]:
        """What the route's union holds."""
        name, union = ("msi", entry.u.msi) if self._by_message else ("irqchip", entry.u.irqchip)  # type: ignore[attr-defined]
        texts = {"address_lo": f"{self.route.address & 0xFFFFFFFF:#x}", "data": f"{self.route.data:#x}"}
        if not self._by_message:
            texts = {"irqchip": "KVM_IRQCHIP_IOAPIC"}
        return [
            Field(f"u.{name}.{f.name}", offset + f.offset, f.size, f.value, f.text)
            for f in arguments_of(union, texts).fields
        ]

    def c(self) -> str:
        fields = [f for f in self.arguments.fields if f.name.startswith("entries[0]") and f.value]
        lines = "\n".join(f"        .{f.name.removeprefix('entries[0].')} = {f.text}," for f in fields)
        return f"""    struct kvm_irq_routing *table = calloc(1, sizeof *table + sizeof table->entries[0]);
    table->nr = 1;
    table->entries[0] = (struct kvm_irq_routing_entry){{
{lines}
    }};
    check(ioctl({self.vm.variable}, KVM_SET_GSI_ROUTING, table), "KVM_SET_GSI_ROUTING");"""

    def python(self) -> str:
        gsi, data, pin = self.route.gsi, self.route.data, self.route.pin
        apic = f", {self.route.apic}" if self.route.apic else ""
        route = f"GsiRoute.msi({gsi}, {data:#x}{apic})" if self._by_message else f"GsiRoute.ioapic({gsi}, {pin})"
        return f"{self.vm.variable}.set_gsi_routing({route})"

    def rust(self) -> str:
        low, data = self.route.address & 0xFFFFFFFF, self.route.data
        kind, union = "KVM_IRQ_ROUTING_MSI", f"entry.u.msi.address_lo = {low:#x};\n    entry.u.msi.data = {data:#x};"
        if not self._by_message:
            kind = "KVM_IRQ_ROUTING_IRQCHIP"
            union = f"entry.u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;\n    entry.u.irqchip.pin = {self.route.pin};"
        return f"""    let mut entry = kvm_irq_routing_entry {{
        gsi: {self.route.gsi},
        type_: {kind},
        ..Default::default()
    }};
    {union}
    let table = KvmIrqRouting::from_entries(&[entry]).map_err(|error| format!("{{error:?}}"))?;
    {self.vm.variable}.set_gsi_routing(&table)?;"""


@dataclass(frozen=True, kw_only=True)
class ChangeRoute(SetGsiRouting):
    """The same while signals fly. every_ms: how often."""

    every_ms: int

    group = SIGNALS
    by = tr_later("engine thread")

    @property
    def says(self) -> str:
        return tr("Every {ms} ms, in turn: {route}; the irqfd follows at once.", ms=self.every_ms, route=self.route)

    def c(self) -> str:
        return super().c().replace("table", "changed")  # both are in one program


@dataclass(frozen=True, kw_only=True)
class ReassignIoeventfd(AssignIoeventfd):
    """An ioeventfd that a lab's step registers in another way: there is no call that changes one."""

    was: IoMatch
    at_ms: int

    group = SIGNALS
    by = tr_later("engine thread")

    @property
    def says(self) -> str:
        return tr(
            "After {ms} ms it is deassigned, and this call assigns it anew: KVM signals the eventfd {eventfd} when the "
            "guest writes {match}.",
            ms=self.at_ms,
            eventfd=self.eventfd.variable,
            match=self.match,
        )

    @property
    def _before(self) -> AssignIoeventfd:
        """As it was assigned, and then deassigned."""
        return AssignIoeventfd(name=self.name, vm=self.vm, eventfd=self.eventfd, match=self.was, undone=True)

    def c(self) -> str:
        again = super().c().replace(" ioeventfd = ", " again = ").replace("&ioeventfd", "&again")
        return f"{self._before.c()}\n{again}"

    def python(self) -> str:
        return f"{self._before.python()}\n{super().python()}"

    def rust(self) -> str:
        return f"{self._before.rust()}\n{super().rust()}"


@dataclass(frozen=True, kw_only=True)
class RefusedIrqfd(AssignIrqfd):
    """A second irqfd of one eventfd, for which a lab's step asks in vain."""

    at_ms: int

    group = SIGNALS
    by = tr_later("engine thread")

    @property
    def says(self) -> str:
        return tr(
            "After {ms} ms it asks for the eventfd {eventfd}, which is an irqfd, to raise GSI {gsi} as well: KVM "
            "answers EBUSY.",
            ms=self.at_ms,
            eventfd=self.eventfd.variable,
            gsi=self.gsi,
        )

    def c(self) -> str:
        return f"""    struct kvm_irqfd second = {self.arguments.literal()};
    if (ioctl({self.vm.variable}, KVM_IRQFD, &second) == 0 || errno != EBUSY) {{
        perror("not EBUSY");
        return 1;
    }}"""

    def python(self) -> str:
        return f"""try:
    enter(Irqfd({self.vm.variable}, {self.eventfd.variable}, {self.gsi}))
except KvmError as error:
    print(error)"""

    def rust(self) -> str:
        asked = f"{self.vm.variable}.register_irqfd(&{self.eventfd.variable}, {self.gsi})"
        return f"    assert!({asked}.is_err()); // EBUSY"


@dataclass(frozen=True, kw_only=True)
class RegisterZone(Call):
    """KVM_REGISTER_COALESCED_MMIO"""

    vm: CreateVm
    address: int
    size: int
    pio: bool

    title = "KVM_REGISTER_COALESCED_MMIO"
    group = WIRES
    request: ClassVar[int] = lib.KVM_REGISTER_COALESCED_MMIO

    @property
    def says(self) -> str:
        place = port_or_address(self.pio, self.address)
        return tr(
            "Writes to {bytes} from {place} go into a ring, and nobody is woken.",
            bytes=number_of(self.size, "byte"),
            place=place,
        )

    @property
    def arguments(self) -> Arguments:
        struct = lib.bw_coalesced_zone_struct(self.address, self.size, int(self.pio))
        return arguments_of(struct, {"addr": f"{self.address:#x}"})

    def c(self) -> str:
        return f"""    struct kvm_coalesced_mmio_zone zone = {self.arguments.literal()};
    check(ioctl({self.vm.variable}, KVM_REGISTER_COALESCED_MMIO, &zone), "KVM_REGISTER_COALESCED_MMIO");"""

    def python(self) -> str:
        return f"enter(CoalescedZone({self.vm.variable}, {self.address:#x}, {self.size}, pio={self.pio}))"

    def rust(self) -> str:
        kind = "Pio" if self.pio else "Mmio"
        return f"""    let address = IoEventAddress::{kind}({self.address:#x});
    {self.vm.variable}.register_coalesced_mmio(address, {self.size})?;"""


@dataclass(frozen=True, kw_only=True)
class UnregisterZone(RegisterZone):
    """KVM_UNREGISTER_COALESCED_MMIO, as the zone is taken away when the machine is closed."""

    title = "KVM_UNREGISTER_COALESCED_MMIO"
    group = CLOSE
    request: ClassVar[int] = lib.KVM_UNREGISTER_COALESCED_MMIO

    @property
    def says(self) -> str:
        place = port_or_address(self.pio, self.address)
        size = number_of(self.size, "byte")
        return tr("Writes to {bytes} from {place} no longer go into the ring.", bytes=size, place=place)

    def c(self) -> str:
        call = f'ioctl({self.vm.variable}, {self.title}, &zone), "{self.title}"'
        return f"{super().c()}\n    check({call});"

    def python(self) -> str:
        return f"zone = {super().python()}\nzone.close()"

    def rust(self) -> str:
        address = f"IoEventAddress::{'Pio' if self.pio else 'Mmio'}({self.address:#x})"
        return f"{super().rust()}\n    {self.vm.variable}.unregister_coalesced_mmio({address}, {self.size})?;"


@dataclass(frozen=True, kw_only=True)
class DeassignIoeventfd(AssignIoeventfd):
    """As it is taken away when the machine is closed."""

    group = CLOSE

    @property
    def says(self) -> str:
        return tr(
            "KVM no longer signals {eventfd} when the guest writes {match}; its count stays.",
            eventfd=self.eventfd.variable,
            match=self.match,
        )


@dataclass(frozen=True, kw_only=True)
class DeassignIrqfd(AssignIrqfd):
    """The same."""

    group = CLOSE

    @property
    def says(self) -> str:
        return tr(
            "Ends the irqfd of GSI {gsi}: once it returns, no interrupt comes of {eventfd}.",
            gsi=self.gsi,
            eventfd=self.eventfd.variable,
        )
