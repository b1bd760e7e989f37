"""Looks at a VMM, one after the other: counts a second, changes, names; and a thread that takes them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from bellwire.engine.attached.hops.figures import HopFigures
from bellwire.engine.attached.hops.hops import Hops
from bellwire.engine.attached.hops.interrupts import MessageKey
from bellwire.engine.attached.topology import SeenVcpu, Topology
from bellwire.engine.attached.watched import CHANGES_KEPT, Watcher, rates_between, rung_rates, sent_rates
from bellwire.engine.kvm.ioeventfd import Ioeventfd, IoMatch
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.vm import Kvm, Vm
from tests.support.kernel_records import CLOCK, HERE, MESSAGE, READER, VCPU, VECTOR, K, message, records, row, store
from tests.support.kernel_sight import needs_sight
from tests.support.seen_vmms import SEEN
from tests.support.sessions import wait_for
from tests.support.watched_vmms import AFTER, BEFORE, VM, VMM, watching

HOLDS_A_VM = "import sys\nfrom bellwire.engine.kvm.vm import Kvm, Vm\nvm = Vm(Kvm())\nprint(flush=True)\ninput()\n"


def test_counts_a_second_are_of_counters_that_both_looks_have_seen() -> None:
    grown = replace(VM, vcpus=(replace(VM.vcpus[0], counters={"exits": 200, "halt_exits": 5}), SeenVcpu(1, None)))
    assert rates_between(BEFORE, Topology(VMM, (grown,)), 0.5) == {(4, 0, "exits"): 200.0}
    assert rates_between(BEFORE, BEFORE, 0.0) == {}


def test_a_message_that_a_doorbell_sends_to_another_vmm_is_none_of_this_ones() -> None:
    hops, second = Hops(CLOCK, "kvm_pvm"), 10**9
    hops.feed(records(), HERE, 1)
    peers = [one for n in range(5) for one in (store(1000 * n + 100), message(1000 * n + 200, VCPU))]
    own = [one for n in range(6, 8) for one in (row(1000 * n, K.WRITE, READER, 1), message(1000 * n + 9, READER))]
    hops.feed(records(*peers, *own), HERE, second + 1)
    by_message, _by_pins = HERE.vms[0].irqfds
    rates = sent_rates(HERE, hops.figures(HERE))
    assert rates == {(11, by_message): pytest.approx(2.0)}


def test_a_doorbell_is_rung_as_often_as_it_was_there_to_take_it() -> None:
    """The place is written to ten times, five of them while nothing is registered there."""
    hops, second = Hops(CLOCK, "kvm_pvm"), 10**9
    hops.feed(records(), HERE, 1)
    without = replace(HERE, vms=(replace(HERE.vms[0], ioeventfds=()),))
    for topology, first in ((without, 0), (HERE, 5)):
        hops.feed(records(*(store(1000 * n + 100) for n in range(first, first + 5))), topology, second + 1)
    fast, port = HERE.vms[0].ioeventfds
    assert rung_rates(hops.figures(HERE)) == {(11, fast): pytest.approx(5.0), (11, port): 0.0}
    assert rung_rates(replace(hops.figures(HERE), lost=1)) == {}


def test_of_irqfds_that_have_the_same_message_none_is_told() -> None:
    """Each of four was told to have sent all of it."""
    hops = HopFigures(messages={MessageKey(11, MESSAGE, VECTOR): 7.0})
    by_message, by_pins = HERE.vms[0].irqfds
    assert sent_rates(HERE, hops) == {(11, by_message): 7.0}
    vm = replace(HERE.vms[0], irqfds=(by_message, replace(by_message, eventfd=99), by_pins))
    assert sent_rates(replace(HERE, vms=(vm,)), hops) == {}


def test_of_vms_that_have_the_same_message_none_is_told() -> None:
    hops = HopFigures(messages={MessageKey(None, 0xFEE00000, 0x40): 7.0})
    assert sent_rates(SEEN, hops) == {}


def test_the_newest_changes_are_kept_and_counts_are_those_of_a_second() -> None:
    watched = watching(*[BEFORE, AFTER] * CHANGES_KEPT)
    for _ in range(2 * CHANGES_KEPT):
        watched.look()
    assert len(watched.changes) == CHANGES_KEPT
    assert watched.rates == {(4, 0, "exits"): 0.0}


def test_names_are_asked_for_again_once_something_has_changed() -> None:
    asked = []

    class Names:
        def ask(self) -> None:
            asked.append(True)

        def name_of(self, match: IoMatch) -> str:
            return "blk"

    watched = watching(BEFORE, BEFORE, AFTER)
    watched.names = Names()  # type: ignore[assignment]
    for expected in (0, 0, 1):
        watched.look()
        assert len(asked) == expected


@pytest.mark.kvm
def test_a_thread_sees_what_is_registered_meanwhile() -> None:
    needs_sight()
    with Kvm() as kvm, Vm(kvm) as vm, Eventfd() as eventfd, Watcher(os.getpid()) as watcher:
        wait_for(lambda: watcher.newest is not None)
        with Ioeventfd(vm, eventfd, 0x510, 2, pio=True):
            wait_for(lambda: bool(watcher.newest and watcher.newest.topology.vms[0].ioeventfds))
        wait_for(lambda: bool(watcher.newest and len(watcher.newest.changes) == 2))
        assert watcher.newest is not None
        topology, changes = watcher.newest.topology, watcher.newest.changes
        assert topology.vms[0].ioeventfds == ()
        assert [line[10:].partition(":")[0] for line in changes] == ["New", "Gone"]
        assert watcher.ended == ""


@pytest.mark.kvm
def test_a_thread_tells_why_it_sees_no_more() -> None:
    needs_sight()
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDS_A_VM], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with Watcher(child.pid) as watcher:
            wait_for(lambda: watcher.newest is not None)
            child.communicate(b"\n")
            wait_for(lambda: watcher.ended != "")
            assert watcher.ended.endswith("has ended.")
