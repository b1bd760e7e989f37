"""The table of hops: a row each, in the order of a signal's way."""

from __future__ import annotations

from dataclasses import replace

from bellwire.engine.attached.hops.exits import ExitKey
from bellwire.viz.attached.hop_rows import HEADS, hop_rows
from tests.support.seen_hops import HOPS
from tests.support.seen_vmms import VMM


def test_each_hop_is_a_row_and_its_own_vector_comes_last() -> None:
    rows = hop_rows(HOPS, VMM.pid)
    assert [row.cells[:3] for row in rows] == [
        ("MMIO 0xfe003000", "wakes IO io0", "400/s"),
        ("PIO 0x510", "–", "0/s"),
        ("vector 0x40 at APIC 0", "worker (qemu-storage-daemon, 90), write to the irqfd", "400/s"),
        ("vector 0x20 at APIC 0", "the vCPU itself: its timer, or another CPU", "50/s"),
        ("vCPU 0", "is woken from its halt", "360/s"),
        ("KVM_EXIT_MMIO", "left to user space", "4/s"),
    ]
    assert rows[0].cells[3:] == ("3.40 µs", "13.2 µs", "90.0 µs")
    assert rows[1].cells[3:] == ("–", "–", "–")
    assert {len(row.cells) for row in rows} == {len(HEADS)}
    assert all(row.meaning for row in rows)


def test_an_exit_of_the_cpu_s_is_told_apart_from_one_to_user_space() -> None:
    served = replace(HOPS.exits[0], key=ExitKey(False, "SVM IOIO"))
    row = hop_rows(replace(HOPS, exits=(served,)), VMM.pid)[-1]
    assert (row.cells[1], row.color) == ("left the guest", "kvm")
