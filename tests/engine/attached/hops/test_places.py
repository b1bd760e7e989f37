"""Which doorbell a record rings, which vCPU it is in, and whose a thread is."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

from bellwire.engine.attached.hops.places import HopThread, HopThreads, SeenPlaces
from bellwire.engine.attached.hops.rows import NONE
from bellwire.engine.attached.topology import SeenIrqfd
from tests.support.kernel_records import HERE, MESSAGE, PORT, READER, STORE, VCPU, K, looked_at, records, row, store
from tests.support.seen_vmms import SEEN, VM


def test_a_doorbell_is_rung_by_a_vcpu_that_writes_what_it_takes() -> None:
    rows, places, doorbell = looked_at(
        records(
            store(1),
            row(2, K.FAST_MMIO, VCPU, STORE),
            row(3, K.PIO, VCPU, PORT, 9, 2, 1),
            row(4, K.PIO, VCPU, PORT, 8, 2, 1),  # another value
            row(5, K.PIO, VCPU, PORT, 9, 1, 1),  # another length
            row(6, K.PIO, VCPU, PORT, 9, 2, 0),  # a read
            row(7, K.MMIO, VCPU, STORE, 1, 2, 1),  # a read
            store(8, READER),  # none of its vCPUs
        )
    )
    assert doorbell.tolist() == [0, 0, 1, NONE, NONE, NONE, NONE, NONE]
    assert [key.doorbell for key in places.doorbells] == list(VM.ioeventfds)
    assert places.vcpu_of(rows).tolist() == [0] * 7 + [NONE]


def test_a_message_is_for_the_vm_that_alone_has_its_route() -> None:
    assert SeenPlaces(SEEN).vm_of_message(MESSAGE, 0x41) == 0
    two = replace(SEEN, vms=(VM, replace(VM, fd=12, routes=())))
    assert SeenPlaces(two).vm_of_message(MESSAGE, 0x40) == 0
    assert SeenPlaces(two).vm_of_message(MESSAGE, 0x41) == NONE
    assert SeenPlaces(replace(SEEN, vms=(VM, replace(VM, fd=12)))).vm_of_message(MESSAGE, 0x40) == NONE


def test_an_eventfd_leads_to_the_vm_whose_interrupt_it_is() -> None:
    assert SeenPlaces(SEEN).led_to(73) == (0, SeenIrqfd(73, 5, 74))
    assert SeenPlaces(SEEN).led_to(70) is None


def test_threads_have_their_names_and_processes() -> None:
    threads, own = HopThreads(), threading.get_native_id()
    found = threads.named(own, HERE)
    assert (found.tid, found.pid, found.program) == (own, os.getpid(), HERE.process.name)
    assert found.name
    assert threads.named(2**22 + 1, HERE) == HopThread(2**22 + 1)
