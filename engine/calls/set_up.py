"""What every VM begins with, and the eventfds (virt/kvm/api.rst, 4.2 to 4.35; eventfd(2))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine._core import ffi, lib
from bellwire.engine.calls.arguments import Arguments, Field, arguments_of, c_number
from bellwire.engine.calls.call import Call
from bellwire.engine.counted import number_of
from bellwire.engine.language import tr


@dataclass(frozen=True, kw_only=True)
class OpenKvm(Call):
    """open(2)"""

    title = 'open("/dev/kvm")'
    variable = "kvm"

    @property
    def says(self) -> str:
        return tr("Opens KVM itself; everything else is made from this file descriptor.")

    def c(self) -> str:
        return '    int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");'

    def python(self) -> str:
        return "kvm = enter(Kvm())"

    def rust(self) -> str:
        return "    let kvm = Kvm::new()?;"


@dataclass(frozen=True, kw_only=True)
class CreateVm(Call):
    """KVM_CREATE_VM. letter: of several VMs "a", "b"."""

    kvm: OpenKvm
    letter: str = ""

    title = "KVM_CREATE_VM"
    request: ClassVar[int] = lib.KVM_CREATE_VM

    @property
    def says(self) -> str:
        if not self.letter:
            return tr("Makes a virtual machine: an address space, two I/O buses, no CPU yet.")
        return tr(
            "Makes a virtual machine for guest {letter}: an address space, two I/O buses, no CPU yet.",
            letter=self.letter.upper(),
        )

    @property
    def variable(self) -> str:
        return f"vm_{self.letter}" if self.letter else "vm"

    def c(self) -> str:
        return f'    int {self.variable} = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");'

    def python(self) -> str:
        return f"{self.variable} = enter(Vm(kvm))"

    def rust(self) -> str:
        return f"    let {self.variable} = kvm.create_vm()?;"


@dataclass(frozen=True, kw_only=True)
class CreateIrqchip(Call):
    """KVM_CREATE_IRQCHIP"""

    vm: CreateVm

    title = "KVM_CREATE_IRQCHIP"
    request: ClassVar[int] = lib.KVM_CREATE_IRQCHIP

    @property
    def says(self) -> str:
        return tr(
            "Puts the interrupt controllers into the kernel: PIC, IOAPIC, a local APIC for each vCPU; an irqfd needs "
            "it."
        )

    def c(self) -> str:
        return f'    check(ioctl({self.vm.variable}, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");'

    def python(self) -> str:
        return f"{self.vm.variable}.create_irqchip()"

    def rust(self) -> str:
        return f"    {self.vm.variable}.create_irq_chip()?;"


@dataclass(frozen=True, kw_only=True)
class EnableSplitIrqchip(Call):
    """KVM_ENABLE_CAP of KVM_CAP_SPLIT_IRQCHIP"""

    vm: CreateVm
    pins: int = lib.BW_IOAPIC_PINS

    title = "KVM_ENABLE_CAP"
    request: ClassVar[int] = lib.KVM_ENABLE_CAP

    @property
    def says(self) -> str:
        return tr(
            "Puts only the local APICs into the kernel and leaves an IOAPIC of {pins} pins to user space.",
            pins=self.pins,
        )

    @property
    def arguments(self) -> Arguments:
        return arguments_of(lib.bw_split_irqchip_struct(self.pins), {"cap": "KVM_CAP_SPLIT_IRQCHIP"})

    def c(self) -> str:
        return f"""    struct kvm_enable_cap cap = {self.arguments.literal()};
    check(ioctl({self.vm.variable}, KVM_ENABLE_CAP, &cap), "KVM_ENABLE_CAP");"""

    def python(self) -> str:
        return f"{self.vm.variable}.enable_split_irqchip({self.pins})"

    def rust(self) -> str:
        return f"""    let cap = kvm_enable_cap {{
        cap: KVM_CAP_SPLIT_IRQCHIP,
        args: [{self.pins}, 0, 0, 0],
        ..Default::default()
    }};
    {self.vm.variable}.enable_cap(&cap)?;"""


@dataclass(frozen=True, kw_only=True)
class SetMemory(Call):
    """KVM_SET_USER_MEMORY_REGION. address: guest-physical; called: the variable, of all but the guest's own memory."""

    vm: CreateVm
    slot: int = 0
    address: int = 0
    size: int = lib.BW_MEMORY_SIZE
    called: str = ""
    what: str = ""  # what it is, in words; "": all of the guest's memory

    title = "KVM_SET_USER_MEMORY_REGION"
    request: ClassVar[int] = lib.KVM_SET_USER_MEMORY_REGION

    @property
    def says(self) -> str:
        size = f"{self.size >> 20} MiB" if self.size >= 1 << 20 else number_of(self.size, "byte")
        return tr(
            "Shows {size} of this process to the guest at address {address}: {what}.",
            size=size,
            address=c_number(self.address),
            what=self.what or tr("the guest's memory"),
        )

    @property
    def memory(self) -> str:
        """The variable of what is shown."""
        return self.called or self.vm.variable.replace("vm", "memory")

    @property
    def arguments(self) -> Arguments:
        struct = lib.bw_memory_struct(self.slot, self.address, self.size, ffi.NULL)
        return arguments_of(struct, {"userspace_addr": f"(uintptr_t){self.memory}"}, {"userspace_addr": True})

    def c(self) -> str:
        return f"""    void *{self.memory} = map({self.size:#x}, MAP_ANONYMOUS, -1);
    struct kvm_userspace_memory_region region = {self.arguments.literal()};
    check(ioctl({self.vm.variable}, {self.title}, &region), "{self.title}");"""

    @property
    def helpers(self) -> tuple[str, ...]:
        return (MAP,)

    def python(self) -> str:
        own = f"{self.memory} = enter(Memory())\n"
        if self.slot:  # only another guest's control page is shown so
            return f"{own}{self.vm.variable}.map_control_page({self.memory})"
        return f"{own}{self.vm.variable}.set_user_memory_region({self.memory})"

    def rust(self) -> str:
        return f"""    // SAFETY: a new mapping, which stays as long as the program.
    let {self.memory} = unsafe {{
        libc::mmap(
            std::ptr::null_mut(),
            {self.size:#x},
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    }};
    assert_ne!({self.memory}, libc::MAP_FAILED);
    let region = kvm_userspace_memory_region {{
        slot: {self.slot},
        guest_phys_addr: {c_number(self.address)},
        memory_size: {self.size:#x},
        userspace_addr: {self.memory} as u64,
        ..Default::default()
    }};
    // SAFETY: the region is that mapping.
    unsafe {{ {self.vm.variable}.set_user_memory_region(region)? }};"""


MAP = """static void *map(size_t size, int flags, int fd)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, fd, 0);
    if (memory == MAP_FAILED)
        check(-1, "mmap");
    return memory;
}"""


@dataclass(frozen=True, kw_only=True)
class SetVcpuMemory(SetMemory):
    """The same of a part of another vCPU's memory, which the Python API shows whole. whole: the first part."""

    whole: SetMemory | None = None

    def c(self) -> str:
        region = f"region_{self.slot}"  # several are in one program
        return super().c().replace(" region =", f" {region} =").replace("&region", f"&{region}")

    def python(self) -> str:
        if self.whole is not None:
            return f"# A part of {self.whole.memory}, which add_vcpu_memory() has shown whole."
        make = f"{self.memory} = enter(Memory(base={lib.BW_VCPU_MEMORY:#x}))"
        return f"{make}\n{self.vm.variable}.add_vcpu_memory({self.memory})"


@dataclass(frozen=True, kw_only=True)
class CreateVcpu(Call):
    """KVM_CREATE_VCPU"""

    vm: CreateVm
    memory: SetMemory
    number: int = 0

    title = "KVM_CREATE_VCPU"
    request: ClassVar[int] = lib.KVM_CREATE_VCPU

    @property
    def says(self) -> str:
        return tr("Makes the guest's CPU number {number}; a thread of its own runs it by KVM_RUN.", number=self.number)

    @property
    def variable(self) -> str:
        return self.vm.variable.replace("vm", "vcpu") + (f"_{self.number}" if self.number else "")

    @property
    def arguments(self) -> Arguments | None:
        if not self.number:
            return None
        field = Field("id", 0, 8, self.number, str(self.number))
        return Arguments("unsigned long", (field,), self.number.to_bytes(8, "little"))

    def c(self) -> str:
        ioctl = f"ioctl({self.vm.variable}, KVM_CREATE_VCPU, {self.number})"
        return f'    int {self.variable} = check({ioctl}, "KVM_CREATE_VCPU");'

    def python(self) -> str:
        number = f", {self.number}" if self.number else ""
        return f"{self.variable} = enter(Vcpu({self.vm.variable}, {self.memory.memory}, None{number}))"

    def rust(self) -> str:
        return f"    let mut {self.variable} = {self.vm.variable}.create_vcpu({self.number})?;"


@dataclass(frozen=True, kw_only=True)
class NewEventfd(Call):
    """eventfd(2). number: of the file descriptor, None if it is not known."""

    called: str
    purpose: str
    number: int | None = None

    title = "eventfd()"

    @property
    def says(self) -> str:
        return tr("Makes a counter in the kernel, from 0: {purpose}.", purpose=self.purpose)

    @property
    def variable(self) -> str:
        return self.called

    def c(self) -> str:
        return f'    int {self.called} = check(eventfd(0, EFD_CLOEXEC), "eventfd");'

    def python(self) -> str:
        return f"{self.called} = enter(Eventfd())"

    def rust(self) -> str:
        return f"    let {self.called} = EventFd::new(EFD_CLOEXEC)?;"
