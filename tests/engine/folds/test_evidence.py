"""What the events show, told apart without KVM: registrations against writes, in any batches, within bounds."""

from __future__ import annotations

import errno
from dataclasses import replace

import numpy as np
import pytest

from bellwire.engine.events import EVENT, STATS, EventfdRole, EventKind, Events, Lane, Operation, Setting, Switch
from bellwire.engine.findings.findings import findings
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.evidence import MOST_KINDS, Evidence, Sampled
from bellwire.engine.folds.tally import Tally
from bellwire.engine.scenarios.scenario import Scenario, load_scenario

IO, MMIO, SHUTDOWN = 2, 6, 8
ON, OFF = (EventKind.WIRE, Switch.IOEVENTFD, 0, 1), (EventKind.WIRE, Switch.IOEVENTFD, 0, 0)
IRQFD_ON, IRQFD_OFF = (EventKind.WIRE, Switch.IRQFD, 0, 1), (EventKind.WIRE, Switch.IRQFD, 0, 0)

Row = tuple[EventKind, int, int, int]


def batch(*rows: Row) -> Events:
    """Events of (kind, id, seq, arg) at rising times."""
    return np.array([(tsc, kind, Lane.ENGINE, 0, id, seq, arg) for tsc, (kind, id, seq, arg) in enumerate(rows)], EVENT)


def write(address: int, length: int, value: int, doorbell: int = 0, reason: int = IO) -> list[Row]:
    """An access that leaves the guest; length 0: a read."""
    ring = [(EventKind.RING, address, doorbell, 0)] if doorbell else []
    return [*ring, (EventKind.EXIT, reason, doorbell, address), (EventKind.ENTRY, reason, length, value)]


def claims(scenario: Scenario | str, *rows: Row, size: int = 1000, backend: str = "kvm_fake") -> list[str]:
    """What is claimed of these events, fed in batches of `size`."""
    scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
    tally, evidence, events = Tally(), Evidence(scenario, backend), batch(*rows)
    for start in range(0, len(events), size):
        tally.feed(events[start : start + size])
        evidence.feed(events[start : start + size])
    return [finding.claim for finding in findings(tally, evidence)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("access", "words"),
    [
        (write(0x510, 2, 7, 1), "as the ioeventfd was assigned or taken away"),
        (write(0x510, 2, 8, 1), "the ioeventfd waits for the value 7 and the guest wrote 8"),
        (write(0x510, 0, 0, 1), "what was written is not in the recording"),
        (write(0x510, 4, 7, 1), "the ioeventfd waits for 2 bytes and the guest wrote 4"),
        (write(0x514, 2, 7, 1), "the ioeventfd is at 0x510 and the guest wrote at 0x514"),
        (write(0xD0000000, 2, 7, 1, MMIO), "the ioeventfd is at 0x510 and the guest wrote at 0xd0000000"),
    ],
)
def test_the_reason_is_what_kvm_compares_first(access: list[Row], words: str, size: int) -> None:
    scenario = load_scenario("doorbell-pio")
    assert scenario.doorbell
    waits = replace(scenario, doorbell=replace(scenario.doorbell, datamatch=7))
    assert f"1 of 1 doorbell left to user space: {words}." in claims(waits, ON, *access, size=size)
    none = "1 of 1 doorbell left to user space: no ioeventfd was registered."
    assert none in claims(waits, OFF, *access, size=size)
    cut = "1 of 1 doorbell left to user space: the ioeventfd was off."
    assert cut in claims(waits, ON, OFF, *access, size=size)


@pytest.mark.parametrize("size", [2, 1000])
def test_what_was_under_way_where_a_part_begins_was_not_taken_by_an_ioeventfd(size: int) -> None:
    """Its exit may have come before."""
    before = [(EventKind.BEFORE, Before.RUNG, 41, 0), (EventKind.BEFORE, Before.RECEIVED, 40, 0)]
    rows = [*before, OFF, *write(0x510, 2, 7, 42), (EventKind.DOORBELL, 0, 42, 2)]
    told = claims("doorbell-pio-exit", *rows, size=size)
    assert "1 of 2 doorbells left to user space: no ioeventfd was registered." in told
    assert not any("taken by KVM" in claim for claim in told)
    late = [(EventKind.EXIT, IO, 41, 0x510), (EventKind.ENTRY, IO, 2, 7)]  # of the one that was under way
    rang = [(EventKind.RING, 0x510, 42, 0), (EventKind.DOORBELL, 0, 42, 2)]
    told = claims("doorbell-pio", *before, ON, *late, *rang, size=size)
    assert "1 of 2 doorbells was taken by KVM itself: no exit to user space carried it." in told


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
def test_exits_of_qemu_before_a_part_are_none_of_its_doorbells(told: bool) -> None:
    exits = STATS.index("mmio_exits")
    before = [(EventKind.BEFORE, Before.RUNG, 500, 0), (EventKind.BEFORE, Before.RECEIVED, 500, 0)]
    before += [(EventKind.BEFORE, Before.STAT, 532, exits)] if told else []
    rings = [(EventKind.RING, 0xFE003000, number, 0) for number in (501, 502, 503)]
    looks = [(EventKind.STAT, exits, 0, count) for count in (550, 552)]  # the look before the part is an old one
    rows = [*before, rings[0], looks[0], rings[1], rings[2], looks[1]]
    for size in (1, 2, 1000):
        (claim,) = [one for one in claims("qemu-virtio-blk-exit", *rows, size=size) if "KVM counted" in one]
        assert claim.startswith("KVM counted 2 exits for MMIO to user space while 2 doorbells rang")


def test_a_part_of_a_run_without_exits_of_qemu_says_so() -> None:
    """What a look does not tell has not changed."""
    exits, other = STATS.index("mmio_exits"), STATS.index("exits")
    before = [(EventKind.BEFORE, Before.RUNG, 500, 0), (EventKind.BEFORE, Before.RECEIVED, 500, 0)]
    before += [(EventKind.BEFORE, Before.STAT, 32, exits)]
    rings = [(EventKind.RING, 0xFE003000, number, 0) for number in (501, 502, 503)]
    looks = [(EventKind.STAT, other, 0, count) for count in (550, 552)]
    told = claims("qemu-virtio-blk", *before, rings[0], looks[0], rings[1], rings[2], looks[1])
    assert "KVM counted no exit for MMIO to user space while 2 doorbells rang: it took each of them itself." in told


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_an_exit_missed_what_was_registered_when_it_left(size: int) -> None:
    """Not what was by the time that the guest went on."""
    ring, exit_, entry = write(0x510, 4, 7, 1)
    assert "1 of 1 doorbell left to user space: the ioeventfd waits for 2 bytes and the guest wrote 4." in claims(
        "doorbell-pio", ON, ring, exit_, OFF, entry, size=size
    )
    assert "1 of 1 doorbell left to user space: no ioeventfd was registered." in claims(
        "doorbell-pio", OFF, ring, exit_, ON, entry, size=size
    )


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_lab_registers_anew_once_it_is_assigned_again(size: int) -> None:
    step = (EventKind.SETTING, Setting.STEP, 0, 1)
    rows = [ON, *write(0x510, 2, 7, 1), step, *write(0x510, 2, 7, 2), OFF, *write(0x510, 2, 7, 3), ON]
    found = claims("lab-wrong-datamatch", *rows, *write(0x510, 2, 9, 4), size=size)
    assert found[:3] == [
        "2 of 4 doorbells left to user space: the ioeventfd waits for the value 9 and the guest wrote 7.",
        "1 of 4 doorbells left to user space: the ioeventfd was off.",
        "1 of 4 doorbells left to user space: the ioeventfd waits for the value 7 and the guest wrote 9.",
    ]


def test_a_queue_that_nobody_registered_is_compared_with_the_others() -> None:
    scenario = load_scenario("doorbell-fan-out")
    assert scenario.doorbell
    left = write(scenario.doorbell.address, scenario.doorbell.length, 9, 1, MMIO)
    assert claims(scenario, ON, *left)[0].endswith("none of 4 ioeventfds waits for the value 9, which the guest wrote.")


def test_what_is_no_doorbell_is_told_by_its_address() -> None:
    rows = [*write(0xD0002000, 4, 1, reason=MMIO), *write(0xD0002000, 0, 0, reason=MMIO), *write(0x5F4, 4, 1)]
    assert claims("roundtrip", *rows) == [
        "1 read and 1 write of address 0xd0002000 left to user space: nobody has registered it, so reads bring all "
        "ones and writes vanish."
    ]


def test_a_read_of_a_doorbell_is_none() -> None:
    (claim,) = claims("roundtrip", *write(0x510, 0, 0))
    assert claim.startswith("1 read and 0 writes of port 0x510 left to user space: a doorbell is there")


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_vcpus_are_told_apart(size: int) -> None:
    rung = batch(*((EventKind.RING, 0x510, number, 0) for number in range(1, 6)), (EventKind.DOORBELL, 0, 5, 5))
    rung["vm"][:2] = 1
    tally, evidence = Tally(), Evidence(load_scenario("two-vcpus-doorbell"), "kvm_fake")
    for start in range(0, len(rung), size):
        tally.feed(rung[start : start + size])
        evidence.feed(rung[start : start + size])
    told = [finding.claim for finding in findings(tally, evidence)]
    assert "vCPU 0 rang 3 times, vCPU 1 rang twice: the one eventfd brought 5 of these 5." in told


def test_a_guest_that_writes_everywhere_fills_no_memory() -> None:
    evidence = Evidence(load_scenario("roundtrip"), "kvm_fake")
    evidence.feed(batch(*(row for value in range(500) for row in write(0x700, 4, value))))
    assert len(evidence.left) == MOST_KINDS
    assert evidence.left.total() + evidence.left_unknown == 500


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("late", [False, True], ids=["told before", "told after"])
def test_early_signals(size: int, late: bool) -> None:
    signals = [(EventKind.IRQFD, 24, number, 0) for number in (1, 2)]
    count, handler = (EventKind.COUNT, EventfdRole.IRQ, 0, 2), (EventKind.HANDLER, 0x40, 2, 2)
    assign = [handler, IRQFD_ON] if late else [IRQFD_ON, handler]
    after = [(EventKind.IRQFD, 24, 3, 0), (EventKind.HANDLER, 0x40, 3, 1)]
    told = "2 signals came before the irqfd was there: the eventfd counted 2, and assigning it injected 1."
    rows = [IRQFD_OFF, *signals, count, *assign]
    assert told in claims("lab-early-signal", *rows, size=size)
    assert told in claims("lab-early-signal", *rows, *after, IRQFD_OFF, size=size)
    assert not any("before the irqfd" in claim for claim in claims("irq-msi", IRQFD_ON, *signals, handler, size=size))


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_signals_come_early_only_where_they_are_sent_without_an_irqfd(size: int) -> None:
    """Elsewhere the I/O thread turns to the irqfd once it is there, a moment before that is told."""
    signals = [(EventKind.IRQFD, 24, number, 0) for number in (1, 2)]
    handlers = [(EventKind.HANDLER, 0x40, 2, 2)]
    assert not any(
        "before the irqfd" in claim
        for claim in claims("roundtrip-userspace", IRQFD_OFF, *signals, IRQFD_ON, *handlers, size=size)
    )


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_signals_after_the_last_look_at_their_eventfd_are_not_called_early(size: int) -> None:
    """They may have found the irqfd: assigning it takes a while."""
    early = [(EventKind.IRQFD, 24, number, 0) for number in (1, 2)]
    count, late = (EventKind.COUNT, EventfdRole.IRQ, 0, 2), (EventKind.IRQFD, 24, 3, 0)
    told = claims("lab-early-signal", IRQFD_OFF, *early, count, late, IRQFD_ON, size=size)
    assert any(claim.startswith("2 signals came before the irqfd was there: the eventfd counted 2") for claim in told)


@pytest.mark.parametrize("size", [1, 1000])
def test_a_doorbell_that_left_was_no_interrupt_at_once(size: int) -> None:
    wires = [(kind, switch, 1, on) for kind, switch, _, on in (OFF, IRQFD_ON)]
    rows = [*wires, *write(0x510, 2, 7, 1), (EventKind.HANDLER, 0x40, 1, 1)]
    (told,) = [claim for claim in claims("vm-to-vm", *rows, size=size) if "handler" in claim]
    assert told == (
        "1 doorbell went to the eventfd that an irqfd listens to: 1 reached a handler, our vCPU thread passed 1 of the "
        "doorbells on, and no thread of this process read the eventfd (0 reads)."
    )


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_how_things_stood_where_a_part_begins_is_no_change(size: int) -> None:
    tally, evidence = Tally(), Evidence(load_scenario("irq-route-change"), "kvm_fake")
    stood = [(EventKind.BEFORE, Before.SIGNALLED, 40, 0), (EventKind.SETTING, Setting.ROUTE, 0, 0x42)]
    stood += [(EventKind.SETTING, Setting.VCPU, 0, 1), (EventKind.SETTING, Setting.MASKED, 0, 0)]
    events = batch(*stood, (EventKind.SETTING, Setting.ROUTE, 0, 0x40), (EventKind.HANDLER, 0x40, 41, 1))
    events["tsc"][: len(stood) + 1] = 7  # the change is the first event of the part
    for start in range(0, len(events), size):
        tally.feed(events[start : start + size])
        evidence.feed(events[start : start + size])
    assert (evidence.routes, evidence.moves, evidence.unmaskings) == (1, 0, 0)
    claims = [finding.claim for finding in findings(tally, evidence)]
    assert "The route changed once: the handler ran once at vector 0x40." in claims


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_an_edge_that_comes_late_would_be_seen(size: int) -> None:
    masked, unmasked = (EventKind.SETTING, Setting.MASKED, 0, 1), (EventKind.SETTING, Setting.MASKED, 1, 0)
    signal, handler = (EventKind.IRQFD, 5, 1, 0), (EventKind.HANDLER, 0x41, 2, 1)
    rows = [masked, signal, unmasked]
    in_time = claims("irq-masked", *rows, (EventKind.IRQFD, 5, 2, 0), handler, size=size)
    assert in_time[0].endswith("was lost: none came late, when it was unmasked, once.")
    late = claims("irq-masked", *rows, (EventKind.HANDLER, 0x41, 1, 1), size=size)
    assert late[0].endswith("was lost: 1 came late, when it was unmasked, once.")


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_a_resample_before_the_handler_is_not_the_guests_doing(size: int) -> None:
    def interrupt(number: int, *, before: bool) -> list[Row]:
        resample, handler = (EventKind.RESAMPLE, 5, number, 1), (EventKind.HANDLER, 0x41, number, 1)
        return [(EventKind.IRQFD, 5, number, 0), *((resample, handler) if before else (handler, resample))]

    after = [*interrupt(1, before=False), *interrupt(2, before=False)]
    assert claims("irq-level-resample", *after, size=size)[0] == (
        "2 interrupts raised the line and 2 resamples came; none of 2 were read before the handler's first instruction."
    )
    mixed = [*interrupt(1, before=True), *interrupt(2, before=False)]
    claim = claims("irq-level-resample", *mixed, size=size, backend="kvm_pvm")[0]
    assert claim.endswith(
        "1 of 2 was read before the handler's first instruction: kvm_pvm ends an interrupt when it injects it."
    )
    lost = [*interrupt(1, before=False)[:-2], *interrupt(1, before=False)[-1:], *interrupt(2, before=False)]
    claim = claims("irq-level-resample", *lost, size=size, backend="kvm_amd")[0]
    assert claim.endswith("2 resamples came; none of 1 was read before the handler's first instruction.")
    lost = [row for row in lost if row[0] != EventKind.HANDLER]
    for scenario in ("irq-level-resample", "lab-no-eoi"):
        claim = claims(scenario, *lost, size=size, backend="kvm_amd")[0]
        assert claim.endswith("2 resamples came; of none is it known whether the handler ran before.")
    stuck = claims("lab-no-eoi", (EventKind.IRQFD, 5, 1, 0), (EventKind.HANDLER, 0x44, 1, 1), backend="kvm_intel")
    assert "0 resamples came, so the line is still high, and the device waits (kvm_intel)." in stuck[0]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_handler_that_knows_of_the_next_interrupt_already_runs_for_its_own(size: int) -> None:
    """The device hears of the first one before its handler has begun, or has looked at what is announced."""

    def signal(number: int) -> Row:
        return EventKind.IRQFD, 5, number, 0

    def heard(number: int) -> Row:
        return EventKind.RESAMPLE, 5, number, 1

    def handler(newest: int, covers: int) -> Row:
        return EventKind.HANDLER, 0x41, newest, covers

    before = [signal(1), heard(1), signal(2), handler(2, 2), handler(2, 0), heard(2)]
    claim = claims("irq-level-resample", *before, size=size, backend="kvm_pvm")[0]
    assert "2 resamples came; 1 of 2 was read before the handler's first instruction" in claim
    chain = [signal(1), handler(2, 2), heard(1), signal(2), heard(2), signal(3), handler(3, 1), handler(3, 0), heard(3)]
    claim = claims("irq-level-resample", *chain, size=size, backend="kvm_pvm")[0]
    assert "3 resamples came; 1 of 3 was read before the handler's first instruction" in claim
    lost = [signal(1), handler(1, 1), heard(1), (EventKind.LOST, Lane.GUEST, 0, 1), signal(2), heard(2), signal(3)]
    claim = claims("irq-level-resample", *lost, handler(3, 2), heard(3), signal(4), heard(4), handler(4, 1), size=size)[
        0
    ]
    assert claim.endswith(
        "4 resamples came, 2 of which have their handler's stamp; 1 of 2 was read before the handler's "
        "first instruction: kvm_fake ends an interrupt when it injects it."
    )


def test_refusals_are_named_even_unknown_ones() -> None:
    known = (EventKind.REFUSED, Operation.IRQFD_ASSIGN, 25, errno.EBUSY)
    other = (EventKind.REFUSED, Operation.IOEVENTFD_ASSIGN, 0x510, 999)
    assert claims("irq-msi", known, other) == [
        "KVM refused an irqfd for GSI 25, once: EBUSY, this eventfd is an irqfd already.",
        "KVM refused an ioeventfd at 0x510, once: 999.",
    ]


def test_an_end_is_an_end_only_if_nothing_follows() -> None:
    shutdown = (EventKind.EXIT, SHUTDOWN, 0, 0)
    assert "KVM_EXIT_SHUTDOWN: the guest met a triple fault" in claims("doorbell-pio", shutdown)[0]
    assert claims("doorbell-pio", shutdown, (EventKind.ENTRY, SHUTDOWN, 0, 0)) == []


def test_nothing_is_claimed_of_nothing() -> None:
    for name in ("roundtrip", "irq-msi", "vm-to-vm", "lab-wrong-length"):
        assert claims(name) == claims(name, ON, IRQFD_ON) == []


@pytest.mark.parametrize("name", ["roundtrip", "qemu-virtio-blk"])
def test_what_kvm_counts_is_looked_at_only_where_exits_are_not_seen(name: str) -> None:
    samples = [(EventKind.RING, 0, 1, 0), (EventKind.STAT, STATS.index("mmio_exits"), 0, 3)]
    evidence = Evidence(load_scenario(name), "kvm_pvm")
    evidence.feed(batch(*samples))
    assert evidence.sampled == (Sampled(1, 3, 0) if name.startswith("qemu") else Sampled())


@pytest.mark.parametrize(
    ("irqfds", "place"), [(1, "the irqfd's one work item"), (3, "the one work item of each of the 3 irqfds")]
)
def test_signals_of_a_pin_merge_in_the_work_item_of_their_own_irqfd(irqfds: int, place: str) -> None:
    """Each irqfd has one (struct kvm_kernel_irqfd, inject), so that signals of different ones do not merge there."""
    scenario = load_scenario("irq-ioapic")
    assert scenario.interrupt is not None
    several = replace(scenario, interrupt=replace(scenario.interrupt, irqfds=irqfds))
    signals = [(EventKind.IRQFD, 5, number, number) for number in range(1, 5)]
    (claim,) = claims(several, IRQFD_ON, *signals, (EventKind.HANDLER, 0x41, 4, 1))[:1]
    assert f"merged in {place} or the local APIC's one bit" in claim
