"""What is done for each signal in user space: eventfds are read and written, interrupts asked for by ioctl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine._core import lib
from bellwire.engine.calls.arguments import Arguments, Field, arguments_of
from bellwire.engine.calls.call import SIGNALS, Call
from bellwire.engine.calls.set_up import CreateVcpu, CreateVm, NewEventfd
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.irqchip import IoapicPin
from bellwire.engine.language import tr, tr_later

COUNT = 8  # bytes that eventfds are read and written in
# Of a struct kvm_irqchip, in bytes: its size, where the chip's own begins, then its redirection entries; size of one.
IRQCHIP, CHIP, IOAPIC_ENTRIES, ENTRY = 520, 8, 32, 8


@dataclass(frozen=True, kw_only=True)
class ReadEventfd(Call):
    """read(2) of an eventfd. what: what the count is a number of. comes: whether a program has made it count before."""

    eventfd: NewEventfd
    what: str
    comes: bool = True

    group = SIGNALS
    by = tr_later("I/O thread")

    @property
    def title(self) -> str:
        return f"read({self.eventfd.variable})"

    @property
    def says(self) -> str:
        return tr("Sleeps while the count is 0, then takes it all: so many {what} since the last read.", what=self.what)

    @property
    def arguments(self) -> Arguments:
        return Arguments("uint64_t", (Field("count", 0, COUNT, None, tr("what there is")),), bytes(COUNT))

    def c(self) -> str:
        fd = self.eventfd.variable
        take = f"""    check(read({fd}, &count, sizeof count), "read");
    printf("{fd}: count %llu\\n", (unsigned long long)count);"""
        if self.comes:
            return f"    uint64_t count;\n{take}"
        look = f"""    /* No guest runs here that could end the interrupt: look, rather than sleep. */
    struct pollfd waiting = {{.fd = {fd}, .events = POLLIN}};
    if (check(poll(&waiting, 1, 0), "poll") == 0)
        return 0;"""
        return f"    uint64_t count;\n{look}\n{take}"

    def python(self) -> str:
        return f"print({self.eventfd.variable}.take())"

    def rust(self) -> str:
        fd = self.eventfd.variable
        take = f'    println!("{fd}: count {{}}", {fd}.read()?);'
        if self.comes:
            return take
        return f"""    // No guest runs here that could end the interrupt: look, rather than sleep.
    let mut waiting = libc::pollfd {{ fd: {fd}.as_raw_fd(), events: libc::POLLIN, revents: 0 }};
    // SAFETY: one pollfd, and it outlives the call.
    if unsafe {{ libc::poll(&mut waiting, 1, 0) }} < 1 {{
        return Ok(());
    }}
{take}"""


@dataclass(frozen=True, kw_only=True)
class WriteEventfd(Call):
    """write(2) to an eventfd. thread: whose; why: what comes of it."""

    eventfd: NewEventfd
    thread: str
    why: str

    group = SIGNALS

    @property
    def by(self) -> str:
        return self.thread

    @property
    def title(self) -> str:
        return f"write({self.eventfd.variable})"

    @property
    def says(self) -> str:
        return tr("Adds 1 to the count: {why}.", why=self.why)

    @property
    def arguments(self) -> Arguments:
        return Arguments("uint64_t", (Field("one", 0, COUNT, 1, "1"),), (1).to_bytes(COUNT, "little"))

    def c(self) -> str:
        return f"""    uint64_t one = 1;
    check(write({self.eventfd.variable}, &one, sizeof one), "write");"""

    def python(self) -> str:
        return f"{self.eventfd.variable}.signal()"

    def rust(self) -> str:
        return f"    {self.eventfd.variable}.write(1)?;"


@dataclass(frozen=True, kw_only=True)
class SetIrqLine(Call):
    """KVM_IRQ_LINE_STATUS"""

    vm: CreateVm
    gsi: int
    level: int
    thread: str = tr_later("I/O thread")

    title = "KVM_IRQ_LINE_STATUS"
    group = SIGNALS
    request: ClassVar[int] = lib.KVM_IRQ_LINE_STATUS

    @property
    def by(self) -> str:
        return self.thread

    @property
    def says(self) -> str:
        if self.level:
            return tr("Raises the line of GSI {gsi}; status tells whether that became an interrupt.", gsi=self.gsi)
        return tr("Lowers the line of GSI {gsi}, which nobody else does for this ioctl.", gsi=self.gsi)

    @property
    def arguments(self) -> Arguments:
        return arguments_of(lib.bw_irq_line_struct(self.gsi, self.level), {})

    def c(self) -> str:
        return f"""    struct kvm_irq_level line = {self.arguments.literal()};
    check(ioctl({self.vm.variable}, KVM_IRQ_LINE_STATUS, &line), "KVM_IRQ_LINE_STATUS");
    printf("status %d\\n", line.status);"""

    def python(self) -> str:
        return f"print({self.vm.variable}.irq_line({self.gsi}, {self.level}))"

    def rust(self) -> str:
        note = "    // KVM_IRQ_LINE: the same without the status.\n"
        return f"{note}    {self.vm.variable}.set_irq_line({self.gsi}, {'true' if self.level else 'false'})?;"


@dataclass(frozen=True, kw_only=True)
class SignalMsi(Call):
    """KVM_SIGNAL_MSI"""

    vm: CreateVm
    vcpu: CreateVcpu
    route: GsiRoute
    thread: str = tr_later("I/O thread")

    title = "KVM_SIGNAL_MSI"
    group = SIGNALS
    request: ClassVar[int] = lib.KVM_SIGNAL_MSI

    @property
    def by(self) -> str:
        """Who makes it."""
        return self.thread

    @property
    def says(self) -> str:
        return tr(
            "Sends one message, vector {vector:#x} to the local APIC {apic}, past all routes; the result is how many "
            "vCPUs took it.",
            vector=self.route.vector,
            apic=self.route.apic,
        )

    @property
    def arguments(self) -> Arguments:
        low, high, data = self.route.address & 0xFFFFFFFF, self.route.address >> 32, self.route.data
        return arguments_of(lib.bw_msi_struct(low, high, data), {"data": f"{data:#x}"})

    def c(self) -> str:
        return f"""    struct kvm_msi msi = {self.arguments.literal()};
    int taken = check(ioctl({self.vm.variable}, KVM_SIGNAL_MSI, &msi), "KVM_SIGNAL_MSI");
    printf("%d vCPUs took it\\n", taken);
    close({self.vcpu.variable});"""

    def python(self) -> str:
        return f"print({self.vm.variable}.signal_msi(GsiRoute.msi({self.route.gsi}, {self.route.data:#x})))"

    def rust(self) -> str:
        return f"""    let msi = kvm_msi {{
        address_lo: {self.route.address & 0xFFFFFFFF:#x},
        data: {self.route.data:#x},
        ..Default::default()
    }};
    println!("{{}} vCPUs took it", {self.vm.variable}.signal_msi(msi)?);"""


@dataclass(frozen=True, kw_only=True)
class SetIoapicPin(Call):
    """KVM_SET_IRQCHIP of the IOAPIC with one pin changed, as a lab's step masks and unmasks it."""

    vm: CreateVm
    route: GsiRoute
    vector: int
    masked: bool
    at_ms: int

    title = "KVM_SET_IRQCHIP"
    group = SIGNALS
    by = tr_later("engine thread")
    request: ClassVar[int] = lib.KVM_SET_IRQCHIP

    @property
    def says(self) -> str:
        if self.masked:
            return tr(
                "After {ms} ms it masks pin {pin} of the IOAPIC, with the irqfd deassigned meanwhile so that no "
                "injection is under way: edges that come from now on are lost.",
                ms=self.at_ms,
                pin=self.route.pin,
            )
        return tr(
            "After {ms} ms it unmasks pin {pin} of the IOAPIC, with the irqfd deassigned meanwhile so that no "
            "injection is under way: edges interrupt again.",
            ms=self.at_ms,
            pin=self.route.pin,
        )

    @property
    def entry(self) -> int:
        """The pin's redirection entry."""
        return IoapicPin(self.vector, masked=self.masked).entry

    @property
    def arguments(self) -> Arguments:
        at, end = IOAPIC_ENTRIES + self.route.pin * ENTRY, IRQCHIP
        before, after = CHIP, at + ENTRY
        kept = tr("as KVM_GET_IRQCHIP gave it")
        fields = (
            Field("chip_id", 0, 4, lib.KVM_IRQCHIP_IOAPIC, "KVM_IRQCHIP_IOAPIC"),
            Field("chip.ioapic", before, at - before, None, kept),
            Field(f"chip.ioapic.redirtbl[{self.route.pin}]", at, ENTRY, self.entry, f"{self.entry:#x}"),
            Field("chip", after, end - after, None, kept),
        )
        entry = self.entry.to_bytes(ENTRY, "little")
        head = lib.KVM_IRQCHIP_IOAPIC.to_bytes(CHIP, "little")
        return Arguments("struct kvm_irqchip", fields, head + bytes(at - before) + entry + bytes(end - after))

    def c(self) -> str:
        return f"""    struct kvm_irqchip chip = {{.chip_id = KVM_IRQCHIP_IOAPIC}};
    check(ioctl({self.vm.variable}, KVM_GET_IRQCHIP, &chip), "KVM_GET_IRQCHIP");
    chip.chip.ioapic.redirtbl[{self.route.pin}].bits = {self.entry:#x};
    check(ioctl({self.vm.variable}, KVM_SET_IRQCHIP, &chip), "KVM_SET_IRQCHIP");"""

    def python(self) -> str:
        return f"IoapicPin({self.vector:#x}, masked={self.masked}).put({self.vm.variable}, {self.route.pin})"

    def rust(self) -> str:
        return f"""    let mut chip = kvm_irqchip {{ chip_id: KVM_IRQCHIP_IOAPIC, ..Default::default() }};
    {self.vm.variable}.get_irqchip(&mut chip)?;
    // SAFETY: the IOAPIC's state is what chip_id asks for.
    unsafe {{ chip.chip.ioapic.redirtbl[{self.route.pin}].bits = {self.entry:#x} }};
    {self.vm.variable}.set_irqchip(&chip)?;"""
