"""What this host is and what it can do: access to /dev/kvm, which KVM it is, capabilities, clock.

Everything is looked up below a root directory, so that other machines can be described in a test.
"""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bellwire.engine._core import lib
from bellwire.engine.errors import NoKvmError, answer_of
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr, tr_later

ROOT = Path("/")
BYTES = ("utf-8", "surrogateescape")  # a name's, whatever they are: encoding and errors, as Python has those of files
BACKENDS = {"kvm_intel": "vmx", "kvm_amd": "svm", "kvm_pvm": ""}  # module: the CPU flag without which it does nothing

OPEN_TO_GROUP = "sudo chown root:kvm /dev/kvm && sudo chmod 660 /dev/kvm"
FIRMWARE = tr_later(
    "switch virtualization on in the firmware; inside a virtual machine, nested virtualization at its host"
)

EMULATED = "QEMU TCG CPU"  # how QEMU's emulator calls its own CPU

NO_DEVICE = (errno.EISDIR, errno.ENOTDIR, errno.ELOOP)  # of open("/dev/kvm")
VIRTUALIZATION_OFF = (errno.ENODEV, errno.ENXIO, errno.EIO, errno.EOPNOTSUPP)  # of KVM_CREATE_VM
SANDBOX = tr_later("a sandbox forbids it: start the program outside of it")
VM_REFUSED = {  # what to do about what KVM_CREATE_VM answers
    errno.EBUSY: tr_later("another hypervisor on this machine (VirtualBox, VMware) holds the CPU: end it"),
    errno.ENOMEM: tr_later("the host has no memory left for it: end something"),
    errno.EMFILE: tr_later("this process has too many files open: raise `ulimit -n`"),
    errno.ENFILE: tr_later("the host has too many files open: end something"),
    errno.EPERM: SANDBOX,
    errno.EACCES: SANDBOX,
}
LOOK_AT_LOG = tr_later("look for KVM's own words: sudo dmesg | grep -i kvm")  # about any other answer


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    needed: without it no guest runs. remedy: what mends it, "" if nothing is wrong. known: whether it could be looked
    at; what is not known is not missing. optional: without it nothing is wrong, but less is seen.
    """

    topic: str
    name: str
    ok: bool
    found: str
    remedy: str = ""
    needed: bool = False
    known: bool = True
    optional: bool = False


@dataclass(frozen=True)
class Capability:
    """An extension that KVM may have. name: as in linux/kvm.h, after KVM_CAP_.

    need: "needed": without it no guest runs, and none is started; "used": by some scenarios, which alone are not
    started (engine/machines/needs.py says which); "shown": without it everything runs, but a figure is not known;
    "of interest".
    """

    name: str
    purpose: str
    need: str = "needed"

    @property
    def number(self) -> int:
        """What KVM_CHECK_EXTENSION asks for it by."""
        return int(getattr(lib, f"KVM_CAP_{self.name}"))


CAPABILITIES = (
    Capability("IRQCHIP", tr_later("interrupts at all")),
    Capability("USER_MEMORY", tr_later("the guest's memory")),
    Capability("IRQ_ROUTING", tr_later("a route from GSI to MSI or IOAPIC pin")),
    Capability("IRQFD", tr_later("interrupts through an eventfd")),
    Capability("IOEVENTFD", tr_later("doorbells through an eventfd")),
    Capability("TSC_DEADLINE_TIMER", tr_later("the guest's pace")),
    Capability("SIGNAL_MSI", tr_later("interrupts by KVM_SIGNAL_MSI")),
    Capability("IMMEDIATE_EXIT", tr_later("stopping a guest without a race")),
    Capability("GET_TSC_KHZ", tr_later("the clock's rate from KVM")),
    Capability("EXT_CPUID", tr_later("the guest's CPU")),
    Capability("IOEVENTFD_ANY_LENGTH", tr_later("ioeventfds of length 0"), "used"),
    Capability("IRQFD_RESAMPLE", tr_later("level-triggered irqfds"), "used"),
    Capability("IRQ_INJECT_STATUS", tr_later("interrupts by KVM_IRQ_LINE"), "used"),
    Capability("SPLIT_IRQCHIP", tr_later("the IOAPIC in user space"), "used"),
    Capability("COALESCED_MMIO", tr_later("writes batched in a ring"), "used"),
    Capability("COALESCED_PIO", tr_later("port writes batched in a ring"), "used"),
    Capability("MP_STATE", tr_later("a second vCPU"), "used"),
    Capability("BINARY_STATS_FD", tr_later("KVM's own counters"), "shown"),
    Capability("IOEVENTFD_NO_LENGTH", tr_later("length 0, MMIO only"), "of interest"),
)


def read_text(path: Path) -> str:
    """What a file of /proc or /sys says; "" if it is not there.

    Threads, and whoever mounts, choose names of any bytes: one that is no UTF-8 is kept as Python keeps that of a file.
    """
    try:
        return path.read_text(*BYTES).strip()
    except OSError:
        return ""


def comm_of(folder: Path, most: int | None = None) -> str:
    """What the thread of such a folder of /proc calls itself (proc(5), comm), to be shown; "" if it has ended.

    most: characters, of the kernel's own threads, whose names may be long.
    """
    return shown(read_text(folder / "comm"), most)


def cpuinfo(root: Path = ROOT) -> dict[str, str]:
    """The first CPU's entries of /proc/cpuinfo."""
    first = read_text(root / "proc/cpuinfo").split("\n\n")[0]
    entries = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in entries}


def cpu_flags(root: Path = ROOT) -> set[str]:
    """The first CPU's flags."""
    return set(cpuinfo(root).get("flags", "").split())


def kvm_backend(root: Path = ROOT) -> str:
    """The module that does the work: "kvm_intel", "kvm_amd", "kvm_pvm"; "" if there is none. Built-in ones too."""
    flags = cpu_flags(root)
    loaded = [name for name in BACKENDS if (root / "sys/module" / name).exists()]
    working = [name for name in loaded if not BACKENDS[name] or BACKENDS[name] in flags]
    return next(iter(working or loaded), "")


def emulated(facts: Mapping[str, str]) -> bool:
    """Whether a host's CPU, as host_facts() tells of it, is emulated: what it takes long for says nothing of a CPU."""
    return facts.get("cpu", "").startswith(EMULATED)


def allowed_cpus() -> list[int]:
    """The CPUs that this process may run on, or, where it may not ask (a sandbox), those that there are."""
    try:
        return sorted(os.sched_getaffinity(0))
    except OSError:
        return list(range(os.cpu_count() or 1))


def sharing_a_core(cpu: int, root: Path = ROOT) -> set[int]:
    """The CPUs, itself among them, that are threads of the same core: they share what makes either fast."""
    listed = read_text(root / f"sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    found = {cpu}
    for part in filter(None, listed.split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def host_facts(root: Path = ROOT) -> dict[str, str]:
    """What a measurement must be labelled with: kernel, cpu, cpus, backend, clock."""
    return {
        "kernel": read_text(root / "proc/sys/kernel/osrelease"),
        "cpu": cpuinfo(root).get("model name", "unknown"),
        "cpus": str(len(allowed_cpus())),
        "backend": kvm_backend(root) or ("none" if (root / "sys/module").is_dir() else "unknown"),
        "clock": read_text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource"),
    }


@contextmanager
def opened_kvm(path: Path = ROOT / "dev/kvm") -> Iterator[int]:
    """A file descriptor of /dev/kvm; NoKvmError with the reason and the remedy if it cannot be had."""
    try:
        kvm = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise NoKvmError(why_not_opened(error.errno or 0, path.parent.parent)) from error
    try:
        yield kvm
    finally:
        os.close(kvm)


def why_not_opened(error: int, root: Path = ROOT) -> str:
    """One sentence and a remedy for the errno of open("/dev/kvm")."""
    if error in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return why_missing(root)
    if error in NO_DEVICE:
        return why_not_kvm(root / "dev/kvm", os.strerror(error))
    if error in (errno.EACCES, errno.EPERM):
        return tr("/dev/kvm may not be opened by this user: {remedy}", remedy=permission_remedy(root / "dev/kvm"))
    return tr("/dev/kvm cannot be opened: {why}", why=os.strerror(error))


def why_missing(root: Path) -> str:
    """Why there is no /dev/kvm: no device node, no module, or no CPU for it."""
    if device := read_text(root / "sys/class/misc/kvm/dev"):
        mknod = f"sudo mknod /dev/kvm c {device.replace(':', ' ')}"
        return tr(
            "The kernel has KVM, but there is no /dev/kvm: {command} (of a container: start it with --device /dev/kvm)",
            command=mknod,
        )
    flags = cpu_flags(root)
    if not flags:
        return tr("There is no /dev/kvm, and without /proc/cpuinfo it is not known why: look where /proc is mounted")
    for module, flag in BACKENDS.items():
        if flag and flag in flags:
            return tr("There is no /dev/kvm because KVM's module is not loaded: sudo modprobe {module}", module=module)
    return tr("There is no /dev/kvm, and this CPU shows neither vmx nor svm: {remedy}", remedy=tr(FIRMWARE))


def why_not_kvm(device: Path, why: str) -> str:
    """One sentence and a remedy for something else in the place of /dev/kvm. why: what the kernel said."""
    kinds = ((tr("a directory"), stat.S_ISDIR), (tr("a regular file"), stat.S_ISREG), (tr("a FIFO"), stat.S_ISFIFO))
    try:
        mode = device.stat().st_mode
    except OSError:
        mode = 0
    what = next((name for name, is_one in kinds if is_one(mode)), tr("another device"))
    if is_mounted_over(device):
        return tr(
            "{device} is not KVM but {what}, which is mounted over it ({why}): sudo umount {device} uncovers what was "
            "there (of a container: start it with --device /dev/kvm)",
            device=device,
            what=what,
            why=why,
        )
    numbers = read_text(device.parent.parent / "sys/class/misc/kvm/dev").replace(":", " ")
    words = {"device": device, "what": what, "why": why}
    if numbers:
        return tr(
            "{device} is not KVM but {what} ({why}): sudo rm -r {device} && sudo mknod {device} c {numbers} "
            "(of a container: start it with --device /dev/kvm)",
            **words,
            numbers=numbers,
        )
    return tr(
        "{device} is not KVM but {what} ({why}): sudo rm -r {device} && load KVM's module again, which makes the right "
        "one (of a container: start it with --device /dev/kvm)",
        **words,
    )


def is_mounted_over(device: Path) -> bool:
    """Whether something is mounted at a path: a file that hides another one, too, whose device may be the same."""
    mounts = read_text(device.parent.parent / "proc/self/mountinfo").splitlines()
    return any(line.split()[4:5] == [str(device)] for line in mounts)


def why_no_vm(error: int) -> str:
    """One sentence and a remedy for the errno of KVM_CREATE_VM."""
    if error in VIRTUALIZATION_OFF:
        remedy = tr("the CPU's virtualization cannot be switched on: {remedy}", remedy=tr(FIRMWARE))
    else:
        remedy = tr(VM_REFUSED.get(error, LOOK_AT_LOG))
    return tr("KVM refuses to create a VM ({error}): {remedy}", error=os.strerror(error), remedy=remedy)


def permission_remedy(device: Path) -> str:
    """What gives this user access to the device node."""
    if os.geteuid() == 0:
        return tr("even root may not, so a container forbids it; start the container with --device /dev/kvm")
    node = device.stat()
    group_may = node.st_mode & 0o060 == 0o060 and node.st_gid != 0
    name = group_name(node.st_gid) if group_may else "kvm"
    if group_may and node.st_gid in os.getgrouplist(user_name(), os.getgid()):
        return tr("you have joined the group {name} since you logged in; log in again", name=name)
    join = f"sudo usermod -aG {name} $USER"
    return tr("{command}, then log in again", command=join if group_may else f"{OPEN_TO_GROUP} && {join}")


def group_name(gid: int) -> str:
    """A group's name, or its number if it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def user_name() -> str:
    """This user's name, or number."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def create_vm(kvm: int) -> int:
    """KVM_CREATE_VM, as often as it is interrupted: see bw_vm_create in engine/core/vm.c."""
    while True:
        try:
            return fcntl.ioctl(kvm, lib.KVM_CREATE_VM, 0)
        except InterruptedError:
            continue


@contextmanager
def trial_vm(kvm: int) -> Iterator[int]:
    """An empty VM; NoKvmError if KVM refuses to make one."""
    try:
        vm = create_vm(kvm)
    except OSError as error:
        raise NoKvmError(why_no_vm(error.errno or 0)) from error
    try:
        yield vm
    finally:
        os.close(vm)


def why_no_version(device: Path, error: OSError) -> str:
    """One sentence and a remedy for what KVM_GET_API_VERSION answers: most often it is not KVM that is asked."""
    if error.errno in (errno.EPERM, errno.EACCES):
        return tr("KVM may not be asked what it can do ({error}): {remedy}", error=answer_of(error), remedy=tr(SANDBOX))
    return why_not_kvm(device, answer_of(error))


def has_capability(kvm: int, capability: Capability) -> bool:
    """Whether KVM has a capability; asked of /dev/kvm or of a VM."""
    return extension(kvm, capability) > 0


def extension(kvm: int, capability: Capability) -> int:
    """What KVM answers for a capability, 0: it has it not; asked of /dev/kvm or of a VM. NoKvmError if nothing."""
    try:
        return fcntl.ioctl(kvm, lib.KVM_CHECK_EXTENSION, capability.number)
    except OSError as error:
        remedy = tr(VM_REFUSED.get(error.errno or 0, LOOK_AT_LOG))
        text = tr("KVM may not be asked what it can do ({error}): {remedy}", error=answer_of(error), remedy=remedy)
        raise NoKvmError(text) from error


def capabilities(path: Path = ROOT / "dev/kvm") -> dict[str, int]:
    """What KVM answers for each of CAPABILITIES, by name; {} where it cannot be asked."""
    try:
        with opened_kvm(path) as kvm, trial_vm(kvm) as vm:
            return {known.name: extension(vm, known) for known in CAPABILITIES}
    except (NoKvmError, OSError):
        return {}


def usable_kvm(path: Path = ROOT / "dev/kvm") -> None:
    """Returns if a guest can run here; else raises NoKvmError: one sentence, with the remedy where there is one."""
    with opened_kvm(path) as kvm:
        try:
            version = fcntl.ioctl(kvm, lib.KVM_GET_API_VERSION, 0)
        except OSError as error:
            raise NoKvmError(why_no_version(path, error)) from error
        if version != lib.KVM_API_VERSION:
            raise NoKvmError(
                tr(
                    "KVM speaks API version {version}, this program {known}: install a newer kernel",
                    version=version,
                    known=lib.KVM_API_VERSION,
                )
            )
        with trial_vm(kvm) as vm:
            missing = [
                capability
                for capability in CAPABILITIES
                if capability.need == "needed" and not has_capability(vm, capability)
            ]
    if missing:
        raise NoKvmError(lacks(missing))


def lacks(missing: list[Capability]) -> str:
    """One sentence and a remedy for capabilities that are not there."""
    names = ", ".join(f"KVM_CAP_{capability.name} ({tr(capability.purpose)})" for capability in missing)
    return tr("This KVM lacks {capabilities}: install a newer kernel", capabilities=names)
