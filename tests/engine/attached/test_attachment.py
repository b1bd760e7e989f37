"""What is seen of a VMM from outside is what it has registered: our own VMs, and real QEMUs'. And its end is told."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bellwire.engine._core import lib
from bellwire.engine.attached.attachment import Attachment, ProcessEndedError
from bellwire.engine.attached.processes import KvmProcess, kvm_processes, start_time
from bellwire.engine.attached.records import CHIP, MSI, route_told
from bellwire.engine.attached.topology import SeenVm, Topology
from bellwire.engine.errors import EngineError
from bellwire.engine.events import STATS
from bellwire.engine.kernel.program import KernelSightError
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.partners.qemu import PROGRAM, qemu_refusal
from bellwire.engine.kvm.vm import Kvm, Memory, Vm
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.source import Order
from tests.support.ioctl_log import logged_ioctls
from tests.support.kernel_sight import GRANT, NOBODY, for_nobody, needs_sight
from tests.support.leaks import belongings, left_behind
from tests.support.processes import children, is_running
from tests.support.random_wirings import RandomWiring, seen_table
from tests.support.sessions import fed, paced, tally_of, wait_for

pytestmark = pytest.mark.kvm

WIRINGS = int(os.environ.get("BELLWIRE_WIRINGS", "50"))
QEMUS = [scenario.name for scenario in list_scenarios() if scenario.qemu is not None]
HOLDS_A_VM = "import sys\nfrom bellwire.engine.kvm.vm import Kvm, Vm\nVm(Kvm())\nprint(flush=True)\ninput()\n"


@pytest.fixture(autouse=True)
def sight() -> None:
    """Nothing here can be seen without a look into the kernel."""
    needs_sight()


def seen_vm(topology: Topology, fd: int) -> SeenVm:
    """The VM of this fd."""
    return next(vm for vm in topology.vms if vm.fd == fd)


def test_random_wirings_are_seen_as_they_were_registered() -> None:
    chance = random.Random(WIRINGS)
    with Kvm() as kvm, Memory() as memory, Vm(kvm), Attachment(os.getpid()) as attachment:
        for _ in range(WIRINGS):
            with RandomWiring(kvm, memory, chance) as wiring:
                for _ in range(3):
                    topology = attachment.look()
                    assert (topology.settled, topology.dropped, topology.untold) == (True, 0, ())
                    assert seen_table(seen_vm(topology, wiring.vm.fd)) == wiring.table()
                    wiring.change()
        assert len(attachment.look().vms) == 1


def test_a_count_that_nobody_has_taken_is_seen() -> None:
    with Kvm() as kvm, Vm(kvm), Eventfd() as eventfd, Attachment(os.getpid()) as attachment:
        for count in (3, 2**40):
            eventfd.signal(count)
            assert attachment.look().counts[eventfd.id] == count
            assert eventfd.take() == count


def test_one_vm_behind_two_file_descriptors_is_one() -> None:
    with Kvm() as kvm, Vm(kvm) as vm, Attachment(os.getpid()) as attachment:
        vm.create_irqchip()
        again = os.dup(vm.fd)
        try:
            seen = attachment.look().vms
        finally:
            os.close(again)
        assert [(one.fd, len(one.routes)) for one in seen] == [(min(vm.fd, again), len(vm.routes))]


def test_a_file_of_the_same_name_is_no_vm(tmp_path: Path) -> None:
    with Kvm() as kvm, Vm(kvm), Attachment(os.getpid()) as attachment:
        names = ("kvm-vm", "[eventfd]", "kvm-vcpu:0")
        files = [(tmp_path / name).open("w") for name in names]
        topology = attachment.look()
        assert len(topology.vms) == 1
        assert not {fd for fds in topology.eventfds.values() for fd in fds} & {file.fileno() for file in files}
        for file in files:
            file.close()


def test_a_guest_that_runs_has_its_threads_and_counters() -> None:
    with Session(paced("roundtrip")) as session, Attachment(os.getpid()) as attachment:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).irqs_handled > 200)
        (vcpu,) = attachment.look().vms[0].vcpus
        assert (vcpu.number, vcpu.thread) == (0, "vcpu")
        assert Path(f"/proc/self/task/{vcpu.tid}").exists()
        assert set(vcpu.counters) == set(STATS)
        assert vcpu.counters["irq_injections"] > 100
        later = attachment.look().vms[0].vcpus[0].counters
        assert all(later[name] >= count for name, count in vcpu.counters.items())


@pytest.mark.parametrize("name", ["roundtrip", "doorbell-fan-out"])
def test_each_ringing_of_a_doorbell_is_counted(name: str) -> None:
    if name not in {scenario.name for scenario in list_scenarios()}:
        pytest.fail(f"{name} is no scenario")
    with Session(paced(name, per_second=0)) as session, Attachment(os.getpid(), counting=True) as attachment:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        assert sum(attachment.look().times_rung(one) or 0 for one in attachment.look().vms[0].ioeventfds) == 0
        for number in range(1, 8):
            session.order(Order.DOORBELL)
            wait_for(lambda number=number: fed(tally, session).doorbells_received == number)  # type: ignore[misc]
        wait_for(lambda: fed(tally, session).irqs_handled == (7 if name == "roundtrip" else 0))
        topology = attachment.look()
        (vm,) = topology.vms
        rung = [topology.times_rung(one) for one in vm.ioeventfds]
        assert sum(count or 0 for count in rung) == 7
        assert (max(count or 0 for count in rung) < 7) == (len(rung) > 1)


# -- real QEMUs --------------------------------------------------------------------------------------------------------


def registered(
    calls: list[tuple[str, bytes]],
) -> tuple[dict[tuple[IoMatch, int], None], dict[int, int], Counter[object]]:
    """What is left of KVM_IOEVENTFD, KVM_IRQFD and KVM_SET_GSI_ROUTING, with QEMU's own fds."""
    ioeventfds: dict[tuple[IoMatch, int], None] = {}
    irqfds: dict[int, int] = {}
    routes: Counter[object] = Counter()
    for number, data in calls:
        if number == f"{lib.KVM_IOEVENTFD:#x}":
            datamatch, address, length, fd, flags = struct.unpack_from("<QQIiI", data)
            bus = "pio" if flags & lib.KVM_IOEVENTFD_FLAG_PIO else "mmio"
            value = datamatch if flags & lib.KVM_IOEVENTFD_FLAG_DATAMATCH else None
            key = (IoMatch(bus, address, length, value), fd)
            if flags & lib.KVM_IOEVENTFD_FLAG_DEASSIGN:
                ioeventfds.pop(key, None)
            else:
                ioeventfds[key] = None
        elif number == f"{lib.KVM_IRQFD:#x}":
            fd, gsi, flags = struct.unpack_from("<III", data)
            if flags & lib.KVM_IRQFD_FLAG_DEASSIGN:
                irqfds.pop(fd, None)
            else:
                irqfds[fd] = gsi
        elif number == f"{lib.KVM_SET_GSI_ROUTING:#x}":
            entries = struct.iter_unpack("<4I8I", data[8:])
            routes = Counter(
                route_told(gsi, kind, first | (second << 32 if kind == MSI else 0), third if kind == MSI else second)
                for gsi, kind, _, _, first, second, third, *_ in entries
                if kind in (CHIP, MSI)
            )
    return ioeventfds, irqfds, routes


def qemus_of(pid: int) -> list[KvmProcess]:
    """The QEMUs that this process has started."""
    pids = children(pid)
    return [process for process in kvm_processes() if process.pid in pids and process.name == PROGRAM]


@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
@pytest.mark.parametrize("name", QEMUS)
def test_a_real_qemu_is_seen_as_it_called_kvm(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with logged_ioctls(tmp_path, monkeypatch) as logged, Session(paced(name)) as session:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).irqs_handled > 20)
        monkeypatch.delenv("LD_PRELOAD")
        with Attachment(qemus_of(os.getpid())[0].pid) as attachment:
            topology = attachment.look()
        calls = logged()
    ioeventfds, irqfds, routes = registered(calls)
    (vm,) = topology.vms
    ids = {fd: number for number, fds in topology.eventfds.items() for fd in fds}
    assert [(one.match, one.eventfd) for one in vm.ioeventfds] == [(match, ids[fd]) for match, fd in ioeventfds]
    assert {one.eventfd: one.gsi for one in vm.irqfds} == {ids[fd]: gsi for fd, gsi in irqfds.items()}
    assert Counter(vm.routes) == routes
    assert [vcpu.thread for vcpu in vm.vcpus] == ["CPU 0/KVM"]
    assert topology.process.guest == "bellwire"
    scenario = session.scenario
    assert scenario.doorbell is not None
    wired = {one.match.address for one in vm.ioeventfds} if scenario.doorbell.ioeventfd else {scenario.doorbell.address}
    assert scenario.doorbell.address in wired
    served = scenario.qemu is not None and scenario.qemu.device == "vhost-user-blk"
    assert [name for _, name in topology.partners] == (["qemu-storage-daemon"] if served else [])


@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
def test_two_qemus_are_found_by_the_eventfd_that_both_have() -> None:
    with Session(paced("qemu-ivshmem")) as session:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).irqs_handled > 20)
        seen = []
        for process in qemus_of(os.getpid()):
            with Attachment(process.pid) as attachment:
                seen.append(attachment.look())
        doorbell = session.scenario.doorbell
    assert len(seen) == 2
    assert doorbell is not None
    match = IoMatch("mmio", doorbell.address, doorbell.length, doorbell.datamatch)
    (rung,) = {one.eventfd for topology in seen for one in topology.vms[0].ioeventfds if one.match == match}
    (listens,) = [topology for topology in seen if rung in {irqfd.eventfd for irqfd in topology.vms[0].irqfds}]
    (rings,) = [topology for topology in seen if topology is not listens]
    assert rings.process.pid in {holder.pid for holder in listens.holders[rung]}
    assert listens.process.pid in {holder.pid for holder in rings.holders[rung]}


# -- who may, and how it ends ------------------------------------------------------------------------------------------


def test_the_end_of_a_vmm_is_told() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_VM], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        before = belongings()
        with Attachment(child.pid) as attachment:
            assert len(attachment.look().vms) == 1
            child.communicate(b"\n")
            with pytest.raises(ProcessEndedError, match=rf"pid {child.pid} has ended\.$"):
                attachment.look()
        assert left_behind(before) == []


def test_another_process_that_has_its_number_is_not_taken_for_it() -> None:
    with Kvm() as kvm, Vm(kvm), Attachment(os.getpid()) as attachment:
        started = start_time(os.getpid())
        assert started is not None
        attachment.process = replace(attachment.process, name="vmm", started=started - 1)
        with pytest.raises(ProcessEndedError, match=rf"^vmm, pid {os.getpid()} has ended, and its number is that of"):
            attachment.look()


def test_a_watcher_that_is_killed_leaves_nothing_in_the_kernel() -> None:
    code = (
        "import os, sys\nfrom bellwire.engine.attached.attachment import Attachment\n"
        "attachment = Attachment(int(sys.argv[1]))\nattachment.look()\n"
        "print(attachment._program._process.pid, flush=True)\ninput()\n"
    )
    with Kvm() as kvm, Vm(kvm):
        command = [sys.executable, "-c", code, str(os.getpid())]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as watcher:
            assert watcher.stdout is not None
            helper = int(watcher.stdout.readline())
            assert is_running(helper)
            watcher.kill()
        wait_for(lambda: not is_running(helper))


def test_who_has_no_vm_is_not_attached_to() -> None:
    with pytest.raises(EngineError, match="has no VM"):
        Attachment(os.getpid())


def test_nobody_sees_what_is_root_s() -> None:
    """With capabilities on the file, bw-kernel itself refuses."""
    with for_nobody() as program, Kvm() as kvm, Vm(kvm):
        subprocess.run(["setcap", GRANT, program], check=True)
        ran = subprocess.run(
            [program, "topology", str(os.getpid())],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            input=b"?",
            capture_output=True,
            check=False,
        )
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.startswith(b"not-yours ")


def test_addresses_of_the_kernel_stay_in_it() -> None:
    with Kvm() as kvm, Vm(kvm) as vm, Attachment(os.getpid()) as attachment:
        vm.create_irqchip()
        records = attachment._program.look().records
        assert {record.vm for record in records} <= {0, 1}
        assert max(number for record in records for number in record.value) < 2**48


def test_a_program_that_was_not_built_is_told(tmp_path: Path) -> None:
    with Kvm() as kvm, Vm(kvm), pytest.raises(KernelSightError, match="was not built"):
        Attachment(os.getpid(), tmp_path / "none")


def test_a_program_that_ends_is_told_in_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "bw-kernel"
    program.write_text("#!/bin/sh\necho 'lockdown 1 ' >&2\nexit 1\n")
    program.chmod(0o755)
    told = pytest.raises(KernelSightError, match="locked down")
    with Kvm() as kvm, Vm(kvm), Attachment(os.getpid(), program) as attachment, told:
        attachment.look()


def test_scenarios_of_qemu_are_there() -> None:
    assert load_scenario("qemu-vhost-user-blk").name in QEMUS
