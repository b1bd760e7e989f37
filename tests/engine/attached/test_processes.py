"""Processes with a VM: found, named, and refused in one sentence where they may not be looked at."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bellwire.engine.attached import processes
from bellwire.engine.attached.processes import KvmProcess, attachable, kvm_processes, seen_process, still_there
from bellwire.engine.errors import EngineError
from bellwire.engine.host.host import BYTES
from bellwire.engine.kvm.vm import Kvm, Vm
from tests.support.described_proc import describe_process

VM_FILES = ("/dev/null", "anon_inode:kvm-vm", "anon_inode:kvm-vcpu:0", "anon_inode:kvm-vcpu:1")


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may look at anybody's files."""

    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(processes, "open_files", refuse)


def test_those_with_a_vm_are_found(tmp_path: Path) -> None:
    describe_process(tmp_path, 7, ("/dev/null",))
    describe_process(tmp_path, 40, VM_FILES, arguments=("/usr/bin/qemu-system-x86_64", "-name", "guest=web,debug=on"))
    describe_process(tmp_path, 9, VM_FILES[:2], comm="firecracker", arguments=("firecracker", "--id", "tiny"), uid=7)
    (tmp_path / "proc/self").mkdir()
    assert kvm_processes(tmp_path) == [
        KvmProcess(9, 5000, 7, "firecracker", "tiny", 1, 0),
        KvmProcess(40, 5000, 4_000_000, "qemu-system-x86_64", "web", 1, 2),
    ]
    assert str(attachable(40, tmp_path)) == "qemu-system-x86_64, pid 40"


@pytest.mark.usefixtures("hidden")
def test_those_of_others_are_known_by_their_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    describe_process(tmp_path, 7, comm="sleep", arguments=("sleep", "9"))
    for pid, thread in ((10, "CPU 3/KVM"), (20, "fc_vcpu 0"), (30, "crosvm_vcpu1"), (40, "kvm-nx-lpage-re")):
        describe_process(tmp_path, pid, threads=("other", thread))
    found = kvm_processes(tmp_path)
    assert [(process.pid, process.vms, process.vcpus) for process in found] == [
        (pid, None, None) for pid in (10, 20, 30, 40)
    ]
    with pytest.raises(
        EngineError, match=r"^qemu-system-x86_64, pid 10 is 4000000's: attach as that user, or as root\.$"
    ):
        attachable(10, tmp_path)


@pytest.mark.usefixtures("hidden")
def test_one_that_hides_from_its_own_user_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    describe_process(tmp_path, 10, threads=("CPU 0/KVM",), uid=os.geteuid())
    assert kvm_processes(tmp_path)[0].hidden.endswith("hides its files from its own user: attach as root.")


@pytest.mark.usefixtures("hidden")
@pytest.mark.parametrize("uid", [0, 7])
def test_root_is_not_told_to_be_root(uid: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    describe_process(tmp_path, 10, threads=("CPU 0/KVM",), uid=uid)
    assert "not even root" in kvm_processes(tmp_path)[0].hidden


def test_whoever_has_no_vm_is_refused(tmp_path: Path) -> None:
    describe_process(tmp_path, 7, ("/dev/null",), comm="sleep", arguments=("sleep",))
    with pytest.raises(EngineError, match=r"^sleep, pid 7 has no VM\.$"):
        attachable(7, tmp_path)
    with pytest.raises(EngineError, match=r"^There is no process 8\.$"):
        attachable(8, tmp_path)


def test_a_thread_is_not_its_process(tmp_path: Path) -> None:
    folder = describe_process(tmp_path, 8, VM_FILES)
    (folder / "status").write_text("Tgid:\t7\nUid:\t0\t0\t0\t0\n")
    with pytest.raises(EngineError, match=r"^8 is a thread of process 7: bellwire attach 7$"):
        attachable(8, tmp_path)


def test_a_process_is_told_from_another_one_that_has_its_number(tmp_path: Path) -> None:
    describe_process(tmp_path, 7, VM_FILES, started=10, comm="crosvm", arguments=("crosvm",))
    process = attachable(7, tmp_path)
    assert still_there(process, tmp_path) == ""
    later = still_there(replace(process, name="qemu", started=9), tmp_path)
    assert later == "qemu, pid 7 has ended, and its number is that of crosvm now."
    assert still_there(replace(process, pid=8), tmp_path) == "crosvm, pid 8 has ended."


def test_a_zombie_has_ended(tmp_path: Path) -> None:
    folder = describe_process(tmp_path, 7, VM_FILES)
    (folder / "stat").write_text((folder / "stat").read_text().replace(" S ", " Z "))
    assert kvm_processes(tmp_path) == []
    assert seen_process(7, tmp_path) is None


def test_names_that_would_steer_a_terminal_are_seen(tmp_path: Path) -> None:
    describe_process(tmp_path, 7, VM_FILES, comm="a\x1b[2Jb", arguments=("qemu", "-name", "x\x07\u202ey" * 60))
    found = kvm_processes(tmp_path)[0]
    assert found.name == "a␛[2Jb"
    assert found.guest.startswith("x␇\\u202ey")
    assert len(found.guest) < 300


# What a thread may call itself, as prctl(2) takes any 15 bytes; how its program was called; and what is shown of it.
NAMES = (
    (b"\xff\xfe", "qemu", r"\xff\xfe"),
    (b"\x1b[31mred", "qemu", "␛[31mred"),
    (b"two\nlines", "qemu", "two␊lines"),
    ("Gerät".encode(), "Gerät", "Gerät"),
    ("Prüfgerät-fü".encode(), "Prüfgerät-für-Gäste", "Prüfgerät-für-Gäste"),
    ("Eingangsgerätä".encode()[:15], "Eingangsgerätä-und-mehr", "Eingangsgerätä-und-mehr"),
    ("Eingangsgerätä".encode()[:15], "qemu", r"Eingangsgerät\xc3"),
)


@pytest.mark.parametrize(("name", "called", "told"), NAMES)
def test_a_process_may_have_a_name_of_any_bytes(name: bytes, called: str, told: str, tmp_path: Path) -> None:
    describe_process(tmp_path, 7, VM_FILES, comm=name.decode(*BYTES), arguments=(f"/usr/bin/{called}",))
    assert [process.name for process in kvm_processes(tmp_path)] == [told]


@pytest.mark.usefixtures("hidden")
def test_one_name_that_is_no_text_does_not_hide_the_processes_of_others(tmp_path: Path) -> None:
    for pid, (name, _, _) in enumerate(NAMES, 5):
        describe_process(tmp_path, pid, comm=name.decode(*BYTES), threads=(name.decode(*BYTES),))
    describe_process(tmp_path, 40, threads=(NAMES[0][0].decode(*BYTES), "CPU 3/KVM"))
    assert [process.pid for process in kvm_processes(tmp_path)] == [40]


def test_this_process_is_found_with_its_vms() -> None:
    own = seen_process(os.getpid())
    assert own is not None
    assert (own.pid, own.uid, own.vms, own.vcpus) == (os.getpid(), os.getuid(), 0, 0)
    assert own.name.startswith(Path(sys.argv[0]).name[:6]) or "py" in own.name


@pytest.mark.kvm
def test_a_vm_of_this_process_is_seen() -> None:
    with Kvm() as kvm, Vm(kvm):
        assert [process.vms for process in kvm_processes() if process.pid == os.getpid()] == [1]
    assert os.getpid() not in [process.pid for process in kvm_processes()]
