"""A vCPU and the thread that runs it."""

from __future__ import annotations

import errno

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import THREADS_REMEDY, KvmError, LeftBehindError, check
from bellwire.engine.events import exit_name
from bellwire.engine.kvm.coalesced import CoalescedRing
from bellwire.engine.kvm.owner import Eventfd, Owner
from bellwire.engine.kvm.ring import Ring
from bellwire.engine.kvm.vm import Kvm, Memory, Vm
from bellwire.engine.language import tr, tr_later
from bellwire.engine.verdict import Ending

REFUSED = {
    errno.EEXIST: tr_later("This VM has a vCPU of this number already; it is its local APIC's as well."),
    errno.EINVAL: tr_later(
        "The number is beyond what KVM_CAP_MAX_VCPU_ID allows, or the VM has all the vCPUs that it may have."
    ),
}
JOIN_MS = 10_000  # how long the thread may take to end: on a starved machine it comes to its CPU late
EXIT_REASONS = range(lib.BW_EXIT_REASONS)  # that are counted


class Vcpu(Owner):
    """One virtual CPU and the thread that runs it (engine/core/vcpu.c)."""

    def __init__(self, vm: Vm, memory: Memory, ring: Ring | None, number: int = 0) -> None:
        self.vm = vm
        error = ffi.new("int *")
        pointer = ring.handle if ring else ffi.NULL
        self._handle = lib.bw_vcpu_new(vm.fd, vm.kvm.fd, number, memory.pointer, pointer, error)
        if self._handle == ffi.NULL:
            raise KvmError(tr("KVM_CREATE_VCPU {number}", number=number), -error[0], REFUSED.get(-error[0], ""))
        tables = lib.BW_PAGE_TABLES + memory.base
        try:
            check(lib.bw_vcpu_prepare(self._handle, lib.BW_IMAGE, tables), tr("setting up the vCPU's registers"))
        except BaseException:
            self.close()
            raise

    @property
    def fd(self) -> int:
        """The vCPU's file descriptor. Its ioctls block while it runs."""
        return int(lib.bw_vcpu_fd(self._handle))

    def tsc_hz(self) -> float:
        """TSC cycles a second (KVM_GET_TSC_KHZ)."""
        return 1000.0 * check(lib.bw_vcpu_tsc_khz(self._handle), "KVM_GET_TSC_KHZ")

    def tsc_offset(self) -> int | None:
        """Cycles that the guest's TSC is ahead of the host's, by KVM_VCPU_TSC_OFFSET; None if KVM does not tell."""
        offset = ffi.new("int64_t *")
        return int(offset[0]) if lib.bw_vcpu_tsc_offset(self._handle, offset) == 0 else None

    def add_doorbell(self, eventfd: Eventfd, address: int, *, pio: bool, value: int | None = None) -> None:
        """Writes of this value (None: any) that leave to user space are relayed to this eventfd. Before start()."""
        bus = lib.BW_BUS_PIO if pio else lib.BW_BUS_MMIO
        any_or_value = -1 if value is None else value
        result = lib.bw_vcpu_add_doorbell(self._handle, bus, address, any_or_value, eventfd.fd)
        check(result, tr("adding a doorbell at {address:#x}", address=address))

    def relay_coalesced(self, ring: CoalescedRing) -> None:
        """So are coalesced writes, whenever KVM_RUN returns. The ring outlives the thread. Before start()."""
        lib.bw_vcpu_set_coalesced(self._handle, ring.handle)

    def set_ack(self, gsi: int, eventfd: Eventfd) -> None:
        """A write to BW_PORT_ACK lowers the line of this GSI and, if its number is new, signals this eventfd."""
        lib.bw_vcpu_set_ack(self._handle, self.vm.fd, gsi, eventfd.fd)

    def start(self, cpu: int = -1) -> None:
        """Starts the thread, on one CPU if given."""
        check(lib.bw_vcpu_start(self._handle, cpu), tr("starting the vCPU thread"), THREADS_REMEDY)

    @property
    def ended(self) -> bool:
        """Whether the thread has left its loop."""
        return bool(lib.bw_vcpu_state(self._handle) == lib.BW_VCPU_ENDED)

    @property
    def thread(self) -> int:
        """The kernel's number of its thread; 0 until it runs."""
        return int(lib.bw_vcpu_thread_id(self._handle))

    def ending(self) -> Ending:
        """How it stands, or why it has ended."""
        detail, instruction = ffi.new("uint64_t *"), ffi.new("uint8_t[]", lib.BW_INSTRUCTION_MAX)
        kind = lib.bw_vcpu_verdict(self._handle, detail)
        size = lib.bw_vcpu_instruction(self._handle, instruction)
        return Ending.of(kind, int(detail[0]), bytes(instruction)[:size])

    def exits(self) -> dict[str, int]:
        """Returns of KVM_RUN by reason."""
        counts = {exit_name(reason): int(lib.bw_vcpu_exits(self._handle, reason)) for reason in EXIT_REASONS}
        return {name: count for name, count in counts.items() if count}

    def relayed(self) -> int:
        """Doorbells that were relayed to the eventfd by user space."""
        return int(lib.bw_vcpu_relayed(self._handle))

    def kick(self) -> None:
        """Ends the KVM_RUN under way, if there is one; the thread runs on."""
        lib.bw_vcpu_kick(self._handle)

    def stop(self) -> None:
        """Ends the thread: KVM_RUN returns at once. LeftBehindError if it does not within JOIN_MS."""
        lib.bw_vcpu_stop(self._handle)
        if lib.bw_vcpu_join(self._handle, JOIN_MS) == -errno.ETIMEDOUT:
            raise LeftBehindError(
                tr("The vCPU thread did not end within {limit} ms; it is left behind.", limit=JOIN_MS)
            )

    def close(self) -> None:
        if self._handle == ffi.NULL:
            return
        self.stop()
        lib.bw_vcpu_free(self._handle)
        self._handle = ffi.NULL


def tsc_hz_of_guests() -> float:
    """TSC cycles a second that a guest sees, if its VMM sets no other frequency: of a vCPU that is made to be asked."""
    with Kvm() as kvm, Memory() as memory, Vm(kvm) as vm, Vcpu(vm, memory, None) as vcpu:
        return vcpu.tsc_hz()
