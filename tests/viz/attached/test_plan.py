"""The picture of a VM that is seen from outside: what stands where, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace

from bellwire.engine.attached.topology import SeenIrqfd, SeenVcpu, SeenVm, Topology
from bellwire.engine.recordings.attached.seen_json import HiddenNumbers, topology_from_json, topology_to_json
from bellwire.engine.recordings.metadata import json_table
from bellwire.viz.attached.plan import MOST_VCPUS, MOST_WIRES, Heard, SeenPlan, seen_plan, wires_of
from tests.support.seen_hops import HOPS
from tests.support.seen_vmms import DAEMON, RATES, SEEN, VM, VMM, crowded


def words(plan: SeenPlan) -> list[tuple[str, str, str]]:
    """Each wire: what stands in the guest, what is between, what stands at its end."""
    nodes, facts = plan.blueprint.nodes, plan.facts
    return [
        (
            f"{nodes[f'guest {name}'].title}: {facts[f'guest {name}']}",
            f"{counter.name} = {plan.counts[name]}",
            f"{nodes[f'end {name}'].title}: {facts[f'end {name}']}",
        )
        for name, counter in plan.blueprint.counters.items()
    ]


def test_each_wire_leads_to_who_holds_its_eventfd() -> None:
    plan = seen_plan(VM, SEEN, RATES)
    assert words(plan) == [
        ("MMIO 0xfe003000: any length, any value", "eventfd 70 = 3", "has the doorbell: fd 12"),
        (
            "GSI 2: MSI vector 0x40 at APIC 0",
            "eventfd 72 = –",
            "has the interrupt: fd 7, 8; also pid 90",
        ),
        ("PIO 0x510: 2 bytes, value 0x9", "eventfd 71 = 999+", "has the doorbell: fd 20"),
        (
            "GSI 5: PIC 1 pin 5 and IOAPIC pin 5, EOI to eventfd 74",
            "eventfd 73 = –",
            "has the interrupt: fd 22",
        ),
    ]
    boxes = plan.blueprint.boxes
    assert [boxes[name].title for name in boxes] == [
        "qemu-system-x86_64",
        "Guest",
        "KVM",
        "qemu-storage-daemon",
        "virtiofsd",
        "qemu-system-x86_64",
    ]
    assert plan.facts["pid 711"] == "another process, pid 711"
    assert plan.facts["own"] == "the VMM itself"
    assert plan.facts["vcpu 0"] == "1 234 exits/s, 99 interrupts/s".replace("1 234", "1\u202f234")
    assert plan.blueprint.nodes["vcpu 0"].title == "vCPU 0: CPU 0/KVM"
    assert plan.facts["note caption"] == (
        "KVM takes 2 doorbells itself (ioeventfd), without a return to the VMM. "
        "2 interrupts are raised by a write to their eventfds (irqfd). "
        "The other ends are those of qemu-storage-daemon and virtiofsd: the same eventfds are open there."
    )


def test_how_often_a_wire_was_used_stands_beside_what_it_is() -> None:
    rates = {**RATES, (11, VM.ioeventfds[0]): 500.0, (11, VM.irqfds[0]): 499.5}
    titles = [line.partition(":")[0] for line, _, _ in words(seen_plan(VM, SEEN, rates))]
    assert titles == ["MMIO 0xfe003000  500/s", "GSI 2  500/s", "PIO 0x510", "GSI 5"]


def test_arrows_point_the_way_that_a_signal_takes() -> None:
    wires = seen_plan(VM, SEEN, RATES).blueprint.wires
    for name, wire in wires.items():
        assert wire.arrow == (name.startswith("far") if wire.color == "doorbell" else name.startswith("near"))
        rightwards = wire.points[0][0] < wire.points[-1][0]
        assert rightwards == (wire.color == "doorbell")


def test_nothing_overlaps_however_much_there_is() -> None:
    for topology in (SEEN, crowded(), crowded(3, 2), crowded(0, 0), crowded(11, 4)):
        plan = seen_plan(topology.vms[0], topology, {}).blueprint
        nodes = [node.rect for node in plan.nodes.values()]
        for number, (left, top, wide, high) in enumerate(nodes):
            assert top + high < plan.size[1]
            assert left + wide < plan.size[0]
            for x, y, w, h in nodes[number + 1 :]:
                assert left + wide <= x or x + w <= left or top + high <= y or y + h <= top
        left, top, wide, high = plan.boxes["guest"].rect
        for name, node in plan.nodes.items():
            if name.startswith("guest "):
                assert top < node.rect[1]
                assert node.rect[1] + node.rect[3] < top + high


def test_what_has_no_room_is_counted() -> None:
    topology = crowded(40, 8)
    plan = seen_plan(topology.vms[0], topology, {})
    assert len(plan.blueprint.counters) == MOST_WIRES
    assert len([name for name in plan.blueprint.nodes if name.startswith("vcpu")]) == MOST_VCPUS
    caption = plan.facts["note caption"]
    assert "30 wires more have no room: “bellwire attach 4213” lists them." in caption
    assert "5 vCPUs more are not drawn." in caption
    assert "2 processes hide their files: whether they have an end as well is not known." in caption
    assert "It was being changed while it was looked at: " in caption
    assert plan.facts["vcpu 0"] == "has not run yet"


def test_an_eventfd_of_two_vms_leads_from_one_to_the_other() -> None:
    peer = SeenVm(12, irqfds=(SeenIrqfd(71, 24),))
    both = Topology(VMM, (VM, peer), {71: (20,)})
    (to_peer,) = [wire for wire in wires_of(VM, both) if wire.end == "vm"]
    (to_us,) = wires_of(peer, both)
    assert to_peer.end_title == "GSI 24 of the VM with fd 12"
    assert (to_us.title, to_us.fact, to_us.end_title) == ("GSI 24", "leads nowhere", "doorbell of the VM with fd 11")
    assert seen_plan(VM, both, {}).blueprint.boxes["vm"].title == "Another VM"


def test_an_eventfd_that_was_closed_is_nobody_s() -> None:
    alone = replace(SEEN, eventfds={}, holders={})
    ends = {wire.end for wire in wires_of(VM, alone)}
    assert ends == {"nobody"}
    plan = seen_plan(VM, alone, {})
    assert plan.blueprint.nodes["end 0"].unused
    assert plan.facts["vcpu 0"] == "–"


def test_what_is_not_there_and_what_is_not_known_are_told_apart() -> None:
    empty = SeenVm(11, "none", (SeenVcpu(0, 7, ""),))
    caption = seen_plan(empty, replace(SEEN, vms=(empty,), holders={}), {}).facts["note caption"]
    assert "There is no ioeventfd: each doorbell leaves to user space." in caption
    assert "There is no irqfd" in caption
    untold = replace(SEEN, vms=(empty,), holders={}, untold=("ioeventfds", "irqfds", "routes"))
    caption = seen_plan(empty, untold, {}).facts["note caption"]
    assert caption == "This kernel keeps some of its lists in a way that is not known."
    (wire,) = wires_of(SeenVm(11, irqfds=(SeenIrqfd(72, 2),)), untold)
    assert wire.fact == "–"


def test_who_is_woken_and_who_signals_stand_at_the_ends_once_it_was_heard() -> None:
    heard = Heard(HOPS, {VM.ioeventfds[0].match: "virtio-pci-notify-virtio-blk"})
    first, second, *_ = words(seen_plan(VM, SEEN, RATES, heard))
    assert first == (
        "MMIO 0xfe003000: virtio-pci-notify-virtio-blk",
        "eventfd 70 = 3",
        "wakes IO io0: p50 3.40 µs, p99 13.2 µs · fd 12",
    )
    assert second[2].startswith("worker (qemu-storage-daemon, 90) signals: p50 3.40 µs, p99 13.2 µs · fd 7, 8")


def test_a_recording_that_hides_numbers_shows_none() -> None:
    number = HiddenNumbers()
    told = topology_from_json(json_table(json.dumps(topology_to_json(SEEN, number)).encode(), "it"))
    plan = seen_plan(told.vms[0], told, {})
    assert plan.facts["vmm"] == ""
    assert plan.facts[f"pid {number(DAEMON.pid)}"] == "another process"
    assert not any(
        str(hidden) in fact for hidden in (number(VMM.pid), number(DAEMON.pid)) for fact in plan.facts.values()
    )


def test_of_a_recording_no_command_is_named_that_would_look_at_the_process() -> None:
    told = topology_from_json(json_table(json.dumps(topology_to_json(crowded())).encode(), "it"))
    assert "30 wires more have no room." in seen_plan(told.vms[0], told, {}).facts["note caption"]
    assert "bellwire attach 4213" in seen_plan(crowded().vms[0], crowded(), {}).facts["note caption"]
