"""Break when: the first event that counts is met, whenever and in whatever pieces it comes; the capture goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bellwire.engine.events import EVENT, EventKind, Events, Lane, Switch
from bellwire.engine.folds.journeys import HEAVY_DOORBELL
from bellwire.engine.folds.latency import LATENCIES, cycles_of
from bellwire.engine.live.session import Session
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from bellwire.viz.model.breaks import AFTER_SECONDS, Break, Fits, LeftAnyway, Merged, OfKind, Slow, Watch
from bellwire.viz.model.filter_language import parse
from bellwire.viz.model.live import LiveModel
from tests.support.batch_source import HZ, cut_world, drained, model_of
from tests.support.fake_source import FakeSource
from tests.support.sessions import PATIENCE
from tests.support.shifted import shifted_run
from tests.support.shipped_models import shipped_model

SHIPPED = Path(__file__).parents[3] / "assets" / "recordings" / "roundtrip.arrow"
AFTER = round(AFTER_SECONDS * HZ)


def at(tsc: int, kind: EventKind, id: int = 0, seq: int = 0, arg: int = 0) -> tuple[int, ...]:
    return (tsc, kind, Lane.ENGINE, 0, id, seq, arg)


def batch(*rows: tuple[int, ...]) -> Events:
    return np.array(list(rows), EVENT)


def later_by(events: Events, cycles: int) -> Events:
    """The same, so much later."""
    moved = events.copy()
    moved["tsc"] += np.uint64(cycles)
    return moved


def later(tsc: int) -> Events:
    """Time goes on."""
    return batch(at(tsc, EventKind.STAT))


def broken(batches: list[Events], wanted: Break) -> Watch:
    """It watches a model whose first batch came before the break was armed, with time enough after the last one."""
    end = max(int(some["tsc"][-1]) for some in batches if some.size)
    model = model_of([*batches, later(end + 2 * AFTER)])
    watch = Watch(model)
    model.drain()
    watch.arm(wanted)
    while model.source.batches:  # type: ignore[attr-defined]
        model.drain()
    return watch


def hit(watch: Watch) -> int:
    return watch.hit.tsc if watch.hit else 0


class Table:
    """What the figures of a latency are made of from now on: when each ended, and how long it took in ns."""

    def __init__(self, model: LiveModel, name: str) -> None:
        self.ended, self.ns = np.empty(0, np.uint64), np.empty(0)
        series = model.latencies.series[name]
        self._record = series.record
        setattr(series, "record", self._note)  # noqa: B010 (a method)

    def _note(self, ended: npt.NDArray[np.uint64], ns: npt.NDArray[np.float64]) -> None:
        self.ended, self.ns = np.append(self.ended, ended), np.append(self.ns, ns)
        self._record(ended, ns)

    def first_above(self, bound: float) -> tuple[int, list[float]]:
        """When the first that took longer ended, and how long those took that ended then; (0, []) if there is none."""
        slow = self.ended[self.ns > bound]
        first = slow.min() if slow.size else 0
        return int(first), self.ns[(self.ended == first) & (self.ns > bound)].tolist()


def met_as_in_the_table(watch: Watch, table: Table, name: str, bound: float) -> bool:
    """Whether there was one to be met, once it is checked that the view stands at the end of the first of them."""
    first, took = table.first_above(bound)
    assert (watch.broken, hit(watch)) == (bool(first), first)
    if watch.hit:
        journey = watch.hit.journey
        ns = watch.model.clock.ns(int(cycles_of(journey, name)[0]))
        assert np.isclose(took, ns, rtol=1e-12).any()
        assert f"#{int(journey['seq'][0])} took" in watch.hit.why.replace("\u202f", "")
        assert (watch.model.playhead, watch.model.state) == (first, "PAUSED")
        assert watch.model.selection.journeys.tolist() == journey.tolist()
    return bool(first)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), bound=st.integers(50, 600), name=st.sampled_from(LATENCIES))
@example(seed=329066, bound=50, name="round_trip")  # the guest's RUNG comes after the handler
def test_the_first_slow_journey_is_met(seed: int, bound: int, name: str) -> None:
    batches = [later(1), later(2 * 10**8), *(later_by(some, 2 * 10**8) for some in cut_world(seed))]  # after a warm-up
    end = max(int(some["tsc"][-1]) for some in batches if some.size)
    model = model_of([*batches, later(end + 2 * AFTER)])
    table, watch = Table(model, name), Watch(model)
    watch.arm(Slow(name, bound))
    while model.source.batches:  # type: ignore[attr-defined]
        model.drain()
    met_as_in_the_table(watch, table, name, bound)


def test_of_a_recording_the_first_slow_journey_of_the_table_is_met() -> None:
    """The warm-up, which no figure holds, is in the recording's first batch."""
    batches = list(Recording(SHIPPED).batches())
    chance, met = np.random.default_rng(8), 0
    for name in LATENCIES:
        for share in (0.5, 0.9, 2.0):
            cuts = [some[first : first + 5_000] for some in batches for first in range(0, some.size, 5_000)]
            model = model_of([*cuts, later(int(batches[-1]["tsc"][-1]) + 2 * AFTER)])
            table, watch = Table(model, name), Watch(model)
            usual = {"doorbell": 14_000, "injection": 17_000, "store_cost": 14_000, "round_trip": 45_000}[name]
            bound = usual * share * float(chance.uniform(0.9, 2))
            watch.arm(Slow(name, bound))
            while model.source.batches:  # type: ignore[attr-defined]
                model.drain()
            met += met_as_in_the_table(watch, table, name, bound)
    assert met > 7


def test_an_earlier_one_that_comes_late_is_met() -> None:
    """A thread that lost its CPU between reading the clock and publishing."""
    assert (
        hit(broken([later(1), batch(at(20, EventKind.LOST)), batch(at(10, EventKind.LOST))], OfKind(EventKind.LOST)))
        == 10
    )


@pytest.mark.kvm
def test_of_a_live_run_the_first_slow_journey_of_the_table_is_met() -> None:
    with Session(load_scenario("roundtrip").with_settings({"pace": "500"})) as session:
        model = LiveModel(session)

        def look_until(done: Callable[[], bool]) -> None:
            until = time.monotonic() + PATIENCE
            while not done() and time.monotonic() < until:
                model.tick(0.01)
                time.sleep(0.01)

        look_until(lambda: model.latencies.histograms["round_trip"].count > 200)
        bound = model.latencies.now("round_trip")
        assert bound
        table, watch = Table(model, "round_trip"), Watch(model)
        watch.arm(Slow("round_trip", bound))
        look_until(lambda: watch.broken)
        assert met_as_in_the_table(watch, table, "round_trip", bound)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), count=st.integers(1, 4))
def test_the_first_merged_signals_are_met(seed: int, count: int) -> None:
    batches = [later(1), *cut_world(seed)]
    watch = broken(batches, Merged(count))
    events = np.concatenate(batches)
    merging = np.isin(events["kind"], [EventKind.DOORBELL, EventKind.HANDLER]) & (events["arg"] > count)
    assert hit(watch) == (int(events["tsc"][merging][0]) if merging.any() else 0)


@pytest.mark.parametrize("kind", [EventKind.EXIT, EventKind.IRQ_IOCTL, EventKind.WINDOW])
def test_the_first_event_of_a_kind_is_met(kind: EventKind) -> None:
    batches = [later(1), *cut_world(11)]
    watch = broken(batches, OfKind(kind))
    events = np.concatenate(batches)
    there = events["tsc"][events["kind"] == kind]
    assert hit(watch) == (int(there[0]) if there.size else 0)
    assert watch.broken == bool(there.size)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 10**6), text=st.sampled_from(["kind=exit number>3", "latency>250ns", "/answers doorbell #1.$/"])
)
def test_an_event_that_fits_a_filter_is_met(seed: int, text: str) -> None:
    batches = [later(1), *cut_world(seed)]
    watch = broken(batches, Fits(text, parse(text)))
    free = broken(batches, OfKind(EventKind.SUBMIT))  # which never comes
    fitting = Fits(text, parse(text)).begin(free.model)
    assert fitting() is None  # from now on
    assert watch.broken == bool(hit(watch))
    if watch.hit:
        assert text in watch.hit.why
        assert watch.model.selection.events[0] == watch.hit.event[0]


def test_what_came_before_it_was_armed_does_not_count() -> None:
    watch = broken([batch(at(10, EventKind.LOST)), later(20)], OfKind(EventKind.LOST))
    assert not watch.broken


def test_it_waits_until_what_came_after_is_there() -> None:
    model = model_of([later(1), batch(at(10, EventKind.LOST)), later(10 + AFTER // 2), later(10 + AFTER)])
    watch = Watch(model)
    model.drain()
    watch.arm(OfKind(EventKind.LOST))
    states = []
    for _ in range(3):
        model.drain()
        states.append(watch.broken)
    assert states == [False, False, True]
    assert model.playhead == 10


def test_a_paused_view_is_told_and_not_moved() -> None:
    told = []
    model = model_of([later(1), batch(at(10, EventKind.LOST)), later(10 + AFTER)])
    watch = Watch(model)
    model.drain()
    watch.arm(OfKind(EventKind.LOST))
    watch.changed.append(lambda: told.append(watch.broken))
    model.transport.seek(3)
    model.drain()
    model.drain()
    assert told == [True]
    assert (model.playhead, watch.shown) == (3, False)
    watch.show()
    assert (model.playhead, watch.shown) == (10, True)


def test_go_on_waits_for_the_next_one_and_clear_for_none() -> None:
    first, second = batch(at(10, EventKind.LOST)), batch(at(10 + 3 * AFTER, EventKind.LOST))
    model = model_of([later(1), first, later(10 + 2 * AFTER), second, later(10 + 5 * AFTER), first])
    watch = Watch(model)
    model.drain()
    watch.arm(OfKind(EventKind.LOST))
    model.drain()
    model.drain()
    assert hit(watch) == 10
    watch.go_on()
    assert model.transport.following
    assert not model.selection.events.size
    model.drain()
    model.drain()
    assert hit(watch) == 10 + 3 * AFTER
    watch.clear()
    model.drain()
    assert (watch.hit, watch.wanted) == (None, None)


# -- an exit although the ioeventfd is on


def wire(tsc: int, on: bool) -> tuple[int, ...]:
    return at(tsc, EventKind.WIRE, Switch.IOEVENTFD, 0, int(on))


def test_an_exit_to_something_else_counts_while_the_ioeventfd_is_on() -> None:
    mmio, intr = 6, 10
    rows = [wire(5, False), at(6, EventKind.EXIT, mmio), wire(20, True), at(21, EventKind.EXIT, intr)]
    rows += [at(30, EventKind.EXIT, mmio, 0, 0xD0000000)]
    assert hit(broken([later(1), batch(*rows)], LeftAnyway())) == 30
    assert hit(broken([later(1), *(batch(row) for row in rows)], LeftAnyway())) == 30
    assert hit(broken([later(1), batch(*rows[:4])], LeftAnyway())) == 0


def test_a_doorbell_that_was_rung_before_the_switch_does_not_count() -> None:
    source = FakeSource()
    source.start()
    model = LiveModel(source)
    watch = Watch(model)
    watch.arm(LeftAnyway())

    def run(seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            source.run(1 / 50)
            model.tick(1 / 50)

    run(0.2)
    source.order(Order.IOEVENTFD, False)
    run(0.4)
    source.order(Order.IOEVENTFD, True)
    run(0.4)
    assert model.journeys.newest(10**6)["heavy"].max() & HEAVY_DOORBELL
    assert hit(watch) == 0
    source._on[Switch.IOEVENTFD] = False  # exits, though nobody has said that the wire is cut
    run(0.6)
    assert watch.broken
    assert watch.hit is not None
    assert "left to user space although" in watch.hit.why
    assert int(model.selection.journeys["exit"][0]) == hit(watch)


@pytest.mark.parametrize(
    ("scenario", "wanted", "why"),
    [
        ("qemu-virtio-blk", LeftAnyway(), "exits to QEMU, which is another process, are not seen"),
        ("qemu-ivshmem", OfKind(EventKind.EXIT), "exits to QEMU, which is another process, are not seen"),
        ("irq-msi", LeftAnyway(), "it has no ioeventfd"),
        ("irq-msi", OfKind(EventKind.RING), "it has no event of kind ring"),
        ("vm-to-vm", OfKind(EventKind.IRQFD), "it has no event of kind IRQFD"),
        ("vm-to-vm", OfKind(EventKind.EXIT), ""),
        ("roundtrip", OfKind(EventKind.IRQ_IOCTL), ""),
        ("roundtrip", OfKind(EventKind.LOST), ""),
        ("qemu-virtio-blk", OfKind(EventKind.USER_EXIT), ""),
    ],
)
def test_what_can_never_come_is_said(scenario: str, wanted: Break, why: str) -> None:
    assert wanted.cannot(LiveModel(FakeSource(scenario))).lower() == why.lower()


@pytest.mark.parametrize("wanted", ["roundtrip>1us", "kind=handler latency>1us", "store>1us or latency>1us"])
def test_nothing_waits_for_a_latency_that_cannot_be_told(wanted: str) -> None:
    """The figures have none of an emulated CPU: a break at one never came, and a filter stopped at times that mean
    nothing."""
    model = shipped_model("roundtrip@kvm_amd")
    for refused in (Slow("round_trip", 1000.0), Fits(wanted, parse(wanted))):
        assert refused.cannot(model).startswith("an emulated CPU (TCG) ran it")
    for text in ("kind=handler or latency>1us", "not latency>1us"):
        assert Fits(text, parse(text)).cannot(model) == ""
    assert Fits(wanted, parse(wanted)).cannot(shipped_model("roundtrip")) == ""


def test_one_way_latencies_of_clocks_that_are_apart_are_not_waited_for() -> None:
    model = drained(shifted_run(load_scenario("roundtrip"), -25_000))
    assert "clocks are apart" in Slow("doorbell", 1000.0).cannot(model)
    assert Slow("round_trip", 1000.0).cannot(model) == ""
    assert "clocks are apart" in Fits("", parse("injection>1us")).cannot(model)
    assert Fits("", parse("latency>1us")).cannot(model) == ""
