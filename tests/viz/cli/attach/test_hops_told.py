"""Hops as tables and as JSON."""

from __future__ import annotations

import io
import json
from dataclasses import replace

from rich.console import Console, Group

from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.viz.cli.attach.hops_told import hop_tables, hops_report
from tests.support.seen_hops import HOPS
from tests.support.seen_vmms import VMM


def lines_of(hops: HopFigures, goes_on: bool = True) -> list[str]:
    """What is printed, but for rules and what is empty, words one space apart."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(Group(*hop_tables(hops, VMM.pid, goes_on)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return [" ".join(line.split()) for line in text.splitlines() if line.strip("─ ")]


def test_each_hop_is_a_row() -> None:
    assert lines_of(HOPS)[:-2] == [
        "Doorbell Rung last second Wakes Times p50 p99 max",
        "mmio 0xfe003000 800 400/s IO io0 790 3.40 µs 13.2 µs 90.0 µs",
        "Vector APIC Sent last second Signalled by Taken p50 p99 max",
        "0x20 0 100 50/s the vCPU itself: its timer, or another CPU 100 3.40 µs 13.2 µs 90.0 µs",
        "0x40 0 800 400/s worker (qemu-storage-daemon, 90), write to the irqfd 799 3.40 µs 13.2 µs 90.0 µs",
        "Halts of vCPU last second Slept Polled p50 p99 max",
        "0 360/s 700 20 3.40 µs 13.2 µs 90.0 µs",
        "Exit Count last second p50 p99 max In all",
        "KVM_EXIT_MMIO 9 4/s 21.0 µs – 40.0 µs 190 µs",
    ]


def test_at_the_end_a_rate_is_the_count_beside_it_over_the_whole_time() -> None:
    lines = lines_of(replace(HOPS, seconds=4.0), goes_on=False)
    for line in (
        "Doorbell Rung /s Wakes Times p50 p99 max",
        "mmio 0xfe003000 800 200 IO io0 790 3.40 µs 13.2 µs 90.0 µs",
        "0 180 700 20 3.40 µs 13.2 µs 90.0 µs",
        "KVM_EXIT_MMIO 9 2 21.0 µs – 40.0 µs 190 µs",
    ):
        assert line in lines


def test_a_doorbell_that_wakes_nobody_says_so_and_what_is_not_there_is_left_out() -> None:
    silent = replace(HOPS.doorbells[0], woken=())
    lines = lines_of(replace(HOPS, doorbells=(silent,), interrupts=(), halts=(), exits=()))
    assert lines[1] == "mmio 0xfe003000 800 400/s nobody: its reader was awake – – – –"
    assert len(lines) == 3


def test_the_report_has_every_figure() -> None:
    report = json.loads(json.dumps(hops_report(HOPS)))
    disk = report["doorbells"][0]
    assert (disk["bus"], disk["address"], disk["rung"], disk["last_second"]) == ("mmio", 0xFE003000, 800, 400.0)
    assert disk["woken"][0]["thread"]["name"] == "IO io0"
    assert disk["woken"][0]["latency"] == {"count": 400, "p50": 3400, "p99": 13200, "max": 90_000}
    timer, vector = report["interrupts"]
    assert timer["senders"] == [{"thread": None, "how": "itself", "count": 100}]
    assert (vector["vector"], vector["taken"], vector["senders"][0]["thread"]["pid"]) == (0x40, 799, 90)
    assert report["halts"][0]["vcpu"] == 0
    assert (report["exits"][0]["reason"], report["exits"][0]["duration"]["p99"]) == ("KVM_EXIT_MMIO", None)
    assert report["exits_told"] is False
    assert len(report["sentences"]) == 2
