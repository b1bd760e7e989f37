"""What a host is found to be, on machines that are described by a small /proc, /sys and /dev."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bellwire.engine.errors import NoKvmError
from bellwire.engine.host import host
from bellwire.engine.host.checks import backend_check, clock_checks, host_checks
from bellwire.engine.host.host import (
    CAPABILITIES,
    create_vm,
    emulated,
    host_facts,
    kvm_backend,
    permission_remedy,
    usable_kvm,
    why_no_vm,
    why_not_opened,
)

CLOCKSOURCE = "sys/devices/system/clocksource/clocksource0"


def machine(root: Path, flags: str = "", modules: tuple[str, ...] = (), files: dict[str, str] | None = None) -> Path:
    """A host's root directory with what is looked at."""
    (root / "dev").mkdir()
    for module in modules:
        (root / "sys/module" / module).mkdir(parents=True)
    described = {"proc/cpuinfo": f"processor\t: 0\nmodel name\t: Test CPU\nflags\t\t: {flags}\n\nprocessor\t: 1\n"}
    for name, text in (described | (files or {})).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("flags", "modules", "backend"),
    [
        ("vmx", ("kvm", "kvm_intel"), "kvm_intel"),
        ("svm", ("kvm", "kvm_amd"), "kvm_amd"),
        ("svm", ("kvm", "kvm_intel", "kvm_amd"), "kvm_amd"),  # both built in
        ("", ("kvm", "kvm_pvm"), "kvm_pvm"),
        ("", ("kvm", "kvm_intel", "kvm_pvm"), "kvm_pvm"),
        ("vmx", (), ""),
    ],
)
def test_backend(flags: str, modules: tuple[str, ...], backend: str, tmp_path: Path) -> None:
    assert kvm_backend(machine(tmp_path, flags, modules)) == backend


def test_an_emulated_cpu_is_known_by_its_name() -> None:
    assert emulated({"cpu": "QEMU TCG CPU version 2.5+"})
    for cpu in ("AMD EPYC", "QEMU Virtual CPU version 2.5+", ""):  # the second one is QEMU's with KVM as well
        assert not emulated({"cpu": cpu})
    assert not emulated({})


def test_facts_name_kernel_cpu_and_backend(tmp_path: Path) -> None:
    files = {"proc/sys/kernel/osrelease": "6.9.1", f"{CLOCKSOURCE}/current_clocksource": "tsc"}
    facts = host_facts(machine(tmp_path, "svm", ("kvm_amd",), files))
    cpus = str(len(os.sched_getaffinity(0)))
    assert facts == {"kernel": "6.9.1", "cpu": "Test CPU", "cpus": cpus, "backend": "kvm_amd", "clock": "tsc"}


@pytest.mark.parametrize(
    ("flags", "device", "words"),
    [
        ("fpu vmx", "", "sudo modprobe kvm_intel"),
        ("fpu svm", "", "sudo modprobe kvm_amd"),
        ("fpu", "", "neither vmx nor svm: switch virtualization on in the firmware"),
        ("fpu vmx", "10:232", "sudo mknod /dev/kvm c 10 232"),
    ],
)
def test_a_missing_device_has_its_remedy(flags: str, device: str, words: str, tmp_path: Path) -> None:
    files = {"sys/class/misc/kvm/dev": device} if device else {}
    root = machine(tmp_path, flags, files=files)
    with pytest.raises(NoKvmError) as caught:
        usable_kvm(root / "dev/kvm")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("mode", "gid", "groups", "words"),
    [
        (0o600, 0, [], "sudo chown root:kvm /dev/kvm"),
        (0o660, 4321, [], "sudo usermod -aG 4321 $USER, then log in again"),
        (0o660, 4321, [4321], "you have joined the group 4321 since you logged in"),
    ],
)
def test_a_forbidden_device_has_its_remedy(
    mode: int, gid: int, groups: list[int], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    device = machine(tmp_path) / "dev/kvm"
    device.touch()
    node = os.stat_result((0o20000 | mode, 0, 0, 1, 0, gid, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **_: node)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "getgrouplist", lambda user, group: groups)
    assert words in permission_remedy(device)
    assert words in why_not_opened(errno.EACCES, tmp_path)


def test_root_is_forbidden_only_by_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--device /dev/kvm" in why_not_opened(errno.EPERM)


def test_a_file_that_is_not_kvm_is_refused(tmp_path: Path) -> None:
    device = machine(tmp_path) / "dev/kvm"
    device.touch()
    with pytest.raises(NoKvmError, match="is not KVM"):
        usable_kvm(device)


@pytest.mark.kvm
def test_a_lacking_capability_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "has_capability", lambda vm, capability: capability.name != "IRQFD")
    with pytest.raises(NoKvmError, match=r"lacks KVM_CAP_IRQFD \(interrupts through an eventfd\)"):
        usable_kvm()


@pytest.mark.kvm
def test_this_host_is_fit() -> None:
    usable_kvm()
    checks = host_checks()
    assert {check.topic for check in checks} == {"access", "KVM", "capability", "statistics", "clock"}
    assert sum(check.topic == "capability" for check in checks) == len(CAPABILITIES)
    assert all(check.ok for check in checks if check.needed)


def test_every_failed_check_has_a_remedy(tmp_path: Path) -> None:
    failed = [check for check in host_checks(machine(tmp_path)) if not check.ok]
    assert [check.topic for check in failed] == ["access"]
    assert all(check.remedy for check in failed)


def test_without_proc_and_sys_nothing_is_said_to_be_missing_but_kvm(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    checks = host_checks(tmp_path)
    assert [(check.topic, check.known) for check in checks] == [
        ("access", True),
        ("KVM", False),
        ("clock", False),
        ("clock", False),
    ]
    assert all(check.ok and check.found.startswith("not known: ") for check in checks if not check.known)
    words = " ".join(f"{check.found} {check.remedy}" for check in checks)
    assert "modprobe" not in words
    assert "firmware" not in words
    assert "apart" not in words
    assert host_facts(tmp_path)["backend"] == "unknown"


def test_a_kvm_of_another_name_is_not_missing(tmp_path: Path) -> None:
    root = machine(tmp_path, "vmx", ("kvm",))
    assert not backend_check(root, works=True).known
    assert backend_check(root, works=False).remedy == "sudo modprobe kvm_intel"
    assert "firmware" in backend_check(machine_of(tmp_path, "none", "fpu"), works=False).remedy


def machine_of(tmp_path: Path, name: str, flags: str) -> Path:
    """Another one."""
    (tmp_path / name).mkdir()
    return machine(tmp_path / name, flags, ("kvm",))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errno.ENODEV, "switch virtualization on in the firmware"),
        (errno.EOPNOTSUPP, "switch virtualization on in the firmware"),
        (errno.EBUSY, "another hypervisor on this machine"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENOMEM, "no memory"),
        (errno.EPERM, "sandbox"),
        (errno.EDOM, "dmesg"),
    ],
)
def test_a_refused_vm_has_its_remedy(error: int, words: str) -> None:
    text = why_no_vm(error)
    assert text.startswith(f"KVM refuses to create a VM ({os.strerror(error)}): ")
    assert words in text
    assert "\n" not in text


def test_what_is_in_the_place_of_kvm_is_named(tmp_path: Path) -> None:
    root = machine(tmp_path, "vmx", files={"sys/class/misc/kvm/dev": "10:232"})
    device = root / "dev/kvm"
    makes: dict[str, Callable[[], None]] = {
        "a regular file": device.touch,
        "a FIFO": lambda: os.mkfifo(device),
        "a directory": device.mkdir,
        "another device": lambda: device.symlink_to("/dev/null"),
    }
    for what, make in makes.items():
        make()
        with pytest.raises(NoKvmError) as caught:
            usable_kvm(device)
        assert f"is not KVM but {what}" in str(caught.value)
        assert f"sudo rm -r {device} && sudo mknod {device} c 10 232" in str(caught.value)
        device.rmdir() if what == "a directory" else device.unlink()


def test_what_is_mounted_over_kvm_is_unmounted_and_not_removed(tmp_path: Path) -> None:
    device = tmp_path / "dev/kvm"
    mount = f"36 35 0:5 /null {device} rw,nosuid - devtmpfs devtmpfs rw"
    machine(tmp_path, "vmx", files={"sys/class/misc/kvm/dev": "10:232", "proc/self/mountinfo": mount})
    device.symlink_to("/dev/null")
    with pytest.raises(NoKvmError) as caught:
        usable_kvm(device)
    assert "is not KVM but another device, which is mounted over it (" in str(caught.value)
    assert f"sudo umount {device} uncovers" in str(caught.value)
    assert "rm -r" not in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "available", "trusted"),
    [
        ("constant_tsc nonstop_tsc", "tsc hpet acpi_pm", [True, True]),
        ("constant_tsc nonstop_tsc", "hpet acpi_pm", [True, False]),
        ("constant_tsc", "tsc", [False, True]),
    ],
)
def test_clock(flags: str, available: str, trusted: list[bool], tmp_path: Path) -> None:
    files = {f"{CLOCKSOURCE}/current_clocksource": "hpet", f"{CLOCKSOURCE}/available_clocksource": available}
    assert [check.ok for check in clock_checks(machine(tmp_path, flags, files=files))] == trusted


def test_creating_a_vm_goes_on_when_it_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int | InterruptedError] = [InterruptedError(), InterruptedError(), 7]

    def ioctl(*_: object) -> int:
        answer = answers.pop(0)
        if isinstance(answer, InterruptedError):
            raise answer
        return answer

    monkeypatch.setattr("bellwire.engine.host.host.fcntl.ioctl", ioctl)
    assert create_vm(3) == 7
    assert answers == []
