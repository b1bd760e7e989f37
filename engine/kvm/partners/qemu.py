"""qemu-system-x86_64: the real VMM, unmodified, with a guest of ours in it.

The guest's memory is a memfd of ours, which QEMU maps as its RAM: what the guest is told and what it stamps is shared,
as with every guest. In the place of firmware stands a ROM that starts the image which lies in that memory already
(guests/reset.S). QEMU is started without a shell, halted, with no device but those that are named here, and with its
control channel on a socket pair; it ends with us (kept_process.py).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.kvm.owner import HasFd, Owner
from bellwire.engine.kvm.partners.kept_process import KeptProcess
from bellwire.engine.kvm.partners.qmp import ANSWER_SECONDS, Qmp
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr

PROGRAM = "qemu-system-x86_64"
BOOT_SECONDS = 30.0  # that QEMU may take until it answers for the first times: here 0.2 s, on an emulated CPU 10 s
DYING_SECONDS = 3.0  # a process that dies hangs up before it is gone: a moment, or on an emulated CPU a second
IO_THREAD = "io0"
# arch-capabilities: an MSR of the host's which some back ends let nobody set, whereupon QEMU aborts.
CPU = "host,-arch-capabilities"


def qemu_refusal() -> str:
    """ "" if QEMU is installed, else the sentence that says what brings it."""
    if shutil.which(PROGRAM):
        return ""
    return tr(
        "QEMU is missing: install {program}, in Debian's package qemu-system-x86.",
        program=PROGRAM,
    )


def qemu_command(memory: Memory, rom: Path, channel: int, devices: list[str]) -> list[str]:
    """The command that runs a guest in `memory`, which `rom` starts. channel: the fd of QEMU's end of it."""
    return [
        *(PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-S"),
        *("-name", "bellwire,debug-threads=on"),
        *("-accel", "kvm", "-cpu", CPU, "-machine", "pc,memory-backend=ram,hpet=off"),
        *("-m", f"{memory.size >> 20}M"),
        *("-object", f"memory-backend-file,id=ram,size={memory.size},mem-path=/proc/self/fd/{memory.fd},share=on"),
        *("-bios", str(rom)),
        *("-chardev", f"socket,id=control,fd={channel}", "-mon", "chardev=control,mode=control"),
        *("-device", f"isa-debug-exit,iobase={lib.BW_PORT_EXIT:#x},iosize=4"),
        *devices,
    ]


def disk_devices(image: IO[bytes], *, io_thread: bool, ioeventfd: bool) -> list[str]:
    """A virtio disk on the PCI bus, where its driver looks for it. io_thread: has a thread of its own."""
    own_thread = ["-object", f"iothread,id={IO_THREAD}"] if io_thread else []
    options = [
        *("virtio-blk-pci", f"addr={lib.BW_PCI_SLOT:02x}.0", "drive=disk", "disable-legacy=on", "num-queues=1"),
        *([f"iothread={IO_THREAD}"] if io_thread else []),
        *([] if ioeventfd else ["ioeventfd=off"]),
    ]
    blockdev = f"driver=file,node-name=disk,filename=/proc/self/fd/{image.fileno()}"
    return [*own_thread, "-blockdev", blockdev, "-device", ",".join(options)]


def vhost_user_devices(connection: socket.socket) -> list[str]:
    """The same disk, served by whoever is at the other end of the connection."""
    options = (
        "vhost-user-blk-pci",
        f"addr={lib.BW_PCI_SLOT:02x}.0",
        "chardev=disk",
        "disable-legacy=on",
        "num-queues=1",
    )
    return ["-chardev", f"socket,id=disk,fd={connection.fileno()}", "-device", ",".join(options)]


def ivshmem_devices(connection: socket.socket) -> list[str]:
    """Memory and doorbells that are shared with other QEMUs, as the server at the other end of the connection says."""
    options = ("ivshmem-doorbell", f"addr={lib.BW_PCI_SLOT:02x}.0", "chardev=peers", "vectors=1")
    return ["-chardev", f"socket,id=peers,fd={connection.fileno()}", "-device", ",".join(options)]


def network_devices(tap: HasFd, vhost: HasFd) -> list[str]:
    """A network card whose frames a worker of the kernel takes to a tap device and back. vhost: /dev/vhost-net."""
    options = ("virtio-net-pci", f"addr={lib.BW_PCI_SLOT:02x}.0", "netdev=net", "disable-legacy=on", "romfile=")
    return ["-netdev", f"tap,id=net,fd={tap.fd},vhost=on,vhostfd={vhost.fd}", "-device", ",".join(options)]


def socket_devices(cid: int, vhost: HasFd) -> list[str]:
    """A socket that a worker of the kernel serves. cid: the guest's address; vhost: /dev/vhost-vsock."""
    return ["-device", f"vhost-vsock-pci,addr={lib.BW_PCI_SLOT:02x}.0,guest-cid={cid},vhostfd={vhost.fd}"]


class Qemu(Owner):
    """Runs QEMU, halted until start(). Raises EngineError if it is missing, cannot be run or does not answer.

    fds: those that its devices name.
    """

    def __init__(self, memory: Memory, rom: Path, devices: list[str], fds: tuple[int, ...]) -> None:
        if missing := qemu_refusal():
            raise EngineError(missing)
        self.devices = devices
        with ExitStack() as undo:
            ours, theirs = channel()
            undo.enter_context(ours)
            with theirs:
                command = qemu_command(memory, rom, theirs.fileno(), devices)
                self._process = undo.enter_context(KeptProcess(command, (memory.fd, theirs.fileno(), *fds)))
            self.qmp = Qmp(ours, str(self))
            self.qmp.patience, self.qmp.hopeless = BOOT_SECONDS, self.stop_told
            try:
                self.version = self.qmp.greet()
            except EngineError as error:
                raise EngineError(self.ending(DYING_SECONDS) or str(error)) from error
            undo.pop_all()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.exit_code

    def __str__(self) -> str:
        return str(self._process)

    def start(self, vcpu_cpu: int = -1, io_cpu: int = -1) -> None:
        """Lets the guest run. The CPUs of its vCPU and of its I/O thread; -1: any."""
        for tid in self._threads("query-cpus-fast", ""):
            keep_on(tid, vcpu_cpu)
        for tid in self._threads("query-iothreads", IO_THREAD):
            keep_on(tid, io_cpu)
        self.qmp.execute("cont")
        self.qmp.patience = ANSWER_SECONDS

    def _threads(self, command: str, name: str) -> list[int]:
        """Threads that QEMU tells of; of those with an id the one of this name."""
        return [int(told["thread-id"]) for told in self.qmp.execute(command) if told.get("id", name) == name]

    def vcpu_stats(self, names: tuple[str, ...]) -> dict[str, int]:
        """KVM's own counters of the vCPU, those of `names` that there are (QEMU 7.1); {} of older ones."""
        try:
            told = self.qmp.execute("query-stats", target="vcpu", providers=[{"provider": "kvm", "names": list(names)}])
        except EngineError:
            return {}
        return {one["name"]: one["value"] for vcpu in told for one in vcpu["stats"] if isinstance(one["value"], int)}

    def queue(self, device: str) -> dict[str, Any]:
        """How far a device's first virtqueue is, as QEMU knows it (QEMU 7.2); {} of older ones."""
        try:
            return dict(self.qmp.execute("x-query-virtio-queue-status", path=device, queue=0))
        except EngineError:
            return {}

    def eventfd_counts(self) -> dict[int, int]:
        """What each of its eventfds counts now, by file descriptor (proc(5), fdinfo); {} if it has ended."""
        return {fd: count for fd, count in map(eventfd_in, Path(f"/proc/{self.pid}/fdinfo").glob("*")) if fd >= 0}

    def stop_told(self) -> str:
        """That it stands still, as a sentence; "" if it does not, as far as those tell who ask this again and again."""
        return self._process.stop_told()

    def ending(self, patience: float = 0.0) -> str:
        """How it ended, as a sentence; "" while it runs. patience: seconds to wait for that."""
        return self._process.ending(patience)

    def close(self) -> None:
        """Ends it. May be called again."""
        self._process.close()
        self.qmp.close()


def eventfd_in(fdinfo: Path) -> tuple[int, int]:
    """A file descriptor, and what it counts; (-1, 0) if it is no eventfd, or is gone."""
    try:
        told = re.search(r"^eventfd-count:\s*([0-9a-f]+)", fdinfo.read_text(), re.MULTILINE)
    except OSError:
        return -1, 0
    return (int(fdinfo.name), int(told[1], 16)) if told else (-1, 0)


def channel() -> tuple[socket.socket, socket.socket]:
    """Both ends of a control channel."""
    try:
        return socket.socketpair()
    except OSError as error:
        raise EngineError(
            tr("No socket can be made for {program}: {what}.", program=PROGRAM, what=answer_of(error))
        ) from error


def keep_on(tid: int, cpu: int) -> None:
    """Keeps a thread of another process on one CPU, if the system lets us; -1: any."""
    if cpu >= 0:
        try:
            os.sched_setaffinity(tid, {cpu})
        except OSError:  # it only runs where the kernel likes
            return
