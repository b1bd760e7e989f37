"""Who is woken by a doorbell, and after how long that thread has a CPU."""

from __future__ import annotations

from bellwire.engine.attached.hops.doorbells import DoorbellFold
from bellwire.engine.attached.hops.places import SeenPlaces
from bellwire.engine.attached.hops.rows import HopRowsMaker
from bellwire.engine.events import Records
from tests.support.kernel_records import CLOCK, READER, STORE, VCPU, WORKER, K, records, row, store
from tests.support.seen_vmms import SEEN

SERVED = records(store(1000), row(1500, K.WAKING, VCPU, READER), row(9000, K.RUNS, READER))


def folded(*batches: Records) -> DoorbellFold:
    """All of them, one after the other."""
    fold, maker, places = DoorbellFold(CLOCK), HopRowsMaker(10**9), SeenPlaces(SEEN)
    for batch in batches:
        rows = maker.rows(batch)
        fold.feed(rows, places, places.doorbell_of(rows))
    return fold


def test_the_reader_is_woken_and_has_its_cpu_so_long_after_the_store() -> None:
    for cut in range(4):  # however it is cut
        fold = folded(SERVED[:cut], SERVED[cut:])
        ((key, thread),) = fold.woken
        assert (fold.rung[key], fold.woken[key, thread], thread) == (1, 1, READER)
        histogram = fold.latencies[key, thread]
        assert (histogram.count, histogram.max) == (1, 8000)


def test_what_a_vcpu_wakes_after_something_else_or_much_later_is_not_the_doorbell_s() -> None:
    other = records(store(1000), row(1100, K.WRITE, VCPU, 16), row(1200, K.WAKING, VCPU, READER))
    late = records(store(1000), row(14_000, K.WAKING, VCPU, READER))  # by an interrupt of the host's
    for batch in (other, late):
        fold = folded(batch)
        assert list(fold.rung.values()) == [1]
        assert not fold.woken


def test_a_vcpu_that_lost_its_cpu_in_between_still_wakes_by_its_doorbell() -> None:
    fold = folded(records(store(1000), row(900_000, K.RUNS, VCPU), row(900_100, K.WAKING, VCPU, READER)))
    assert list(fold.woken.values()) == [1]


def test_the_kernel_s_functions_in_between_are_no_acts_of_the_vcpu_s() -> None:
    probed = (row(1010, K.IOEVENTFD_WRITE, VCPU, STORE), row(1020, K.EVENTFD_SIGNAL, VCPU, 70))
    fold = folded(records(store(1000), *probed, row(1100, K.WAKING, VCPU, READER)))
    assert list(fold.woken.values()) == [1]


def test_a_thread_that_had_its_cpu_still_was_not_waited_for() -> None:
    still = records(
        store(1000), row(1100, K.WAKING, VCPU, READER), row(1200, K.WRITE, READER, 1), row(99_000, K.RUNS, READER)
    )
    fold = folded(still)
    assert list(fold.woken.values()) == [1]
    assert not any(histogram.count for histogram in fold.latencies.values())


def test_each_of_several_readers_has_its_own_figures() -> None:
    fold = folded(
        records(
            store(1000),
            row(1100, K.WAKING, VCPU, READER),
            row(1200, K.WAKING, VCPU, WORKER),
            row(3000, K.RUNS, WORKER),
            row(4000, K.RUNS, READER),
        )
    )
    assert {thread: histogram.max for (_, thread), histogram in fold.latencies.items()} == {READER: 3000, WORKER: 2000}
