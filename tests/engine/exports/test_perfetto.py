"""Traces as Perfetto's own trace_processor takes them, of every scenario: no event dropped, no slice left open."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.events import ROLE_BITS, Clock, EventKind, Events, Lane, Setting, ThreadRole, event
from bellwire.engine.exports import perfetto
from bellwire.engine.exports.perfetto_flows import LONE, Flows, Row
from bellwire.engine.folds.journeys import Journeys, JourneyTracker
from bellwire.engine.live.session import Session
from bellwire.engine.outlet import gaps_of, passed_over_events
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.engine.source import Source
from tests.support.fake_source import FakeSource
from tests.support.kernel_sight import needs_sight
from tests.support.recorded import recorded
from tests.support.sessions import each, paced, run
from tests.support.trace_processor import TraceProcessor

SIGNALS = 200
LABS = [scenario.name for scenario in list_scenarios() if scenario.lab]
LAB_SECONDS = 0.6  # by then something has broken
COUNTED = {  # what each event of a kind is called, whether it is a slice or an instant
    EventKind.RING: "doorbell's instruction",
    EventKind.DOORBELL: "doorbell received",
    EventKind.IRQFD: "irqfd written",
    EventKind.HANDLER: "interrupt handler",
    EventKind.RESAMPLE: "resampled",
}


@pytest.fixture(scope="module")
def processor() -> Iterator[TraceProcessor]:
    with TraceProcessor() as processor:
        yield processor


def saved(source: Source, events: Events, folder: Path) -> Recording:
    """These events as a recording."""
    save_recording(folder / "run.arrow", Header.of(source, "0.1.0"), [events])
    return Recording(folder / "run.arrow")


def exported(recording: Recording) -> bytes:
    """The trace."""
    made = io.BytesIO()
    perfetto.write(recording, made, lambda share: None)
    return made.getvalue()


def loaded(recording: Recording, processor: TraceProcessor) -> None:
    """Loads it; nothing of it may be dropped."""
    processor.load(exported(recording))
    assert processor.query("select name, value from stats where severity in ('error', 'data_loss') and value > 0") == []


def check(recording: Recording, processor: TraceProcessor) -> None:
    """That the trace shows every event once, every slice with its end, and every journey as a flow."""
    loaded(recording, processor)
    kinds = recording.outline().kinds
    shown: dict[str, int] = dict(processor.query("select name, count(*) from slice group by name"))
    assert {name: shown.get(name, 0) for name in COUNTED.values()} == {
        name: kinds.get(kind.name, 0) for kind, name in COUNTED.items()
    }
    # One slice a track can be open when the recording ends. Only what happened in the same nanosecond is nested deeper.
    assert (
        processor.query("""
        select open.name, open.ts from slice open
        join slice later on later.track_id = open.track_id and later.ts > open.ts and later.depth = 0
        where open.dur < 0""")
        == []
    )
    assert processor.query("select name, depth from slice where dur != 0 and depth > 0") == []
    assert processor.query("select name, ts from slice group by track_id, ts having max(depth) > count(*)") == []
    complete, contradicted = journeys(recording)
    assert set(complete) <= (arrived := set(flows_that_arrive(recording, processor)))
    assert arrived - set(complete) <= contradicted


def journeys(recording: Recording) -> tuple[list[int], set[int]]:
    """The flows of those that are complete, of doorbells or of interrupts that answer none; and of those that clocks
    contradict: a handler that runs once more, as a level is still high, may know of a signal just before its stamp.

    A flow says what belongs together; whether it left to user space on its way, which a vCPU thread's loss hides, it
    need not know.
    """
    tracker = JourneyTracker(recording.header.scenario)
    known = (events[~gaps_of(events, Lane.VCPU)] for events in recording.sorted_batches())
    parts = [(tracker.feed(events), tracker.out_of_order) for events in known]
    complete, contradicted = (np.concatenate(some) for some in zip(*parts, strict=True))
    return numbered(complete), set(numbered(contradicted))


def numbered(some: Journeys) -> list[int]:
    """The numbers of their flows."""
    return sorted((some["seq"] + np.where(some["rung"] > 0, 0, LONE).astype(np.uint64)).tolist())


def flows_that_arrive(recording: Recording, processor: TraceProcessor) -> list[int]:
    """The flows that come to where a journey ends: a handler, or a read, if that is answered by no interrupt."""
    tracker = JourneyTracker(recording.header.scenario)
    ends = (EventKind.HANDLER,) if tracker.answered or tracker.direct else (EventKind.HANDLER, EventKind.DOORBELL)
    names = ", ".join(f"'{COUNTED[kind]}'" for kind in ends)
    rows = processor.query(
        f"select distinct trace_id from flow join slice on slice_in = slice.id where name in ({names})"
    )
    return sorted(number for (number,) in rows)


@pytest.mark.kvm
@pytest.mark.parametrize("name", each())
def test_a_trace_of_every_scenario_is_whole(name: str, processor: TraceProcessor, tmp_path: Path) -> None:
    check(saved(*run(paced(name), SIGNALS), tmp_path), processor)


@pytest.mark.kvm
@pytest.mark.parametrize("name", each(*LABS))
def test_a_trace_of_what_breaks_is_whole(name: str, processor: TraceProcessor, tmp_path: Path) -> None:
    with Session(load_scenario(name)) as session:
        time.sleep(LAB_SECONDS)
    check(saved(session, session.take(), tmp_path), processor)


@pytest.mark.parametrize(
    ("kind", "lane"), [(EventKind.RING, Lane.GUEST), (EventKind.EXIT, Lane.VCPU), (EventKind.HANDLER, Lane.GUEST)]
)
@pytest.mark.parametrize("apart", [[0], [0, 0], [0, 1]], ids=["one", "at once", "within a nanosecond"])
def test_a_recording_without_length_does_not_end_before_it_begins(
    apart: list[int], kind: EventKind, lane: Lane, processor: TraceProcessor, tmp_path: Path
) -> None:
    """Of nothing but a slice that has begun trace_processor makes bounds that ui.perfetto.dev refuses to draw."""
    events = np.concatenate([event(10**6 + later, kind, lane, 0, 1) for later in apart])
    events["vm"] = np.arange(len(apart))
    loaded(saved(FakeSource(), events, tmp_path), processor)
    ((start, end),) = processor.query("select start_ts, end_ts from trace_bounds")
    assert (start, end >= start) == (0, True)


@pytest.mark.parametrize("name", ["roundtrip", "irq-many", "self-doorbell", "vm-to-vm"])
def test_where_events_were_lost_the_rest_is_whole(name: str, processor: TraceProcessor, tmp_path: Path) -> None:
    check(recorded(tmp_path / "run.arrow", name, 0.2), processor)


def test_a_slice_whose_end_was_lost_ends_where_the_next_of_its_kind_begins(
    processor: TraceProcessor, tmp_path: Path
) -> None:
    events = [event(10**9 + n * 2000, EventKind.RING, Lane.GUEST, 0, n + 1, 0) for n in range(3)]
    events += [event(10**9 + 6000, EventKind.RUNG, Lane.GUEST, 0, 3, 0)]
    header = Header(load_scenario("roundtrip"), {}, "kvm_test", Clock(2e9), "0.1.0")
    save_recording(tmp_path / "run.arrow", header, [np.concatenate(events)])
    loaded(Recording(tmp_path / "run.arrow"), processor)
    assert processor.query("select ts, dur, depth from slice order by ts") == [(n * 1000, 1000, 0) for n in range(3)]


def rates(processor: TraceProcessor) -> dict[str, float]:
    """The highest of each rate that the trace has."""
    found = processor.query(f"""
        select track.name, max(value) from counter join counter_track track on counter.track_id = track.id
        where track.name in {tuple(perfetto.RATES)} group by track.name""")
    return dict(found)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("roundtrip", {"doorbells", "interrupts", "exits to user space"}),
        ("self-doorbell", {"doorbells", "exits to user space"}),
        ("vm-to-vm", {"doorbells", "exits to user space"}),
        ("qemu-virtio-blk", {"doorbells"}),
    ],
)
def test_what_no_thread_of_ours_does_has_no_rate(name: str, told: set[str], processor: TraceProcessor) -> None:
    """Each doorbell interrupted, or QEMU's own vCPU exited, at a rate of 0."""
    processor.load(exported(Recording(path_of_shipped(name))))
    assert rates(processor).keys() == told


def test_what_was_only_counted_is_in_the_rates(processor: TraceProcessor, tmp_path: Path) -> None:
    seconds = np.array([10**9, 10**9 + 10**8, 10**9 + 2 * 10**9], np.uint64)  # at 2 GHz: 0, 50 ms and 1 s
    doorbell = event(int(seconds[0]), EventKind.RING, Lane.GUEST, 0x510, 1)
    counted = passed_over_events(
        seconds[1:2], EventKind.EXIT | Lane.VCPU << 16 | 2 << 32, np.array([400]), np.array([400])
    )
    last = event(int(seconds[2]), EventKind.RUNG, Lane.GUEST, 0x510, 1)
    header = Header(load_scenario("roundtrip"), {}, "kvm_test", Clock(2e9), "0.1.0")
    save_recording(tmp_path / "run.arrow", header, [np.concatenate([doorbell, counted, last])])
    loaded(Recording(tmp_path / "run.arrow"), processor)
    assert rates(processor)["exits to user space"] == 400 * 20  # in a bin of a twentieth of a second


UNKNOWN_RATES = """
    select ts / 50000000, (ts + dur) / 50000000, extract_arg(arg_set_id, 'debug.events lost'),
        extract_arg(arg_set_id, 'debug.events only counted')
    from slice where name = 'the rates here are not known' order by ts"""


def doorbells_at(*ms: float) -> list[Events]:
    """Of a clock of 2 GHz, the first one at 1 s."""
    return [event(10**9 + round(at * 2e6), EventKind.RING, Lane.GUEST, 0x510, n) for n, at in enumerate(ms, 1)]


def test_where_events_are_missing_the_rates_are_said_not_to_be_known(processor: TraceProcessor, tmp_path: Path) -> None:
    """A counter cannot be empty: the rate that is shown there is of what is left."""

    def lost(since: float, at: float, count: int, lane: Lane = Lane.GUEST) -> Events:
        return event(
            10**9 + round(at * 2e6),
            EventKind.LOST,
            Lane.ENGINE,
            lane,
            10**9 + round(since * 2e6) if since else 0,
            count,
        )

    def counted(at: float) -> Events:
        when = np.array([10**9 + round(at * 2e6)], np.uint64)
        sort = EventKind.RING | Lane.GUEST << 16 | 0x510 << 32
        return passed_over_events(when, sort, np.array([400]), np.array([400]))

    events = [
        *doorbells_at(0, 110, 230, 480, 510, 700, 910, 1200, 1210, 1400, 1500),
        *(lost(120, 160, 3), lost(210, 220, 2), lost(0, 530, 9), lost(600, 610, 8, Lane.KVM)),
        *(counted(1208), counted(1330)),
    ]
    stream = np.concatenate(events)
    header = Header(load_scenario("roundtrip"), {}, "kvm_test", Clock(2e9), "0.1.0")
    save_recording(tmp_path / "run.arrow", header, [stream[np.argsort(stream["tsc"], kind="stable")]])
    loaded(Recording(tmp_path / "run.arrow"), processor)
    # Bins 2 to 4 of 50 ms, 10, and 24 to 26: shown is each from its end on, as long as the next one is not over.
    assert processor.query(UNKNOWN_RATES) == [(3, 6, 5, 0), (11, 12, 9, 0), (25, 28, 0, 400)]


def test_a_trace_of_a_run_that_lost_nothing_knows_its_rates(processor: TraceProcessor) -> None:
    processor.load(exported(Recording(path_of_shipped("roundtrip"))))
    assert processor.query(UNKNOWN_RATES) == []


KERNEL = [  # tsc, kind, id, number: two interrupts, of which the second one is merged
    *(
        (1000, EventKind.WAKING, ThreadRole.IO_THREAD | 77 << ROLE_BITS, 1),
        (1100, EventKind.WAKING, ThreadRole.OTHER, 0),
    ),
    *((3000, EventKind.RUNS, ThreadRole.IO_THREAD | 77 << ROLE_BITS, 1), (3100, EventKind.RUNS, ThreadRole.OTHER, 0)),
    *((4000, EventKind.WORK_QUEUED, 5, 1), (5000, EventKind.WORK_STARTED, 5, 1), (5200, EventKind.ACCEPTED, 0x40, 1)),
    *((6000, EventKind.ACCEPTED, 0x40, 2), (9000, EventKind.INJECTED, 0x40, 2), (9500, EventKind.RUNS, 0, 0)),
]


def test_the_kernels_stages_have_tracks_of_their_own(processor: TraceProcessor, tmp_path: Path) -> None:
    events = [event(10**9 + 2 * tsc, kind, Lane.KVM, id, number) for tsc, kind, id, number in KERNEL]
    header = Header(load_scenario("irq-ioapic"), {}, "kvm_test", Clock(2e9), "0.1.0")
    save_recording(tmp_path / "run.arrow", header, [np.concatenate(events)])
    loaded(Recording(tmp_path / "run.arrow"), processor)
    assert processor.query("""
        select track.name, slice.name, ts, dur from slice join track on track_id = track.id
        where category = 'derived' order by ts""") == [
        ("I/O thread 77: run queue", "waits for a CPU", 0, 2000),
        ("irqfd's work item, GSI 5", "waits for a worker", 3000, 1000),
        ("local APIC, vector 0x40", "waits to be injected", 4200, 3800),
    ]
    assert processor.query("select count(*) from slice where category = 'event'") == [(len(KERNEL),)]


@pytest.mark.kvm
def test_a_trace_of_a_watched_run_is_whole(processor: TraceProcessor, tmp_path: Path) -> None:
    needs_sight()
    session, events = run(paced("roundtrip"), SIGNALS, kernel=True)
    check(saved(session, events, tmp_path), processor)
    tracks = processor.query("select distinct track.name from slice join track on track_id = track.id")
    names = " ".join(name for (name,) in tracks)
    assert all(word in names for word in ("vCPU thread", "I/O thread", "run queue", "system call", "local APIC"))


def row(kind: EventKind, seq: int, arg: int = 0) -> Row:
    return Row(0, kind, Lane.GUEST, 0, 0, seq, arg)


def test_however_many_doorbells_one_read_returns_each_has_its_flow() -> None:
    flows, rung = Flows(direct=False, queues=1), list(range(1, 1001))
    for number in rung:
        flows.of(row(EventKind.RING, number))
    assert flows.of(row(EventKind.DOORBELL, 1000, 2**63)) == (rung, [])
    assert flows.of(row(EventKind.IRQFD, 1, 1000)) == (rung, [])
    assert flows.of(row(EventKind.HANDLER, 2**63, 2**63)) == ([], rung)


def test_an_interrupt_that_a_handler_knew_of_before_it_was_signalled_ends_at_the_next() -> None:
    flows = Flows(direct=False, queues=1)
    flows.of(row(EventKind.IRQFD, 1))
    assert flows.of(row(EventKind.HANDLER, 2, 2)) == ([], [LONE + 1])
    flows.of(row(EventKind.IRQFD, 2))
    assert flows.of(row(EventKind.HANDLER, 2, 0)) == ([], [LONE + 2])


def test_a_masked_pin_s_interrupt_comes_to_no_handler() -> None:
    flows = Flows(direct=False, queues=1, masked=True)
    flows.of(row(EventKind.IRQFD, 1))
    flows.of(Row(0, EventKind.SETTING, Lane.ENGINE, 0, Setting.MASKED, 1, 0))
    flows.of(row(EventKind.IRQFD, 2))
    assert flows.of(row(EventKind.HANDLER, 2, 1)) == ([], [LONE + 2])
