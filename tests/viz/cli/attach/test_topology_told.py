"""A topology as tables and as JSON: what is known, and a dash with the reason for what is not."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from rich.console import Console

from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.topology import SeenIoeventfd, SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.viz.cli.attach.topology_told import VmmTold, topology_report, topology_tables

VMM = KvmProcess(7, 1, 0, "qemu-system-x86_64", "web", 1, 1)
DISK, NET = SeenIoeventfd(IoMatch("mmio", 0xFE003000, 0), 70, fast=True), SeenIoeventfd(IoMatch("pio", 0x510, 2, 9), 71)
VM = SeenVm(
    11,
    "full",
    (SeenVcpu(0, 33, "CPU 0/KVM", {"exits": 2500, "irq_injections": 1200}), SeenVcpu(1, None)),
    (DISK, NET),
    (SeenIrqfd(72, 2), SeenIrqfd(71, 5, 73), SeenIrqfd(74, 6)),
    (GsiRoute.msi(2, 0x40), GsiRoute.pic(5, 5), GsiRoute.ioapic(5, 5)),
)
DAEMON = EventfdHolder(9, "qemu-storage-daemon", (12, 13))
TOPOLOGY = Topology(VMM, (VM,), {70: (19,), 71: (20, 21), 72: (22,)}, {70: (DAEMON,)}, counts={70: 3})


def lines_of(told: VmmTold) -> list[str]:
    """What is printed, but for rules and what is empty, words one space apart."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(topology_tables(told))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return [" ".join(line.split()) for line in text.splitlines() if line.strip("─ ")]


def test_each_part_is_a_row() -> None:
    assert lines_of(VmmTold(TOPOLOGY)) == [
        "qemu-system-x86_64, pid 7, guest web",
        "VM, fd 11: PIC, IOAPIC and local APICs in the kernel; routes: 1 to messages (MSI), 2 to pins",
        "vCPU Thread exits to user space halts injected",
        "0 CPU 0/KVM, tid 33 2\u202f500 – – 1\u202f200".replace("\u202f", " "),
        "1 has not run – – – –",
        "Doorbell (ioeventfd) Length Value eventfd fd Other ends",
        "mmio 0xfe003000 any any 70 19 qemu-storage-daemon, pid 9 (fd 12, 13)",
        "pio 0x510 2 0x9 71 20, 21 irqfd, GSI 5",
        "Interrupt (irqfd) Leads to eventfd fd EOI signals Other ends",
        "GSI 2 MSI vector 0x40 at APIC 0 72 22",
        "GSI 5 PIC 1 pin 5, IOAPIC pin 5 71 20, 21 eventfd 73 doorbell pio 0x510",
        "GSI 6 nowhere 74 –",
    ]


def test_devices_are_named_where_qemu_was_asked() -> None:
    told = VmmTold(TOPOLOGY, lambda match: "notify-blk" if match.bus == "mmio" else "")
    rows = [line for line in lines_of(told) if line.startswith(("Doorbell", "mmio", "pio"))]
    assert rows[0].endswith("eventfd fd Device Other ends")
    assert "19 notify-blk qemu" in rows[1]
    assert "20, 21 – irqfd" in rows[2]
    assert topology_report(told)["vms"][0]["ioeventfds"][0]["device"] == "notify-blk"
    assert topology_report(told)["vms"][0]["ioeventfds"][1]["device"] is None


def test_of_several_vms_the_other_one_is_named() -> None:
    peer = SeenVm(12, "split", irqfds=(SeenIrqfd(71, 24),))
    lines = lines_of(VmmTold(replace(TOPOLOGY, vms=(replace(VM, irqfds=()), peer))))
    assert "pio 0x510 2 0x9 71 20, 21 irqfd, GSI 24 of VM fd 12" in lines
    assert "GSI 24 nowhere 71 20, 21 doorbell pio 0x510 of VM fd 11" in lines
    assert "No irqfd: an interrupt from user space takes a call." in lines
    assert {"No vCPU.", "No ioeventfd: each doorbell leaves to user space."} <= set(lines)


def test_counts_are_told_a_second_where_two_looks_were_taken() -> None:
    lines = lines_of(VmmTold(TOPOLOGY, rates={(11, 0, "exits"): 200.0, (11, 0, "irq_injections"): 0.0}))
    assert "vCPU Thread exits/s to user space/s halts/s injected/s" in lines
    assert "0 CPU 0/KVM, tid 33 200 – – 0" in lines
    assert lines[-1] == "Counts /s are of the last second."


def test_how_often_a_wire_was_used_is_told_where_it_was_counted() -> None:
    lines = lines_of(VmmTold(TOPOLOGY, rates={(11, DISK): 500.0, (11, VM.irqfds[0]): 499.0}))
    assert "Doorbell (ioeventfd) Length Value eventfd fd Rung/s Other ends" in lines
    assert "mmio 0xfe003000 any any 70 19 500 qemu-storage-daemon, pid 9 (fd 12, 13)" in lines
    assert "pio 0x510 2 0x9 71 20, 21 – irqfd, GSI 5" in lines
    assert "GSI 2 MSI vector 0x40 at APIC 0 72 22 499" in lines
    assert "GSI 6 nowhere 74 – –" in lines


def test_what_is_not_known_is_a_dash_and_the_reason() -> None:
    blind = SeenVm(11, "")
    untold = replace(
        TOPOLOGY, vms=(blind,), untold=("ioeventfds", "irqfds", "routes"), hidden=2, dropped=3, settled=False
    )
    lines = lines_of(VmmTold(untold))
    assert "VM, fd 11: its interrupt controller is not told; routes –" in lines
    assert "– – – – – –" in lines
    assert [line.split(":")[0] for line in lines[-4:]] == [
        "–",
        "2 processes do not let their files be looked at",
        "It was being changed all the time",
        "3 entries could no longer be read.",
    ]
    report = topology_report(VmmTold(untold))
    assert (report["vms"][0]["ioeventfds"], report["vms"][0]["routes"], report["vms"][0]["irqchip"]) == (
        None,
        None,
        None,
    )
    assert (report["settled"], report["dropped"], report["hidden_processes"]) == (False, 3, 2)


def test_a_process_that_has_closed_its_vm_is_told() -> None:
    assert lines_of(VmmTold(replace(TOPOLOGY, vms=())))[-1] == "It has no VM any more."


def test_the_report_joins_eventfds_with_their_holders() -> None:
    report = json.loads(json.dumps(topology_report(VmmTold(TOPOLOGY))))
    assert report["process"]["guest"] == "web"
    assert report["partners"] == [{"pid": 9, "name": "qemu-storage-daemon"}]
    (vm,) = report["vms"]
    assert vm["ioeventfds"][0] == {
        "bus": "mmio", "address": 0xFE003000, "length": 0, "datamatch": None, "fast": True, "eventfd": 70,
        "fds": [19], "count": 3, "holders": [{"pid": 9, "name": "qemu-storage-daemon", "fds": [12, 13]}],
    }  # fmt: skip
    assert [irqfd["resample"] for irqfd in vm["irqfds"]] == [None, 73, None]
    assert vm["irqfds"][0]["targets"] == [
        {"gsi": 2, "target": "MSI vector 0x40 at APIC 0", "address": 0xFEE00000, "data": 64, "vector": 64, "apic": 0}
    ]
    assert [target["pin"] for target in vm["irqfds"][1]["targets"]] == [5, 5]
    assert vm["vcpus"][0]["counters"]["exits"] == 2500
