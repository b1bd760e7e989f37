"""Rows are called by what they are of: an address, a thread's name, a vector, a vCPU."""

from __future__ import annotations

from pathlib import Path

from bellwire.engine.events import EventKind
from bellwire.engine.recordings.attached.notes import SeenThread
from bellwire.engine.recordings.attached.seen_moments import SeenMoments
from bellwire.engine.recordings.attached.seen_rows import SeenDensity, SeenRow, SeenRowKind
from bellwire.viz.attached.replayed.row_words import RowNames, event_words
from tests.support.seen_recordings import IO, VCPU, seen_recording


def test_each_row_has_a_name(tmp_path: Path) -> None:
    moments = SeenMoments(seen_recording(tmp_path / "seen.arrow", 50))
    with SeenDensity(moments) as density:
        density.wait()
        names = RowNames(moments, density.of)
        assert [names.of(row).name for row in sorted(density.rows)] == [
            "mmio 0xfe003000",
            "IO io0",
            "vector 0x40, APIC 0",
            "vCPU 0",
        ]
        assert names.of(SeenRow(SeenRowKind.LINE, 0, 5)).name == "GSI 5"
        assert names.of(SeenRow(SeenRowKind.VCPU, 0, IO)).name == "IO io0"  # one that no topology knows
        assert names.thread(VCPU) == "CPU 0/KVM"
        assert names.thread(12345) == "a thread that is not named"


def test_a_thread_of_a_partner_is_told_with_its_process(tmp_path: Path) -> None:
    moments = SeenMoments(seen_recording(tmp_path / "seen.arrow", 50))
    moments.threads |= {one.tid: one for one in (SeenThread(91, 90, "worker"), SeenThread(90, 90, "qemu-storage-da"))}
    with SeenDensity(moments) as density:
        names = RowNames(moments, density.of)
    assert names.thread(91) == "worker (qemu-storage-daemon, 90)"
    assert names.thread(90) == "qemu-storage-daemon, pid 90"
    assert names.thread(IO) == "IO io0"


def test_each_mark_says_what_it_is() -> None:
    kinds = [EventKind.PIO, EventKind.WAKING, EventKind.RUNS, EventKind.MSI, EventKind.SET_IRQ, EventKind.INJECTED]
    kinds += [EventKind.USER_EXIT, EventKind.ENTRY]
    words = [event_words(kind, 6) for kind in kinds]
    assert len(set(words)) == len(words)
    assert event_words(EventKind.USER_EXIT, 6) == "out to user space: MMIO"
    assert event_words(EventKind.USER_EXIT, 0, 4) == "out to user space: EINTR"
    assert event_words(EventKind.WOKEN, 0) == "woken"
