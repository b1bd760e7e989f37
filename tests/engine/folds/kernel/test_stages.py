"""Where the time went: stages between moments that are known, counts, and tracepoints that never fire."""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import (
    FUNCTIONS,
    PROBES_BIT,
    PROBES_LACK_BIT,
    TRACEPOINTS,
    Clock,
    EventKind,
    Lane,
    ProbesLack,
    Setting,
    ThreadRole,
    end_to_end,
    event,
    no_events,
)
from bellwire.engine.folds.journeys import JOURNEY, Journeys, no_journeys
from bellwire.engine.folds.kernel.stages import KernelStages

CLOCK = Clock(1e9)  # a cycle is a nanosecond
EVERY = (1 << len(TRACEPOINTS)) - 1


def journeys(count: int) -> Journeys:
    """So many, 1 000 ns apart, each 100 ns long."""
    made = np.zeros(count, JOURNEY)
    made["seq"] = made["interrupt"] = np.arange(1, count + 1)
    made["ring"] = made["seq"] * 1000
    made["doorbell"], made["irq"], made["handler"] = made["ring"] + 40, made["ring"] + 50, made["ring"] + 100
    return made


def fold(*parts: object, complete: Journeys | None = None) -> KernelStages:
    """Fed these events at once."""
    stages = KernelStages(CLOCK)
    batch = np.sort(end_to_end(no_events(), *parts), order="tsc")  # type: ignore[arg-type]
    stages.feed(batch, no_journeys() if complete is None else complete)
    return stages


def test_stages_lead_from_each_moment_to_the_next_that_is_known() -> None:
    count = 200
    parts = [
        event(1000 * n + after, kind, Lane.KVM, id, n)
        for n in range(1, count + 1)
        for after, kind, id in ((10, EventKind.PIO, 0x510), (60, EventKind.MSI, 0x40), (90, EventKind.INJECTED, 0x40))
    ]
    stages = fold(*parts, complete=journeys(count))
    found = {(one.start, one.end): (one.count, one.p50, one.p99, one.negative) for one in stages.stages}
    assert found == {
        ("ring", "pio"): (count, 10, 10, 0),
        ("pio", "doorbell"): (count, 30, 30, 0),
        ("doorbell", "irq"): (count, 10, 10, 0),
        ("irq", "msi"): (count, 10, 10, 0),
        ("msi", "injected"): (count, 30, 30, 0),
        ("injected", "handler"): (count, 10, 10, 0),
    }
    assert (stages.told, stages.whole) == (count, count)


def test_a_percentile_of_too_few_is_not_known() -> None:
    (first, *_) = fold(event(1010, EventKind.PIO, Lane.KVM, 0x510, 1), complete=journeys(1)).stages
    assert (first.count, first.p99) == (1, None)


def test_a_stage_that_ends_before_it_begins_is_counted_as_such() -> None:
    stages = fold(event(990, EventKind.PIO, Lane.KVM, 0x510, 1), complete=journeys(1))
    assert [one.negative for one in stages.stages if (one.start, one.end) == ("ring", "pio")] == [1]


def test_a_journey_of_which_the_kernel_tells_nothing_has_no_stage() -> None:
    stages = fold(event(5, EventKind.PIO, Lane.KVM, 0x70), complete=journeys(3))
    assert (stages.stages, stages.told) == ([], 0)


def test_counts_go_by_vector_and_by_port() -> None:
    parts = [event(n, EventKind.MSI, Lane.KVM, 0x40 if n % 3 else 0x22, n) for n in range(1, 10)]
    stages = fold(*parts, event(20, EventKind.PIO, Lane.KVM, 0x70), event(21, EventKind.RING, Lane.GUEST, 0x510, 1))
    assert stages.counts == {EventKind.MSI: {0x40: 6, 0x22: 3}, EventKind.PIO: {0x70: 1}}
    assert stages.count(EventKind.MSI, EventKind.PIO) == 10


def test_merged_signals_are_told_apart_by_where_they_were() -> None:
    parts = [event(n, EventKind.WORK_STARTED, Lane.KVM, 5, n, merged) for n, merged in ((1, 1), (4, 3), (5, 1))]
    stages = fold(
        *parts, event(9, EventKind.INJECTED, Lane.KVM, 0x41, 5, 3), event(10, EventKind.INJECTED, Lane.KVM, 0x20)
    )
    assert (stages.merged_in_work, stages.merged_in_apic) == (2, 2)


def test_a_tracepoint_that_never_fires_although_its_partner_does_is_named() -> None:
    on = event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, EVERY)
    handled, message = event(5, EventKind.HANDLER, Lane.GUEST, 0x40, 1, 1), event(4, EventKind.MSI, Lane.KVM, 0x40, 1)
    waking = event(3, EventKind.WAKING, Lane.KVM, ThreadRole.VCPU, 1)
    assert fold(on).silent == []
    assert fold(on, message, handled, waking).silent == ["kvm_apic_accept_irq", "kvm_inj_virq", "kvm_vcpu_wakeup"]
    assert fold(message, handled).silent == []
    accepted = event(4, EventKind.ACCEPTED, Lane.KVM, 0x40, 1)
    assert "kvm_apic_accept_irq" not in fold(on, message, accepted).silent


def test_functions_that_are_probed_are_counted_and_why_none_is_is_kept() -> None:
    both = sum(1 << PROBES_BIT + FUNCTIONS.index(name) for name in ("ioeventfd_write", "irqfd_inject"))
    entered = [event(5 + n, EventKind.IOEVENTFD_WRITE, Lane.KVM, 0x510, n) for n in range(1, 4)]
    stages = fold(event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, EVERY | both), *entered)
    assert stages.functions == ["ioeventfd_write", "irqfd_inject"]
    assert stages.tracepoints == list(TRACEPOINTS)
    assert [stages.entered(name) for name in stages.functions] == [3, 0]
    assert stages.probes_lack is ProbesLack.NOTHING
    lacks = EVERY | ProbesLack.SUPPORT << PROBES_LACK_BIT
    without = fold(event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, lacks))
    assert (without.functions, without.probes_lack) == ([], ProbesLack.SUPPORT)


def test_a_function_that_is_never_entered_although_what_it_does_is_done_is_named() -> None:
    probed = 1 << PROBES_BIT + FUNCTIONS.index("irqfd_inject")
    on = event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, probed)
    started = event(4, EventKind.WORK_STARTED, Lane.KVM, 5, 1, 1)
    assert fold(on, started).silent == ["irqfd_inject"]
    assert fold(on, started, event(5, EventKind.IRQFD_INJECT, Lane.KVM, 5, 1)).silent == []


def test_an_emulated_cpu_leaves_counts_and_no_times() -> None:
    stages = KernelStages(Clock(1e9, emulated=True))
    parts = [event(1000 * n + 10, EventKind.PIO, Lane.KVM, 0x510, n) for n in range(1, 201)]
    stages.feed(end_to_end(no_events(), *parts), journeys(200))
    (first, *_) = stages.stages
    assert (first.start, first.end, first.count, first.p50, first.p99) == ("ring", "pio", 200, None, None)


def test_losses_and_the_clocks_error_are_those_that_were_said() -> None:
    on = event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, EVERY)
    off = event(9, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 0, 0)
    lost = [event(5, EventKind.LOST, Lane.ENGINE, lane, 0, 7) for lane in (Lane.KVM, Lane.VCPU)]
    stages = fold(on, off, *lost)
    assert (stages.listened, stages.error_cycles, stages.lost) == (EVERY, 52, 7)
