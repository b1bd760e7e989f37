"""The guest's own part: the instruction that rings, and how KVM_RUN comes back when nothing in the kernel takes it.

The programs run one instruction and HLT: in 16-bit mode for a port, in 64-bit mode for memory that is not there, as
addresses above 1 MiB cannot be reached otherwise. Instructions: Intel SDM vol. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bellwire.engine._core import lib
from bellwire.engine.calls.arguments import Arguments, Field, c_number
from bellwire.engine.calls.call import SIGNALS, Call
from bellwire.engine.calls.set_up import MAP, CreateVcpu, CreateVm, SetMemory
from bellwire.engine.counted import count_of
from bellwire.engine.language import tr, tr_later

CODE = lib.BW_IMAGE  # where the programs' guests begin; in 16-bit mode as segment CODE >> 4 and offset 0
TABLES, PAGE = lib.BW_PAGE_TABLES, lib.BW_PAGE_SIZE
HLT = b"\xf4"
REGISTERS = {1: "al", 2: "ax", 4: "eax", 8: "rax"}
C_TYPES = {1: "uint8_t", 2: "uint16_t", 4: "uint32_t", 8: "uint64_t"}


@dataclass(frozen=True)
class Write:
    """One write of the guest. bus: "pio" or "mmio"."""

    bus: str
    address: int
    width: int
    value: int

    @property
    def assembler(self) -> str:
        """The instructions in words."""
        a = REGISTERS[self.width]
        if self.bus == "pio":
            return f"mov dx, {self.address:#x}; mov {a}, {self.value}; out dx, {a}"
        return f"mov rdi, {self.address:#x}; mov {a}, {self.value}; mov [rdi], {a}"

    @property
    def code_16_bit(self) -> bytes:
        """Of a port, in 16-bit mode."""
        load = {1: b"\xb0", 2: b"\xb8", 4: b"\x66\xb8"}[self.width] + self.value.to_bytes(self.width, "little")
        out = {1: b"\xee", 2: b"\xef", 4: b"\x66\xef"}[self.width]
        return b"\xba" + self.address.to_bytes(2, "little") + load + out

    @property
    def code_64_bit(self) -> bytes:
        """Of either bus, in 64-bit mode."""
        load = b"\x48\xb8" + self.value.to_bytes(8, "little")
        if self.bus == "pio":
            out = {1: b"\xee", 2: b"\x66\xef", 4: b"\xef"}[self.width]
            return b"\x66\xba" + self.address.to_bytes(2, "little") + load + out
        store = {1: b"\x88\x07", 2: b"\x66\x89\x07", 4: b"\x89\x07", 8: b"\x48\x89\x07"}[self.width]
        return b"\xbf" + self.address.to_bytes(4, "little") + load + store

    @property
    def code(self) -> bytes:
        """As the programs in C and Rust run it, with HLT behind."""
        return (self.code_16_bit if self.bus == "pio" else self.code_64_bit) + HLT


@dataclass(frozen=True, kw_only=True)
class GuestWrite(Call):
    """The guest's instruction, run by KVM_RUN. takes: what takes it, as the end of a sentence."""

    vm: CreateVm
    memory: SetMemory
    vcpu: CreateVcpu
    write: Write
    takes: str

    group = SIGNALS
    by = tr_later("guest")

    @property
    def title(self) -> str:
        where = f"out {self.write.address:#x}" if self.write.bus == "pio" else f"mov [{self.write.address:#x}]"
        return f"{where} ← {c_number(self.write.value)}"

    @property
    def says(self) -> str:
        size = count_of(self.write.width, "byte")
        return tr("The guest writes {size}; {what_takes_it}.", size=size, what_takes_it=self.takes)

    @property
    def arguments(self) -> Arguments:
        write = self.write
        field = Field("value", 0, write.width, write.value, c_number(write.value))
        return Arguments(C_TYPES[write.width], (field,), write.value.to_bytes(write.width, "little"))

    @property
    def helpers(self) -> tuple[str, ...]:
        return (MAP, START_16_BIT if self.write.bus == "pio" else START_64_BIT)

    def c(self) -> str:
        code = ", ".join(f"{byte:#04x}" for byte in self.write.code)
        start = f"start_16_bit({self.vcpu.variable})"
        if self.write.bus == "mmio":
            start = f"start_64_bit(kvm, {self.vcpu.variable}, {self.memory.memory})"
        return f"""    /* {self.write.assembler}; hlt */
    static const uint8_t code[] = {{{code}}};
    memcpy((char *){self.memory.memory} + {CODE:#x}, code, sizeof code);
    {start};
    size_t run_size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
    struct kvm_run *run = map(run_size, 0, {self.vcpu.variable});
    check(ioctl({self.vcpu.variable}, KVM_RUN, 0), "KVM_RUN");
    printf("KVM_RUN returned with exit reason %u\\n", run->exit_reason);"""

    def python(self) -> str:
        memory, vcpu = self.memory.memory, self.vcpu.variable
        leave = Write("pio", lib.BW_PORT_EXIT, 1, 0).code_64_bit.hex()
        return f"""code = bytes.fromhex("{self.write.code_64_bit.hex()}")  # {self.write.assembler}
code += bytes.fromhex("{leave}")  # and the end of a guest here: out {lib.BW_PORT_EXIT:#x}
{memory}.bytes[{CODE:#x} : {CODE:#x} + len(code)] = code
{vcpu}.start()
while not {vcpu}.ended:
    time.sleep(0.001)"""

    def rust(self) -> str:
        code, vcpu = ", ".join(f"{byte:#04x}" for byte in self.write.code), self.vcpu.variable
        start = RUST_16_BIT if self.write.bus == "pio" else RUST_64_BIT
        return f"""    // {self.write.assembler}; hlt
    let code: [u8; {len(self.write.code)}] = [{code}];
    // SAFETY: inside of the mapping, and the guest does not run yet.
    unsafe {{ {self.memory.memory}.cast::<u8>().add({CODE:#x}).copy_from(code.as_ptr(), code.len()) }};
{start.format(vcpu=vcpu, memory=self.memory.memory)}
    let exit = {vcpu}.run()?;
    println!("KVM_RUN returned {{exit:?}}");"""


@dataclass(frozen=True, kw_only=True)
class LeaveToUserSpace(Call):
    """KVM_RUN returns: nothing in the kernel has taken the write."""

    ring: GuestWrite

    title = "KVM_RUN"
    group = SIGNALS
    by = tr_later("vCPU thread")
    request: ClassVar[int] = lib.KVM_RUN

    @property
    def reason(self) -> str:
        """KVM_EXIT_*."""
        return "KVM_EXIT_IO" if self.ring.write.bus == "pio" else "KVM_EXIT_MMIO"

    @property
    def says(self) -> str:
        return tr(
            "Returns with {reason}: nothing in the kernel took the write, so the vCPU waits for user space.",
            reason=self.reason,
        )

    def c(self) -> str:
        what = 'printf("port %#x, %u bytes\\n", run->io.port, run->io.size);'
        if self.ring.write.bus == "mmio":
            what = 'printf("address %#llx, %u bytes\\n", run->mmio.phys_addr, run->mmio.len);'
        return f"""    if (run->exit_reason != {self.reason})
        return 1;
    {what}"""

    def python(self) -> str:
        return f"print({self.ring.vcpu.variable}.exits())"

    def rust(self) -> str:
        kind = "IoOut" if self.ring.write.bus == "pio" else "MmioWrite"
        return f"    assert!(matches!(exit, VcpuExit::{kind}({self.ring.write.address:#x}, _)));"


@dataclass(frozen=True, kw_only=True)
class TakeCoalesced(Call):
    """The ring of coalesced writes, looked at when KVM_RUN has returned for another reason."""

    ring: GuestWrite

    title = "struct kvm_coalesced_mmio_ring"
    group = SIGNALS
    by = tr_later("vCPU thread")

    @property
    def says(self) -> str:
        return tr("The vCPU thread takes the writes that have gathered in the ring, a page that it shares with KVM.")

    def c(self) -> str:
        vcpu = self.ring.vcpu.variable
        return f"""    int page = check(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO), "KVM_CHECK_EXTENSION");
    struct kvm_coalesced_mmio_ring *ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, {vcpu}, page * 4096);
    uint32_t slots = (4096 - sizeof *ring) / sizeof ring->coalesced_mmio[0];
    while (ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {{
        struct kvm_coalesced_mmio *write = &ring->coalesced_mmio[ring->first];
        printf("%#llx: %u bytes\\n", write->phys_addr, write->len);
        __atomic_store_n(&ring->first, (ring->first + 1) % slots, __ATOMIC_RELEASE);
    }}"""

    def python(self) -> str:
        return f"print(enter(CoalescedRing({self.ring.vm.variable}, {self.ring.vcpu.variable})).take())"

    def rust(self) -> str:
        vcpu = self.ring.vcpu.variable
        return f"""    {vcpu}.map_coalesced_mmio_ring()?;
    while let Some(write) = {vcpu}.coalesced_mmio_read()? {{
        println!("{{:#x}}: {{}} bytes", write.phys_addr, write.len);
    }}"""


START_16_BIT = f"""static void start_16_bit(int vcpu)
{{
    struct kvm_sregs sregs;
    check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    sregs.cs.selector = {CODE >> 4:#x};
    sregs.cs.base = {CODE:#x};
    check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    struct kvm_regs regs = {{.rip = 0, .rflags = 2}};
    check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}}"""

START_64_BIT = f"""/* A 64-bit CPU; the first 4 GiB one to one, by pages of 2 MiB; tables from {TABLES:#x}. */
static void start_64_bit(int kvm, int vcpu, void *memory)
{{
    struct {{
        struct kvm_cpuid2 head;
        struct kvm_cpuid_entry2 entries[256];
    }} cpuid = {{.head.nent = 256}};
    check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid), "KVM_GET_SUPPORTED_CPUID");
    check(ioctl(vcpu, KVM_SET_CPUID2, &cpuid), "KVM_SET_CPUID2");
    uint64_t *tables = (uint64_t *)((char *)memory + {TABLES:#x});
    tables[0] = {TABLES + PAGE | 3:#x};
    for (uint64_t i = 0; i < 4; i++)
        tables[512 + i] = ({TABLES + 2 * PAGE:#x} + {PAGE:#x} * i) | 3;
    for (uint64_t i = 0; i < 4 * 512; i++)
        tables[1024 + i] = i << 21 | 0x83;
    struct kvm_sregs sregs;
    check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
    sregs.cs = (struct kvm_segment){{
        .limit = 0xffffffff, .selector = 8, .type = 11, .present = 1, .l = 1, .s = 1, .g = 1}};
    sregs.cr0 = 0x80000031;
    sregs.cr3 = {TABLES:#x};
    sregs.cr4 = 0x20;
    sregs.efer = 0x500;
    check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
    struct kvm_regs regs = {{.rip = {CODE:#x}, .rflags = 2}};
    check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}}"""

RUST_16_BIT = f"""    let mut sregs = {{vcpu}}.get_sregs()?;
    sregs.cs.selector = {CODE >> 4:#x};
    sregs.cs.base = {CODE:#x};
    {{vcpu}}.set_sregs(&sregs)?;
    {{vcpu}}.set_regs(&kvm_regs {{{{ rip: 0, rflags: 2, ..Default::default() }}}})?;"""

RUST_64_BIT = f"""    // A 64-bit CPU.
    {{vcpu}}.set_cpuid2(&kvm.get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)?)?;
    // The first 4 GiB one to one, by pages of 2 MiB; tables from {TABLES:#x}.
    // SAFETY: the same.
    let tables = unsafe {{{{ std::slice::from_raw_parts_mut({{memory}}.cast::<u64>().add({TABLES // 8}), 6 * 512) }}}};
    tables[0] = {TABLES + PAGE | 3:#x};
    for i in 0..4 {{{{
        tables[512 + i] = ({TABLES + 2 * PAGE:#x} + {PAGE:#x} * i as u64) | 3;
    }}}}
    for i in 0..4 * 512 {{{{
        tables[1024 + i] = (i as u64) << 21 | 0x83;
    }}}}
    let mut sregs = {{vcpu}}.get_sregs()?;
    sregs.cs = kvm_segment {{{{
        limit: 0xffff_ffff, selector: 8, type_: 11, present: 1, l: 1, s: 1, g: 1, ..Default::default()
    }}}};
    sregs.cr0 = 0x8000_0031;
    sregs.cr3 = {TABLES:#x};
    sregs.cr4 = 0x20;
    sregs.efer = 0x500;
    {{vcpu}}.set_sregs(&sregs)?;
    {{vcpu}}.set_regs(&kvm_regs {{{{ rip: {CODE:#x}, rflags: 2, ..Default::default() }}}})?;"""
