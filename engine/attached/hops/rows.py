"""Records of the kernel, and of each what came before it: in the same thread, and to the same thread.

Batches come in the order of their time. What the next one has to know of this one goes before it, a few records for
each thread; those are looked at again and not counted again.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from bellwire.engine.events import Records, chosen, end_to_end
from bellwire.engine.kernel.records import RecordKind, no_records

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint64]
Indices = npt.NDArray[np.int64]
NONE = -1  # in place of an index

# What happens to a thread, and by which functions the kernel does what another record tells of: no act of the thread's.
PROBED = (
    *(RecordKind.IOEVENTFD_WRITE, RecordKind.EVENTFD_SIGNAL, RecordKind.IRQFD_WAKEUP, RecordKind.IRQFD_INJECT),
    RecordKind.RESAMPLER_ACK,
)
NO_ACT = (RecordKind.WAKING, RecordKind.RUNS, *PROBED)


def newest_row_before(groups: Numbers, marked: Mask) -> Indices:
    """Of each row the newest marked one before it that has the same group, as its index; NONE. All of shape (n,)."""
    order = np.argsort(groups, kind="stable")
    group = groups[order]
    begins = np.append(True, group[1:] != group[:-1])[: group.size]
    start = np.maximum.accumulate(np.where(begins, np.arange(group.size), 0))
    newest = np.maximum.accumulate(np.where(marked[order], np.arange(group.size), NONE))
    before = np.append(NONE, newest)[: group.size]
    found = np.empty(group.size, np.int64)
    found[order] = np.where(before >= start, order[before], NONE) if group.size else NONE
    return found


def newest_row_of(groups: Numbers, marked: Mask) -> Indices:
    """The newest marked row of each group, as indices."""
    where = np.flatnonzero(marked)[::-1]
    _, first = np.unique(groups[where], return_index=True)
    return where[first]


class HopRows:
    """records: dtype RECORD, shape (n,), rising by tsc. old: how many of them have been counted already."""

    def __init__(self, records: Records, old: int = 0) -> None:
        self.records = records
        self.old = old
        self.kind = np.ascontiguousarray(records["kind"])
        self.tsc = np.ascontiguousarray(records["tsc"])
        self.thread = records["thread"].astype(np.uint64)
        self.new: Mask = np.arange(records.size) >= old

    def of(self, *kinds: RecordKind) -> Mask:
        """Which are of these kinds."""
        return np.isin(self.kind, kinds)

    @cached_property
    def subject(self) -> Numbers:
        """The thread that each is about: of a waking, who is woken."""
        return np.where(self.of(RecordKind.WAKING), self.records["a"], self.thread)

    @cached_property
    def previous(self) -> Indices:
        """The row before it about the same thread."""
        return newest_row_before(self.subject, np.ones(self.records.size, bool))

    @cached_property
    def acts(self) -> Mask:
        """What a thread does itself."""
        return ~self.of(*NO_ACT)

    @cached_property
    def cause(self) -> Indices:
        """The newest thing that the same thread has done before it."""
        return newest_row_before(self.thread, self.acts)

    @cached_property
    def ran(self) -> Indices:
        """The same, or when that thread got its CPU if that was later."""
        return newest_row_before(self.thread, ~self.of(RecordKind.WAKING))

    def kept(self, since: int) -> Records:
        """Those that the next batch has to know, but for what is older than `since`."""
        everything = np.ones(self.records.size, bool)
        ends = newest_row_of(self.subject, everything)
        before = self.previous[ends]
        some = np.concatenate([ends, before, self.previous[before[before >= 0]], newest_row_of(self.thread, self.acts)])
        some = some[some >= 0]
        some = np.unique(np.concatenate([some, self.cause[some]]))
        some = some[some >= 0]
        return chosen(self.records, some[self.tsc[some] >= since])


class HopRowsMaker:
    """Puts what is to be known before each batch."""

    def __init__(self, remembered: int) -> None:
        """remembered: cycles for which a thread that does nothing is remembered."""
        self._remembered, self._kept = remembered, no_records()

    def rows(self, records: Records) -> HopRows:
        """The next batch, rising by tsc."""
        made = HopRows(end_to_end(self._kept, records), self._kept.size)
        if made.records.size:
            self._kept = made.kept(max(int(made.tsc[-1]) - self._remembered, 0))
        return made
