"""What came before a record, in its thread and of its thread, however records are cut into batches."""

from __future__ import annotations

import numpy as np

from bellwire.engine.attached.hops.rows import NONE, HopRows, HopRowsMaker, newest_row_before, newest_row_of
from tests.support.kernel_records import READER, VCPU, K, records, row, store

THREE = records(store(10), row(12, K.WAKING, VCPU, READER), row(20, K.RUNS, READER))


def test_the_newest_marked_row_of_the_same_group_is_found() -> None:
    groups, marked = np.array([1, 2, 1, 1, 2], np.uint64), np.array([1, 0, 0, 1, 1], bool)
    assert newest_row_before(groups, marked).tolist() == [NONE, NONE, 0, 0, NONE]
    assert newest_row_before(groups[:0], marked[:0]).tolist() == []
    assert sorted(newest_row_of(groups, marked).tolist()) == [3, 4]


def test_a_waking_is_about_who_is_woken_and_of_what_its_thread_has_done() -> None:
    rows = HopRows(THREE)
    assert rows.subject.tolist() == [VCPU, READER, READER]
    assert rows.cause.tolist() == [NONE, 0, NONE]
    assert rows.previous.tolist() == [NONE, NONE, 1]


def test_what_the_next_batch_has_to_know_goes_before_it_and_is_not_new() -> None:
    maker = HopRowsMaker(1000)
    assert maker.rows(THREE[:2]).new.tolist() == [True, True]
    rows = maker.rows(THREE[2:])
    assert rows.new.tolist() == [False, False, True]
    assert (rows.previous[2], rows.cause[1]) == (1, 0)
    assert maker.rows(records()).new.sum() == 0


def test_a_thread_that_does_nothing_for_long_is_forgotten() -> None:
    maker = HopRowsMaker(1000)
    maker.rows(THREE)
    maker.rows(records(row(5000, K.RUNS, 7)))
    assert maker.rows(records(row(5001, K.RUNS, 8))).records["thread"].tolist() == [7, 8]
