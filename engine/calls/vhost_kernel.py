"""What is handed to a vhost worker of the kernel: the guest's memory, its queue, both eventfds, and what is behind it.

One call is one ioctl of include/uapi/linux/vhost.h, whose bytes the core makes (engine/core/vhost.c).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bellwire.engine._core import ffi, lib
from bellwire.engine.calls.arguments import Arguments, Field, arguments_of
from bellwire.engine.calls.call import WIRES, Call
from bellwire.engine.calls.set_up import NewEventfd, SetMemory
from bellwire.engine.kvm.partners.vhost_kernel import HEADER_STAYS, NET, VIRTIO_F_VERSION_1, VSOCK
from bellwire.engine.language import tr
from bellwire.engine.machines.vhost_kernel import RECEIVED, RECEIVING, SENDING, SENT

MEMBERS = ("desc_user_addr", "used_user_addr", "avail_user_addr")
CID = 0xBE11  # of the programs; the machine takes another one each time


@dataclass(frozen=True, kw_only=True)
class OpenVhost(Call):
    """open(2) of a /dev/vhost-*."""

    device: Path = NET

    variable = "vhost"
    group = WIRES

    @property
    def title(self) -> str:
        return f'open("{self.device}")'

    @property
    def says(self) -> str:
        if self.device == VSOCK:
            return tr("Opens the kernel's own back end of a socket.")
        return tr("Opens the kernel's own back end of a network card.")

    @property
    def owner(self) -> str:
        """The class of the Python API."""
        return "VhostVsock" if self.device == VSOCK else "VhostNet"

    def c(self) -> str:
        return f'    int vhost = check(open("{self.device}", O_RDWR | O_CLOEXEC), "{self.device}");'

    def python(self) -> str:
        return f"vhost = enter({self.owner}())"

    def rust(self) -> str:
        feature, kind = ("vhost-vsock", "Vsock") if self.device == VSOCK else ("vhost-net", "Net")
        return f"""    // The crate vhost, with the feature {feature}, which wants the memory of the crate vm-memory.
    let guest = GuestMemoryMmap::<()>::from_ranges(&[(GuestAddress(0), 0x1000)])?;
    let back_end = {kind}::new(&guest)?;"""


@dataclass(frozen=True, kw_only=True)
class OpenTap(Call):
    """A tap device: open(2) and TUNSETIFF."""

    title = "TUNSETIFF"
    variable = "tap"
    group = WIRES

    @property
    def says(self) -> str:
        return tr("Makes a tap device in a network of its own: what the worker sends comes out there.")

    def c(self) -> str:
        return """    check(unshare(CLONE_NEWNET), "unshare"); /* a network of its own */
    int tap = check(open("/dev/net/tun", O_RDWR | O_CLOEXEC), "/dev/net/tun");
    struct ifreq interface = {.ifr_name = "bellwire0", .ifr_flags = IFF_TAP | IFF_NO_PI};
    check(ioctl(tap, TUNSETIFF, &interface), "TUNSETIFF");"""

    def python(self) -> str:
        return "network = enter(TapNetwork())\ntap = network.tap"

    def rust(self) -> str:
        return f"""    // SAFETY: this thread alone is in the new network.
    assert_eq!(unsafe {{ libc::unshare(libc::CLONE_NEWNET) }}, 0);
    let tap = std::fs::File::options().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: all zeros is an ifreq.
    let mut interface: libc::ifreq = unsafe {{ std::mem::zeroed() }};
    interface.ifr_name[..3].copy_from_slice(&[b't' as i8, b'a' as i8, b'p' as i8]);
    interface.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as i16;
    // SAFETY: TUNSETIFF ({0x400454CA:#x}) reads and writes an ifreq.
    assert_eq!(unsafe {{ libc::ioctl(tap.as_raw_fd(), {0x400454CA:#x}, &mut interface) }}, 0);"""


@dataclass(frozen=True, kw_only=True)
class VhostIoctl(Call):
    """One ioctl. queue: that it is about; number: what it says of it."""

    vhost: OpenVhost
    queue: int = 0
    number: int = 0

    group = WIRES
    ioctl = ""  # its name
    struct = ""  # that the kernel reads, "" if there is none
    names = ""  # the variable that is it; of another queue than the first one, with the queue's number

    @property
    def called(self) -> str:
        """The variable that is the struct: a program may be about both queues."""
        return self.names if self.queue else f"{self.names}_{self.queue}"

    @property
    def title(self) -> str:
        return self.ioctl

    @property
    def request(self) -> int:  # type: ignore[override]
        return int(getattr(lib, self.ioctl))

    def as_read(self) -> Any:
        """The struct, as the core makes it."""
        return lib.bw_vhost_state_struct(self.queue, self.number)

    @property
    def arguments(self) -> Arguments | None:
        return arguments_of(self.as_read(), {})

    def c(self) -> str:
        assert self.arguments is not None
        return f"    struct {self.struct} {self.called} = {self.arguments.literal()};\n{self._call(f'&{self.called}')}"

    def _call(self, argument: str) -> str:
        return f'    check(ioctl(vhost, {self.ioctl}, {argument}), "{self.ioctl}");'

    @property
    def method(self) -> str:
        """The Python API's, and the crate's."""
        return self.ioctl.removeprefix("VHOST_").lower()

    def python(self) -> str:
        return f"vhost.{self.method}({self.queue}, {self.number})"

    def rust(self) -> str:
        return f"    back_end.{self.method}({self.queue}, {self.number})?;"


@dataclass(frozen=True, kw_only=True)
class SetOwner(VhostIoctl):
    """VHOST_SET_OWNER"""

    ioctl = "VHOST_SET_OWNER"

    @property
    def says(self) -> str:
        return tr("Makes this process the owner: the kernel starts a worker, which may use this process's memory.")

    @property
    def arguments(self) -> None:
        return None

    def c(self) -> str:
        return self._call("0")

    def python(self) -> str:
        return f"# {self.vhost.owner}() has called vhost.set_owner()."

    def rust(self) -> str:
        return "    back_end.set_owner()?;"


@dataclass(frozen=True, kw_only=True)
class SetFeatures(VhostIoctl):
    """VHOST_SET_FEATURES"""

    ioctl = "VHOST_SET_FEATURES"

    @property
    def says(self) -> str:
        if self.vhost.device == VSOCK:
            return tr("Settles how driver and device talk.")
        return tr("Settles how driver and device talk; the header of virtio before each frame stays with the worker.")

    @property
    def arguments(self) -> Arguments:
        features, text = VIRTIO_F_VERSION_1, "1ull << VIRTIO_F_VERSION_1"
        if self.vhost.device == NET:
            features, text = features | HEADER_STAYS, f"{text} | 1 << VHOST_NET_F_VIRTIO_NET_HDR"
        return Arguments("uint64_t", (Field("features", 0, 8, features, text),), features.to_bytes(8, "little"))

    def c(self) -> str:
        return f"    uint64_t features = {self.arguments.fields[0].text};\n{self._call('&features')}"

    def python(self) -> str:
        return f"vhost.set_features({self.arguments.fields[0].value:#x})"

    def rust(self) -> str:
        return f"    back_end.set_features({self.arguments.fields[0].value:#x})?;"


@dataclass(frozen=True, kw_only=True)
class SetMemTable(VhostIoctl):
    """VHOST_SET_MEM_TABLE"""

    memory: SetMemory
    ioctl = "VHOST_SET_MEM_TABLE"

    @property
    def says(self) -> str:
        return tr(
            "Tells where the guest's memory is in this process, so that the worker finds what a guest's address is."
        )

    @property
    def arguments(self) -> Arguments:
        texts = {"userspace_addr": f"(uintptr_t){self.memory.memory}"}
        found = arguments_of(lib.bw_vhost_memory_struct(self.memory.size, ffi.NULL), texts, {"userspace_addr": True})
        return Arguments("struct vhost_memory", found.fields, found.data)

    def c(self) -> str:
        return f"""    union {{
        struct vhost_memory table;
        char room[sizeof(struct vhost_memory) + sizeof(struct vhost_memory_region)];
    }} known = {{.table = {{.nregions = 1}}}};
    struct vhost_memory_region all = {{0, {self.memory.size:#x}, (uintptr_t){self.memory.memory}, 0}};
    memcpy(known.room + sizeof known.table, &all, sizeof all);
{self._call("&known")}"""

    def python(self) -> str:
        return f"vhost.set_mem_table({self.memory.memory})"

    def rust(self) -> str:
        return f"""    back_end.set_mem_table(&[VhostUserMemoryRegionInfo {{
        guest_phys_addr: 0,
        memory_size: {self.memory.size:#x},
        userspace_addr: {self.memory.memory} as u64,
        mmap_offset: 0,
        mmap_handle: -1,
    }}])?;"""


@dataclass(frozen=True, kw_only=True)
class SetVringNum(VhostIoctl):
    """VHOST_SET_VRING_NUM"""

    ioctl, struct, names = "VHOST_SET_VRING_NUM", "vhost_vring_state", "size"

    @property
    def says(self) -> str:
        return tr("Tells how many descriptors the queue has: {number}.", number=self.number)


@dataclass(frozen=True, kw_only=True)
class SetVringBase(VhostIoctl):
    """VHOST_SET_VRING_BASE"""

    ioctl, struct, names = "VHOST_SET_VRING_BASE", "vhost_vring_state", "base"

    @property
    def says(self) -> str:
        return tr("Tells at which available index the worker begins.")


@dataclass(frozen=True, kw_only=True)
class SetVringAddr(VhostIoctl):
    """VHOST_SET_VRING_ADDR. parts: guest-physical: descriptors, used, available."""

    memory: SetMemory
    parts: tuple[int, int, int]
    ioctl, struct, names = "VHOST_SET_VRING_ADDR", "vhost_vring_addr", "places"

    @property
    def says(self) -> str:
        return tr("Tells where the three parts of the queue are, as addresses of this process.")

    def as_read(self) -> Any:
        vring = ffi.new("struct bw_vring *", dict(zip(("descriptors", "used", "available"), self.parts, strict=True)))
        return lib.bw_vhost_addr_struct(self.queue, vring, ffi.NULL)

    @property
    def arguments(self) -> Arguments:
        places = [f"(uintptr_t){self.memory.memory} + {place:#x}" for place in self.parts]
        texts = dict(zip(MEMBERS, places, strict=True))
        return arguments_of(self.as_read(), texts, dict.fromkeys(MEMBERS, True))

    def python(self) -> str:
        places = ", ".join(f"{place:#x}" for place in self.parts)
        return f"vhost.set_vring_addr({self.queue}, {self.memory.memory}, {places})"

    def rust(self) -> str:
        descriptors, used, available = (f"{self.memory.memory} as u64 + {place:#x}" for place in self.parts)
        return f"""    let vring = VringConfigData {{
        queue_max_size: {lib.BW_VIRTQUEUE_SIZE},
        queue_size: {lib.BW_VIRTQUEUE_SIZE},
        flags: 0,
        desc_table_addr: {descriptors},
        used_ring_addr: {used},
        avail_ring_addr: {available},
        log_addr: None,
    }};
    back_end.set_vring_addr({self.queue}, &vring)?;"""


@dataclass(frozen=True, kw_only=True)
class SetVringFile(VhostIoctl):
    """An ioctl that brings a file descriptor. file: whose."""

    file: NewEventfd | OpenTap
    struct = "vhost_vring_file"

    def as_read(self) -> Any:
        return lib.bw_vhost_file_struct(self.queue, 0)

    @property
    def arguments(self) -> Arguments:
        return arguments_of(self.as_read(), {"fd": self.file.variable}, {"fd": True})

    def python(self) -> str:
        return f"vhost.{self.method}({self.queue}, {self.file.variable})"

    def rust(self) -> str:
        return f"    back_end.{self.method}({self.queue}, &{self.file.variable})?;"


@dataclass(frozen=True, kw_only=True)
class SetVringErr(SetVringFile):
    """VHOST_SET_VRING_ERR"""

    ioctl, names = "VHOST_SET_VRING_ERR", "if_broken"

    @property
    def says(self) -> str:
        return tr("Names the eventfd that the worker signals if it can make nothing of the virtqueue.")

    def python(self) -> str:
        return f"vhost.set_vring_err({self.queue})  # an eventfd of its own"


@dataclass(frozen=True, kw_only=True)
class SetVringCall(SetVringFile):
    """VHOST_SET_VRING_CALL"""

    ioctl, names = "VHOST_SET_VRING_CALL", "to_call"

    @property
    def says(self) -> str:
        return tr(
            "Names the eventfd {eventfd}: the worker signals it when it has used buffers.", eventfd=self.file.variable
        )


@dataclass(frozen=True, kw_only=True)
class SetVringKick(SetVringFile):
    """VHOST_SET_VRING_KICK"""

    ioctl, names = "VHOST_SET_VRING_KICK", "to_kick"

    @property
    def says(self) -> str:
        return tr(
            "Names the eventfd {eventfd}: the worker joins its wait queue, is woken by each signal and reads no count.",
            eventfd=self.file.variable,
        )


@dataclass(frozen=True, kw_only=True)
class SetBackend(SetVringFile):
    """VHOST_NET_SET_BACKEND"""

    ioctl, names = "VHOST_NET_SET_BACKEND", "behind"

    @property
    def says(self) -> str:
        return tr("Says where frames go, to the tap device; from now on the worker serves the queue.")

    def python(self) -> str:
        return f"vhost.set_backend({self.queue}, {self.file.variable})"

    def rust(self) -> str:
        return f"    back_end.set_backend({self.queue}, Some(&tap))?;"


@dataclass(frozen=True, kw_only=True)
class SetGuestCid(VhostIoctl):
    """VHOST_VSOCK_SET_GUEST_CID"""

    ioctl = "VHOST_VSOCK_SET_GUEST_CID"

    @property
    def says(self) -> str:
        return tr("Gives the guest an address that no other guest of this machine has, so that sockets find it.")

    @property
    def arguments(self) -> Arguments:
        return Arguments("uint64_t", (Field("cid", 0, 8, None, f"{CID:#x}"),), bytes(8))

    def c(self) -> str:
        return f"    uint64_t cid = {CID:#x};\n{self._call('&cid')}"

    def python(self) -> str:
        return f"vhost.set_guest_cid({CID:#x})"

    def rust(self) -> str:
        return f"    back_end.set_guest_cid({CID:#x})?;"


@dataclass(frozen=True, kw_only=True)
class SetRunning(VhostIoctl):
    """VHOST_VSOCK_SET_RUNNING"""

    ioctl = "VHOST_VSOCK_SET_RUNNING"

    @property
    def says(self) -> str:
        return tr("From now on the worker serves both queues.")

    @property
    def arguments(self) -> Arguments:
        return Arguments("int", (Field("running", 0, 4, 1, "1"),), (1).to_bytes(4, "little"))

    def c(self) -> str:
        return f"    int running = 1;\n{self._call('&running')}"

    def python(self) -> str:
        return "vhost.set_running(True)"

    def rust(self) -> str:
        return "    back_end.start()?;"


class HandingOver:
    """All calls to one device, in the order in which the machine makes them; each comes after the one before."""

    def __init__(self, device: Path, memory: SetMemory) -> None:
        self.vhost, self.memory = OpenVhost(name="vhost", device=device), memory
        says = tr("says that the virtqueue is broken")
        self.broken = NewEventfd(name="eventfd-broken", called="broken", purpose=says)
        self.made: list[Call] = [self.vhost, self.broken]
        self._before: Call = self.vhost
        self._add(SetOwner(name="vhost-owner", vhost=self.vhost))
        self._add(SetFeatures(name="vhost-features", vhost=self.vhost))
        self._add(SetMemTable(name="vhost-memory", vhost=self.vhost, memory=memory))

    def _add(self, call: Call) -> None:
        self._before = replace(call, after=(self._before,))
        self.made.append(self._before)

    def queue(self, queue: int, parts: tuple[int, int, int], end: str = "") -> None:
        """Where a queue is. end: of the names of its calls."""
        vhost, memory, size = self.vhost, self.memory, lib.BW_VIRTQUEUE_SIZE
        self._add(SetVringNum(name=f"vhost-num{end}", vhost=vhost, queue=queue, number=size))
        self._add(SetVringBase(name=f"vhost-base{end}", vhost=vhost, queue=queue))
        self._add(SetVringAddr(name=f"vhost-addr{end}", vhost=vhost, queue=queue, memory=memory, parts=parts))
        self._add(SetVringErr(name=f"vhost-err{end}", vhost=vhost, queue=queue, file=self.broken))

    def eventfds(self, queue: int, kick: NewEventfd, call: NewEventfd) -> None:
        """Both of a queue."""
        self._add(SetVringCall(name="vhost-call", vhost=self.vhost, queue=queue, file=call))
        self._add(SetVringKick(name="vhost-kick", vhost=self.vhost, queue=queue, file=kick))

    def backend(self, queue: int, tap: OpenTap) -> None:
        """What is behind a network card."""
        self._add(SetBackend(name="vhost-backend", vhost=self.vhost, queue=queue, file=tap))

    def running(self) -> None:
        """What begins a socket's queues."""
        self._add(SetGuestCid(name="vhost-cid", vhost=self.vhost))
        self._add(SetRunning(name="vhost-running", vhost=self.vhost))


def network_calls(memory: SetMemory, kick: NewEventfd, call: NewEventfd) -> list[Call]:
    """Of a guest with a network card."""
    tap, over = OpenTap(name="tap"), HandingOver(NET, memory)
    over.queue(SENDING, SENT)
    over.eventfds(SENDING, kick, call)
    over.backend(SENDING, tap)
    return [tap, *over.made]


def socket_calls(memory: SetMemory, kick: NewEventfd, call: NewEventfd) -> list[Call]:
    """Of a guest with a socket."""
    over = HandingOver(VSOCK, memory)
    over.queue(RECEIVING, RECEIVED, "-receiving")
    over.queue(SENDING, SENT)
    over.eventfds(SENDING, kick, call)
    over.running()
    return over.made
