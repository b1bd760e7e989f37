"""What the kernel tells of a VMM is drained: all of it, in its order, of whom it is asked for."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.attached.attachment import Attachment
from bellwire.engine.attached.eventfds import EventfdHolder
from bellwire.engine.attached.processes import seen_process
from bellwire.engine.attached.stream import AttachedStream
from bellwire.engine.attached.topology import SeenIrqfd
from bellwire.engine.events import TRACEPOINTS, Records
from bellwire.engine.kernel.records import RecordKind
from bellwire.engine.kvm.vm import Kvm, Vm
from bellwire.engine.live.session import Session
from bellwire.engine.source import Order
from tests.support.kernel_sight import needs_sight
from tests.support.sessions import fed, paced, tally_of, wait_for

pytestmark = pytest.mark.kvm

NO_PROCESS = 2**22 + 1


@pytest.fixture(autouse=True)
def sight() -> None:
    """Nothing here can be seen without a look into the kernel."""
    needs_sight()


def own_stream() -> AttachedStream:
    """Of this process, which listens."""
    process = seen_process(os.getpid())
    assert process is not None
    stream = AttachedStream(process)
    wait_for(lambda: stream.take().size >= 0 and (stream.ready or stream.refused is not None))
    return stream


def all_until(stream: AttachedStream, tsc: int) -> Records:
    """What there is up to a time, once that is complete."""
    parts = [stream.take()]
    while stream.complete <= tsc:
        time.sleep(0.01)
        parts.append(stream.take())
    return np.concatenate(parts)


def test_each_doorbell_and_each_message_of_a_guest_is_there_once_in_order() -> None:
    with Session(paced("roundtrip", per_second=0)) as session, own_stream() as stream:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        stream.take()
        for number in range(1, 8):
            session.order(Order.DOORBELL)
            wait_for(lambda number=number: fed(tally, session).irqs_handled == number)  # type: ignore[misc]
        records = all_until(stream, int(lib.bw_tsc()))
        lost, doorbell, interrupt = stream.lost, session.scenario.doorbell, session.scenario.interrupt
    assert doorbell is not None
    assert interrupt is not None
    assert np.count_nonzero((records["kind"] == RecordKind.PIO) & (records["a"] == doorbell.address)) == 7
    assert np.count_nonzero((records["kind"] == RecordKind.MSI) & (records["b"] == interrupt.vector)) == 7
    assert (np.diff(records["tsc"].astype(np.int64)) >= 0).all()
    assert lost == 0


def test_each_way_out_of_the_guest_and_back_is_told_of() -> None:
    with Session(paced("doorbell-pio-exit", per_second=0)) as session, own_stream() as stream:
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        stream.take()
        for number in range(1, 8):
            session.order(Order.DOORBELL)
            wait_for(lambda number=number: fed(tally, session).doorbells_rung == number)  # type: ignore[misc]
        records = all_until(stream, int(lib.bw_tsc()))
        listened = {name for bit, name in enumerate(TRACEPOINTS) if stream.tracepoints >> bit & 1}
    ways = records[np.isin(records["kind"], (RecordKind.USER_EXIT, RecordKind.RUN_ENTERED))]["kind"].tolist()
    assert ways.count(RecordKind.USER_EXIT) >= 7
    assert all(one != other for one, other in pairwise(ways))
    assert {"kvm_exit", "kvm_entry"} <= listened


def test_fpu_reload_counts_the_returns_of_kvm_run_to_user_space() -> None:
    with (
        Session(paced("doorbell-pio-exit", per_second=0)) as session,
        Attachment(os.getpid()) as attachment,
        own_stream() as stream,
    ):
        tally = tally_of(session.take())
        wait_for(lambda: not session.can(Order.DOORBELL))
        stream.take()
        before = attachment.look().vms[0].vcpus[0].counters["fpu_reload"]
        for number in range(1, 8):
            session.order(Order.DOORBELL)
            wait_for(lambda number=number: fed(tally, session).doorbells_rung == number)  # type: ignore[misc]
        records = all_until(stream, int(lib.bw_tsc()))
        after = attachment.look().vms[0].vcpus[0].counters["fpu_reload"]
    assert after - before == np.count_nonzero(records["kind"] == RecordKind.USER_EXIT) >= 7


def test_a_partner_that_has_ended_is_passed_over() -> None:
    with Kvm() as kvm, Vm(kvm), Attachment(os.getpid()) as attachment, own_stream() as stream:
        topology = attachment.look()
        (vm,) = topology.vms
        wired = replace(vm, ioeventfds=(), irqfds=(SeenIrqfd(5, 1),))
        gone: dict[int, tuple[EventfdHolder, ...]] = {5: (EventfdHolder(NO_PROCESS, "gone", (3,)),)}
        stream.follow(replace(topology, vms=(wired,), holders=gone))
        wait_for(lambda: stream.take().size >= 0 and NO_PROCESS in stream._watch.refusals)
        assert stream.refused is None


def test_a_process_that_has_ended_is_told() -> None:
    process = seen_process(os.getpid())
    assert process is not None
    with AttachedStream(replace(process, pid=NO_PROCESS)) as stream:
        wait_for(lambda: stream.take().size >= 0 and stream.refused is not None)
        assert str(stream.refused) == "There is no such process any more."


def test_a_program_that_ends_is_told_in_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "bw-kernel"
    program.write_text("#!/bin/sh\necho 'lockdown 1 ' >&2\nexit 1\n")
    program.chmod(0o755)
    process = seen_process(os.getpid())
    assert process is not None
    with AttachedStream(process, program) as stream:
        wait_for(lambda: stream.take().size >= 0 and stream.refused is not None)
        assert "locked down" in str(stream.refused)
