"""What is done for each signal in user space: eventfds are read and written, interrupts asked for by ioctl."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine._core import lib
from bellwire.engine.calls.arguments import Arguments, Field, arguments_of
from bellwire.engine.calls.call import SIGNALS, Call
from bellwire.engine.calls.set_up import CreateVcpu, CreateVm, NewEventfd
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.language import tr, tr_later

COUNT = 8  # bytes that eventfds are read and written in


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
