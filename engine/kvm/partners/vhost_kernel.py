"""vhost: the kernel's own back ends of virtio devices, /dev/vhost-net and /dev/vhost-vsock.

Whoever owns such a device hands it the guest's memory, the queue and both eventfds, and a worker of the kernel serves
the queue from then on: a thread of the owner's process that never leaves the kernel (before Linux 6.4 one of
kthreadd's). It joins the wait queue of the kick eventfd, so that it is woken by each signal and reads no count.

Source of every call: include/uapi/linux/vhost.h of the kernel. One method is one ioctl and is named after it.
"""

from __future__ import annotations

import os
import re
import threading
from contextlib import suppress
from pathlib import Path

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError, check
from bellwire.engine.kvm.owner import Eventfd, Fd, HasFd
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr

NET, VSOCK = Path("/dev/vhost-net"), Path("/dev/vhost-vsock")
VIRTIO_F_VERSION_1 = 1 << 32
HEADER_STAYS = 1 << lib.VHOST_NET_F_VIRTIO_NET_HDR  # with the worker: what is behind it gets and brings bare frames


def device_refusal(device: Path) -> str:
    """Why a device of the kernel's cannot be opened, in one sentence; "" if it probably can."""
    if not device.exists():
        module = device.name.replace("-", "_")
        return tr(
            "This host has no {device}: `sudo modprobe {module}` brings it, if its kernel has that module.",
            device=device,
            module=module,
        )
    if not os.access(device, os.R_OK | os.W_OK):
        return tr("{device} may not be opened by this user: root may, or its group.", device=device)
    return ""


def vhost_workers(process: int | str = "self") -> dict[int, str]:
    """The workers that can be seen from here, {thread: name}: of this process or another one, and of kthreadd."""
    found = {}
    for folder in (Path(f"/proc/{process}/task"), Path("/proc")):
        with suppress(FileNotFoundError, ProcessLookupError):  # there is no /proc, or the process has ended
            for entry in folder.iterdir():
                if entry.name.isdigit() and (name := name_of_thread(entry)).startswith("vhost-"):
                    found[int(entry.name)] = name
    return found


def worker_of(process: int, device: Path) -> tuple[int, str]:
    """Thread and name of the worker of a process that owns one such device. EngineError if it cannot be seen."""
    own = f"vhost-{process}"
    return chosen_worker({thread: name for thread, name in vhost_workers(process).items() if name == own}, own, device)


def chosen_worker(workers: dict[int, str], own: str, device: Path) -> tuple[int, str]:
    """Thread and name of the one that is called `own`, or else of any. Raises EngineError if there is none."""
    if not workers:
        raise EngineError(
            tr(
                "The kernel's worker of {device} cannot be seen in /proc, as in a container of an older kernel: "
                "run this on the host itself.",
                device=device,
            )
        )
    thread = min(workers, key=lambda thread: (workers[thread] != own, thread))
    return thread, re.sub(r"[^\w-]", "", workers[thread])


def worker_named(name: str, thread: int) -> str:
    """Who it is."""
    return tr("{name}, thread {thread} of the kernel", name=name, thread=thread)


def name_of_thread(entry: Path) -> str:
    """As proc(5) tells it; "" of one that has ended."""
    try:
        return (entry / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""


class VhostFile(Fd):
    """An open /dev/vhost-*, which nobody owns yet. Raises EngineError if it cannot be opened."""

    def __init__(self, device: Path) -> None:
        super().__init__(check(lib.bw_vhost_open(str(device).encode()), tr("Opening {device}", device=device)))


class VhostVsockFile(VhostFile):
    """An open /dev/vhost-vsock, with the guest's address before it has an owner."""

    def __init__(self) -> None:
        super().__init__(VSOCK)

    def set_guest_cid(self, cid: int) -> None:
        """VHOST_VSOCK_SET_GUEST_CID: the guest's address. KvmError of EADDRINUSE if another guest has it."""
        check(lib.bw_vhost_vsock_set_guest_cid(self.fd, cid), f"VHOST_VSOCK_SET_GUEST_CID {cid}")


class VhostDevice(VhostFile):
    """An open /dev/vhost-*, owned by this process. Raises EngineError if it cannot be opened or shows no worker.

    worker: the thread's number; worker_name: what the kernel calls it, "vhost-" and the number of the owning thread.
    """

    device: Path

    def __init__(self) -> None:
        super().__init__(self.device)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        self.broken = Eventfd()
        before = vhost_workers()
        self.set_owner()
        new = {thread: name for thread, name in vhost_workers().items() if thread not in before}
        self.worker, self.worker_name = chosen_worker(new, f"vhost-{threading.get_native_id()}", self.device)

    def __str__(self) -> str:
        return worker_named(self.worker_name, self.worker)

    def close(self) -> None:
        """Ends the worker."""
        super().close()
        if hasattr(self, "broken"):
            self.broken.close()

    @property
    def gave_up(self) -> bool:
        """Whether the worker has met something in the virtqueue that no driver may write."""
        return bool(self.broken.count())

    # -- ioctls -------------------------------------------------------------------------------------------------------

    def set_owner(self) -> None:
        """VHOST_SET_OWNER: starts the worker, which uses the memory of this process."""
        check(lib.bw_vhost_set_owner(self.fd), "VHOST_SET_OWNER")

    def get_features(self) -> int:
        """VHOST_GET_FEATURES, as bits."""
        features = ffi.new("uint64_t *")
        check(lib.bw_vhost_get_features(self.fd, features), "VHOST_GET_FEATURES")
        return int(features[0])

    def set_features(self, features: int) -> None:
        """VHOST_SET_FEATURES: all of them. Raises EngineError if one is not offered."""
        if missing := features & ~self.get_features():
            raise EngineError(
                tr(
                    "{name} does not offer the features {missing:#x}, which are needed here.",
                    name=self.device,
                    missing=missing,
                )
            )
        check(lib.bw_vhost_set_features(self.fd, features), f"VHOST_SET_FEATURES {features:#x}")

    def set_mem_table(self, memory: Memory) -> None:
        """VHOST_SET_MEM_TABLE: all of the guest's memory, as one region from guest-physical address 0."""
        check(lib.bw_vhost_set_mem_table(self.fd, memory.size, memory.pointer), "VHOST_SET_MEM_TABLE")

    def set_vring_num(self, queue: int, size: int) -> None:
        """VHOST_SET_VRING_NUM: how many descriptors the queue has."""
        check(lib.bw_vhost_set_vring_num(self.fd, queue, size), f"VHOST_SET_VRING_NUM {size}")

    def set_vring_base(self, queue: int, index: int) -> None:
        """VHOST_SET_VRING_BASE: the available index to begin at."""
        check(lib.bw_vhost_set_vring_base(self.fd, queue, index), f"VHOST_SET_VRING_BASE {index}")

    def get_vring_base(self, queue: int) -> int:
        """VHOST_GET_VRING_BASE: the available index that the worker came to. Of a queue that was stopped."""
        return check(lib.bw_vhost_get_vring_base(self.fd, queue), "VHOST_GET_VRING_BASE")

    def set_vring_addr(self, queue: int, memory: Memory, descriptors: int, used: int, available: int) -> None:
        """VHOST_SET_VRING_ADDR: where the queue is, as guest-physical addresses."""
        places = {"descriptors": descriptors, "used": used, "available": available}
        layout = ffi.new("struct bw_vring *", places)
        check(lib.bw_vhost_set_vring_addr(self.fd, queue, layout, memory.pointer), "VHOST_SET_VRING_ADDR")

    def set_vring_kick(self, queue: int, eventfd: Eventfd) -> None:
        """VHOST_SET_VRING_KICK: what wakes the worker."""
        check(lib.bw_vhost_set_vring_kick(self.fd, queue, eventfd.fd), "VHOST_SET_VRING_KICK")

    def set_vring_call(self, queue: int, eventfd: Eventfd) -> None:
        """VHOST_SET_VRING_CALL: what the worker signals when it has used buffers."""
        check(lib.bw_vhost_set_vring_call(self.fd, queue, eventfd.fd), "VHOST_SET_VRING_CALL")

    def set_vring_err(self, queue: int) -> None:
        """VHOST_SET_VRING_ERR: what the worker signals when it can make nothing of the virtqueue (see gave_up)."""
        check(lib.bw_vhost_set_vring_err(self.fd, queue, self.broken.fd), "VHOST_SET_VRING_ERR")

    def hand_over_queue(self, queue: int, memory: Memory, parts: tuple[int, int, int], size: int) -> None:
        """All ioctls about where a queue is. parts: guest-physical addresses: descriptors, used, available."""
        self.set_vring_num(queue, size)
        self.set_vring_base(queue, 0)
        self.set_vring_addr(queue, memory, *parts)
        self.set_vring_err(queue)


class VhostNet(VhostDevice):
    """/dev/vhost-net."""

    device = NET

    def set_backend(self, queue: int, tap: HasFd) -> None:
        """VHOST_NET_SET_BACKEND: frames go to this tap device, or come from it; the queue is served from now on."""
        check(lib.bw_vhost_net_set_backend(self.fd, queue, tap.fd), "VHOST_NET_SET_BACKEND")

    def stop(self, queue: int) -> None:
        """VHOST_NET_SET_BACKEND of no file: the queue is at rest when this returns."""
        check(lib.bw_vhost_net_set_backend(self.fd, queue, -1), "VHOST_NET_SET_BACKEND -1")


class VhostVsock(VhostDevice):
    """/dev/vhost-vsock."""

    device = VSOCK

    def set_guest_cid(self, cid: int) -> None:
        """VHOST_VSOCK_SET_GUEST_CID: the guest's address. KvmError of EADDRINUSE if another guest has it."""
        check(lib.bw_vhost_vsock_set_guest_cid(self.fd, cid), f"VHOST_VSOCK_SET_GUEST_CID {cid}")

    def set_running(self, on: bool) -> None:
        """VHOST_VSOCK_SET_RUNNING: whether the worker serves both queues; off: they are at rest when this returns."""
        check(lib.bw_vhost_vsock_set_running(self.fd, int(on)), f"VHOST_VSOCK_SET_RUNNING {int(on)}")
