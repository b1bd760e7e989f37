"""The processes that have a VM, as /proc shows them to this user, and why one of them may not be looked at.

A process has a VM as long as it holds a file named anon_inode:kvm-vm. Only its own user and root may see its files; of
the others the names of their threads, which everybody may read, tell which are likely to be VMMs.

Everything is looked up below a root directory, so that other machines can be described in a test.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from bellwire.engine.errors import EngineError
from bellwire.engine.foreign import shown
from bellwire.engine.host.headway import QEMU_VCPU
from bellwire.engine.host.host import BYTES, ROOT, comm_of, read_text
from bellwire.engine.language import tr, tr_later

VM_FILE, VCPU_FILE = "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:"
# Threads of QEMU, Firecracker, crosvm and cloud-hypervisor, and the kernel's own one in each process that has a VM.
VMM_THREAD = re.compile(rf"{QEMU_VCPU.pattern}|fc_vcpu ?\d+|crosvm_vcpu\d+|vcpu\d*|kvm-nx-lpage-re.*")
LONGEST_COMMAND = 4096  # bytes of a command line that are read
LONGEST_NAME = 64  # characters of a name that are shown
WHOLE_COMM = 15  # bytes: the kernel keeps no more of a program's name
LARGEST_PID = 1 << 22  # that the kernel gives (proc(5), pid_max); beyond it are those that a recording hides


@dataclass(frozen=True)
class KvmProcess:
    """A process that has a VM.

    started: when, in the kernel's ticks since it booted: a number of a process is given again, not with the same time.
    uid: of its user. guest: what its command line calls the guest, "" if nothing. vms, vcpus: how many it holds; None
    where its files may not be looked at, and only its threads say that it is a VMM.
    """

    pid: int
    started: int
    uid: int
    name: str
    guest: str = ""
    vms: int | None = None
    vcpus: int | None = None

    def __str__(self) -> str:
        return named_pid(self.name, self.pid)

    @property
    def pid_hidden(self) -> bool:
        """Whether a recording that tells of it hides its number."""
        return self.pid > LARGEST_PID

    @property
    def recorded(self) -> bool:
        """Whether it is known from a recording alone, which does not tell when it was started."""
        return not self.started

    @property
    def user(self) -> str:
        """Its user's name, or number."""
        return named_user(self.uid)

    @property
    def hidden(self) -> str:
        """Why its files may not be looked at, and who may; "" if they may."""
        if self.vms is not None:
            return ""
        if os.geteuid() == 0:
            return tr(
                "{process} lets not even root look at its files: attach from outside of this container.", process=self
            )
        if self.uid == os.geteuid():
            return tr("{process} hides its files from its own user: attach as root.", process=self)
        return tr("{process} is {user}'s: attach as that user, or as root.", process=self, user=self.user)


def named_pid(name: str, pid: int) -> str:
    """A process, in words; only its name where its number is hidden."""
    return tr("{name}, pid {pid}", name=name, pid=pid) if pid <= LARGEST_PID else name


def named_user(uid: int) -> str:
    """A user's name, or number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def kvm_processes(root: Path = ROOT) -> list[KvmProcess]:
    """Every process that has a VM, and those of others that are likely to have one; in the order of their pids."""
    seen = (seen_process(pid, root) for pid in running_pids(root))
    return [process for process in seen if process and (process.vms or (process.vms is None and is_vmm(process, root)))]


def running_pids(root: Path = ROOT) -> list[int]:
    """Of every process that this user may see."""
    return sorted(int(entry.name) for entry in (root / "proc").iterdir() if entry.name.isdecimal())


class NoVmError(EngineError):
    """There is no such process, or it has no VM; the text says which."""

    command = tr_later("`bellwire attach --list` shows the processes that have a VM.")


def attachable(pid: int, root: Path = ROOT) -> KvmProcess:
    """The process that has this number, if it has a VM and may be looked at; EngineError, in one sentence, if not."""
    process = seen_process(pid, root)
    if process is None:
        raise NoVmError(tr("There is no process {pid}.", pid=pid))
    if (leader := thread_group(pid, root)) != pid:
        raise EngineError(tr("{pid} is a thread of process {leader}: bellwire attach {leader}", pid=pid, leader=leader))
    if process.hidden:
        raise EngineError(process.hidden)
    if not process.vms:
        raise NoVmError(tr("{process} has no VM.", process=process))
    return process


def still_there(process: KvmProcess, root: Path = ROOT) -> str:
    """ "" while the process runs, else the sentence that says that it has ended, and who has its number now."""
    started = start_time(process.pid, root)
    if started == process.started:
        return ""
    if started is None:
        return tr("{process} has ended.", process=process)
    other = seen_process(process.pid, root)
    name = other.name if other else "?"
    return tr("{process} has ended, and its number is that of {name} now.", process=process, name=name)


def seen_process(pid: int, root: Path = ROOT) -> KvmProcess | None:
    """What /proc says of a process, with a VM or without; None if there is none, or it is ending."""
    folder, started = root / "proc" / str(pid), start_time(pid, root)
    if started is None:
        return None
    vms = vcpus = None
    try:
        uid, arguments = folder.stat().st_uid, command_line(folder)
        with suppress(PermissionError):
            files = [target for _, target in open_files(folder)]
            vms, vcpus = files.count(VM_FILE), sum(name.startswith(VCPU_FILE) for name in files)
    except (FileNotFoundError, ProcessLookupError):
        return None
    real = status(folder, "Uid").split()
    name = program_name(folder, arguments)
    return KvmProcess(pid, started, int(real[0]) if real else uid, name, guest_name(arguments), vms, vcpus)


def start_time(pid: int, root: Path = ROOT) -> int | None:
    """When a process began, in ticks since the kernel's start (proc(5), /proc/[pid]/stat, 22); None if it is gone."""
    fields = read_text(root / "proc" / str(pid) / "stat").rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 and fields[0] not in "ZX" else None


def status(folder: Path, name: str) -> str:
    """One line of a process's status; "" if there is none."""
    lines = read_text(folder / "status").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")


def thread_group(pid: int, root: Path = ROOT) -> int:
    """The process of which this is a thread; of a process itself."""
    return int(status(root / "proc" / str(pid), "Tgid") or pid)


def open_files(folder: Path) -> Iterator[tuple[int, str]]:
    """A process's file descriptors, and what each leads to. PermissionError if they may not be looked at."""
    for entry in (folder / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield int(entry.name), str(entry.readlink())


def command_line(folder: Path) -> list[str]:
    """A process's arguments, as far as they are told."""
    try:
        with (folder / "cmdline").open("rb") as file:
            return file.read(LONGEST_COMMAND).decode(*BYTES).split("\0")
    except OSError:
        return []


def program_name(folder: Path, arguments: list[str]) -> str:
    """The program's name: the kernel's, and as a whole where the command line has more of it."""
    comm = read_text(folder / "comm") or "?"
    called, kept = Path(arguments[0]).name if arguments else "", comm.encode(*BYTES)
    whole = len(kept) == WHOLE_COMM and called.encode(*BYTES).startswith(kept)  # it may end within a letter
    return shown(called if whole else comm, LONGEST_NAME)


def guest_name(arguments: list[str]) -> str:
    """What QEMU (-name) or Firecracker (--id) was told to call its guest; "" if nothing."""
    for option, value in pairwise(arguments):
        if option in ("-name", "--name", "--id"):
            parts = value.split(",")
            named = next((part[len("guest=") :] for part in parts if part.startswith("guest=")), parts[0])
            return shown(named, LONGEST_NAME)
    return ""


def is_vmm(process: KvmProcess, root: Path = ROOT) -> bool:
    """Whether the names of a process's threads are those of a VMM."""
    tasks = root / "proc" / str(process.pid) / "task"
    try:
        return any(VMM_THREAD.fullmatch(comm_of(task)) for task in tasks.iterdir())
    except OSError:
        return False
