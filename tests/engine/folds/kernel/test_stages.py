"""Where the time went: stages between moments that are known, counts, and tracepoints that never fire."""

from __future__ import annotations

import numpy as np
import pytest

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
from bellwire.engine.folds.journeys import JOURNEY, TOLD_BY_ANOTHER, Journeys, no_journeys
from bellwire.engine.folds.kernel.stages import KernelStages
from bellwire.viz.cli.kernel.summary import kernel_remarks

CLOCK = Clock(1e9)  # a cycle is a nanosecond
EVERY = (1 << len(TRACEPOINTS)) - 1


def journeys(count: int) -> Journeys:
    """So many, 1 000 ns apart, each 100 ns long."""
    made = np.zeros(count, JOURNEY)
    made["seq"] = made["interrupt"] = np.arange(1, count + 1)
    made["ring"] = made["seq"] * 1000
    made["doorbell"], made["irq"], made["handler"] = made["ring"] + 40, made["ring"] + 50, made["ring"] + 100
    return made


def fold(*parts: object, complete: Journeys | None = None, backend: str = "", any_length: bool = False) -> KernelStages:
    """Fed these events at once."""
    stages = KernelStages(CLOCK, backend, any_length)
    batch = np.sort(end_to_end(no_events(), *parts), order="tsc")  # type: ignore[arg-type]
    stages.feed(batch, no_journeys() if complete is None else complete)
    stages.finish()
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


def test_what_is_of_an_interrupt_is_counted_once_however_many_doorbells_it_answers() -> None:
    """As often as the kernel tells of it."""
    together = journeys(8)
    together["irq"], together["interrupt"], together["handler"] = 9000, 1, 9900
    together["heavy"][:-1] = TOLD_BY_ANOTHER
    doorbells = [event(1000 * n + 10, EventKind.PIO, Lane.KVM, 0x510, n) for n in range(1, 9)]
    kinds = (9100, EventKind.WRITE), (9200, EventKind.MSI), (9800, EventKind.INJECTED)
    stages = fold(*doorbells, *(event(tsc, kind, Lane.KVM, 0x40, 1) for tsc, kind in kinds), complete=together)
    assert {(one.start, one.end): one.count for one in stages.stages} == {
        ("ring", "pio"): 8,
        ("pio", "doorbell"): 8,
        ("doorbell", "irq"): 8,
        ("irq", "write"): 1,
        ("write", "msi"): 1,
        ("msi", "injected"): 1,
        ("injected", "handler"): 1,
    }
    assert stages.count(EventKind.MSI) == 1
    assert stages.told == 8


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
    stages.feed(event(10**6, EventKind.LOST, Lane.ENGINE, Lane.KVM, 0, 1), no_journeys())
    assert (stages.merged_in_work, stages.merged_in_apic) == (None, None)
    assert not any("merged in" in remark for remark in kernel_remarks(stages))


def test_what_an_apic_takes_just_before_the_word_on_an_injection_is_merged_with_nothing() -> None:
    """It is counted there, and its own injection has none left."""
    told = ((1, 1), (2, 2), (3, 0), (6, 3))  # number, and how many the APIC had taken
    stages = fold(*(event(10 + n, EventKind.INJECTED, Lane.KVM, 0x40, n, taken) for n, taken in told))
    assert stages.merged_in_apic == 2


ON = event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, EVERY)


def test_a_tracepoint_that_never_fires_although_its_partner_does_is_named_with_what_bounds_instead() -> None:
    handled, message = event(5, EventKind.HANDLER, Lane.GUEST, 0x40, 1, 1), event(4, EventKind.MSI, Lane.KVM, 0x40, 1)
    waking = event(3, EventKind.WAKING, Lane.KVM, ThreadRole.VCPU, 1)
    assert fold(ON).silent == {}
    assert fold(ON, message, handled, waking).silent == {
        "kvm_apic_accept_irq": "kvm_msi_set_irq",
        "kvm_inj_virq": "the guest's handler",
        "kvm_eoi": "the guest's handler",
        "kvm_vcpu_wakeup": "sched_switch",
    }
    assert fold(message, handled).silent == {}
    accepted = event(4, EventKind.ACCEPTED, Lane.KVM, 0x40, 1)
    assert "kvm_apic_accept_irq" not in fold(ON, message, accepted).silent
    line = event(4, EventKind.SET_IRQ, Lane.KVM, 5, 1, 1)
    assert fold(ON, line).silent == {"kvm_apic_accept_irq": "kvm_set_irq"}


def test_where_the_host_writes_the_eoi_that_tells_of_injections() -> None:
    injected, handled = event(4, EventKind.INJECTED, Lane.KVM, 0x40, 1, 1), event(5, EventKind.HANDLER, Lane.GUEST, 1)
    assert fold(ON, injected, handled, backend="kvm_pvm").silent == {"kvm_inj_virq": "kvm_eoi"}
    ended = event(6, EventKind.GUEST_EOI, Lane.KVM, 0)
    assert fold(ON, injected, handled, ended, backend="kvm_amd").silent == {}


def test_a_doorbell_of_any_length_has_one_of_two_tracepoints() -> None:
    """On VMX the fast bus, that knows the address alone; elsewhere the bus that all others are on."""
    usual, fast = (event(4, kind, Lane.KVM, 0xD0000000, 1) for kind in (EventKind.MMIO, EventKind.FAST_MMIO))
    assert fold(ON, usual, any_length=True).silent == {"kvm_fast_mmio": "kvm_mmio"}
    assert fold(ON, fast, any_length=True).silent == {"kvm_mmio": "kvm_fast_mmio"}
    assert fold(ON, usual).silent == {}


def test_a_kvm_that_tells_of_neither_apic_nor_injection_has_journeys_that_end_at_message_and_wake_up() -> None:
    """VMX with APICv: the hardware posts the interrupt, so that nobody accepts, injects or ends it in the kernel."""
    parts = [
        event(1000 * n + after, kind, Lane.KVM, id, n)
        for n in range(1, 201)
        for after, kind, id in (
            (10, EventKind.PIO, 0x510),
            (60, EventKind.MSI, 0x40),
            (70, EventKind.WAKING, ThreadRole.VCPU),
            (80, EventKind.RUNS, ThreadRole.VCPU),
        )
    ]
    handled = [event(1000 * n + 100, EventKind.HANDLER, Lane.GUEST, 0x40, n, 1) for n in range(1, 201)]
    posted = fold(ON, *parts, *handled, complete=journeys(200), backend="kvm_intel")
    assert (posted.told, posted.whole, posted.early) == (200, 200, 0)
    assert [(one.start, one.end, one.p50) for one in posted.stages][-4:] == [
        ("irq", "msi", 10),
        ("msi", "vcpu_waking", 10),
        ("vcpu_waking", "vcpu_runs", 10),
        ("vcpu_runs", "handler", 20),
    ]
    assert posted.silent.keys() == {"kvm_apic_accept_irq", "kvm_inj_virq", "kvm_eoi", "kvm_vcpu_wakeup"}


@pytest.mark.parametrize("cut", [1102, 1104, 1106, 1500])
def test_a_signal_that_a_handler_serves_before_its_own_interrupt_comes_is_no_gap(cut: int) -> None:
    """Its number was announced before it was signalled; whichever batch its own interrupt is in."""
    told = ((1010, EventKind.PIO, 0x510), (1101, EventKind.MSI, 0x40), (1103, EventKind.ACCEPTED, 0x40))
    parts = [event(at, kind, Lane.KVM, id, 1) for at, kind, id in (*told, (1105, EventKind.INJECTED, 0x40))]
    events = end_to_end(event(1, EventKind.PIO, Lane.KVM, 0x70), event(2, EventKind.INJECTED, Lane.KVM, 0x20), *parts)
    stages = KernelStages(CLOCK)
    stages.feed(events[events["tsc"] < cut], journeys(1))
    stages.feed(events[events["tsc"] >= cut], no_journeys())
    stages.finish()
    assert (stages.told, stages.whole, stages.early) == (1, 0, 1)
    assert [(one.start, one.end) for one in stages.stages] == [("ring", "pio"), *AFTER_PIO]


AFTER_PIO = [("pio", "doorbell"), ("doorbell", "irq"), ("irq", "handler")]


def test_what_nobody_tells_is_waited_for_no_longer_than_it_may_take() -> None:
    stages, late = KernelStages(CLOCK), event(10**9, EventKind.PIO, Lane.KVM, 0x70)
    stages.feed(event(1010, EventKind.PIO, Lane.KVM, 0x510, 1), journeys(1))
    assert stages.told == 0
    stages.feed(late, no_journeys())
    assert (stages.told, stages.whole) == (1, 0)


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
    assert fold(on, started).silent == {"irqfd_inject": "workqueue_execute_start"}
    assert fold(on, started, event(5, EventKind.IRQFD_INJECT, Lane.KVM, 5, 1)).silent == {}


def test_an_emulated_cpu_leaves_counts_and_no_times() -> None:
    stages = KernelStages(Clock(1e9, emulated=True))
    parts = [event(1000 * n + 10, EventKind.PIO, Lane.KVM, 0x510, n) for n in range(1, 201)]
    stages.feed(end_to_end(no_events(), *parts), journeys(200))
    stages.finish()
    (first, *_) = stages.stages
    assert (first.start, first.end, first.count, first.p50, first.p99) == ("ring", "pio", 200, None, None)


def test_losses_and_the_clocks_error_are_those_that_were_said() -> None:
    on = event(1, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 52, EVERY)
    off = event(9, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, 0, 0)
    lost = [event(5, EventKind.LOST, Lane.ENGINE, lane, 0, 7) for lane in (Lane.KVM, Lane.VCPU)]
    stages = fold(on, off, *lost)
    assert (stages.listened, stages.error_cycles, stages.lost) == (EVERY, 52, 7)
