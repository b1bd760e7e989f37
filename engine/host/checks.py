"""Everything about this host that the engine depends on, looked at one by one, for `bellwire doctor`."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from bellwire.engine._core import lib
from bellwire.engine.errors import NoKvmError, answer_of
from bellwire.engine.host.host import (
    BACKENDS,
    CAPABILITIES,
    FIRMWARE,
    ROOT,
    SANDBOX,
    Capability,
    Check,
    cpu_flags,
    has_capability,
    kvm_backend,
    opened_kvm,
    read_text,
    trial_vm,
    usable_kvm,
)
from bellwire.engine.language import tr

CLOCKSOURCE = "sys/devices/system/clocksource/clocksource0"
NEWER_KERNEL = "install a newer kernel"
KEEP_FREQUENCY = "keep the CPU at one frequency: sudo cpupower frequency-set -g performance"
TRUST_TSC = "the kernel found the CPUs' TSCs apart (sudo dmesg | grep -i tsc): reboot, or boot with tsc=reliable"


def host_checks(root: Path = ROOT) -> list[Check]:
    """Access, backend, capabilities, statistics and clock, in this order."""
    access = access_check(root / "dev/kvm")
    return [access, backend_check(root, access.ok), *kvm_checks(root / "dev/kvm"), *clock_checks(root)]


def access_check(device: Path) -> Check:
    """Whether a guest can run here at all."""
    try:
        usable_kvm(device)
    except NoKvmError as error:
        problem, _, remedy = str(error).partition(": ")
        return Check("access", "/dev/kvm", False, problem, remedy, needed=True)
    return Check("access", "/dev/kvm", True, "can be opened, and creates VMs", needed=True)


def backend_check(root: Path, works: bool) -> Check:
    """Which KVM it is. works: whether there is one that does, by whatever name."""
    backend = kvm_backend(root)
    if backend:
        return Check("KVM", "backend", True, backend)
    if works or not (root / "sys/module").is_dir():
        return unknown("KVM", "backend", f"{root / 'sys/module'} names none of {', '.join(BACKENDS)}")
    flags = cpu_flags(root)
    modules = [module for module, flag in BACKENDS.items() if flag and flag in flags]
    remedy = f"sudo modprobe {modules[0]}" if modules else FIRMWARE if flags else "look where /proc is mounted"
    return Check("KVM", "backend", False, f"no {', '.join(BACKENDS)}", remedy)


def unknown(topic: str, name: str, why: str) -> Check:
    """What could not be looked at: it is not missing."""
    return Check(topic, name, True, f"not known: {why}", known=False)


def kvm_checks(device: Path) -> list[Check]:
    """Capabilities and statistics; nothing where /dev/kvm cannot be used, which access_check has said."""
    try:
        with opened_kvm(device) as kvm, trial_vm(kvm) as vm:
            return [*(capability_check(vm, capability) for capability in CAPABILITIES), statistics_check(vm)]
    except (NoKvmError, OSError):
        return []


def capability_check(vm: int, capability: Capability) -> Check:
    """One capability of this KVM."""
    present, needed = has_capability(vm, capability), capability.need == "needed"
    if present or capability.need == "of interest":
        return Check("capability", capability.name, True, f"{'' if present else 'no '}{capability.purpose}", "", needed)
    return Check("capability", capability.name, False, f"missing: {capability.purpose}", NEWER_KERNEL, needed)


def statistics_check(vm: int) -> Check:
    """Whether KVM's own counters can be read."""
    try:
        os.close(fcntl.ioctl(vm, lib.KVM_GET_STATS_FD, 0))
    except OSError as error:
        forbidden = error.errno in (errno.EPERM, errno.EACCES)
        remedy = tr(SANDBOX) if forbidden else f"{NEWER_KERNEL} (5.14 or later)"
        return Check("statistics", "KVM_GET_STATS_FD", False, answer_of(error), remedy)
    return Check("statistics", "KVM_GET_STATS_FD", True, "KVM's counters can be read without root")


def clock_checks(root: Path) -> list[Check]:
    """Whether the TSC can be everybody's clock."""
    flags = cpu_flags(root)
    if not flags:
        why = f"{root / 'proc/cpuinfo'} tells no flags"
        return [unknown("clock", "TSC rate", why), clocksource_check(root / CLOCKSOURCE)]
    missing = [flag for flag in ("constant_tsc", "nonstop_tsc") if flag not in flags]
    found = f"the CPU does not show {', '.join(missing)}" if missing else "constant_tsc, nonstop_tsc"
    rate = Check("clock", "TSC rate", not missing, found, KEEP_FREQUENCY if missing else "")
    return [rate, clocksource_check(root / CLOCKSOURCE)]


def clocksource_check(folder: Path) -> Check:
    """Whether the kernel trusts the TSC: if so, all CPUs read the same time."""
    current, available = read_text(folder / "current_clocksource"), read_text(folder / "available_clocksource").split()
    if not current:
        return unknown("clock", "clocksource", f"{folder} tells none")
    trusted = "tsc" in (current, *available)
    return Check("clock", "clocksource", trusted, current, "" if trusted else TRUST_TSC)
